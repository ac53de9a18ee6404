"""`bowerbird bench`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.serve.cli_call import JSON_HELP, current

if TYPE_CHECKING:
    from bowerbird.lab.bench import SetResult

COLUMNS = ("ndcg@10", "recall@100", "mrr@10", "map")


def bench(  # noqa: PLR0913 - the options of a command are its parameters, and Typer reads them from here
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders that hold a judged collection.")],
    *,
    pipeline: Annotated[str, typer.Option(help="words, meaning, hybrid, or a formula.")] = "hybrid",
    split: Annotated[str, typer.Option(help="dev, train or test; else all queries of qrels.tsv.")] = "",
    queries: Annotated[int, typer.Option(min=0, help="Only the first N queries; 0 means all.")] = 0,
    user: Annotated[str, typer.Option("--as", metavar="USER", help="Search as this user; else as the system.")] = "",
    run_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a TREC run here.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Index anew, even where a kept library would do.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Measure search quality and speed on judged collections, through the product's own write and read walks."""
    from bowerbird.core.errors import UsageError
    from bowerbird.core.records import SYSTEM, Principal
    from bowerbird.lab.bench import Bench, Options, run_lines
    from bowerbird.lab.collections import SPLITS, Collection
    from bowerbird.serve.cli_output import print_json
    from bowerbird.serve.cli_progress import ProgressView, stopping

    if split and split not in SPLITS:
        raise UsageError(f"There is no split `{split}`.", f"Use one of: {', '.join(SPLITS)}.")
    for folder in folders:
        Collection.open(folder)
    call = current()
    runner = Bench(call.home, call.settings())
    options = Options(pipeline, split, queries, Principal(f"user:{user}") if user else SYSTEM, fresh)
    results = []
    with stopping() as stop, ProgressView() as view:
        for folder in folders:
            results.append(runner.run(folder, options, stop, view))
            if stop.is_set():
                break
    if run_file is not None:
        lines = [line for result in results for line in run_lines(result)]
        run_file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    if as_json:
        print_json({"sets": [result.to_dict() for result in results]})
    else:
        print_table(results)


def print_table(results: list[SetResult]) -> None:
    """Print one line a collection, and the formula that ran."""
    from bowerbird.serve.cli_output import out, printable

    rows = [("collection", "queries", *COLUMNS, "p50 ms", "p95 ms", "failed"), *map(cells, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.rjust, row[1:], widths[1:])) for row in rows]
    for row, line in zip(rows, lines, strict=True):
        out().print(f"{printable(row[0]).ljust(widths[0])}  {line}", markup=False, soft_wrap=True)
    for formula in dict.fromkeys(result.formula for result in results):
        out().print(f"formula: {formula}", markup=False, soft_wrap=True)


def cells(result: SetResult) -> tuple[str, ...]:
    """Return a collection's line of the table."""
    measured = (f"{result.measures[column]:.4f}" for column in COLUMNS)
    times = (f"{result.p50_ms:.1f}", f"{result.p95_ms:.1f}")
    return (result.name, f"{result.queries:,}", *measured, *times, str(result.failed))
