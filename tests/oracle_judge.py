"""A given plan, judged in exact fractions, rule by rule.

``lines`` gives every number of every rule with what it must be; ``violations`` and ``objective_of`` rest on it. Two
shapes, both of sums over demands, so that brute force can enumerate: ``Line`` (one sum between two limits) and ``Joint``
(several sums, and how far they are from what they must be together).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from oracle_reading import Cell, Envelope, Level, Move, Payments, Reading, amount, exact, points
from scipy.optimize import Bounds, LinearConstraint, milp

ByYear = dict[tuple[str, int], int]  # cents by (fund, year)


@dataclass(frozen=True)
class Line:
    """One number of one rule, and where it must lie.

    ``value`` adds up over demands (what a plan makes of it is the sum over its demands taken alone): that
    lets brute force enumerate. ``loose``: how far a hard equality on divisible money may miss, also a sum.
    """

    rule: str
    value: Fraction
    low: Fraction | None = None
    high: Fraction | None = None
    points: Fraction | None = None
    loose: Fraction = field(default=Fraction(0))

    @property
    def breach(self) -> Fraction:
        """How far outside; 0 inside."""
        loose = self.loose if self.points is None else Fraction(0)
        below = Fraction(0) if self.low is None else self.low - loose - self.value
        above = Fraction(0) if self.high is None else self.value - self.high - loose
        return max(below, above, Fraction(0))


@dataclass(frozen=True)
class Joint:
    """Sums over demands (``values``), and what they miss together. ``same`` joints of one scenario differ in values only."""

    rule: str
    values: tuple[Fraction | int, ...]
    missed: Callable[[tuple[Fraction | int, ...]], Fraction]
    points: Fraction | None = None

    @property
    def breach(self) -> Fraction:
        """How far from what it must be; 0 where it is kept."""
        return self.missed(self.values)


def rounded_up(cents: Fraction) -> int:
    """A rate cap goes up to the cent."""
    return math.ceil(cents)


def demand_lines(reading: Reading, plan: Payments) -> Iterator[Line]:
    """What every single demand must obey, whatever the constraints."""
    allowed = set(reading.cells)
    granted: dict[str, int] = defaultdict(int)
    by_year: dict[tuple[str, int], int] = defaultdict(int)
    for cell, cents in plan.items():
        granted[cell[0]] += cents
        by_year[cell[0], cell[2]] += cents
        if cell not in allowed:
            yield Line(f"not eligible {cell}", Fraction(abs(cents)), high=Fraction(0))
        if cents < 0:
            yield Line(f"negative {cell}", Fraction(-cents), high=Fraction(0))
    for demand in reading.demands.values():
        cents = granted[demand.id]
        yield Line(f"units of {demand.id}", Fraction(cents, demand.asked), high=demand.units)
        too_few = 0 < cents < demand.least * demand.asked
        yield Line(f"at least, or nothing {demand.id}", Fraction(too_few), high=Fraction(0))
        if demand.lumpy:
            broken = sum(by_year[demand.id, y] % demand.asked != 0 for y in reading.years)
            yield Line(f"whole units by year {demand.id}", Fraction(broken), high=Fraction(0))
    for name, cell, per_unit, lost in reading.caps:
        cents = plan.get(cell, 0)
        if cents:
            exact = per_unit * by_year[cell[0], cell[2]] / reading.demands[cell[0]].asked
            cap = rounded_up(exact) if lost is None else exact  # what is priced needs no rounding
            yield Line(name, Fraction(max(0, cents - cap), 100), high=Fraction(0), points=lost)
        else:
            yield Line(name, Fraction(0), high=Fraction(0), points=lost)


def fund_lines(reading: Reading, plan: Payments) -> Iterator[Line | Joint]:
    """The funds' money."""
    if reading.plain_funds:
        for name, funds, years, cents in reading.envelopes():
            used = sum(c for (_, f, y), c in plan.items() if f in funds and y in years)
            yield Line(name, Fraction(used, 100), high=Fraction(cents, 100))
        return
    values = reading.posted(plan)
    yield Joint("envelopes", values, lambda sums: over_envelopes(reading, *told_apart(reading, sums)))
    for fund in reading.funds.values():
        if fund.payments:
            yield Joint(
                f"payments of {fund.id}",
                values,
                lambda sums, fund=fund: over_payments(reading, fund, told_apart(reading, sums)[1]),
            )
        if fund.notified:
            yield notified_line(reading, fund, plan)


