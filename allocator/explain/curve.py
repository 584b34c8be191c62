"""Everything that money in one fund buys: the breakpoints of its curve, or plans at some amounts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from allocator.explain.points import Gain
from allocator.explain.variants import Variants, total, within
from allocator.plan import Plan

PROBES = 7  # solves to find where a fund has enough, where that is by bisection
CONVEX = {
    "ceiling",
    "floor",
    "share",
    "indicator",
    "fund_rate",
    "cofunding",
    "equity",
    "continuity",
    "contains",
    "de_minimis",
}
"""Kinds under which money that is divisible buys less and less."""


@dataclass(frozen=True)
class Point:
    """The best plan when the fund holds `cents` over all years: its gain over the plan explained."""

    cents: int
    gain: Gain

    def as_dict(self) -> dict[str, Any]:
        return {"cents": self.cents, **self.gain.as_dict()}


def curve(
    variants: Variants, fund: str, *, most_solves: int = 60, coarse: int = 8
) -> tuple[tuple[Point, ...], bool, int | None]:
    """Points of the response, whether they are all the breakpoints, and the money beyond which nothing is bought."""
    found = _Curve(variants, fund)
    lowest, highest = found.ends()
    exact = False
    if found.concave:
        at, exact = found.breakpoints(lowest, highest, most_solves)
        enough = found.last(at) if exact else found.enough(lowest, highest)
    else:
        enough = found.enough(lowest, highest)
        end = max(enough, found.now)
        at = [lowest, *(_round(lowest + (end - lowest) * k // coarse) for k in range(1, coarse)), found.now, enough]
    at = sorted({cents for cents in at if lowest <= cents and found.plan(cents).reading is not None})
    return tuple(Point(cents, variants.gain(found.plan(cents))) for cents in at), exact, enough


def _round(cents: int) -> int:
    """Three digits: amounts that people would try."""
    unit = 10 ** max(len(str(cents)) - 3, 0)
    return round(cents / unit) * unit


class _Curve:
    """The best plan as a function of what a fund holds, in cents."""

    def __init__(self, variants: Variants, fund: str) -> None:
        self.variants, self.fund = variants, next(f for f in variants.scenario.funds if f.id == fund)
        self.now = total(self.fund)
        reading = variants.plan.reading
        assert reading is not None
        space = reading.space
        kinds = {
            c.kind for c in variants.scenario.constraints if c.enabled and not (c.kind == "count" and c.of == "units")
        }
        divisible = not space.lumpy.any() and not (space.least > 1).any()
        self.concave = divisible and kinds - {"lock"} <= CONVEX

    def plan(self, cents: int) -> Plan:
        return self.variants.with_money(self.fund.id, cents - self.now) if cents != self.now else self.variants.plan

    def value(self, cents: int) -> Fraction:
        """Points of the best plan more than now, from the certificates."""
        return Fraction(self.variants.gain(self.plan(cents)).found)

    def ends(self) -> tuple[int, int]:
        """The least money tried under which there is a plan, and money enough to pay for all that is asked."""
        scenario = self.variants.scenario
        lowest = next((c for c in (0, self.now // 2) if self.plan(c).reading is not None), self.now)
        reserved = [f.reserve for f in scenario.funds if f.id in within(scenario, self.fund.id)]
        asked = self.variants.plan.asked_by_fund()[self.fund.id] / (1 - max(reserved))
        yearly = [cents for cents in (self.fund.amounts or {}).values() if cents]
        share = (
            Fraction(min(yearly), sum(yearly))
            if yearly
            else Fraction(1, len(scenario.years) if self.fund.amounts else 1)
        )
        return lowest, max(math.ceil(asked / share), self.now)

    def last(self, at: list[int]) -> int:
        """The last breakpoint: from there on the curve is flat."""
        value = self.value(at[-1])
        return next(cents for cents in at if self._close(self.value(cents), value))

    def enough(self, lowest: int, highest: int) -> int:
        """A round amount beyond which no gain can be measured, by bisection."""
        top = self.plan(highest)

        def nothing_more(cents: int) -> bool:
            plan = self.plan(cents)
            return plan.reading is not None and self.variants.gain(top, plan).least <= 0

        low, high = (lowest, self.now) if nothing_more(self.now) else (self.now, highest)
        used = top.grants["cents"][top.grants["fund"].isin(within(self.variants.scenario, self.fund.id))].sum()
        middle = _round(int(used) * 102 // 100)  # what the plan with money for all makes of it is near the answer
        for _ in range(PROBES):
            if high - low <= max(high // 50, 100):
                break
            middle = middle if low < middle < high else _round((low + high) // 2)
            if not low < middle < high:
                break
            if nothing_more(middle):
                high = middle
            else:
                low = middle
            middle = 0
        return high

    def _close(self, a: Fraction, b: Fraction) -> bool:
        """Equal but for whole cents."""
        size = float(self.variants.plan.certificate.objective or 0)
        return abs(float(a - b)) <= 1e-7 * max(abs(size), abs(float(a)), abs(float(b)), 1e-9)

    def breakpoints(self, lowest: int, highest: int, most: int) -> tuple[list[int], bool]:
        """Where a concave curve of straight pieces breaks, both ends included, and whether that is all of it.

        Between two points, the line that leaves the first and the one that reaches the second cross; if the curve is there
        too, that is the one breakpoint between them; otherwise each side is looked at in turn.
        """
        step = max((highest - lowest) // 1000, 1)
        tried = {lowest, highest}
        self.exact = True

        def between(a: int, c: int) -> list[int]:
            if c - a <= 2 * step:
                return []
            tried.update((a + step, c - step))
            if len(tried) > most:
                self.exact = False
                return []
            at_a, at_c = self.value(a), self.value(c)
            leaving = (self.value(a + step) - at_a) / step
            reaching = (at_c - self.value(c - step)) / step
            if self._close(at_a + leaving * (c - a), at_c):
                return []
            if leaving <= reaching:
                self.exact = False
                return []
            crossing = round(a + (at_c - at_a - reaching * (c - a)) / (leaving - reaching))
            crossing = min(max(crossing, a + 1), c - 1)
            tried.add(crossing)
            if self._close(self.value(crossing), at_a + leaving * (crossing - a)):
                return [crossing]
            return [*between(a, crossing), crossing, *between(crossing, c)]

        inner = between(lowest, highest)
        kept = [cents for k, cents in enumerate(inner) if self._bends(([lowest, *inner, highest])[k : k + 3])]
        return [lowest, *kept, highest], self.exact

    def _bends(self, three: list[int]) -> bool:
        a, b, c = three
        straight = self.value(a) + (self.value(c) - self.value(a)) * (b - a) / (c - a)
        return not self._close(straight, self.value(b))
