"""Plots as SVG, drawn here: no library, no script, colours by classes of the page around them (c0 to c7).

Every plot is text that stands in an HTML page; what is written into it is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from bowerbird.lab.significance import Interval

WIDTH = 720
COLOURS = 8
"""Colours that the page has; more series take them again."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 170, 20, 12, 40
_BARS = 400


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to places in a drawing: `low` lies at `first`, `high` at `last`; with `log` by their logarithms."""

    low: float
    high: float
    first: float
    last: float
    log: bool = False

    def at(self, value: float) -> float:
        """Return where a value lies, within the drawing."""
        low, high, value = (math.log10(one) if self.log else one for one in (self.low, self.high, value))
        share = (value - low) / (high - low)
        return self.first + min(max(share, 0.0), 1.0) * (self.last - self.first)

    def ticks(self) -> list[float]:
        """Return round values between the ends, at most seven; in a log scale those of 1, 2 and 5."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            every = (base * 10.0**decade for decade in decades for base in (1, 2, 5))
            return [tick for tick in every if self.low <= tick <= self.high]
        step = round_step((self.high - self.low) / 7)
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def round_step(raw: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten.

    >>> [round_step(raw) for raw in (0.13, 1.0, 3.0)]
    [0.2, 1.0, 5.0]
    """
    power = 10.0 ** math.floor(math.log10(raw))
    return float(next((base * power for base in (1, 2, 5) if base * power >= raw * (1 - 1e-9)), 10 * power))


def forest(
    title: str, rows: Sequence[tuple[str, str, float, Interval]], names: Sequence[str], zero: bool = False
) -> str:
    """Draw values with their intervals, a row each: label, series, value, interval. With `zero`, a line marks 0.

    `names` are the series in the order of their colours, here and in the other plots.
    """
    if not rows:
        return ""
    low, high = _around([end for _, _, value, ends in rows for end in (value, *ends)], zero)
    height = _TOP + 20 * len(rows) + _BOTTOM
    across = Scale(low, high, _LEFT, WIDTH - _RIGHT)
    body = list(_below(across, height))
    if zero:
        body.append(_stroke((across.at(0), _TOP, across.at(0), height - _BOTTOM), "zero"))
    before = ""
    for number, (label, name, value, ends) in enumerate(rows):
        y = _TOP + 20 * number + 10.0
        colour = colour_of(name, names)
        if label != before:
            body.append(_text(_LEFT - 8, y + 4, label, "end"))
        before = label
        body.append(_stroke((across.at(ends[0]), y, across.at(ends[1]), y), f"s{colour} thick"))
        told = f"{label}, {name}: {value:.4f} [{ends[0]:.4f}, {ends[1]:.4f}]"
        body.append(_dot(across.at(value), y, colour, told))
    return _drawing(title, height, body)


def bars(title: str, values: Sequence[float]) -> str:
    """Draw differences, a bar a query, the lowest first; of more than 400 every so many are one bar, their mean."""
    ordered = sorted(values)
    if not ordered:
        return ""
    size = max(1, math.ceil(len(ordered) / _BARS))
    means = [
        sum(some) / len(some) for some in (ordered[first : first + size] for first in range(0, len(ordered), size))
    ]
    reach = max(0.05, *(abs(one) for one in means))
    height = 180
    down = Scale(-reach, reach, height - 14, _TOP)
    each = (WIDTH - 60 - _RIGHT) / len(means)
    ticks = {-reach: f"{-reach:+.2f}", 0.0: "0", reach: f"{reach:+.2f}"}
    body = [_text(52, down.at(tick) + 4, told, "end") for tick, told in ticks.items()]
    for number, mean in enumerate(means):
        top, bottom = sorted((down.at(mean), down.at(0)))
        side = "better" if mean > 0 else "worse"
        body.append(
            f'<rect class="{side}" x="{60 + number * each:.2f}" y="{top:.1f}" width="{max(each, 0.5):.2f}" '
            f'height="{bottom - top:.1f}"/>'
        )
    body.append(_stroke((60, down.at(0), WIDTH - _RIGHT, down.at(0)), "zero"))
    return _drawing(title, height, body)


def curves(title: str, samples: Mapping[str, Sequence[float]], unit: str, names: Sequence[str]) -> str:
    """Draw which share of the samples lies at or below a value (a cumulative distribution), on a logarithmic scale."""
    ordered = {name: sorted(max(one, 1e-3) for one in some) for name, some in samples.items() if some}
    if not ordered:
        return ""
    low, high = min(one[0] for one in ordered.values()), max(one[-1] for one in ordered.values())
    across = Scale(low * 0.9, high * 1.1, 60, WIDTH - _RIGHT, log=True)
    height = 220
    up = Scale(0, 1, height - _BOTTOM, _TOP)
    body = list(_below(across, height, unit))
    for share in (0.0, 0.5, 0.95):
        body.append(_stroke((60, up.at(share), WIDTH - _RIGHT, up.at(share)), "grid"))
        body.append(_text(52, up.at(share) + 4, f"{share:.0%}", "end"))
    for name, some in ordered.items():
        kept = sorted({min(len(some) - 1, round(step * (len(some) - 1) / 200)) for step in range(201)})
        points = " ".join(f"{across.at(some[at]):.1f},{up.at((at + 1) / len(some)):.1f}" for at in kept)
        body.append(
            f'<polyline class="s{colour_of(name, names)} thick" points="{points}">'
            f"<title>{escape(name)}</title></polyline>"
        )
    return _drawing(title, height, body)


def scatter(title: str, points: Sequence[tuple[str, float, float]], axes: tuple[str, str], names: Sequence[str]) -> str:
    """Draw points (name, across, up) with their names beside them; the scale across is logarithmic."""
    shown = [(name, max(x, 1e-3), y) for name, x, y in points]
    if not shown:
        return ""
    low, high = _around([y for _, _, y in shown], False)
    height = 260
    across = Scale(min(x for _, x, _ in shown) * 0.7, max(x for _, x, _ in shown) * 1.6, 60, WIDTH - 110, log=True)
    up = Scale(low, high, height - _BOTTOM, _TOP)
    body = list(_below(across, height, axes[0]))
    for tick in up.ticks():
        body.append(_stroke((60, up.at(tick), WIDTH - _RIGHT, up.at(tick)), "grid"))
        body.append(_text(52, up.at(tick) + 4, _number(tick), "end"))
    for name, x, y in shown:
        told = f"{name}: {axes[0]} {x:.1f}, {axes[1]} {y:.4f}"
        body.append(_dot(across.at(x), up.at(y), colour_of(name, names), told))
        body.append(_text(across.at(x) + 8, up.at(y) + 4, name, "start"))
    return _drawing(title, height, body)


def colour_of(name: str, names: Sequence[str]) -> str:
    """Return the class of a series' colour: its place among all series."""
    return f"c{names.index(name) % COLOURS}"


def _around(values: Sequence[float], zero: bool) -> tuple[float, float]:
    """Return ends a little beyond the values, and beyond 0 where that is to be seen."""
    every = [*values, 0.0] if zero else list(values)
    low, high = min(every), max(every)
    margin = max((high - low) * 0.08, 0.005)
    return low - margin, high + margin


def _below(across: Scale, height: float, unit: str = "") -> Iterator[str]:
    """Yield the axis at the bottom: a line up from each round value, and its number."""
    for tick in across.ticks():
        x = across.at(tick)
        yield _stroke((x, _TOP, x, height - _BOTTOM), "grid")
        yield _text(x, height - _BOTTOM + 16, _number(tick), "middle")
    if unit:
        yield _text((across.first + across.last) / 2, height - 6, unit, "middle")


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 10 else f"{value:,.0f}"


def _stroke(ends: tuple[float, float, float, float], kind: str) -> str:
    x1, y1, x2, y2 = ends
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _dot(x: float, y: float, colour: str, told: str) -> str:
    return f'<circle class="f{colour}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"><title>{escape(told)}</title></circle>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    cut = text if len(text) <= 28 else f"{text[:27]}…"
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(cut)}</text>'


def _drawing(title: str, height: float, body: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title, quote=True)}">'
        f"<title>{escape(title)}</title>{''.join(body)}</svg>"
    )
