"""What a fund holds, said as rows and checked as cents: the rule behind every fund of a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from typing import TYPE_CHECKING

import numpy as np

from allocator.payments import Payments, coins, profiles, returned, rounded
from allocator.reading import Level, Reading
from allocator.space import Auxiliary, Rate, Row, Rule, Space, Statement, Term
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.scenario import Fund, Scenario


@dataclass(frozen=True)
class Move:
    """Money that may move from one fund to another, in a year or, where neither counts by year, at once."""

    source: str
    target: str
    year: int | None
    limit: int

    def cents(self, space: Space) -> Auxiliary:
        return space.auxiliary("transfer", self.source, self.target, self.year, upper=self.limit, whole=True)


def moves(scenario: Scenario) -> list[Move]:
    """Every transfer that the funds of a scenario allow; by year where an envelope that it leaves or enters is."""
    yearly = {fund.id for fund in scenario.funds if fund.amounts is not None}
    found = []
    for fund in scenario.funds:
        for target, limit in (fund.transfers or {}).items():
            crossed = _around(scenario, fund.id) ^ _around(scenario, target)
            years = scenario.years if crossed & yearly else [None]
            found += [Move(fund.id, target, year, limit) for year in years]
    return found


def _around(scenario: Scenario, name: str) -> set[str]:
    """A fund and all funds that it is inside."""
    parent = {fund.id: fund.parent for fund in scenario.funds}
    found: set[str] = set()
    above: str | None = name
    while above is not None:
        found.add(above)
        above = parent[above]
    return found


@dataclass(frozen=True)
class Envelope(Rule):
    """Euros paid by a fund and by the funds inside it ≤ what they hold.

    Committed (AE): the amount less its reserve, with income, what was repaid and what was moved from other funds, less
    what was moved to them; over the horizon where it has one `amount` that is there from the start, each year where it
    has `amounts`, up to and including each year where what is left is carried over. Paid (CP): `payments`, in the year
    of payment. Announced in advance (`notified`): a region draws beyond its own part only on what nobody was announced.
    Source: autorisations d'engagement et crédits de paiement, LOLF art. 8; virements et transferts, art. 12; report de
    crédits, art. 15; réserve de précaution, art. 51.
    """

    fund: Fund
    soft: Fraction | None = None
    title = Text("Enveloppe", "Envelope")
    kind = "fund"

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.fund.id)
        object.__setattr__(self, "label", self.fund.label or self.fund.id)

    def limits(self, scenario: Scenario) -> list[tuple[np.ndarray, int]]:
        """(years (Y,) bool, cents) for each sum that the fund bounds, but for what is repaid or moved."""
        fund, years = self.fund, scenario.years
        family = [f for f, inside in zip(scenario.funds, self.family(scenario), strict=True) if inside]
        income = np.array([sum((f.income or {}).get(year, 0) for f in family) for year in years], object)
        alone = np.eye(len(years), dtype=bool)
        up_to = np.logical_or.accumulate(alone)
        if fund.amount is not None:
            names = {f.id for f in family}
            arriving = any(m.year is not None and m.target in names and m.source not in names for m in moves(scenario))
            if not income.any() and not arriving and not any(f.returns for f in family):
                return [(np.ones(len(years), bool), self.available(fund.amount))]
            return [(mask, self.available(fund.amount) + int(income[mask].sum())) for mask in up_to]
        opened = np.array([(fund.amounts or {}).get(year, 0) for year in years], object)
        masks = up_to if self.keeps else alone
        return [(mask, self.available(int(opened[mask].sum())) + int(income[mask].sum())) for mask in masks]

    def available(self, cents: int) -> int:
        """Of what is opened, the whole cents beside the reserve."""
        return int(cents * (1 - Fraction(self.fund.reserve)))

    @property
    def keeps(self) -> bool:
        """Whether what a year leaves may be committed later."""
        return self.fund.amount is not None or self.fund.carry_over

    def _span(self, scenario: Scenario, years: np.ndarray) -> set[int]:
        """Calendar years in which money that comes back counts for the sum of these years (Y,) bool: a horizon may skip
        some."""
        named = [year for year, mine in zip(scenario.years, years, strict=True) if mine]
        return set(range(scenario.years[0], named[-1] + 1)) if self.keeps else set(named)

    def family(self, scenario: Scenario) -> np.ndarray:
        """(F,) bool: the fund and all funds inside it."""
        return np.array([self.fund.id in _around(scenario, f.id) for f in scenario.funds])

    def group_text(self, group: str) -> str:
        """A year's commitments, or all up to it where they are carried over; a year's payments; regions; its rate."""
        if group.isdigit():
            up_to = Text(f"AE jusqu'à {group}", f"commitments up to {group}")
            return str(up_to if self.keeps else Text(f"AE {group}", f"commitments {group}"))
        if group.startswith("→ "):
            return str(Text(f"redéploiement vers {group[2:]}", f"transfers to {group[2:]}"))
        said = {
            "": Text("total", "total"),
            "notified": Text("enveloppes annoncées aux régions", "envelopes announced to regions"),
            "max_rate": Text("taux d'aide", "rate of aid"),
        }.get(group)
        return str(said or group)

    # What the program must contain

    def rows(self, space: Space) -> Iterator[Statement]:
        yield from self._commitments(space)
        for year, cents in sorted((self.fund.payments or {}).items()):
            yield self._paid_in(space, year, cents)
        if self.fund.notified:
            yield from self._announced(space)
        yield from self._moved(space)
        if self.fund.max_rate < 1:
            mine = np.array([f.id == self.fund.id for f in space.scenario.funds])
            cells = np.outer(mine, np.ones(len(space.scenario.years), bool))
            yield Rate(np.arange(space.n), cells, Fraction(self.fund.max_rate))

    def side_text(self, row: Row) -> Text:
        said = super().side_text(row)
        if not self.fund.carry_over or not row.group.isdigit():
            return said
        return Text(
            f"{said.fr} (AE cumulées jusqu'à cette année-là)", f"{said.en} (commitments summed up to that year)"
        )

    def _commitments(self, space: Space) -> Iterator[Row]:
        scenario, family = space.scenario, self.family(space.scenario)
        for years, cents in self.limits(scenario):
            committed = np.outer(family, years).astype(np.int64)
            moved = tuple(self._net(space, years))
            group = self._when(scenario, years)
            back = [(demands, self._back(space, shares, years)) for demands, shares in profiles(space)]
            if not any(cells.any() for _, cells in back):
                yield Row((Term(np.arange(space.n), 1, committed),), None, cents, 100, group, moved)
                continue
            common = lcm(*(part.denominator for _, cells in back for part in cells.ravel()))
            terms = tuple(
                Term(demands, 1, (committed * common - cells * common).astype(np.int64)) for demands, cells in back
            )
            moved = tuple((auxiliary, sign * common) for auxiliary, sign in moved)
            odd = common * self._cents_lost(space, family, years)
            yield Row(terms, None, cents * common, 100 * common, group, moved, rounding=odd)

    def _back(self, space: Space, shares: list[Fraction], years: np.ndarray) -> np.ndarray:
        """(F, Y) the part of a cent committed in a cell that comes back within `years`."""
        back = np.full(space.shape, Fraction(0), object)
        calendar, inside_years = space.scenario.years, self._span(space.scenario, years)
        for f, (fund, inside) in enumerate(zip(space.scenario.funds, self.family(space.scenario), strict=True)):
            for after, share in (fund.returns or {}).items() if inside else ():
                for y, year in enumerate(calendar):
                    for later, part in enumerate(shares):
                        if year + later + after in inside_years:
                            back[f, y] += part * share
        return back

    def _cents_lost(self, space: Space, family: np.ndarray, years: np.ndarray) -> int:
        """At most what rounding payments, and then what comes back of them, takes from the exact parts, in cents."""
        calendar, counted = space.scenario.years, self._span(space.scenario, years)
        longest = max(len(shares) for _, shares in profiles(space))
        total = 0
        for f, (fund, inside) in enumerate(zip(space.scenario.funds, family, strict=True)):
            for after, share in (fund.returns or {}).items() if inside else ():
                due = {year - after for year in counted} & set(range(calendar[0], calendar[-1] + longest))
                alone = np.arange(len(family)) == f
                total += sum(self._odd_cells(space, alone, year) for year in due)
                total += len(due) if self._falls_between_cents(space, share) else 0
        return total

    def _falls_between_cents(self, space: Space, share: Fraction) -> bool:
        """Whether that share of what is paid in a year may be no whole cents."""
        coin = coins(space)
        return any(
            (coin[demands] % (part * share).denominator != 0).any()
            for demands, shares in profiles(space)
            for part in shares
        )

    def _odd_cells(self, space: Space, funds: np.ndarray, year: int) -> int:
        """How many grants of these funds may pay, in a calendar year, a part that is no whole cents."""
        odd, total = rounded(space), 0
        for demands, shares in profiles(space):
            open_years = np.array([0 <= year - y < len(shares) and shares[year - y] > 0 for y in space.scenario.years])
            if open_years.any():
                total += int(space.cells_of(funds, open_years)[demands[odd[demands]]].sum())
        return total

    def _paid_in(self, space: Space, year: int, cents: int) -> Row:
        scenario, family = space.scenario, self.family(space.scenario)
        parts = []
        for demands, shares in profiles(space):
            due = [shares[year - y] if 0 <= year - y < len(shares) else Fraction(0) for y in scenario.years]
            parts.append((demands, due))
        common = lcm(*(part.denominator for _, due in parts for part in due))
        terms = tuple(
            Term(demands, 1, np.outer(family, [int(part * common) for part in due]).astype(np.int64))
            for demands, due in parts
        )
        odd = self._odd_cells(space, family, year)
        return Row(terms, None, cents * common, 100 * common, f"CP {year}", rounding=common * odd)

    def _announced(self, space: Space) -> Iterator[Row]:
        """A region draws on its own part, and beyond it on the part that nobody was announced."""
        everybody = []
        cells = np.outer(self.family(space.scenario), self._before_return(space.scenario)).astype(np.int64)
        free = self._unannounced(space.scenario)
        for region, cents, demands in self._regions(space):
            beyond = space.auxiliary("beyond", self.fund.id, region, upper=free)
            everybody.append((beyond, 1))
            yield Row((Term(demands, 1, cells),), None, cents, 100, region, ((beyond, -1),), defines=True)
        yield Row((), None, free, 100, "notified", tuple(everybody))

    def _regions(self, space: Space) -> Iterator[tuple[str, int, np.ndarray]]:
        """Each region, what it was announced, and its demands (k,)."""
        names = space.scenario.territories["region"].to_numpy()
        for region in sorted(set(names.tolist())):
            demands = np.flatnonzero(names[space.territory] == region)
            yield region, (self.fund.notified or {}).get(region, 0), demands

    def _before_return(self, scenario: Scenario) -> np.ndarray:
        """(Y,) bool: years in which announced envelopes bind."""
        until = self.fund.notified_until
        return np.array([until is None or year <= until for year in scenario.years])

    def _unannounced(self, scenario: Scenario) -> int:
        before = self._before_return(scenario)
        held = [cents for years, cents in self.limits(scenario) if not (years & ~before).any()]
        if self.fund.amounts is not None and not self.fund.carry_over:
            total = sum(held)
        elif self.fund.amounts is None and len(self.limits(scenario)) == 1:  # all of it from the start
            total = self.limits(scenario)[0][1]
        else:
            total = max(held, default=0)
        return max(0, total - sum((self.fund.notified or {}).values()))

    def _net(self, space: Space, years: np.ndarray) -> Iterator[tuple[Auxiliary, int]]:
        """What these years' sum gives away (+1) and is given (−1) by moves across the border of the family."""
        scenario = space.scenario
        names = {f.id for f, inside in zip(scenario.funds, self.family(scenario), strict=True) if inside}
        open_years = {year for year, inside in zip(scenario.years, years, strict=True) if inside}
        for move in moves(scenario):
            if (move.source in names) != (move.target in names) and (move.year is None or move.year in open_years):
                yield move.cents(space), 1 if move.source in names else -1

    def _moved(self, space: Space) -> Iterator[Row]:
        """Over the years no more moves to another fund than may."""
        for target, limit in (self.fund.transfers or {}).items():
            mine = [m for m in moves(space.scenario) if (m.source, m.target) == (self.fund.id, target)]
            if len(mine) > 1:
                yield Row((), None, limit, 100, f"→ {target}", tuple((m.cents(space), 1) for m in mine))

    # What a finished plan comes to

    def check(self, reading: Reading) -> Iterator[Level]:
        scenario = reading.space.scenario
        names = [f.id for f in scenario.funds]
        within = {self.fund.id}
        for _ in names:
            within |= {f.id for f in scenario.funds if f.parent in within}
        members = {k for k, name in enumerate(names) if name in within}
        pays = np.isin(reading.fund, list(members))
        paid = Payments.of(reading).by_fund(reading) if self._looks_at_payments(scenario, within) else {}
        back = returned(reading, paid)
        for years, cents in self.limits(scenario):
            spent = int(reading.cents[pays & years[reading.year]].sum())
            last = scenario.years[int(np.flatnonzero(years)[-1])]
            here = {year for _, year in back if (year <= last if self.keeps else year == last)}
            spent -= sum(c for (f, year), c in back.items() if f in members and year in here)
            spent += self._sent(reading, within, years)
            yield Level(self._when(scenario, years), spent, None, cents, 100)
        for year, cents in sorted((self.fund.payments or {}).items()):
            left = sum(c for (f, when), c in paid.items() if f in members and when == year)
            yield Level(f"CP {year}", left, None, cents, 100)
        if self.fund.notified:
            early = pays & self._before_return(scenario)[reading.year]
            beyond = 0
            for _, cents, demands in self._regions(reading.space):
                drawn = int(reading.cents[early & np.isin(reading.demand, demands)].sum())
                beyond += max(0, drawn - cents)
            yield Level("notified", beyond, None, self._unannounced(scenario), 100)
        if self.fund.max_rate < 1:
            yield Level("max_rate", self._beyond_rate(reading, names.index(self.fund.id)), None, 0, 100)
        for target, limit in (self.fund.transfers or {}).items():
            mine = [m for m in moves(scenario) if (m.source, m.target) == (self.fund.id, target)]
            if len(mine) > 1:
                total = sum(reading.amount(m.cents(reading.space)) for m in mine)
                yield Level(f"→ {target}", total, None, limit, 100)

    def _beyond_rate(self, reading: Reading, fund: int) -> int:
        """Cents that the fund itself pays beyond its rate of the cost of a demand's units of a year, rounded up."""
        space, rate = reading.space, Fraction(self.fund.max_rate)
        years = space.shape[1]
        of_year, mine = np.zeros((space.n, years), np.int64), np.zeros((space.n, years), np.int64)
        np.add.at(of_year, (reading.demand, reading.year), reading.cents)
        own = reading.fund == fund
        np.add.at(mine, (reading.demand[own], reading.year[own]), reading.cents[own])
        total = 0
        for i, y in np.argwhere(mine).tolist():
            units = Fraction(int(of_year[i, y]), int(space.asked[i]))
            total += max(0, int(mine[i, y]) - ceil(rate * int(space.cost[i]) * units))
        return total

    def _looks_at_payments(self, scenario: Scenario, within: set[str]) -> bool:
        return bool(self.fund.payments) or any(f.returns for f in scenario.funds if f.id in within)

    def _sent(self, reading: Reading, within: set[str], years: np.ndarray) -> int:
        """Cents moved out of the family in these years, less those moved into it."""
        total = 0
        for move in moves(reading.space.scenario):
            here = move.year is None or years[reading.space.scenario.years.index(move.year)]
            sign = (move.source in within) - (move.target in within)
            if here and sign:
                total += sign * reading.amount(move.cents(reading.space))
        return total

    def _when(self, scenario: Scenario, years: np.ndarray) -> str:
        if years.all() and self.fund.amount is not None:
            return ""
        return str(scenario.years[int(np.flatnonzero(years)[-1])])
