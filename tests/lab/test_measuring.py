"""Percentiles, memory of a process tree, figures."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bowerbird.lab.measuring import Figure, PeakMemory, machine, percentile, process_memory, table, tree_memory


def test_a_percentile_is_the_nearest_rank():
    samples = [float(number) for number in range(100, 0, -1)]
    assert percentile(samples, 0.5) == 50.0
    assert percentile(samples, 0.95) == 95.0
    assert percentile([7.0], 0.95) == 7.0
    with pytest.raises(ValueError, match="at least one"):
        percentile([], 0.5)


def test_the_tree_counts_the_children_too():
    code = "import sys; block = bytearray(40_000_000); print(len(block), flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with PeakMemory(os.getpid(), 0.01) as watch:
            tree = tree_memory(os.getpid())
        alone = process_memory(os.getpid())
        child.kill()
    assert tree - alone > 35_000_000
    assert watch.peak_ > 40_000_000
    assert process_memory(child.pid) == 0


@pytest.mark.parametrize(
    ("value", "comparison", "target", "holds"),
    [
        (24.0, "<=", 25.0, True),
        (25.0, "<=", 25.0, True),
        (25.1, "<=", 25.0, False),
        (25.0, "<", 25.0, False),
        (0.7, ">=", 0.71, False),
        (0.72, ">=", 0.71, True),
        (0.71, ">", 0.71, False),
        (0.0, "==", 0.0, True),
        (None, "<=", 1.0, False),
        (3.0, "<=", None, True),
        (None, "<=", None, True),
    ],
)
def test_a_figure_holds_or_not(value, comparison, target, holds):
    assert Figure("x", value, target, comparison).holds is holds


def test_the_table_has_each_figure_beside_its_target():
    figures = [Figure("words-p95", 12.345, 25, "<=", "ms"), Figure("txtai-p95", None, note="no network")]
    lines = table(figures).split("\n")
    assert lines[1].split() == ["words-p95", "12.3", "ms", "<=", "25", "ms", "ok"]
    assert lines[2].split() == ["txtai-p95", "not", "measured", "no", "network"]


def test_the_machine_is_described():
    here = machine()
    assert here.cores >= 1
    assert here.memory > 2**28
    assert str(here.cores) in str(here)
