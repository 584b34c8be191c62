"""Points of a frontier, one certified plan after another.

Every plan is the best of the scenario with one or two rules more, which ask for so much of the other aims (ε-constraints:
Haimes, Lasdon and Wismer, 1971), its objective being all aims in order. So no plan that has as much of the other aims has
more of the first than the plan's first bound says, and none that keeps the first has more of the second than its second.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import count
from math import hypot, isqrt
from typing import Any

from allocator.engines.base import Stop
from allocator.frontier.axes import Axis, Both
from allocator.plan import Plan
from allocator.program import compile
from allocator.scenario import Scenario
from allocator.space import Space
from allocator.texts import Text, figure

Solve = Callable[[Scenario, float | None], Plan]
"""For at most so many seconds; None: as long as it takes."""
Levels = dict[Axis, tuple[Fraction | None, Fraction | None]]
OnPoint = Callable[[Text, int, float], None]
"""Told what is being solved, the number of points so far, and the seconds since the start."""

FINE = Fraction(1, 10**6)  # of the whole range: what is smaller is not looked into
SOLVES = 3  # for each point wanted, at most, and a few for the ends
SHORT, PATIENCE = 2.0, 4.0  # seconds for the later aims, and times what the first one took
FIRST = 0.8  # of a point's seconds: what its first aim may take where later ones come after it
LONGEST = 10**12  # a denominator that is still written down as it is


@dataclass(frozen=True, eq=False)
class Point:
    """A plan, the exact value of each aim and what no such plan exceeds, in the order of `Search.axes`; `asked`: how much
    the rules asked for of each aim but the first."""

    plan: Plan
    values: tuple[Fraction, ...]
    bounds: tuple[Fraction | None, ...]
    asked: tuple[Fraction | None, ...]
    seconds: float

    def beats(self, other: Point) -> bool:
        """As good in every aim, and better in one."""
        return self.values != other.values and all(a >= b for a, b in zip(self.values, other.values, strict=True))


@dataclass(order=True)
class Gap:
    """Two neighbours; a point between them has less than `below` of the second aim. The widest comes first."""

    rank: tuple[float, int]
    left: Point = field(compare=False)
    right: Point = field(compare=False)
    below: Fraction = field(compare=False)
    halved: bool = field(default=False, compare=False)


@dataclass(eq=False)
class Search:
    """The points found so far for these aims, the first one made large under rules on the others."""

    scenario: Scenario
    axes: tuple[Axis, ...]
    solve: Solve
    seconds: float | None  # for each point; an end takes them twice: to know how much there is, then the plan
    wanted: int
    on_point: OnPoint | None = None
    stop: Stop | None = None  # once it is true, no further plan is asked for
    on_found: Callable[[], None] = lambda: None  # after each point
    found: list[Point] = field(default_factory=list)
    failed: list[Plan] = field(default_factory=list)  # neither a plan nor proved that there is none
    best: dict[Axis, Plan] = field(default_factory=dict)  # the plan with most of each aim but the first
    complete: bool = False  # every point there is was found, to the gap
    straight: bool = False  # between neighbours the frontier is a straight line, to the gap
    stopped: bool = False  # before the search was at its end
    solves: int = 0
    spans: tuple[Fraction, ...] = ()  # from one end to the other, aim by aim
    _since: float = field(default_factory=time.monotonic)
    _ranks: Iterator[int] = field(default_factory=count)

    @cached_property
    def convex(self) -> bool:
        """Whether any mix of two plans is a plan, but for whole cents: nothing in the program is whole."""
        return not compile(Space.of(self.scenario.with_(objective=self._in_order))).program.integer.any()

    def run(self) -> Plan | None:
        """Search; the plan that says why there is no point at all, if so."""
        nothing = self._run()
        self.stopped = self._stopped and not self.complete
        return nothing

    def _run(self) -> Plan | None:
        first = self._point(
            (None,) * (len(self.axes) - 1), Text("le plus du premier objectif", "most of the first aim")
        )
        if first is None:
            return self.failed.pop()
        if self._stopped:
            return None
        ends = [None if self._stopped else self._most(k) for k in range(1, len(self.axes))]
        if len(self.axes) == 2:
            self._between(first, ends[0])
        else:
            self._grid([first, *(end for end in ends if end is not None)])
        return None

    @property
    def kept(self) -> list[Point]:
        """The points that no other one beats, by the first aim from most to least; of equals the first."""
        unlike = list({point.values: point for point in reversed(self.found)}.values())
        kept = [p for p in unlike if not any(other.beats(p) for other in unlike)]
        return sorted(kept, key=lambda p: p.values, reverse=True)

    # ------------------------------------------------------------------------------------------------- one plan

    def _ask(self, scenario: Scenario, what: Text, part: float = 1) -> Plan:
        if self.on_point is not None:
            self.on_point(what, len(self.found), time.monotonic() - self._since)
        self.solves += 1
        return self.solve(scenario, None if self.seconds is None else self.seconds * part)

    def _point(self, asked: tuple[Fraction | None, ...], what: Text) -> Point | None:
        """The best plan that has at least so much of the aims beside the first; None where there is none, or none was
        found."""
        rules = [
            rule
            for axis, value in zip(self.axes[1:], asked, strict=True)
            if value is not None
            for rule in axis.at_least(value)
        ]
        scenario = self.scenario.with_(constraints=[*self.scenario.constraints, *rules], objective=self._in_order)
        start = time.monotonic()
        plan = self._best(scenario, what)
        if plan.reading is None or plan.certificate.objective is None:
            self.failed.append(plan)
            return None
        told = {axis: (level.objective, level.bound) for axis, level in zip(self.axes, plan.levels, strict=False)}
        return self._add(plan, told, asked, time.monotonic() - start)

    def _add(self, plan: Plan, told: Levels, asked: tuple[Fraction | None, ...], seconds: float) -> Point:
        """The point of a plan, `told` the value and bound of those aims that are levels of its objective."""
        assert plan.reading is not None
        values, bounds = [], []
        for axis in self.axes:
            value, bound = told.get(axis, (None, None))
            values.append(axis.value(plan.reading) if value is None else value)
            bounds.append(bound)
        point = Point(plan, tuple(values), tuple(bounds), asked, seconds)
        self.found.append(point)
        self.on_found()
        return point

    @property
    def _in_order(self) -> dict[str, Any]:
        return {"lexicographic": [axis.objective for axis in self.axes]}

    def _best(self, scenario: Scenario, what: Text) -> Plan:
        """All aims in order; where money is divided among whole units, the first aim for itself, then for a short while
        what more the others may have."""
        if self.convex or all(axis.whole for axis in self.axes):
            return self._ask(scenario, what)
        start = time.monotonic()
        plan = self._ask(scenario.with_(objective=self.axes[0].objective), what, FIRST)
        took = time.monotonic() - start
        seconds = max(SHORT, PATIENCE * took)
        if self.seconds is not None:
            seconds = min(seconds, self.seconds - took)
        if plan.reading is None or seconds <= 0 or self._stopped:
            return plan
        self.solves += 1
        better = self.solve(scenario, seconds)
        first, now = plan.certificate.objective, better.certificate.objective
        if better.reading is None or first is None or now is None or now < first - abs(first) * FINE:
            return plan
        return better

    def _most(self, k: int) -> Point | None:
        """The end of an aim: as much of it as can be, whatever soft rules say, then the others in order."""
        axis = self.axes[k]
        hard = [c if c.soft is None else c.model_copy(update={"enabled": False}) for c in self.scenario.constraints]
        what = Text(f"le plus de : {axis.title.fr}", f"most of: {axis.title.en}")
        start = time.monotonic()
        plan = self._ask(self.scenario.with_(constraints=hard, objective=axis.objective), what)
        self.best[axis] = plan
        value, bound = plan.certificate.objective, plan.certificate.bound
        if plan.reading is None or value is None:
            self.failed.append(plan)
            return None
        seconds = time.monotonic() - start
        end = None if self._stopped else self._at(k, _short(value), what)
        if (
            end is None and not axis.whole and not self._stopped
        ):  # whole cents may leave no second plan that has every last bit of it
            end = self._at(k, _short(value - abs(value) * FINE), what)
        if end is None and hard == list(self.scenario.constraints):  # then the plan with most of it, as it is
            end = self._add(plan, {axis: (value, bound)}, (None,) * (len(self.axes) - 1), seconds)
        return end

    def _at(self, k: int, value: Fraction, what: Text) -> Point | None:
        return self._point(tuple(value if k == other else None for other in range(1, len(self.axes))), what)

    # ---------------------------------------------------------------------------------------------- two aims

    def _between(self, left: Point, right: Point | None) -> None:
        """Everything from one end to the other."""
        if right is None:
            return
        self.spans = tuple(abs(b - a) for a, b in zip(left.values, right.values, strict=True))
        if left.values[1] >= right.values[1] or left.values[0] <= right.values[0]:
            self.complete = True  # one plan is the best for both
            return
        gaps = [self._gap(left, right, right.values[1])]
        if self.convex:
            gaps = self._corners(left, right)
        self._fill(gaps)

    def _gap(self, left: Point, right: Point, below: Fraction, halved: bool = False) -> Gap:
        """Its size: how far apart its ends are, of the whole; where half of it was found empty, how far that leaves."""
        first, second = self.spans
        size = float((below - left.values[1]) / second)
        if not halved:
            size = hypot(size, float((left.values[0] - right.values[0]) / first))
        return Gap((-size, next(self._ranks)), left, right, below, halved)

    @property
    def _stopped(self) -> bool:
        return self.stop is not None and self.stop()

    @property
    def _room(self) -> bool:
        return (
            not self._stopped
            and len({point.values for point in self.found}) < self.wanted
            and len(self.found) + len(self.failed) < SOLVES * self.wanted
        )

    def _corners(self, left: Point, right: Point) -> list[Gap]:
        """Where the frontier turns, the largest turn first: a concave line that is found between two of its points by
        making large the weighted sum that both have alike (Aneja and Nair, 1979). What is left to fill."""
        edges = [self._gap(left, right, right.values[1])]
        straight: list[Gap] = []
        while edges and self._room:
            edge = heapq.heappop(edges)
            point = self._above(edge.left, edge.right)
            if point is None:
                straight.append(edge)
                continue
            edges_now = ((edge.left, point), (point, edge.right))
            for one, other in edges_now:
                heapq.heappush(edges, self._gap(one, other, other.values[1]))
        self.straight = not edges and not self.failed
        heapq.heapify(straight)
        return straight

    def _above(self, left: Point, right: Point) -> Point | None:
        """A corner beyond the straight line between two points, if there is one."""
        (a, low), (b, high) = left.values, right.values
        if high - low <= FINE * self.spans[1] or a - b <= FINE * self.spans[0]:
            return None
        price = ((a - b) / (high - low)).limit_denominator(10**9)
        if not price:
            return None
        first, second = self.axes
        objective = Both(first=first.objective, second=second.objective, price=price)
        what = Text("un angle de la frontière", "a corner of the frontier")
        plan = self._ask(self.scenario.with_(objective=objective), what)
        value = plan.certificate.objective
        if plan.reading is None or value is None:
            self.failed.append(plan)
            return None
        if value <= max(a + price * low, b + price * high) + FINE * self.spans[0]:
            return None
        reached = second.value(plan.reading)
        if not low < reached < high:
            return None
        point = self._at(1, _short(reached), what)
        return point if point is not None and low < point.values[1] < high else None

    def _fill(self, gaps: list[Gap]) -> None:
        """Points within the widest gaps, until there are enough or every gap is known to be empty."""
        axis = self.axes[1]
        heapq.heapify(gaps)
        cut = False  # a gap was left for being too narrow, or for want of a plan
        while gaps and self._room:
            gap = heapq.heappop(gaps)
            low, below = gap.left.values[1], gap.below
            following = axis.following(low)
            if following >= below > low and following > low:
                continue  # nothing can lie between
            if below - low <= FINE * self.spans[1] and not axis.whole:
                cut = True
                continue
            middle = (low + below) / 2
            one_by_one = axis.whole and (gap.halved or following >= middle)
            asked = following if one_by_one else _round(middle, low, below)
            least = figure(float(asked), 6)
            what = Text(f"au moins {least.fr}", f"at least {least.en}")
            point = self._at(1, asked, what)
            if point is None:
                cut = True
                if not gap.halved:  # less of it is easier to find
                    heapq.heappush(gaps, self._gap(gap.left, gap.right, asked, halved=True))
                continue
            last = axis.whole and asked == following
            if point.values[1] >= gap.right.values[1] or point.values[0] <= gap.right.values[0]:
                if not last:
                    heapq.heappush(gaps, self._gap(gap.left, gap.right, asked, halved=True))
                continue
            if not last:
                heapq.heappush(gaps, self._gap(gap.left, point, asked, halved=axis.whole))
            heapq.heappush(gaps, self._gap(point, gap.right, below, gap.halved))
        self.complete = axis.whole and not gaps and not cut

    # ---------------------------------------------------------------------------------------------- three aims

    def _grid(self, ends: list[Point]) -> None:
        """A plan for each pair of amounts of the second and third aim, evenly spread between the least and the most that
        the ends have of them; pairs that an earlier plan answers are left out."""
        size = max(2, isqrt(self.wanted))
        steps = []
        for k in (1, 2):
            low, high = min(p.values[k] for p in ends), max(p.values[k] for p in ends)
            steps.append([low + (high - low) * Fraction(i, size - 1) for i in range(size)])
        for second in dict.fromkeys(steps[0]):
            had: Fraction | None = None
            for third in dict.fromkeys(steps[1]):
                if self._stopped:
                    return
                if had is not None and third <= had:
                    continue
                asked = (_short(second), _short(third))
                one, other = figure(float(second), 6), figure(float(third), 6)
                what = Text(f"au moins {one.fr} et {other.fr}", f"at least {one.en} and {other.en}")
                point = self._point(asked, what)
                if point is None:
                    if self.failed[-1].status == "infeasible":
                        self.failed.pop()
                    break
                had = point.values[2]


def _short(value: Fraction) -> Fraction:
    """The value, or one a little lower that is written with fewer digits."""
    return value if value.denominator <= LONGEST else Fraction(value // Fraction(1, LONGEST), LONGEST)


def _round(value: Fraction, low: Fraction, high: Fraction) -> Fraction:
    """A round number near `value`, above `low` and below `high`."""
    digits = Fraction(1)
    while digits > (high - low) / 20:
        digits /= 10
    while digits * 10 <= (high - low) / 20:
        digits *= 10
    near = round(value / digits) * digits
    return near if low < near < high else value
