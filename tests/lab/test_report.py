"""Plots and the report: what stands in them, that nothing breaks out, and that they need nothing else."""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml

import pytest

from bowerbird.lab.bench import Outcome
from bowerbird.lab.collections import Collection, Topic
from bowerbird.lab.comparing import changes, compare
from bowerbird.lab.judging import Answered, judge
from bowerbird.lab.plots import Scale, bars, curves, forest, scatter
from bowerbird.lab.report import page

EVIL = "</title><script>alert(1)</script>&'\""


def drawing(svg: str) -> xml.Element:
    return xml.fromstring(svg)


def test_a_scale_puts_ends_and_middle_in_their_places():
    scale = Scale(0, 10, 100, 200)
    assert [scale.at(value) for value in (0, 5, 10, 99)] == [100, 150, 200, 200]
    assert scale.ticks() == [0, 2, 4, 6, 8, 10]
    log = Scale(1, 100, 0, 2, log=True)
    assert log.at(10) == pytest.approx(1)
    assert log.ticks() == [1, 2, 5, 10, 20, 50, 100]


def test_a_forest_has_a_line_and_a_dot_a_row():
    rows = [("set", "words", 0.5, (0.4, 0.6)), ("set", EVIL, 0.7, (0.65, 0.75))]
    tree = drawing(forest("t", rows, ["words", EVIL]))
    circles = [node for node in tree.iter() if node.tag == "circle"]
    assert [node.get("class") for node in circles] == ["fc0", "fc1"]
    assert float(circles[0].get("cx")) < float(circles[1].get("cx"))
    assert EVIL in circles[1][0].text
    assert "zero" not in forest("t", rows, ["words", EVIL])
    assert 'class="zero"' in forest("t", rows, ["words", EVIL], zero=True)


def test_bars_stand_on_their_side_of_zero():
    tree = drawing(bars(EVIL, [0.5, -1.0, 0.0]))
    rects = [node for node in tree if node.tag == "rect"]
    assert [node.get("class") for node in rects] == ["worse", "worse", "better"]
    assert [float(node.get("height")) > 0 for node in rects] == [True, False, True]
    many = [node for node in drawing(bars("t", [number / 1e4 for number in range(1000)])) if node.tag == "rect"]
    assert len(many) <= 400


def test_curves_rise_to_one():
    tree = drawing(curves("t", {"words": [1.0, 2.0, 4.0], EVIL: [8.0]}, "ms", ["words", EVIL]))
    lines = [node for node in tree if node.tag == "polyline"]
    assert len(lines) == 2
    points = [tuple(map(float, point.split(","))) for point in lines[0].get("points").split()]
    assert points == sorted(points, key=lambda point: (point[0], -point[1]))
    assert points[-1][1] == 12


def test_a_scatter_names_its_points():
    tree = drawing(scatter("t", [(EVIL, 10.0, 0.5), ("b", 20.0, 0.7)], ("ms", "ndcg"), [EVIL, "b"]))
    assert [node.text for node in tree.iter() if node.tag == "text"].count("b") == 1


def test_nothing_to_draw_draws_nothing():
    assert not forest("t", [], [])
    assert not bars("t", [])
    assert not curves("t", {"a": []}, "ms", ["a"])
    assert not scatter("t", [], ("x", "y"), [])


@pytest.fixture
def outcome(tmp_path) -> Outcome:
    (tmp_path / "corpus.jsonl").write_text("", encoding="utf-8")
    (tmp_path / "queries.jsonl").write_text("", encoding="utf-8")
    (tmp_path / "qrels.tsv").write_text("", encoding="utf-8")
    topics = [Topic(f"q{number}", EVIL, {"gold": 1}) for number in range(5)]
    results = [
        judge("set", name, topics, [Answered(topic.id, documents, 2.0, f"{EVIL} formula") for topic in topics],
              {"half": ["q0", "q1"]}, 10_000_000)
        for name, documents in (("words", ("gold", "b")), (EVIL, ("b", "gold")))
    ]  # fmt: skip
    moved = tuple(changes(topics, *results, 3))
    return Outcome(Collection.open(tmp_path), tuple(results), {"half": ["q0", "q1"]}, moved)


def test_the_report_tells_everything_and_lets_nothing_out(outcome):
    html = page([outcome], compare(outcome.results, {"set": outcome.slices}))
    assert "alert(1)</script>" not in html
    assert not re.search(r"<(script|link|img|iframe)|url\(|https?:", html)
    for text in ("Quality", "Against words", "Latency and memory", "Queries that moved most", "rank 1 → 2", "half"):
        assert text in html
    assert html.count("<details>") == 3
    for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        drawing(svg)
    body = html[html.index("<body>") : html.index("</html>")]
    drawing(body.replace("<br>", "<br/>"))


def test_one_pipeline_alone_has_a_report_too(outcome):
    alone = Outcome(outcome.collection, outcome.results[:1], {})
    html = page([alone], [])
    assert "Against" not in html
    assert "Latency" in html
