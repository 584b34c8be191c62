"""Grants read against the scenario in whole numbers: what a rule's check counts. Knows no program, no engine, no float."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from allocator.space import Auxiliary, Exact, Group, Space


@dataclass(frozen=True)
class Level:
    """Where a rule stands for one value of its `per`: the left side it counted and the sides it must keep between.

    `scale` of these whole numbers make one euro or unit. `tolerance` is what whole cents cannot avoid where the rule
    asks for an equality on divisible money: what one cent per grant covered can buy; 0 everywhere else. `idle`: it
    counted nothing (by default: its left side is 0).
    """

    group: str
    left: Exact
    lower: Exact | None
    upper: Exact | None
    scale: int = 1
    tolerance: Exact = 0
    idle: bool | None = None

    @property
    def tight(self) -> bool:
        """At its side, to the last cent or unit, and not for want of anything to count."""
        idle = self.left == 0 if self.idle is None else self.idle
        return not idle and self.slack == 0

    @property
    def miss(self) -> Exact:
        """How far outside its sides, in the rule's whole numbers."""
        short = self.lower - self.left if self.lower is not None else 0
        over = self.left - self.upper if self.upper is not None else 0
        return max(short, over, 0)

    @property
    def held(self) -> bool:
        return self.miss <= self.tolerance

    @property
    def breach(self) -> Fraction:
        """The miss in euros or units, 0 within the tolerance."""
        return Fraction(0) if self.held else Fraction(self.miss) / self.scale

    @property
    def slack(self) -> Fraction | None:
        """Euros or units to the nearer side; None when there is no side."""
        rooms = [self.left - self.lower] if self.lower is not None else []
        rooms += [self.upper - self.left] if self.upper is not None else []
        return Fraction(min(rooms)) / self.scale if rooms else None


@dataclass(frozen=True, eq=False)
class Reading:
    """g grants: positions `demand`, `fund`, `year` (g,) and `cents` (g,) int64; `moved` (m,) cents of `Space.moves`."""

    space: Space
    demand: np.ndarray
    fund: np.ndarray
    year: np.ndarray
    cents: np.ndarray
    moved: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def nothing(cls, space: Space) -> Reading:
        """No grants at all."""
        none = np.zeros(0, np.int64)
        return cls(space, none, none, none, none)

    def amount(self, move: Auxiliary) -> int:
        """Cents of one of `Space.moves`; 0 where the plan says nothing of it."""
        at = next((k for k, one in enumerate(self.space.moves) if one is move), len(self.moved))
        return int(self.moved[at]) if at < len(self.moved) else 0

    def at(self, space: Space) -> Reading:
        """The same grants read against another level of the same scenario."""
        return replace(self, space=space)

    def started(self, year: int) -> np.ndarray:
        """(n,) bool: demands that get anything up to this year (position)."""
        found = np.zeros(self.space.n, bool)
        found[self.demand[self.year <= year]] = True
        return found

    @cached_property
    def lost(self) -> Fraction:
        """Points that soft rules take: what is priced is counted to the end, tolerances are for rules that must hold."""
        total = Fraction(0)
        for rule in self.space.scenario.rules:
            if rule.soft is not None:
                total += rule.soft * sum(
                    (Fraction(level.miss) / level.scale for level in rule.check(self)), Fraction(0)
                )
        return total

    @cached_property
    def granted(self) -> np.ndarray:
        """(n,) int64 cents granted to each demand."""
        total = np.zeros(self.space.n, np.int64)
        np.add.at(total, self.demand, self.cents)
        return total

    @cached_property
    def served(self) -> np.ndarray:
        """(n,) bool"""
        return self.granted > 0

    def covered(self, group: Group) -> np.ndarray:
        """(g,) bool: grants that the group selects."""
        mine = np.zeros(self.space.n, bool)
        mine[group.demands] = True
        return mine[self.demand] & group.cells[self.fund, self.year]

    def euros(self, group: Group) -> int:
        """Cents granted within the group."""
        return int(self.cents[self.covered(group)].sum())

    def units(self, group: Group, numerators: np.ndarray | int = 1) -> Exact:
        """Σ numerators · units within the group, units counted in proportion to cents where it selects funds or years."""
        inside = self.covered(group)
        demand = self.demand[inside]
        weight = np.broadcast_to(np.asarray(numerators), (self.space.n,))[demand]
        return weighted_units(weight, self.cents[inside], self.space.asked[demand])


DECIMALS = 10**6


def weighted_units(weight: np.ndarray, cents: np.ndarray, asked: np.ndarray) -> Exact:
    """Σ weight · cents / asked, exactly; all (k,)."""
    whole = cents % asked == 0
    total: Exact = exact_dot(weight[whole], cents[whole] // asked[whole])
    if len(cents) and int(cents.max()) * DECIMALS < 2**62:  # units given in decimals, paid in full: most of the others
        decimal = ~whole & (cents * DECIMALS % asked == 0)
        total += Fraction(exact_dot(weight[decimal], cents[decimal] * DECIMALS // asked[decimal]), DECIMALS)
        whole |= decimal
    parts = [
        Fraction(int(w) * int(c), int(a))
        for w, c, a in zip(weight[~whole], cents[~whole], asked[~whole], strict=True)
        if w
    ]
    while len(parts) > 1:  # pairwise, so that denominators stay short for as long as possible
        parts = [sum(parts[k : k + 2], Fraction(0)) for k in range(0, len(parts), 2)]
    return total + parts[0] if parts else total


def exact_dot(a: np.ndarray, b: np.ndarray) -> int:
    """Σ a·b of whole numbers, in Python's own integers wherever int64 might not hold it."""
    if not len(a):
        return 0
    largest = max(abs(int(a.max())), abs(int(a.min()))) * max(abs(int(b.max())), abs(int(b.min())))
    if largest * len(a) < 2**62:
        return int((a.astype(np.int64) * b.astype(np.int64)).sum())
    return int((a.astype(object) * b.astype(object)).sum())
