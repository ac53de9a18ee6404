"""What a difference between two systems is worth: randomization tests, Holm's correction, bootstrap intervals.

Everything is over queries, the unit that is drawn at random, and seeded, so that the same answers give the same
numbers. Several sets are strata of which each weighs the same, whatever the number of its queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy

    Numbers: TypeAlias = numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]]

SEED = 20_061_106
RESAMPLES = 10_000
FLIPS = 100_000
"""Resamples of a bootstrap, and assignments of signs where there are too many to try all."""

_DRAWS = 50_000_000
"""Most random draws for one number: beyond 5,000 queries a bootstrap has fewer resamples, as it needs fewer."""

_EXACT = 16
"""Differences other than zero up to which all assignments of signs are tried."""

_CHUNK = 2_000_000
_NORMAL = NormalDist()

Strata: TypeAlias = Sequence[Sequence[float]]
Interval: TypeAlias = tuple[float, float]


def interval(strata: Strata, level: float = 0.95) -> Interval:
    """Return the confidence interval of the mean over strata of their means, by the BCa bootstrap.

    Efron, "Better bootstrap confidence intervals", JASA 1987; the acceleration of several samples as in DiCiccio and
    Efron, Statistical Science 1996. Where nothing varies (or is one value), both ends are the mean.
    """
    import numpy

    samples = [numpy.asarray(one, float) for one in strata if len(one)]
    if not samples:
        raise ValueError("an interval needs at least one value")
    mean = float(sum(one.mean() for one in samples) / len(samples))
    influence = numpy.concatenate([(one - one.mean()) / (one.size * len(samples)) for one in samples])
    spread = float((influence**2).sum())
    if spread <= 1e-24:
        return mean, mean
    drawn = numpy.sort(_resampled(samples))
    below = float((drawn < mean - 1e-12).mean() + (abs(drawn - mean) <= 1e-12).mean() / 2)
    bias = _NORMAL.inv_cdf(min(max(below, 1 / drawn.size), 1 - 1 / drawn.size))
    acceleration = float((influence**3).sum()) / (6 * spread**1.5)
    ends = []
    for share in ((1 - level) / 2, (1 + level) / 2):
        shifted = bias + _NORMAL.inv_cdf(share)
        at = _NORMAL.cdf(bias + shifted / (1 - acceleration * shifted))
        ends.append(float(numpy.quantile(drawn, at)))
    return ends[0], ends[1]


def _resampled(samples: Sequence[Numbers]) -> Numbers:
    """Return the means of resamples, each stratum drawn with replacement from itself."""
    import numpy

    random = numpy.random.default_rng(SEED)
    count = max(1_000, min(RESAMPLES, _DRAWS // sum(one.size for one in samples)))
    means = numpy.zeros(count)
    for sample in samples:
        rows = max(1, _CHUNK // sample.size)
        for first in range(0, count, rows):
            chosen = random.integers(sample.size, size=(min(rows, count - first), sample.size), dtype=numpy.int32)
            means[first : first + rows] += sample[chosen].mean(axis=1)
    return means / len(samples)


def randomization(strata: Strata) -> float:
    """Return the two-sided p-value of paired differences: how often random signs give a mean at least as far from 0.

    Fisher's randomization test as Smucker, Allan and Carterette, CIKM 2007, recommend it. Up to 16 differences other
    than 0 all signs are tried; beyond, 100,000 are drawn (fewer for thousands of queries), and the observed ones count
    as drawn, so that p is never 0 (Phipson and Smyth 2010).

    >>> randomization([[0.2, 0.1, 0.3]]), randomization([[0.5, -0.5]])
    (0.25, 1.0)
    """
    import numpy

    samples = [numpy.asarray(one, float) for one in strata if len(one)]
    shares = [one[one != 0] / (one.size * len(samples)) for one in samples]
    weights = numpy.concatenate(shares) if shares else numpy.zeros(0)
    if not weights.size:
        return 1.0
    bound = abs(weights.sum()) - 1e-12
    if weights.size <= _EXACT:
        bits = numpy.arange(2**weights.size)[:, None] >> numpy.arange(weights.size) & 1
        return float((abs((2 * bits - 1) @ weights) >= bound).mean())
    random = numpy.random.default_rng(SEED)
    count = max(10_000, min(FLIPS, 2 * _DRAWS // weights.size))
    rows, octets = max(1, _CHUNK // weights.size), -(-weights.size // 8)
    far = 0
    for first in range(0, count, rows):
        drawn = random.integers(256, size=(min(rows, count - first), octets), dtype=numpy.uint8)
        signs = numpy.unpackbits(drawn, axis=1, count=weights.size)
        far += int((abs(2 * (signs @ weights) - weights.sum()) >= bound).sum())
    return (far + 1) / (count + 1)


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values corrected for how many there are, in their order (Holm, Scandinavian J. of Statistics 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected, largest = [0.0] * len(values), 0.0
    for place, at in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - place) * values[at]))
        corrected[at] = largest
    return corrected
