"""The best plan, the way a textbook would find it, without any cleverness.

``solve_textbook`` writes one money column per demand × eligible (fund, year), unit columns, served binaries, slacks, and
whatever a rule needs, and gives the whole to ``scipy.optimize.milp``: floats, in euros (or, with ``cents=True``, every
money column whole, payments rounded down as they are: then exactly the plans that can be paid).

It reads the scenario through ``oracle_reading`` and shares nothing with the compiler.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from oracle_reading import Cell, Level, Reading, amount, exact, points
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

Terms = Iterable[tuple[int, Fraction | int]]


class Solution(NamedTuple):
    """What the textbook program gives: euros by (demand, fund, year), units by demand."""

    status: str  # "optimal" | "infeasible" | "limit"
    objective: float | None  # the first level's
    x: dict[Cell, float]
    units: dict[str, float]
    levels: tuple[float, ...] = ()  # euros spent are positive


class Sheet:
    """A program written row by row: columns with a name, a price and bounds; rows with two sides."""

    def __init__(self) -> None:
        self.price: list[float] = []
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.whole: list[bool] = []
        self.rows: list[dict[int, Fraction]] = []
        self.low: list[float] = []
        self.high: list[float] = []
        self.later: list[dict[int, float]] = []  # what is maximised after ``price``, in order

    def column(self, *, upper: float, lower: float = 0.0, price: Fraction | float = 0, whole: bool = False) -> int:
        self.price.append(float(price))
        self.lower.append(float(lower))
        self.upper.append(float(upper))
        self.whole.append(whole)
        return len(self.price) - 1

    def row(
        self,
        terms: Iterable[tuple[int, Fraction | int]],
        *,
        low: Fraction | int | None = None,
        high: Fraction | int | None = None,
        points: Fraction | None = None,
        whole: bool = False,
        scale: Fraction | int = 1,
    ) -> None:
        """``low <= Σ terms <= high``; with ``points``, each side may be missed at that price × ``scale``."""
        summed = gathered(terms)
        if points is not None:
            for side, limit in ((1, low), (-1, high)):
                if limit is not None:
                    most = sum(abs(float(v)) * self.upper[column] for column, v in summed.items()) + abs(limit)
                    slack = self.column(upper=math.ceil(most), price=-points * scale, whole=whole)
                    missed = {**summed, slack: Fraction(side)}
                    self._put(missed, limit if side == 1 else None, limit if side == -1 else None)
            return
        self._put(summed, low, high)

    def _put(self, terms: Mapping[int, Fraction], low: Any, high: Any) -> None:
        self.rows.append(dict(terms))
        self.low.append(-np.inf if low is None else float(low))
        self.high.append(np.inf if high is None else float(high))

    def then(self, terms: Terms) -> None:
        """Another level: maximised once what is before it is as large as can be."""
        self.later.append({column: float(value) for column, value in gathered(terms).items()})

    def maximise(self, time_limit: float) -> tuple[str, list[float], np.ndarray | None]:
        """Status, value of each level, columns."""
        if not self.price:
            empty_ok = all(lo <= 0 <= hi for lo, hi in zip(self.low, self.high, strict=True))
            return ("optimal", [0.0] * (1 + len(self.later)), np.zeros(0)) if empty_ok else ("infeasible", [], None)
        values: list[float] = []
        columns = None
        for prices in [dict(enumerate(self.price)), *self.later]:
            status, columns = self._best(prices, time_limit)
            if columns is None:
                return status, [], None
            values.append(sum(price * float(columns[column]) for column, price in prices.items()))
            locked = {column: Fraction(price) for column, price in prices.items() if price}
            if locked:
                self._put(locked, values[-1] - LOCK * max(1.0, abs(values[-1])), None)
        return "optimal", values, columns

    def _best(self, prices: Mapping[int, float], time_limit: float) -> tuple[str, np.ndarray | None]:
        entries = [(r, c, float(v)) for r, row in enumerate(self.rows) for c, v in row.items() if v]
        r, c, v = zip(*entries, strict=True) if entries else ((), (), ())
        matrix = sparse.csr_matrix((v, (r, c)), shape=(len(self.rows), len(self.price)))
        found = milp(
            -np.array([prices.get(column, 0.0) for column in range(len(self.price))]),
            integrality=np.array(self.whole, dtype=int),
            bounds=Bounds(np.array(self.lower), np.array(self.upper)),
            constraints=LinearConstraint(matrix, np.array(self.low), np.array(self.high)) if self.rows else None,
            # SciPy 1.17's HiGHS, with presolve and columns without upper bound, crashed or said infeasible of
            # feasible programs (seed 95): hence no presolve, and a finite box everywhere.
            options={"mip_rel_gap": 0.0, "time_limit": time_limit, "presolve": False},
        )
        if found.status == 0:
            return "optimal", found.x
        return ("infeasible" if found.status == 2 else "limit"), None


LOCK = 1e-7  # how far a later level may let an earlier one fall, for the floats' sake


def gathered(terms: Terms) -> dict[int, Fraction]:
    """Terms on one column summed."""
    summed: dict[int, Fraction] = defaultdict(Fraction)
    for column, coefficient in terms:
        summed[column] += Fraction(coefficient)
    return summed


def solve_textbook(
    scenario: Any, *, cents: bool = False, rounded_up: bool = False, time_limit: float = 60.0
) -> Solution:
    """The optimum over plans in real euros or, with ``cents``, in whole cents (exact, slow: tiny ones only).

    Real euros know no rounding up of rates; ``rounded_up`` lets every rate be missed by a cent instead:
    above what any plan in cents can reach.
    """
    program = Textbook(Reading(scenario), cents=cents, rounded_up=rounded_up)
    status, values, columns = program.sheet.maximise(time_limit)
    if columns is None:
        return Solution(status, None, {}, {})
    levels = tuple(
        -value if level.kind == "minimise" else value
        for value, level in zip(values, program.reading.levels, strict=True)
    )
    euro = float(program.euro)
    return Solution(
        status,
        levels[0],
        {cell: float(columns[column]) * euro for cell, column in program.x.items()},
        {d: float(columns[column]) for d, column in program.u.items()},
        levels,
    )


class Textbook:
    """The program of a scenario. ``x``: money by cell, ``u``: units by demand (and by year in ``u_year``)."""

    def __init__(self, reading: Reading, *, cents: bool, rounded_up: bool) -> None:
        self.reading, self.sheet = reading, Sheet()
        self.cents, self.rounded_up = cents, rounded_up
        self.money = 1 if cents else 100  # cents in one unit of a money column
        self.euro = Fraction(self.money, 100)  # euros in one unit of a money column
        self.x = {
            cell: self.sheet.column(upper=float(d.most * d.asked / self.money), whole=cents)
            for d in reading.demands.values()
            for cell in reading.cells_of[d.id]
        }
        self.u: dict[str, int] = {}
        self.u_year: dict[tuple[str, int], int] = {}
        self._served: dict[str, int] = {}
        self._pays: dict[tuple[str, str], int] = {}
        self._started: dict[tuple[str, int], int] = {}
        self.units()
        self.rates()
        self.objective()
        self.funds()
        for constraint in reading.scenario.constraints:
            if constraint.enabled and constraint.kind != "fund_rate":
                self.rule(constraint)

    # -- demands

    def units(self) -> None:
        """asked × units = money, by year where whole units or rates look at years; 0 or at least min_units."""
        reading, sheet = self.reading, self.sheet
        capped = {cell[0] for _, cell, _, _ in reading.caps}
        for demand in reading.demands.values():
            cells = reading.cells_of[demand.id]
            asked = Fraction(demand.asked, self.money)
            u = self.u[demand.id] = sheet.column(upper=float(demand.most), whole=demand.lumpy)
            if not demand.lumpy and demand.id not in capped:
                sheet.row([*((self.x[cell], 1) for cell in cells), (u, -asked)], low=0, high=0)
                continue
            for year in reading.years:
                of_year = self.u_year[demand.id, year] = sheet.column(upper=float(demand.most), whole=demand.lumpy)
                paid = [(self.x[cell], 1) for cell in cells if cell[2] == year]
                sheet.row([*paid, (of_year, -asked)], low=0, high=0)
            sheet.row([*((self.u_year[demand.id, y], 1) for y in reading.years), (u, -1)], low=0, high=0)
        for demand in reading.demands.values():
            if demand.min_units > 0:
                self.served(demand.id)

    def served(self, d: str) -> int:
        """1 where a demand has units: then at least ``least``."""
        if d not in self._served:
            demand = self.reading.demands[d]
            column = self._served[d] = self.sheet.column(upper=float(demand.least <= demand.most), whole=True)
            self.sheet.row([(self.u[d], 1), (column, -demand.most)], high=0)
            self.sheet.row([(self.u[d], 1), (column, -demand.least)], low=0)
        return self._served[d]

    def pays(self, d: str, fund: str) -> int:
        """1 where a fund pays a demand."""
        if (d, fund) not in self._pays:
            column = self._pays[d, fund] = self.sheet.column(upper=1, whole=True)
            self.flag(column, [cell for cell in self.reading.cells_of[d] if cell[1] == fund], d)
        return self._pays[d, fund]

    def started(self, d: str, year: int) -> int:
        """1 where a demand has received anything up to a year."""
        if (d, year) not in self._started:
            column = self._started[d, year] = self.sheet.column(upper=1, whole=True)
            self.flag(column, [cell for cell in self.reading.cells_of[d] if cell[2] <= year], d)
        return self._started[d, year]

    def flag(self, column: int, cells: list[Cell], d: str) -> None:
        """``column`` is 1 where these cells hold a cent (a whole unit, if lumpy by year) and 0 where none."""
        demand = self.reading.demands[d]
        paid = [(self.x[cell], Fraction(1)) for cell in cells]
        self.sheet.row([*paid, (column, -demand.most * demand.asked / self.money)], high=0)
        self.sheet.row([*paid, (column, -Fraction(1, self.money))], low=0)

    def rates(self) -> None:
        """x <= rate × cost × units of that year; in whole cents the cap is rounded up (x < cap + 1)."""
        for _, cell, per_unit, lost in self.reading.caps:
            room = Fraction(1 if self.rounded_up and lost is None else 0, self.money)
            if self.cents and lost is None:
                room = 1 - Fraction(1, (per_unit / self.reading.demands[cell[0]].asked).denominator)
            terms = [(self.x[cell], 1), (self.u_year[cell[0], cell[2]], -per_unit / self.money)]
            self.sheet.row(terms, high=room, points=lost, scale=self.euro, whole=self.cents and lost is None)

    # -- objective

    def objective(self) -> None:
        """The levels; soft losses are priced in the first."""
        for rank, level in enumerate(self.reading.levels):
            terms = self.level(level)
            if rank:
                self.sheet.then(terms)
                continue
            for column, value in gathered(terms).items():
                self.sheet.price[column] += float(value)

    def level(self, level: Level) -> list[tuple[int, Fraction]]:
        """What a level maximises."""
        if level.kind == "minimise":
            return [(column, -self.euro) for column in self.x.values()]
        if level.kind == "maximin":
            return self.smallest(level)
        terms: list[tuple[int, Fraction]] = []
        for demand in self.reading.demands.values():
            worth, steps = self.reading.worth(demand, level.weights or {}), self.reading.steps(demand)
            if len(steps) == 1:
                terms.append((self.u[demand.id], worth * steps[0][1]))
                continue
            parts = [self.sheet.column(upper=float(size)) for size, _ in steps]
            self.sheet.row([*((part, 1) for part in parts), (self.u[demand.id], -1)], low=0, high=0)
            for k in range(1, len(parts)):  # in order: a part begins where the one before is full
                full = self.sheet.column(upper=1, whole=True)
                self.sheet.row([(parts[k - 1], 1), (full, -steps[k - 1][0])], low=0)
                self.sheet.row([(parts[k], 1), (full, -steps[k][0])], high=0)
            terms += [(part, worth * factor) for part, (_, factor) in zip(parts, steps, strict=True)]
        return terms

    def smallest(self, level: Level) -> list[tuple[int, Fraction]]:
        """The sum of the ``depth`` smallest: depth × r − Σ what r is above each, r free."""
        groups: list[list[tuple[int, Fraction]]] = []
        for demands, people in level.groups:
            worth = {d: self.reading.counted(level.of, self.reading.demands[d]) / people for d in demands}
            groups.append([(self.x[cell], worth[cell[0]] * self.money) for cell in self.x if cell[0] in demands])
        most = 1 + max(
            (sum(abs(float(v)) * self.sheet.upper[column] for column, v in terms) for terms in groups), default=0.0
        )
        r = self.sheet.column(lower=-most, upper=most)
        found: list[tuple[int, Fraction]] = [(r, Fraction(level.depth))]
        for terms in groups:
            above = self.sheet.column(upper=2 * most)
            self.sheet.row([(above, 1), (r, -1), *terms], low=0)
            found.append((above, Fraction(-1)))
        return found if groups else []

    # -- funds

    def funds(self) -> None:
        """Commitments within envelopes, payments, what comes back, what is moved, regional envelopes."""
        reading, sheet, x = self.reading, self.sheet, self.x
        moves = {
            move: sheet.column(upper=limit / self.money, whole=self.cents) for move, limit in reading.moves.items()
        }
        for pair in {move[:2] for move in moves}:
            same = [move for move in moves if move[:2] == pair]
            sheet.row([(moves[move], 1) for move in same], high=Fraction(reading.moves[same[0]], self.money))
        paid: dict[tuple[str, int], list[tuple[int, Fraction]]] = {}
        if any(fund.payments or fund.returns for fund in reading.funds.values()):
            paid = self.paid()
        back = self.returned(paid)
        for row in reading.envelopes():
            terms = [(x[c], Fraction(1)) for c in x if c[1] in row.funds and c[2] in row.years]
            terms += [(moves[move], Fraction(sign)) for move, sign in reading.moved_out(row)]
            coming = [of for (f, y), of in back.items() if f in row.funds and y in row.years]
            for of in coming:
                terms += [(column, -value) for column, value in of]
            sheet.row(terms, high=Fraction(row.limit, self.money))
        for fund in reading.funds.values():
            family = reading.family(fund.id)
            for year, limit in (fund.payments or {}).items():
                parts = [part for (f, y), part in paid.items() if f in family and y == int(year)]
                loose = sum(map(len, parts)) if self.rounded_up else 0  # what whole cents may put off
                sheet.row([term for part in parts for term in part], high=Fraction(limit + loose, self.money))
            if fund.notified:
                self.notified(fund)

    def paid(self) -> dict[tuple[str, int], list[tuple[int, Fraction]]]:
        """What each fund pays in each year: in cents, each grant's running total rounded down; in euros, the shares."""
        found: dict[tuple[str, int], list[tuple[int, Fraction]]] = defaultdict(list)
        for (d, fund, first), column in self.x.items():
            before: list[tuple[int, Fraction]] = []
            for year, share in enumerate(self.reading.profile(self.reading.demands[d].measure), first):
                until = self.floor([(column, share)], share.denominator)
                found[fund, year] += [*until, *((column, -value) for column, value in before)]
                before = until
        return found

    def returned(
        self, paid: Mapping[tuple[str, int], list[tuple[int, Fraction]]]
    ) -> dict[tuple[str, int], list[tuple[int, Fraction]]]:
        """What comes back to each fund in each year, down to the cent."""
        found: dict[tuple[str, int], list[tuple[int, Fraction]]] = defaultdict(list)
        for (fund, year), terms in paid.items():
            for after, share in (self.reading.funds[fund].returns or {}).items():
                part = exact(share)
                found[fund, year + int(after)] += self.floor(
                    [(column, value * part) for column, value in terms], part.denominator
                )
        return found

    def floor(self, terms: list[tuple[int, Fraction]], denominator: int) -> list[tuple[int, Fraction]]:
        """Terms rounded down to whole cents (as they are, where money is not in cents)."""
        if not self.cents or denominator == 1:
            return terms
        most = sum(max(0.0, float(v)) * self.sheet.upper[column] for column, v in gathered(terms).items())
        column = self.sheet.column(upper=math.ceil(most), whole=True)
        self.sheet.row([*terms, (column, -1)], low=0, high=1 - Fraction(1, denominator))
        return [(column, Fraction(1))]

    def notified(self, fund: Any) -> None:
        """Beyond its own, each region takes from what nobody was notified."""
        reading, family = self.reading, self.reading.family(fund.id)
        until, own, common = reading.notified(fund)
        region = {d.id: reading.territories[d.territory]["region"] for d in reading.demands.values()}
        beyond = []
        for name in sorted(set(region.values())):
            used = [(self.x[c], 1) for c in self.x if c[1] in family and c[2] <= until and region[c[0]] == name]
            most = sum(self.sheet.upper[column] for column, _ in used)
            beyond.append(self.sheet.column(upper=math.ceil(most)))
            self.sheet.row([*used, (beyond[-1], -1)], high=Fraction(own.get(name, 0), self.money))
        self.sheet.row([(column, 1) for column in beyond], high=Fraction(common, self.money))

    # -- constraints, kind by kind

    def rule(self, constraint: Any) -> None:
        """The rows of one constraint."""
        if constraint.kind in RULES:
            RULES[constraint.kind](self, constraint, points(constraint))
            return
        reading, sheet, x, u = self.reading, self.sheet, self.x, self.u
        money, euro = self.money, self.euro
        lost = points(constraint)
        for _, on, of in reading.groups(constraint):
            paid = [(x[cell], Fraction(1)) for cell in x if on.holds(cell)]
            if constraint.kind == "ceiling":
                sheet.row(paid, high=amount(reading, constraint, on) / money, points=lost, scale=euro)
            elif constraint.kind == "floor":
                sheet.row(paid, low=amount(reading, constraint, on) / money, points=lost, scale=euro)
            elif constraint.kind == "share":
                assert of is not None
                base = [x[cell] for cell in x if of.holds(cell)]
                if constraint.max is not None:
                    terms = [*paid, *((column, -exact(constraint.max)) for column in base)]
                    sheet.row(terms, high=0, points=lost, scale=euro)
                if constraint.min is not None:
                    terms = [*paid, *((column, -exact(constraint.min)) for column in base)]
                    sheet.row(terms, low=0, points=lost, scale=euro)
            elif constraint.kind == "count":
                if constraint.of == "demands":
                    terms = [(self.served(d), 1) for d in sorted(on.demands)]
                else:
                    terms = [(x[c], Fraction(money, reading.demands[c[0]].asked)) for c in x if on.holds(c)]
                sides(sheet, terms, constraint, lost)
            elif constraint.kind == "indicator":
                terms = [
                    (
                        x[c],
                        reading.indicator(constraint, reading.demands[c[0]], c[2])
                        * money
                        / reading.demands[c[0]].asked,
                    )
                    for c in x
                    if on.holds(c)
                ]
                sides(sheet, terms, constraint, lost)
            elif constraint.kind == "cofunding":
                for d in sorted(on.demands):
                    excess = reading.excess(constraint, reading.demands[d])
                    if excess > 0 and lost is None:
                        sheet.row([(u[d], 1)], high=0)
                    elif excess > 0:
                        sheet.price[self.served(d)] -= float(lost * excess)
            elif constraint.kind == "lock":
                for d in sorted(on.demands):
                    demand = reading.demands[d]
                    terms = [(x[c], Fraction(money, demand.asked)) for c in reading.cells_of[d] if on.holds(c)]
                    target = reading.target(constraint, demand)
                    sheet.row(terms, low=target, high=target, points=lost)
            else:
                raise NotImplementedError(f"{constraint.kind}: the oracle does not know this kind")


