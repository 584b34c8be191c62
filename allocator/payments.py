"""When grants are paid, in whole cents: each by its measure's profile, from the year of its commitment on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from allocator.reading import Reading
from allocator.space import Space

if TYPE_CHECKING:
    from allocator.scenario import Measure


def cumulated(measure: Measure) -> list[Fraction]:
    """The share of a grant that is paid up to each year after its commitment; the last one is 1."""
    return list(accumulate(measure.payment_profile))


@dataclass(frozen=True, eq=False)
class Payments:
    """p payments: `grant` (p,) position in the reading, `later` (p,) years after its commitment, `cents` (p,) int64 > 0."""

    grant: np.ndarray
    later: np.ndarray
    cents: np.ndarray

    @classmethod
    def of(cls, reading: Reading) -> Payments:
        """Up to each year the due share of a grant, rounded down to the cent; in the last year what is left."""
        measure = reading.space.measure[reading.demand]
        parts = []
        for k in np.unique(measure).tolist():
            grants = np.flatnonzero(measure == k)
            shares = cumulated(reading.space.scenario.measures[k])
            common = lcm(*(share.denominator for share in shares))
            cents = reading.cents[grants].astype(object if common >= 2**15 else np.int64)
            so_far = np.array([cents * int(share * common) // common for share in shares], np.int64)
            paid = np.diff(so_far, axis=0, prepend=0)
            later, which = np.nonzero(paid)
            parts.append((grants[which], later, paid[later, which]))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.zeros(0, np.int64)] * 3
        order = np.lexsort((columns[1], columns[0]))
        return cls(*(column[order] for column in columns))

    def by_fund(self, reading: Reading) -> dict[tuple[int, int], int]:
        """{(fund, calendar year of payment): cents}; years may lie beyond the horizon."""
        when = self.year_paid(reading)
        keys, where = np.unique(np.stack([reading.fund[self.grant], when]), axis=1, return_inverse=True)
        totals = np.zeros(keys.shape[1], np.int64)
        np.add.at(totals, where, self.cents)
        return {(int(fund), int(year)): int(total) for fund, year, total in zip(*keys, totals, strict=True)}

    def year_paid(self, reading: Reading) -> np.ndarray:
        """(p,) calendar years."""
        return np.asarray(np.array(reading.space.scenario.years, np.int64)[reading.year[self.grant]] + self.later)


def returned(reading: Reading, paid: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    """{(fund, calendar year): cents} that come back: of what a fund has paid in a year, each share of its `returns`, rounded down."""
    back: dict[tuple[int, int], int] = {}
    for (fund, year), cents in paid.items():
        for after, share in (reading.space.scenario.funds[fund].returns or {}).items():
            due = cents * share.numerator // share.denominator
            if due:
                back[fund, year + after] = back.get((fund, year + after), 0) + due
    return back


def profiles(space: Space) -> list[tuple[np.ndarray, list[Fraction]]]:
    """Demands (k,) by the payment profile of their measure, and its shares."""
    found: dict[tuple[Fraction, ...], list[int]] = {}
    for k, measure in enumerate(space.scenario.measures):
        found.setdefault(tuple(measure.payment_profile), []).append(k)
    return [(np.flatnonzero(np.isin(space.measure, of)), list(shares)) for shares, of in found.items()]


def coins(space: Space) -> np.ndarray:
    """(n,) what every grant of a demand is a multiple of, in cents: a unit where one fund alone may pay it, else 1."""
    everyone = np.ones(space.shape[0], bool)
    shared = np.any([space.cells_of(everyone, year) > 1 for year in np.eye(space.shape[1], dtype=bool)], axis=0)
    return np.where(shared, 1, space.step)


def rounded(space: Space) -> np.ndarray:
    """(n,) bool: demands whose payments may fall between cents."""
    found, coin = np.zeros(space.n, bool), coins(space)
    for demands, shares in profiles(space):
        common = lcm(*(share.denominator for share in accumulate(shares)))
        found[demands] = coin[demands] % common != 0
    return found