def told_apart(reading: Reading, sums: tuple[Fraction | int, ...]) -> tuple[ByYear, ByYear]:
    """What funds commit and what they pay, by (fund, year)."""
    committed: ByYear = {}
    paid: ByYear = {}
    for (account, fund, year), cents in zip(reading.accounts, sums, strict=True):
        (committed if account == "committed" else paid)[fund, year] = int(cents)
    return committed, paid


def over_envelopes(reading: Reading, committed: ByYear, paid: ByYear) -> Fraction:
    """Euros committed beyond the envelopes, whatever is moved between funds (with moves that are possible: 0)."""
    back = reading.returned(paid)
    rows: list[tuple[int, Envelope]] = []
    for row in reading.envelopes():
        room = row.limit + sum(c for (f, y), c in back.items() if f in row.funds and y in row.years)
        rows.append((room - sum(c for (f, y), c in committed.items() if f in row.funds and y in row.years), row))
    worst = min(room for room, _ in rows)
    if worst >= 0 or (reading.moves and can_move(reading, rows)):
        return Fraction(0)
    return Fraction(-worst, 100)


MOST_WAYS = 5_000


def can_move(reading: Reading, rows: list[tuple[int, Envelope]]) -> bool:
    """Are there whole cents to move between funds, within the limits, that leave no envelope short?

    Every way is tried where they are few; else whole numbers are searched for.
    """
    moves = list(reading.moves)
    felt = [dict(reading.moved_out(row)) for _, row in rows]
    pairs: dict[tuple[str, str], list[Move]] = defaultdict(list)
    for move in moves:
        pairs[move[:2]].append(move)
    if math.prod(reading.moves[move] + 1 for move in moves) <= MOST_WAYS:
        for cents in product(*(range(reading.moves[move] + 1) for move in moves)):
            way = dict(zip(moves, cents, strict=True))
            if all(sum(way[move] for move in same) <= reading.moves[same[0]] for same in pairs.values()) and all(
                sum(sign * way[move] for move, sign in signs.items()) <= room
                for (room, _), signs in zip(rows, felt, strict=True)
            ):
                return True
        return False
    matrix = [[signs.get(move, 0) for move in moves] for signs in felt]
    matrix += [[int(move in same) for move in moves] for same in pairs.values()]
    limits = [room for room, _ in rows] + [reading.moves[same[0]] for same in pairs.values()]
    found = milp(
        np.zeros(len(moves)),
        integrality=np.ones(len(moves)),
        bounds=Bounds(0, [reading.moves[move] for move in moves]),
        constraints=LinearConstraint(np.array(matrix), -np.inf, np.array(limits, float)),
        options={"presolve": False},
    )
    return found.status == 0


def over_payments(reading: Reading, fund: Any, paid: ByYear) -> Fraction:
    """Euros paid beyond a fund's payments, over all years."""
    family = reading.family(fund.id)
    by_year: dict[int, int] = defaultdict(int)
    for (other, year), cents in paid.items():
        if other in family:
            by_year[year] += cents
    over = sum(max(0, by_year[int(year)] - math.floor(limit)) for year, limit in fund.payments.items())
    return Fraction(over, 100)


def notified_line(reading: Reading, fund: Any, plan: Payments) -> Joint:
    """What regions take beyond their own is at most what nobody was notified."""
    family = reading.family(fund.id)
    regions = sorted({row["region"] for row in reading.territories.values()})
    until, own, common = reading.notified(fund)
    used: dict[str, int] = defaultdict(int)
    for (d, f, year), cents in plan.items():
        if f in family and year <= until:
            used[reading.territories[reading.demands[d].territory]["region"]] += cents

    def missed(sums: tuple[Fraction | int, ...]) -> Fraction:
        beyond = sum(max(0, cents - own.get(region, 0)) for region, cents in zip(regions, sums, strict=True))
        return max(Fraction(0), Fraction(beyond - common, 100))

    return Joint(f"notified by {fund.id}", tuple(used[region] for region in regions), missed)


