"""The report of a bench run: one HTML page that needs nothing else, with plots in SVG and no script."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from bowerbird import __version__
from bowerbird.lab.comparing import ALL, Change, Comparison, Moved, chance
from bowerbird.lab.judging import MAIN, SetResult, means
from bowerbird.lab.measuring import machine
from bowerbird.lab.plots import COLOURS, bars, curves, forest, scatter

if TYPE_CHECKING:
    from bowerbird.lab.bench import Outcome

LIGHT = ("#0b6e99", "#c2410c", "#3f7d20", "#7a3e9d", "#a16207", "#be185d", "#0f766e", "#52525b")
DARK = ("#5cc3ee", "#fb923c", "#93c952", "#c795e8", "#e3b341", "#f472b6", "#4fd1c5", "#a1a1aa")
"""A colour a pipeline, in the order of the run; the same hues on both grounds."""

_STYLE = """
:root{color-scheme:light dark;--ground:#fff;--ink:#1c1b19;--soft:#6b6862;--line:#dedad3;--good:#2e7d32;--bad:#c62828;%s}
@media(prefers-color-scheme:dark){:root{--ground:#191816;--ink:#eae7e1;--soft:#a09b92;--line:#3a3733;--good:#7cc47f;
--bad:#f08a80;%s}}
body{background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:1.5rem;
max-width:62rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem}h3{font-size:1rem;margin-bottom:.2rem}
p.soft,.soft{color:var(--soft)}code{font-size:.92em;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.5rem 0}
th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:600;color:var(--soft)}th.name,td.name{text-align:left}
svg{display:block;width:100%%;max-width:45rem;height:auto;margin:.6rem 0;font:12px system-ui,sans-serif}
svg text{fill:var(--soft)}svg .grid{stroke:var(--line)}svg .zero{stroke:var(--ink)}svg .thick{stroke-width:2;fill:none}
svg .better{fill:var(--good)}svg .worse{fill:var(--bad)}.good{color:var(--good)}.bad{color:var(--bad)}
.key{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:.4rem 0}.key i{display:inline-block;width:.8em;height:.8em;
border-radius:50%%;margin-right:.4em}
details{border-top:1px solid var(--line);padding:.35rem 0}summary{cursor:pointer}
details ul{margin:.3rem 0 .6rem;padding-left:1.4rem}
%s
"""


def page(outcomes: Sequence[Outcome], comparisons: Sequence[Comparison]) -> str:
    """Return the report of a run as HTML."""
    results = [result for outcome in outcomes for result in outcome.results]
    names = list(dict.fromkeys(result.pipeline for result in results))
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>Bench of Bowerbird {escape(__version__)}</title><style>{_style()}</style></head><body>",
        "<h1>Search quality and speed</h1>",
        f'<p class="soft">{escape(_where())}</p>',
        *_formulas(results, names),
        *_quality(results, names),
        *_compared(results, comparisons, names),
        *_cost(results, names),
        *_moved([change for outcome in outcomes for change in outcome.changes]),
        *_method(),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _style() -> str:
    light, dark = ("".join(f"--c{at}:{colour};" for at, colour in enumerate(colours)) for colours in (LIGHT, DARK))
    series = "".join(f"svg .fc{at}{{fill:var(--c{at})}}svg .sc{at}{{stroke:var(--c{at})}}" for at in range(COLOURS))
    return _STYLE % (light, dark, series)


def _where() -> str:
    return f"Bowerbird {__version__}, {time.strftime('%Y-%m-%d %H:%M')}, {machine()}"


def _formulas(results: Sequence[SetResult], names: Sequence[str]) -> Iterator[str]:
    formulas = {result.pipeline: result.formula for result in results}
    yield "<ul>"
    for name in names:
        told = "" if formulas[name] == name else f": <code>{escape(formulas[name])}</code>"
        yield f"<li><b>{escape(name)}</b>{told}</li>"
    yield "</ul>"


def _key(names: Sequence[str]) -> str:
    dots = (
        f'<span><i style="background:var(--c{at % COLOURS})"></i>{escape(name)}</span>' for at, name in enumerate(names)
    )
    return f'<div class="key">{"".join(dots)}</div>'


def _quality(results: Sequence[SetResult], names: Sequence[str]) -> Iterator[str]:
    yield "<h2>Quality</h2>"
    yield _key(names)
    yield forest(
        f"{MAIN} with 95% intervals",
        [(one.name, one.pipeline, one.measures[MAIN], one.intervals[MAIN]) for one in results],
        names,
    )
    measures = list(results[0].measures) if results else []
    head = ["collection", "pipeline", "queries", "failed", *(cell for one in measures for cell in (one, "95%"))]
    rows = []
    for one in results:
        cells = (
            cell for measure in measures for cell in (f"{one.measures[measure]:.4f}", _ends(one.intervals[measure]))
        )
        rows.append([one.name, one.pipeline, f"{one.queries:,}", f"{one.failed:,}", *cells])
        for label, part in one.slices.items():
            told = [f"{part.queries:,}", "", f"{part.value:.4f}", _ends(part.interval)]
            rows.append([f"{one.name}, {label}", one.pipeline, *told, *[""] * (2 * len(measures) - 2)])
    for mean in means(results):
        cells = (cell for measure in measures for cell in (f"{mean.measures[measure]:.4f}", ""))
        rows.append([f"mean of {mean.sets}", mean.pipeline, f"{mean.queries:,}", "", *cells])
    yield _table(head, rows)


def _compared(results: Sequence[SetResult], comparisons: Sequence[Comparison], names: Sequence[str]) -> Iterator[str]:
    if not comparisons:
        return
    yield f"<h2>Against {escape(comparisons[0].baseline)}</h2>"
    yield _key(names)
    yield forest(
        f"difference of {MAIN} with 95% intervals",
        [(_label(one), one.pipeline, one.difference, one.interval) for one in comparisons],
        names,
        zero=True,
    )
    head = ["collection", "pipeline", f"{MAIN} difference", "95%", "better", "worse", "p", "p (Holm)", ""]
    yield _table(head, [_comparison(one) for one in comparisons])
    found = {(one.name, one.pipeline): one for one in results}
    for one in comparisons:
        if one.slice or one.name == ALL:
            continue
        before, after = (found[one.name, name].values[MAIN] for name in (one.baseline, one.pipeline))
        yield f"<h3>{escape(one.name)}: {escape(one.pipeline)}, query by query</h3>"
        yield bars(f"{one.name}: {one.pipeline} - {one.baseline}", [after[topic] - before[topic] for topic in before])


def _label(one: Comparison) -> str:
    return f"{one.name}, {one.slice}" if one.slice else one.name


def _comparison(one: Comparison) -> list[str]:
    return [
        _label(one), one.pipeline, f"{one.difference:+.4f}", _ends(one.interval), f"{one.better:,}", f"{one.worse:,}",
        chance(one.p), chance(one.p_holm), "significant" if one.significant else "",
    ]  # fmt: skip


def _cost(results: Sequence[SetResult], names: Sequence[str]) -> Iterator[str]:
    timed = [one for one in results if one.times_ms]
    if not timed:
        return
    yield "<h2>Latency and memory</h2>"
    head = ["collection", "pipeline", "p50 ms", "p95 ms", "p99 ms", "memory MB"]
    rows = [[one.name, one.pipeline, *_times(one), f"{one.memory / 1e6:.0f}" if one.memory else ""] for one in timed]
    yield _table(head, rows)
    for name in dict.fromkeys(one.name for one in timed):
        some = [one for one in timed if one.name == name]
        yield f"<h3>{escape(name)}: share of the queries answered within so many milliseconds</h3>"
        yield _key(names)
        yield curves(f"latency on {name}", {one.pipeline: one.times_ms for one in some}, "ms", names)
    if len(names) > 1:
        points = [(name, *_mean([one for one in timed if one.pipeline == name])) for name in names if _any(timed, name)]
        yield "<h3>Quality and p95 latency, means over the collections</h3>"
        yield scatter("quality against latency", points, ("p95 ms", MAIN), names)


def _any(results: Sequence[SetResult], name: str) -> bool:
    return any(one.pipeline == name for one in results)


def _times(one: SetResult) -> list[str]:
    return [f"{one.took(share) or 0:.1f}" for share in (0.5, 0.95, 0.99)]


def _mean(results: Sequence[SetResult]) -> tuple[float, float]:
    """Return the mean p95 in milliseconds and the mean of the main measure."""
    times = [one.took(0.95) or 0.0 for one in results]
    return sum(times) / len(times), sum(one.measures[MAIN] for one in results) / len(results)


def _moved(changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        return
    yield "<h2>Queries that moved most</h2>"
    for pair in dict.fromkeys((one.name, one.baseline, one.pipeline) for one in changes):
        some = [one for one in changes if (one.name, one.baseline, one.pipeline) == pair]
        for verdict, those in (
            ("worse", [one for one in some if one.difference < 0]),
            ("better", [one for one in some if one.difference > 0]),
        ):
            if those:
                yield f"<h3>{escape(pair[0])}: {verdict} by {escape(pair[2])} than by {escape(pair[1])}</h3>"
                for one in those:
                    yield from _change(one)


def _change(one: Change) -> Iterator[str]:
    side = "bad" if one.difference < 0 else "good"
    yield (
        f'<details><summary><span class="{side}">{one.before:.3f} → {one.after:.3f}</span> '
        f'{escape(one.text)} <span class="soft">{escape(one.topic)}</span></summary>'
    )
    for moved in one.gold:
        yield from _document("answers it", moved)
    if one.instead:
        yield from _document("stands instead", one.instead)
    yield "</details>"


def _document(what: str, moved: Moved) -> Iterator[str]:
    before, after = (str(rank) if rank else "none" for rank in (moved.before, moved.after))
    yield f"<p>{what}: <b>{escape(moved.document)}</b>, rank {before} → {after}</p><ul>"
    for label, lines in (("before", moved.lines_before), ("after", moved.lines_after)):
        if lines:
            yield f'<li><span class="soft">{label}:</span> {"<br>".join(map(escape, lines))}</li>'
    yield "</ul>"


def _method() -> Iterator[str]:
    yield "<h2>How it was measured</h2>"
    yield (
        "<p>Measures are means over the queries, computed by ir-measures over the first 100 items; a query that fails"
        " counts as finding nothing. Intervals: 95%, BCa bootstrap over queries. p: two-sided paired randomization"
        " test; p (Holm): corrected for all comparisons on this page; significant: p (Holm) below 0.05. Over all sets,"
        " each weighs the same. The pipelines take turns query by query. Memory: the largest resident size of a process"
        " that opens the library and does nothing but search with that pipeline.</p>"
    )


def _ends(ends: tuple[float, float]) -> str:
    return f"[{ends[0]:.3f}, {ends[1]:.3f}]"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    named = 2

    def line(cells: Sequence[str], tag: str) -> str:
        kinds = (' class="name"' if at < named else "" for at in range(len(cells)))
        told = (f"<{tag}{kind}>{escape(cell)}</{tag}>" for kind, cell in zip(kinds, cells, strict=True))
        return f"<tr>{''.join(told)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f'<div class="wide"><table><thead>{line(head, "th")}</thead><tbody>{body}</tbody></table></div>'
