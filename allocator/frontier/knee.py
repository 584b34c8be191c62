"""The knee of a frontier: where giving up a little of one aim no longer buys much of another.

The point farthest beyond the straight line (the plane) through the ends, each aim measured from its worst to its best value
on the frontier. Source: Das, "On characterizing the 'knee' of the Pareto curve based on normal-boundary intersection",
Structural Optimization 18 (1999). A knee depends on the two ends: it is a reading help, not a recommendation.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

FEWEST = 3
BEYOND = 1e-9  # of the scaled square: what is no farther lies on the line


def knee(values: Sequence[Sequence[Fraction]]) -> int | None:
    """Row of the knee among points (n, aims), more being better; None where there is none."""
    if len(values) < FEWEST:
        return None
    low, high = ([pick(column) for column in zip(*values, strict=True)] for pick in (min, max))
    if any(a == b for a, b in zip(low, high, strict=True)):
        return None
    scaled = np.array(
        [[float((v - a) / (b - a)) for v, a, b in zip(point, low, high, strict=True)] for point in values]
    )
    aims = scaled.shape[1]
    ends = [max(range(len(values)), key=lambda k: tuple(np.roll(scaled[k], -aim))) for aim in range(aims)]
    try:
        normal = np.linalg.solve(scaled[ends], np.ones(aims))
    except np.linalg.LinAlgError:
        return None
    if not (normal > 0).all():
        return None
    beyond = (scaled @ normal - 1) / np.linalg.norm(normal)
    best = int(np.argmax(beyond))
    return best if beyond[best] > BEYOND else None
