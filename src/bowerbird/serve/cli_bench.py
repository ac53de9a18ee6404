"""`bowerbird bench`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.serve.cli_call import JSON_HELP, current

if TYPE_CHECKING:
    from bowerbird.lab.bench import Options, Outcome
    from bowerbird.lab.judging import SetResult

_REPORTED = 10
"""Queries explained in a report, in each direction, where `--diffs` does not say how many."""


def bench(  # noqa: PLR0913 - the options of a command are its parameters, and Typer reads them from here
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders that hold a judged collection.")],
    *,
    pipeline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FORMULA", help="A pipeline; may be repeated: the others are compared with the first."
        ),
    ] = None,
    against: Annotated[
        list[Path] | None, typer.Option(metavar="RUN", help="A TREC run of another system to compare with.")
    ] = None,
    baseline: Annotated[
        str, typer.Option(metavar="NAME", help="What the others are compared with; else the first pipeline.")
    ] = "",
    split: Annotated[str, typer.Option(help="dev, train or test; else all queries of qrels.tsv.")] = "",
    slice_by: Annotated[str, typer.Option("--slice", metavar="FIELD", help="Part the queries by this metadata.")] = "",
    queries: Annotated[int, typer.Option(min=0, help="Only the first N queries; 0 means all.")] = 0,
    diffs: Annotated[int, typer.Option(min=0, help="Explain the N queries that moved most, up and down.")] = 0,
    user: Annotated[str, typer.Option("--as", metavar="USER", help="Search as this user; else as the system.")] = "",
    run_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a TREC run here.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a report with plots, in HTML.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Index anew, even where a kept library would do.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Measure search quality and speed on judged collections, through the product's own write and read walks."""
    from bowerbird.core.errors import UsageError
    from bowerbird.core.records import SYSTEM, Principal
    from bowerbird.lab.bench import Options, contenders
    from bowerbird.lab.collections import SPLITS, Collection

    if split and split not in SPLITS:
        raise UsageError(f"There is no split `{split}`.", f"Use one of: {', '.join(SPLITS)}.")
    names = [Collection.open(folder).name for folder in folders]
    if against and len(folders) > 1:
        raise UsageError("A run is of one collection.", "With --against, name one folder.")
    if len(set(names)) < len(names):
        raise UsageError("Two of the folders have one name.", "Name each collection once.")
    for file in (run_file, report):
        if file is not None and not file.absolute().parent.is_dir():
            raise UsageError(f"{file} cannot be written: there is no folder {file.parent}.", "Make it first.")
    options = Options(
        pipelines=contenders(pipeline or ["hybrid"]),
        split=split,
        queries=queries,
        principal=Principal(f"user:{user}") if user else SYSTEM,
        fresh=fresh,
        runs=tuple(against or ()),
        baseline=baseline,
        slice=slice_by,
        diffs=diffs or (_REPORTED if report else 0),
    ).checked()
    tell(measure(folders, options), options, (run_file, report), as_json)


def measure(folders: Sequence[Path], options: Options) -> list[Outcome]:
    """Run the collections in turn, with progress on stderr; raises Interrupted where that was asked for."""
    from bowerbird.lab.bench import Bench, Watch
    from bowerbird.serve.cli_progress import ProgressView, stopping

    call = current()
    runner = Bench(call.home, call.settings())
    outcomes = []
    with stopping() as stop, ProgressView() as view:

        def asked(name: str, done: int, total: int) -> None:
            view.show(f"Asking {name}", done, total, f"{done:,} of {total:,} queries")

        for folder in folders:
            if not stop.is_set():
                outcomes.append(runner.run(folder, options, Watch(stop, view, asked)))
    return outcomes


def tell(outcomes: Sequence[Outcome], options: Options, files: tuple[Path | None, Path | None], as_json: bool) -> None:
    """Write the run and the report where they were asked for, and print the results."""
    from bowerbird.lab.comparing import compare
    from bowerbird.lab.judging import means
    from bowerbird.serve.cli_bench_tables import print_changes, print_comparisons, print_results
    from bowerbird.serve.cli_output import print_json

    results = [result for outcome in outcomes for result in outcome.results]
    changes = [change for outcome in outcomes for change in outcome.changes]
    comparisons = compare(results, {outcome.collection.name: outcome.slices for outcome in outcomes})
    run_file, report = files
    if run_file is not None:
        write_runs(run_file, results)
    if report is not None:
        from bowerbird.lab.report import page

        report.write_text(page(outcomes, comparisons), encoding="utf-8")
    if as_json:
        print_json(
            {
                "sets": [result.to_dict() for result in results],
                "means": [mean.to_dict() for mean in means(results)],
                "comparisons": [comparison.to_dict() for comparison in comparisons],
                "changes": [change.to_dict() for change in changes],
            }
        )
        return
    print_results(results)
    print_comparisons(comparisons)
    if options.diffs and report is None:
        print_changes(changes)


def write_runs(path: Path, results: Sequence[SetResult]) -> None:
    """Write what was found as TREC runs, and say where if there are several."""
    from bowerbird.lab.runs import files_for, run_lines
    from bowerbird.serve.cli_output import say

    for file, result in files_for(path, [result for result in results if result.times_ms]):
        file.write_text("".join(f"{line}\n" for line in run_lines(result)), encoding="utf-8")
        if file != path:
            say(f"{result.name}, {result.pipeline}: {file}")