def constraint_lines(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Line | Joint]:
    """One constraint, one line per group (``fund_rate``: see ``demand_lines``)."""
    lost = points(constraint)
    if constraint.kind in LINES:
        yield from LINES[constraint.kind](reading, constraint, plan)
        return
    if constraint.kind == "lock":
        for name, on, _ in reading.groups(constraint):
            for d in sorted(on.demands):
                demand = reading.demands[d]
                cents = sum(c for cell, c in plan.items() if cell[0] == d and on.holds(cell))
                target = reading.target(constraint, demand)
                yield Line(f"{name} {d}", Fraction(cents, demand.asked), target, target, lost)
        return
    if constraint.kind == "cofunding":
        for name, on, _ in reading.groups(constraint):
            for d in sorted(on.demands):
                served = any(cell[0] == d for cell in plan)
                excess = reading.excess(constraint, reading.demands[d])
                yield Line(f"{name} {d}", excess * served, high=Fraction(0), points=lost)
        return
    for name, on, of in reading.groups(constraint):
        paid = {cell: cents for cell, cents in plan.items() if on.holds(cell)}
        if constraint.kind == "ceiling":
            yield Line(
                name,
                Fraction(sum(paid.values()), 100),
                high=amount(reading, constraint, on) / 100,
                points=lost,
            )
        elif constraint.kind == "floor":
            yield Line(
                name,
                Fraction(sum(paid.values()), 100),
                low=amount(reading, constraint, on) / 100,
                points=lost,
            )
        elif constraint.kind == "share":
            assert of is not None
            base = {cell: cents for cell, cents in plan.items() if of.holds(cell)}
            equal = constraint.min is not None and constraint.min == constraint.max
            loose = Fraction(len(set(paid) | set(base)) if equal else 0, 100)
            for side, limit in (("max", constraint.max), ("min", constraint.min)):
                if limit is not None:
                    left = Fraction(sum(paid.values()), 100) - exact(limit) * Fraction(sum(base.values()), 100)
                    bound = {"high": Fraction(0)} if side == "max" else {"low": Fraction(0)}
                    yield Line(f"{name} {side}", left, points=lost, loose=loose, **bound)
        elif constraint.kind == "count":
            if constraint.of == "demands":
                value = Fraction(len({cell[0] for cell in paid}))
                loose = Fraction(0)
            else:
                value = sum((Fraction(c, reading.demands[cell[0]].asked) for cell, c in paid.items()), Fraction(0))
                loose = cent_worths(reading, paid, constraint, lambda d, y: Fraction(1))
            yield from both_sides(name, value, constraint, lost, loose)
        elif constraint.kind == "indicator":
            value = Fraction(0)
            for cell, cents in paid.items():
                demand = reading.demands[cell[0]]
                value += reading.indicator(constraint, demand, cell[2]) * Fraction(cents, demand.asked)
            loose = cent_worths(reading, paid, constraint, lambda d, y: abs(reading.indicator(constraint, d, y)))
            yield from both_sides(name, value, constraint, lost, loose)
        else:
            raise NotImplementedError(f"{constraint.kind}: the oracle does not know this kind")


# ------------------------------------------------------------------------ kinds with lines of their own


def no_stacking(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Line]:
    """Funds in excess, demand by demand."""
    on, most = reading.stacked(constraint)
    for d in sorted(on.demands):
        funds = {cell[1] for cell in plan if cell[0] == d and cell[1] in on.funds}
        yield Line(
            f"{constraint.id} {d}", Fraction(max(0, len(funds) - most)), high=Fraction(0), points=points(constraint)
        )


def min_grant(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Line]:
    """Euros missing, demand by demand and fund by fund."""
    on = reading.choose(constraint.on)
    for d in sorted(on.demands):
        for fund in sorted(on.funds):
            cents = sum(c for cell, c in plan.items() if cell[:2] == (d, fund))
            missing = max(0, int(constraint.amount) - cents) if cents else 0
            yield Line(
                f"{constraint.id} {d} {fund}", Fraction(missing, 100), high=Fraction(0), points=points(constraint)
            )