def sides(sheet: Sheet, terms: list[tuple[int, Fraction | int]], constraint: Any, lost: Fraction | None) -> None:
    """min and max of a count or an indicator."""
    if constraint.min is not None:
        sheet.row(terms, low=exact(constraint.min), points=lost)
    if constraint.max is not None:
        sheet.row(terms, high=exact(constraint.max), points=lost)


# ------------------------------------------------------------------------ kinds with rows of their own


def no_stacking(t: Textbook, constraint: Any, lost: Fraction | None) -> None:
    on, most = t.reading.stacked(constraint)
    for d in sorted(on.demands):
        funds = sorted({cell[1] for cell in t.reading.cells_of[d]} & on.funds)
        t.sheet.row([(t.pays(d, fund), 1) for fund in funds], high=most, points=lost, whole=True)


def min_grant(t: Textbook, constraint: Any, lost: Fraction | None) -> None:
    on = t.reading.choose(constraint.on)
    least = Fraction(constraint.amount, t.money)
    for d in sorted(on.demands):
        for fund in sorted({cell[1] for cell in t.reading.cells_of[d]} & on.funds):
            paid = [(t.x[cell], Fraction(1)) for cell in t.reading.cells_of[d] if cell[1] == fund]
            t.sheet.row([*paid, (t.pays(d, fund), -least)], low=0, points=lost, scale=t.euro)


