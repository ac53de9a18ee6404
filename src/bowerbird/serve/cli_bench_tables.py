"""What `bowerbird bench` prints for people: results, comparisons, and the queries that moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bowerbird.serve.cli_output import out, printable

if TYPE_CHECKING:
    from bowerbird.lab.comparing import Change, Comparison, Moved
    from bowerbird.lab.judging import Mean, SetResult

COLUMNS = ("ndcg@10", "recall@100", "mrr@10", "map")


def print_results(results: Sequence[SetResult]) -> None:
    """Print a line for each collection and pipeline, the parts of its queries below, means, and formulas that ran."""
    from bowerbird.lab.judging import means

    head = ("collection", "pipeline", "queries", "ndcg@10", "95%", *COLUMNS[1:], "p50 ms", "p95 ms", "MB", "failed")
    _table([head, *(row for result in results for row in _rows(result)), *map(_mean, means(results))], 2)
    for pipeline, formula in dict.fromkeys((result.pipeline, result.formula) for result in results):
        _line(f"formula: {formula}" if pipeline in ("", formula) else f"formula of {pipeline}: {formula}")


def _rows(result: SetResult) -> Iterator[tuple[str, ...]]:
    main, *others = (f"{result.measures[column]:.4f}" for column in COLUMNS)
    times = ("" if took is None else f"{took:.1f}" for took in (result.took(0.5), result.took(0.95)))
    memory = f"{result.memory / 1e6:.0f}" if result.memory else ""
    ends = _ends(result.intervals[COLUMNS[0]])
    name = short(result.pipeline)
    yield (result.name, name, f"{result.queries:,}", main, ends, *others, *times, memory, str(result.failed))
    for label, part in result.slices.items():
        told = (f"{part.queries:,}", f"{part.value:.4f}", _ends(part.interval))
        yield (f"  {label}", name, *told, *[""] * 7)


def _mean(mean: Mean) -> tuple[str, ...]:
    main, *others = (f"{mean.measures[column]:.4f}" for column in COLUMNS)
    return (f"mean of {mean.sets}", short(mean.pipeline), f"{mean.queries:,}", main, "", *others, *[""] * 4)


def print_comparisons(comparisons: Sequence[Comparison]) -> None:
    """Print what each pipeline gains or loses against the first."""
    if not comparisons:
        return
    from bowerbird.lab.comparing import chance

    _line("")
    head = ("nDCG@10 against", "pipeline", "collection", "difference", "95%", "better", "worse", "p", "p (Holm)", "")
    rows = [
        (
            short(one.baseline), short(one.pipeline), f"{one.name}, {one.slice}" if one.slice else one.name,
            f"{one.difference:+.4f}", _ends(one.interval, "+"), f"{one.better:,}", f"{one.worse:,}",
            chance(one.p), chance(one.p_holm), "significant" if one.significant else "",
        )
        for one in comparisons
    ]  # fmt: skip
    _table([head, *rows], 3)


def print_changes(changes: Sequence[Change]) -> None:
    """Print the queries that moved, and what the pipelines tell of the documents that answer them."""
    for change in changes:
        verdict = "worse" if change.difference < 0 else "better"
        _line("")
        _line(f"{verdict}: {change.before:.3f} -> {change.after:.3f}  {change.name} {change.topic}: {change.text}")
        _line(f"  {short(change.baseline)} -> {short(change.pipeline)}")
        for moved in change.gold:
            _moved("answers it", moved)
        if change.instead:
            _moved("stands instead", change.instead)


def _moved(what: str, moved: Moved) -> None:
    _line(f"  {what}: {moved.document}, rank {place(moved.before)} -> {place(moved.after)}")
    for label, lines in (("before", moved.lines_before), ("after", moved.lines_after)):
        for line in lines:
            _line(f"    {label}: {line}")


def place(rank: int | None) -> str:
    """Return a rank in words; None is one beyond what was asked for."""
    return str(rank) if rank else "none"


def short(pipeline: str) -> str:
    """Return a pipeline's name, cut where it is a long formula."""
    return pipeline if len(pipeline) <= 40 else f"{pipeline[:39]}…"


def _ends(ends: tuple[float, float], sign: str = "") -> str:
    return "[{:{sign}.3f} {:{sign}.3f}]".format(*ends, sign=sign)


def _table(rows: Sequence[tuple[str, ...]], named: int) -> None:
    """Print rows, the first `named` columns to the left and numbers to the right."""
    shown = [tuple(printable(cell) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = [
            cell.ljust(width) if at < named else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        _line("  ".join(cells).rstrip())


def _line(text: str) -> None:
    out().print(printable(text), markup=False, soft_wrap=True)