def requires(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Joint]:
    """Started demands that go without, year by year."""
    first = {d: min(y for other, _, y in plan if other == d) for d in {cell[0] for cell in plan}}
    for value, when, then in reading.served_with(constraint):
        for year in reading.years:
            started = sum(first.get(d, math.inf) <= year for d in when)
            there = sum(first.get(d, math.inf) <= year - int(constraint.lag) for d in then)
            yield Joint(
                f"{constraint.id}[{value}] {year}",
                (started, there),
                lambda sums: Fraction(0 if sums[1] else sums[0]),
                points(constraint),
            )


def exclusive(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Line]:
    """Served demands of each group."""
    served = {cell[0] for cell in plan}
    for name, on, _ in reading.groups(constraint):
        yield Line(
            name, Fraction(len(served & on.demands)), high=Fraction(constraint.at_most), points=points(constraint)
        )


def equity(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Joint]:
    """Euros per inhabitant of the groups, the highest against the lowest."""
    groups, on = reading.equals(constraint), reading.choose(constraint.on)
    if not groups:
        return
    sums = [sum(c for cell, c in plan.items() if cell[0] in demands and on.holds(cell)) for _, demands, _ in groups]
    ratio, gap = constraint.max_ratio, constraint.max_gap
    equal = constraint.soft is None and ((gap is None and exact(ratio) == 1) or (ratio is None and exact(gap) == 0))
    loose = sum(
        (
            Fraction(1, 100 * people)
            for _, demands, people in groups
            for cell in plan
            if cell[0] in demands and on.holds(cell) and not reading.demands[cell[0]].lumpy
        ),
        Fraction(0),
    )

    def missed(values: tuple[Fraction | int, ...]) -> Fraction:
        each = [Fraction(cents, 100 * people) for cents, (_, _, people) in zip(values[:-1], groups, strict=True)]
        beyond = max(each) - (exact(ratio) * min(each) if gap is None else min(each) + Fraction(gap, 100))
        return max(Fraction(0), beyond - (values[-1] if equal else 0))

    yield Joint(constraint.id, (*sums, loose), missed, points(constraint))


def de_minimis(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Line]:
    """Gross grant equivalent over each window."""
    on = reading.choose(constraint.on)
    for name, demands, years, limit in reading.windows(constraint):
        worth = sum(
            (
                c * reading.equivalent(cell[1])
                for cell, c in plan.items()
                if cell[0] in demands and cell[2] in years and on.holds(cell)
            ),
            Fraction(0),
        )
        yield Line(name, worth / 100, high=Fraction(limit, 100), points=points(constraint))


def continuity(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Line]:
    """Euros of each group against the reference's."""
    for name, on, had in reading.before(constraint):
        cents = sum(c for cell, c in plan.items() if on.holds(cell))
        low = (1 - exact(constraint.max_change)) * had / 100
        yield Line(name, Fraction(cents, 100), low=low, points=points(constraint))


def contains(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Line]:
    """Units of each demand against what the reference gives it."""
    for d, cents in reading.contained(constraint):
        got, asked = sum(c for cell, c in plan.items() if cell[0] == d), reading.demands[d].asked
        yield Line(f"{constraint.id} {d}", Fraction(got, asked), low=Fraction(cents, asked), points=points(constraint))


def overrun(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Joint]:
    """What is granted, and every overrun: the largest of them added."""
    for name, on, _ in reading.groups(constraint):
        paid = sum(cents for cell, cents in plan.items() if on.holds(cell))
        parts = [
            rate * sum(cents for cell, cents in plan.items() if cell in cells)
            for cells, rate in reading.overruns(constraint, on)
        ]

        def missed(sums: tuple[Fraction | int, ...]) -> Fraction:
            over = sums[0] + largest(sums[1:], exact(constraint.at_once)) - constraint.amount
            return max(Fraction(0), Fraction(over) / 100)

        yield Joint(name, (paid, *parts), missed, points(constraint))