def requires(t: Textbook, constraint: Any, lost: Fraction | None) -> None:
    for _, when, then in t.reading.served_with(constraint):
        for year in t.reading.years:
            before = year - int(constraint.lag)
            there = [(t.started(e, before), 1) for e in then if before >= t.reading.years[0]]
            for d in when:
                t.sheet.row([*there, (t.started(d, year), -1)], low=0, points=lost, whole=True)


def exclusive(t: Textbook, constraint: Any, lost: Fraction | None) -> None:
    for _, on, _ in t.reading.groups(constraint):
        terms = [(t.served(d), 1) for d in sorted(on.demands)]
        t.sheet.row(terms, high=constraint.at_most, points=lost, whole=True)


def equity(t: Textbook, constraint: Any, lost: Fraction | None) -> None:
    groups, on = t.reading.equals(constraint), t.reading.choose(constraint.on)
    each = [
        [(t.x[c], t.euro / people) for c in t.x if c[0] in demands and on.holds(c)] for _, demands, people in groups
    ]
    most = sum(float(value) * t.sheet.upper[column] for terms in each for column, value in terms)
    highest, lowest = t.sheet.column(upper=most + 1), t.sheet.column(upper=most + 1)
    for terms in each:
        t.sheet.row([*terms, (highest, -1)], high=0)
        t.sheet.row([*terms, (lowest, -1)], low=0)
    if each and constraint.max_gap is None:
        t.sheet.row([(highest, 1), (lowest, -exact(constraint.max_ratio))], high=0, points=lost)
    elif each:
        t.sheet.row([(highest, 1), (lowest, -1)], high=Fraction(constraint.max_gap, 100), points=lost)