def cvar(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Joint]:
    """What the plan costs in each case: the mean of the worst."""
    for name, on, _ in reading.groups(constraint):
        cases = [
            sum(
                (reading.factor(constraint, cell[0], case) * cents for cell, cents in plan.items() if on.holds(cell)),
                Fraction(0),
            )
            for case in range(reading.cases(constraint))
        ]

        def missed(sums: tuple[Fraction | int, ...]) -> Fraction:
            count = exact(constraint.tail) * len(sums)
            return max(Fraction(0), (largest(sums, count) / count - constraint.amount) / 100)

        yield Joint(name, tuple(cases), missed, points(constraint))


def largest(sums: tuple[Fraction | int, ...], count: Fraction) -> Fraction:
    """The ``count`` largest added up, the last one in part."""
    whole, ordered = math.floor(count), sorted(sums)[::-1]
    rest = (count - whole) * ordered[whole] if whole < len(ordered) else 0
    return Fraction(sum(ordered[:whole])) + rest


def regret(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Joint]:
    """How far below the best of each future: the farthest."""
    levels = reading.futures(constraint)
    parts = [level_parts(reading, level, plan) for level, _ in levels]

    def missed(sums: tuple[Fraction | int, ...]) -> Fraction:
        at, worst = 0, Fraction(0)
        for (level, best), mine in zip(levels, parts, strict=True):
            worst = max(worst, best - level_value(level, tuple(map(Fraction, sums[at : at + len(mine)]))))
            at += len(mine)
        return max(Fraction(0), worst - exact(constraint.amount))

    yield Joint(constraint.id, tuple(value for mine in parts for value in mine), missed, points(constraint))


LINES: dict[str, Callable[[Reading, Any, Payments], Iterator[Line | Joint]]] = {
    "no_stacking": no_stacking,
    "min_grant": min_grant,
    "requires": requires,
    "exclusive": exclusive,
    "equity": equity,
    "de_minimis": de_minimis,
    "continuity": continuity,
    "contains": contains,
    "overrun": overrun,
    "cvar": cvar,
    "regret": regret,
}  # fmt: skip


# --------------------------------------------------------------------------------------- all together


def cent_worths(reading: Reading, paid: Payments, constraint: Any, worth: Any) -> Fraction:
    """What one cent per grant can buy, where min = max on divisible money; else nothing."""
    if constraint.min is None or constraint.max is None or exact(constraint.min) != exact(constraint.max):
        return Fraction(0)
    grants = [(reading.demands[cell[0]], cell[2]) for cell in paid]
    return sum((worth(d, y) / d.asked for d, y in grants if not d.lumpy), Fraction(0))


def both_sides(name: str, value: Fraction, constraint: Any, lost: Fraction | None, loose: Fraction) -> Iterator[Line]:
    """min and max are two lines: a soft breach of either costs its own points."""
    if constraint.min is not None:
        yield Line(f"{name} min", value, low=exact(constraint.min), points=lost, loose=loose)
    if constraint.max is not None:
        yield Line(f"{name} max", value, high=exact(constraint.max), points=lost, loose=loose)


def lines(reading: Reading, plan: Payments) -> Iterator[Line | Joint]:
    """Every line of every rule for one plan."""
    yield from demand_lines(reading, plan)
    yield from fund_lines(reading, plan)
    for constraint in reading.scenario.constraints:
        if constraint.enabled and constraint.kind != "fund_rate":
            yield from constraint_lines(reading, constraint, plan)


def level_parts(reading: Reading, level: Level, plan: Payments) -> tuple[Fraction, ...]:
    """The sums over demands that a level is made of."""
    granted: dict[str, int] = defaultdict(int)
    for cell, cents in plan.items():
        granted[cell[0]] += cents
    if level.kind == "minimise":
        return (Fraction(-sum(granted.values()), 100),)
    if level.kind == "maximise":
        weights = level.weights or {}
        found = [(reading.demands[d], cents) for d, cents in granted.items()]
        return (sum((reading.worth_of(d, Fraction(c, d.asked), weights) for d, c in found), Fraction(0)),)
    return tuple(
        sum((reading.counted(level.of, reading.demands[d]) * granted[d] for d in demands), Fraction(0)) / people
        for demands, people in level.groups
    )


def level_value(level: Level, parts: tuple[Fraction, ...]) -> Fraction:
    """What a level makes of its sums."""
    return sum(sorted(parts)[: level.depth], Fraction(0)) if level.kind == "maximin" else parts[0]


def values_of(reading: Reading, plan: Payments) -> list[Fraction]:
    """Every level, higher is better, the first net of soft losses."""
    values = [level_value(level, level_parts(reading, level, plan)) for level in reading.levels]
    lost = sum((line.points * line.breach for line in lines(reading, plan) if line.points is not None), Fraction(0))
    return [values[0] - lost, *values[1:]]


def payments_of(grants: pd.DataFrame) -> dict[Cell, int]:
    """A grants table as a mapping; two rows for one cell are an error."""
    plan: dict[Cell, int] = {}
    for d, f, y, cents in zip(grants["demand"], grants["fund"], grants["year"], grants["cents"], strict=True):
        cell = (str(d), str(f), int(y))
        assert cell not in plan, f"two rows for {cell}"
        assert int(cents) == cents, f"{cents} cents for {cell}"
        assert cents != 0, f"a row without money for {cell}"
        plan[cell] = int(cents)
    return plan


def violations(scenario: Any, grants: pd.DataFrame) -> list[str]:
    """Every hard rule that a grants table (demand, fund, year, cents) breaks, exactly; empty: none."""
    reading = Reading(scenario)
    plan = payments_of(grants)
    unknown = [cell for cell in plan if cell[0] not in reading.demands or cell[1] not in reading.funds]
    if unknown:
        return [f"unknown demand or fund: {cell}" for cell in unknown]
    return [
        f"{line.rule}: {told(line)} by {float(line.breach)}"
        for line in lines(reading, plan)
        if line.points is None and line.breach > 0
    ]


def told(line: Line | Joint) -> str:
    """The numbers of a line."""
    if isinstance(line, Joint):
        return str([float(value) for value in line.values])
    return f"{float(line.value)} outside [{line.low}, {line.high}]"


def levels_of(scenario: Any, grants: pd.DataFrame) -> list[Fraction]:
    """Every level of a grants table, exactly, as people read it (euros spent are positive)."""
    reading = Reading(scenario)
    values = values_of(reading, payments_of(grants))
    return [-v if level.kind == "minimise" else v for level, v in zip(reading.levels, values, strict=True)]


def objective_of(scenario: Any, grants: pd.DataFrame) -> Fraction:
    """The first level of a grants table, net of soft losses, exactly."""
    return levels_of(scenario, grants)[0]


def rounding_worth(scenario: Any) -> Fraction:
    """Points at stake when every cell moves by one cent: what cents may cost against real numbers.

    Counts the objective and the soft losses per cell; rules that bind in a chain can multiply it, so tests
    allow a small multiple.
    """
    reading = Reading(scenario)
    total = Fraction(0)
    for cell in reading.cells:
        demand = reading.demands[cell[0]]
        total += cent_worth(reading, demand)
        for constraint in scenario.constraints:
            if not constraint.enabled or constraint.soft is None:
                continue
            per_cent = Fraction(1, 100)
            if constraint.kind == "indicator":
                per_cent = abs(reading.indicator(constraint, demand, cell[2])) / demand.asked
            elif constraint.kind in ("count", "lock"):
                per_cent = Fraction(1, demand.asked)
            elif constraint.kind == "cofunding":
                per_cent = Fraction(0)  # a whole demand is served or not
            total += exact(constraint.soft) * per_cent
    return total


def cent_worth(reading: Reading, demand: Any) -> Fraction:
    """What one cent to a demand can add to the first level."""
    level = reading.levels[0]
    if level.kind == "minimise":
        return Fraction(1, 100)
    if level.kind == "maximise":
        return abs(reading.worth(demand, level.weights or {})) / demand.asked
    people = min(
        (people for _, people in level.groups), default=0
    )  # nobody lives anywhere: every plan is worth as much
    return abs(reading.counted(level.of, demand)) / people if people else Fraction(0)