def de_minimis(t: Textbook, constraint: Any, lost: Fraction | None) -> None:
    on = t.reading.choose(constraint.on)
    for _, demands, years, limit in t.reading.windows(constraint):
        terms = [(t.x[c], t.reading.equivalent(c[1])) for c in t.x if c[0] in demands and c[2] in years and on.holds(c)]
        t.sheet.row(terms, high=Fraction(limit, t.money), points=lost, scale=t.euro)


def continuity(t: Textbook, constraint: Any, lost: Fraction | None) -> None:
    for _, on, had in t.reading.before(constraint):
        low = (1 - exact(constraint.max_change)) * had / t.money
        t.sheet.row([(t.x[c], 1) for c in t.x if on.holds(c)], low=low, points=lost, scale=t.euro)


def contains(t: Textbook, constraint: Any, lost: Fraction | None) -> None:
    for d, cents in t.reading.contained(constraint):
        asked = t.reading.demands[d].asked
        terms = [(t.x[c], Fraction(t.money, asked)) for c in t.reading.cells_of[d]]
        t.sheet.row(terms, low=Fraction(cents, asked), points=lost)


def overrun(t: Textbook, constraint: Any, lost: Fraction | None) -> None:
    """Every way in which so many overruns come at once, one row each."""
    for _, on, _ in t.reading.groups(constraint):
        paid = [(t.x[cell], Fraction(1)) for cell in t.x if on.holds(cell)]
        parts = [
            [(t.x[cell], rate) for cell in t.x if cell in cells] for cells, rate in t.reading.overruns(constraint, on)
        ]
        worst = largest(t, parts, exact(constraint.at_once))
        t.sheet.row([*paid, (worst, 1)], high=Fraction(constraint.amount, t.money), points=lost, scale=t.euro)


def cvar(t: Textbook, constraint: Any, lost: Fraction | None) -> None:
    """Every choice of so many cases, one row each."""
    for _, on, _ in t.reading.groups(constraint):
        cases = [
            [(t.x[cell], t.reading.factor(constraint, cell[0], case)) for cell in t.x if on.holds(cell)]
            for case in range(t.reading.cases(constraint))
        ]
        count = exact(constraint.tail) * len(cases)
        worst = largest(t, cases, count)
        high = Fraction(constraint.amount, t.money)
        t.sheet.row([(worst, 1 / count)], high=high, points=lost, scale=t.euro)


def largest(t: Textbook, parts: list[list[tuple[int, Fraction]]], count: Fraction) -> int:
    """A column that is no less than any ``count`` of these sums, the last one in part."""
    most = 1 + sum(float(value) * t.sheet.upper[column] for terms in parts for column, value in terms)
    worst = t.sheet.column(upper=most)
    whole, rest = min(math.floor(count), len(parts)), count - math.floor(count)
    for chosen in combinations(range(len(parts)), whole):
        terms = [(column, -value) for k in chosen for column, value in parts[k]]
        t.sheet.row([(worst, 1), *terms], low=0)
        for last in set(range(len(parts))) - set(chosen):
            t.sheet.row([(worst, 1), *terms, *((column, -rest * value) for column, value in parts[last])], low=0)
    return worst


def regret(t: Textbook, constraint: Any, lost: Fraction | None) -> None:
    column = t.sheet.column(upper=1e9)
    for level, best in t.reading.futures(constraint):
        t.sheet.row([(column, 1), *t.level(level)], low=best)
    t.sheet.row([(column, 1)], high=exact(constraint.amount), points=lost)


RULES: dict[str, Callable[[Textbook, Any, Fraction | None], None]] = {
    "overrun": overrun,
    "cvar": cvar,
    "regret": regret,
    "no_stacking": no_stacking,
    "min_grant": min_grant,
    "requires": requires,
    "exclusive": exclusive,
    "equity": equity,
    "de_minimis": de_minimis,
    "continuity": continuity,
    "contains": contains,
}
