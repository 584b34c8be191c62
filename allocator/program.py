"""From a scenario to the smallest program with the same optimum, and the way back from its columns to demands.

Money is a column per *class of demands* and cell; units are columns per demand. Two demands share a class when every
row sees their money with the same coefficient per cent, up to a constant over their cells: the constant moves to their
unit columns, because a demand's money adds up to asked · units. docs/theorem.md proves that nothing is lost.

Floats live from here to `settle`. Money columns count `money_unit` cents, a power of ten that suits the size of the
scenario; rows and objective are scaled by powers of two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil

import numpy as np
from scipy import sparse

from allocator.caps import Block, Caps
from allocator.engines.base import Program
from allocator.space import Exact, Space, Term


@dataclass(frozen=True, eq=False)
class Compiled:
    """The program and where its columns and rows come from.

    `unit_column` (n, Y): the column of demand i in year y, the same for all years where units are not by year, -1 where
    no fund may pay. `served_column` (n, Y): being served up to year y, -1 where nobody asks or unit columns say it.
    `paid_column` (n, F): being paid by fund f, for the demands told apart for that. `move_columns`: money moved between
    funds. The first rows are those of `space.rows`; a whole number of row r is `row_scale[r]` of the program's.
    `column_steps` (columns,): steps or cents in one; columns beyond count no whole numbers. `generous`: see `generous_by_cents`.
    """

    space: Space
    program: Program
    unit_column: np.ndarray
    served_column: np.ndarray
    paid_column: np.ndarray
    move_columns: np.ndarray
    by_year: np.ndarray
    demand_class: np.ndarray
    blocks: tuple[Block, ...]
    row_scale: np.ndarray
    column_steps: np.ndarray
    objective_scale: float
    money_unit: float
    all_caps: Caps
    caps: tuple[int, ...] = ()  # of these, the last rows: found broken and added
    generous: bool = False
    family_rows: tuple[int, ...] = ()  # of `space.families`, once they are counted

    @property
    def classes(self) -> int:
        return int(self.demand_class.max(initial=-1)) + 1

    @cached_property
    def apart(self) -> np.ndarray:
        """(n,) bool: demands told apart by which funds pay."""
        return np.asarray((self.paid_column >= 0).any(axis=1))

    @cached_property
    def total_row(self) -> np.ndarray:
        """(n,) the row that adds up a demand's units over the years, −1 where they are not by year."""
        summed = self.by_year & self.space.payable
        first = len(self.space.rows) + len(self.blocks)
        return np.where(summed, first + np.cumsum(summed) - 1, -1)

    @cached_property
    def missed_rows(self) -> np.ndarray:
        """(k,) rows of the first columns that count no whole numbers: what each soft row may miss on a side."""
        first = len(self.column_steps)
        columns = slice(first, self.program.columns - len(self.space.auxiliaries) + len(self.move_columns))
        return np.asarray(sparse.csc_matrix(self.program.matrix[: len(self.row_scale), columns]).indices)

    def multipliers(self, duals: np.ndarray, *, farkas: bool = False) -> np.ndarray:
        """Duals of the program as points per whole number of each row of `space.rows`, then per unit of each family that
        is counted."""
        rows = len(self.row_scale)
        mine = duals[:rows] * self.row_scale
        if self.family_rows and len(duals) > max(self.family_rows):
            mine = np.concatenate([mine, duals[list(self.family_rows)]])
        return mine * (1.0 if farkas else self.objective_scale)

    def tidied(self, x: np.ndarray) -> np.ndarray:
        """x with each demand told apart counted as paid by just those funds that pay it, where rules allow these."""
        found = x
        for i in np.flatnonzero(self.apart).tolist():
            pattern = self.space.patterns[self.space.pattern[i]]
            cents = {f: float(x[self._money_of(i, f)].sum()) * self.money_unit for f in pattern.funds}
            paying = frozenset(f for f, amount in cents.items() if amount > 1e-3)
            if pattern.allows(paying) and all(cents[f] >= pattern.least[f] - 1e-3 for f in paying):
                found = found.copy() if found is x else found
                for f in pattern.funds:
                    found[self.paid_column[i, f]] = f in paying
        return found if found is x or self._holds(found) else x

    def _holds(self, x: np.ndarray, tolerance: float = 1e-7) -> bool:
        program = self.program
        left = program.matrix @ x
        size = tolerance * (1 + np.abs(left))
        return bool(((left >= program.row_lower - size) & (left <= program.row_upper + size)).all())

    def _money_of(self, demand: int, fund: int) -> np.ndarray:
        """Money columns of a demand alone in its class."""
        return self._own_money[demand][fund]

    @cached_property
    def _own_money(self) -> dict[int, dict[int, np.ndarray]]:
        found: dict[int, dict[int, np.ndarray]] = {}
        for block in self.blocks:
            i = int(block.members[0])
            if self.apart[i]:
                mine = found.setdefault(i, {})
                for f, column in zip(block.funds.tolist(), block.money.tolist(), strict=True):
                    mine[f] = np.append(mine.get(f, np.array([], np.int64)), column)
        return found

    def broken_caps(self, x: np.ndarray) -> list[int]:
        """The caps that x breaks: none, or as many as are found at once."""
        return self.all_caps.broken(x, generous=self.generous)

    def generous_by_cents(self) -> Compiled:
        """The same where rows and caps let through whatever whole cents may: what it allows is to be checked in cents."""
        program, rows = self.program, len(self.row_scale)
        odd = np.zeros(program.rows)
        odd[:rows] = np.array([float(row.rounding) for _, row in self.space.rows]) * self.row_scale
        if self.caps:
            odd[-len(self.caps) :] = self.all_caps.rows(self.caps, generous=True)[1]
        wider = replace(program, row_lower=program.row_lower - odd, row_upper=program.row_upper + odd)
        return replace(self, program=wider, generous=True)

    def with_caps(self, caps: list[int]) -> Compiled:
        """The same with the rows of these caps."""
        rows, upper = self.all_caps.rows(caps, generous=self.generous)
        rows.resize((len(caps), self.program.columns))
        return replace(self, program=_grown(self.program, rows, upper), caps=(*self.caps, *caps))

    def counting(self) -> Compiled:
        """The same with a row for each family of demands: its units, as many as may be."""
        families = self.space.families
        entries = _Entries()
        for k, family in enumerate(families):
            entries.add(k, np.unique(self.unit_column[family]), 1.0)
        program = _grown(
            self.program, entries.matrix((len(families), self.program.columns)), np.full(len(families), np.inf)
        )
        return replace(self, program=program, family_rows=tuple(range(self.program.rows, program.rows)))


def _grown(program: Program, rows: sparse.csr_matrix, upper: np.ndarray) -> Program:
    """The program with more rows (k, columns), each at most `upper` (k,)."""
    return replace(
        program,
        matrix=sparse.csr_matrix(sparse.vstack([program.matrix, rows])),
        row_lower=np.concatenate([program.row_lower, np.full(len(upper), -np.inf)]),
        row_upper=np.concatenate([program.row_upper, upper]),
    )


class _Entries:
    """Triplets of a growing sparse matrix."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []
        self.columns: list[np.ndarray] = []
        self.values: list[np.ndarray] = []

    def add(self, row: int | np.ndarray, columns: np.ndarray, values: float | np.ndarray) -> None:
        keep = columns >= 0
        columns = columns[keep]
        self.rows.append(np.broadcast_to(row, keep.shape)[keep])
        self.columns.append(columns)
        self.values.append(np.broadcast_to(np.asarray(values, float), keep.shape)[keep])

    def matrix(self, shape: tuple[int, int]) -> sparse.csr_matrix:
        parts = [np.concatenate(p) if p else np.array([], int) for p in (self.rows, self.columns, self.values)]
        matrix = sparse.csr_matrix((parts[2].astype(float), (parts[0], parts[1])), shape=shape)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        return matrix


class _Kinds:
    """Demands of one pattern whose units are all by year, or all not: `of` (n,) is 2 · pattern + by year."""

    def __init__(self, space: Space, by_year: np.ndarray) -> None:
        self.of = space.pattern * 2 + by_year
        self.values = np.flatnonzero(np.bincount(self.of))
        self.members = {int(k): np.flatnonzero(self.of == k) for k in self.values}


@dataclass(frozen=True, eq=False)
class _Part:
    """A term on demands of one kind: constant over their cells plus what differs between cells."""

    row: int
    demands: np.ndarray
    weight: np.ndarray  # (k,) per cent
    constant: np.ndarray  # (Y,)
    rest: np.ndarray  # (F, Y)
    kind: int
    whole: bool  # all demands of the kind, weighing alike

    @property
    def alike(self) -> bool:
        return self.whole or bool(self.weight.min() == self.weight.max())


def middle(values: np.ndarray) -> float:
    """The lower median: moves with a constant added to all values, and is 0 where most are."""
    return float(np.sort(values)[(len(values) - 1) // 2])


def _split_constant(cells: np.ndarray, eligible: np.ndarray, by_year: bool) -> tuple[np.ndarray, np.ndarray]:
    """(constant (Y,), rest (F, Y)) with cells = constant + rest on the eligible cells; one constant unless by year."""
    constant = np.zeros(cells.shape[1])
    if by_year:
        for y in np.flatnonzero(eligible.any(axis=0)):
            constant[y] = middle(cells[eligible[:, y], y])
    else:
        constant[:] = middle(cells[eligible])
    return constant, np.where(eligible, cells - constant, 0.0)


def _parts(space: Space, row: int, term: Term, kinds: _Kinds) -> Iterator[_Part]:
    """The term by kind."""
    if term.of in ("served", "paid") or not len(term.demands):
        return
    everyone = term.of == "cents" and np.ndim(term.weight) == 0 and len(term.demands) == space.n
    weights = term.weights.astype(float) if not everyone else np.zeros(0)
    if term.of == "units":
        weights = weights / space.asked[term.demands]
    kind = None if everyone else kinds.of[term.demands]
    values = kinds.values if kind is None else np.flatnonzero(np.bincount(kind))
    for value in values.tolist():
        eligible = space.patterns[value // 2].eligible
        if eligible.any():
            constant, rest = _split_constant(term.cells.astype(float), eligible, bool(value % 2))
            if kind is None:
                members = kinds.members[value]
                weight = np.broadcast_to(float(term.weight), members.shape)
                yield _Part(row, members, weight, constant, rest, value, True)
            else:
                here = slice(None) if len(values) == 1 else kind == value
                yield _Part(row, term.demands[here], weights[here], constant, rest, value, False)


def _units_by_year(space: Space, whole: bool) -> np.ndarray:
    """(n,) bool: units must be told apart by year: `whole` ones, capped in a year, or counted by year."""
    several = np.array([p.years.sum() > 1 for p in space.patterns], bool)[space.pattern]
    counted = np.zeros(space.n, bool)
    for _, row in space.rows:
        for term in row.terms:
            part = (term.cells != term.cells.flat[0]).any()
            if term.of in ("units", "served") and part:
                counted[term.demands] = True
    return several & (space.lumpy & whole | space.capped | counted)


def _classify(space: Space, parts: list[_Part], kinds: _Kinds, alone: np.ndarray) -> np.ndarray:
    """(n,) class of each demand, -1 where no fund may pay: pattern, by year, and every row's coefficients but constants.

    Refined row by row from the coefficients themselves; no row can be forgotten. Those `alone` (n,) bool share none.
    """
    found = kinds.of.copy()
    fresh = int(found.max(initial=0)) + 1
    for part in parts:
        if not part.rest.any() or (len(part.demands) == space.n and part.alike):
            continue
        mine = found[part.demands]
        if part.alike and len(mine) == len(kinds.members[part.kind]):  # splits nothing; classes keep their order
            found[part.demands] = mine - mine.min() + fresh
            fresh += int(mine.max() - mine.min()) + 1
            continue
        if not part.alike:
            weight = np.unique(part.weight, return_inverse=True)[1]
            mine = mine * (int(weight.max()) + 1) + weight
        labels = np.unique(mine, return_inverse=True)[1]
        found[part.demands] = fresh + labels
        fresh += int(labels.max()) + 1
    found[alone] = fresh + np.arange(int(alone.sum()))
    found[~space.payable] = -1
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    first = np.where(found[first] < 0, -1, first)  # numbered by their first demands, whatever the order of measures
    return np.argsort(np.argsort(first))[inverse] - int((found < 0).any())


def compile(
    space: Space, alone: np.ndarray | None = None, *, years_apart: bool = True
) -> Compiled:  # the field's word; nobody here wants the builtin
    """The smallest program of a scenario.

    `alone` (n,) bool: of the demands for which it matters which funds pay (`space.tied`), those that get columns of their
    own to say so; the others are relaxed. By default all, where they are few. Without `years_apart`, units that only are by
    year because they are whole are not: the relaxation is as good.
    """
    funds, years = space.shape
    low, high = space.boxes
    unit = _money_unit(space)
    by_year = _units_by_year(space, years_apart)
    alone = _alone(space, alone)
    kinds = _Kinds(space, by_year)
    parts = [p for r, (_, row) in enumerate(space.rows) for term in row.terms for p in _parts(space, r, term, kinds)]
    demand_class = _classify(space, parts, kinds, alone)

    # columns: units, served, paid, money, moves; then, in no whole numbers, what soft rows may miss and auxiliaries
    able = np.array([p.years for p in space.patterns], bool).reshape(-1, years)[space.pattern]
    wanted = np.where(by_year[:, None], able, False)
    wanted[np.arange(space.n), able.argmax(axis=1)] |= space.payable
    unit_column = np.where(wanted, np.cumsum(wanted.ravel()).reshape(wanted.shape) - 1, -1)
    units = int(wanted.sum())
    single = space.payable & ~by_year
    unit_column[single] = unit_column[single].max(axis=1, keepdims=True)
    unit_demand = np.nonzero(wanted)[0]

    plain = space.lumpy & (high <= 1)
    asks = _served_asked_for(space)
    asks[:, -1] |= space.least > 1
    asks &= (space.payable & ~plain & (high > 0))[:, None]
    begins = able.argmax(axis=1)
    since = np.arange(years) >= begins[:, None]
    asks[~by_year, -1] |= (asks & since)[~by_year].any(axis=1)
    asks[~by_year, :-1] = False
    served_column = np.where(asks, units + np.cumsum(asks.ravel()).reshape(asks.shape) - 1, -1)
    served = int(asks.sum())
    pays = np.array([p.eligible.any(axis=1) for p in space.patterns], bool).reshape(len(space.patterns), funds)[
        space.pattern
    ]
    pays &= alone[:, None]
    paid_column = np.where(pays, units + served + np.cumsum(pays.ravel()).reshape(pays.shape) - 1, -1)
    first_money = units + served + int(pays.sum())

    _, example = np.unique(demand_class[space.payable], return_index=True)
    example = np.flatnonzero(space.payable)[example]
    money_column = np.full((len(example), years, funds), -1)  # years first: cells in order of time
    cells = np.array([space.patterns[space.pattern[i]].eligible.T for i in example], bool).reshape(money_column.shape)
    money_column[cells] = first_money + np.arange(cells.sum())
    moves = len(space.moves)
    move_columns = first_money + int(cells.sum()) + np.arange(moves)
    first_slack = first_money + int(cells.sum()) + moves

    column_steps = np.concatenate(
        [
            np.where(space.lumpy[unit_demand], 1.0, unit),
            np.ones(first_money - units),
            np.full(cells.sum() + moves, unit),
        ]
    )

    entries = _Entries()
    examples = {k: np.unique(demand_class[mine], return_index=True) for k, mine in kinds.members.items()}
    for part in parts:
        found = examples[part.kind] if part.whole else np.unique(demand_class[part.demands], return_index=True)
        _add_part(entries, part, space, unit_column, by_year, column_steps, found, money_column, unit)
    for r, (_, row) in enumerate(space.rows):
        for term in row.terms:
            if term.of == "served":
                _add_served(entries, r, term, unit_column, served_column, by_year, begins)
            elif term.of == "paid":
                for f in np.flatnonzero(term.cells[:, 0]):
                    entries.add(r, paid_column[term.demands, f], term.weights.astype(float) * int(term.cells[f, 0]))
    count = len(space.rows)
    matrix = entries.matrix((count, first_slack))
    gauges, gauge_unit, gauge_lower, gauge_upper, gauge_value = _gauges(space)
    for k in range(moves):
        gauges[:, k] *= unit
    matrix = sparse.csr_matrix(matrix + _placed(gauges[:, :moves], move_columns, matrix.shape))
    row_scale = _powers_of_two(sparse.csr_matrix(sparse.hstack([matrix, gauges[:, moves:]])))
    matrix = sparse.csr_matrix(sparse.diags(row_scale) @ matrix)
    lower = np.array([-np.inf if low is None else float(low) for low, _ in space.sides]) * row_scale
    upper = np.array([np.inf if high is None else float(high) for _, high in space.sides]) * row_scale

    blocks, links = _links(space, demand_class, by_year, unit_column, money_column, column_steps, first_slack, unit)
    extra, extra_lower, extra_upper = _own_rows(space, unit_column, served_column, by_year, first_slack, unit)
    paid, paid_lower, paid_upper = _paid_rows(space, paid_column, demand_class, money_column, first_slack, unit)

    values = (space.aim.values / space.aim.scale).astype(float)[unit_demand]
    objective = np.zeros(first_slack)
    asked = np.where(space.lumpy, 1, space.asked)[unit_demand]
    objective[:units] = values * column_steps[:units] / asked
    slack, slack_cost = _slacks(space, row_scale)
    free = sparse.csr_matrix(sparse.diags(row_scale) @ gauges[:, moves:])
    objective = np.concatenate([objective, -slack_cost, gauge_value[moves:]])
    largest = float(np.abs(objective).max(initial=0.0))
    objective_scale = 2.0 ** np.floor(np.log2(largest)) if largest > 0 else 1.0

    stacked = sparse.vstack([matrix, links, extra, paid])
    own = links.shape[0] + extra.shape[0] + paid.shape[0]
    padding = sparse.vstack([sparse.hstack([slack, free]), sparse.csr_matrix((own, slack.shape[1] + free.shape[1]))])
    whole = np.zeros(len(objective), bool)
    whole[:units] = space.lumpy[unit_demand]
    whole[units:first_money] = True
    column_upper = np.full(len(whole), np.inf)
    column_lower = np.zeros(len(whole))
    column_upper[:units] = high[unit_demand] / column_steps[:units]
    column_lower[:units] = np.where(by_year[unit_demand], 0, low[unit_demand]) / column_steps[:units]
    column_upper[units:first_money] = 1
    decided = served_column[(low > 0) & (served_column[:, -1] >= 0), -1]
    column_lower[decided] = 1
    # no column without an end: presolve of HiGHS may turn round for ever on those; twice what can be, so as never to bind
    for block in blocks:
        column_upper[block.money] = 2 * float((high * space.step)[block.members].sum()) / unit + 1
    column_upper[move_columns] = gauge_upper[:moves] * gauge_unit[:moves] / unit
    missed = slice(first_slack, first_slack + slack.shape[1])
    column_lower[missed.stop :] = gauge_lower[moves:]
    column_upper[missed.stop :] = gauge_upper[moves:]
    most = np.abs(matrix) @ column_upper[:first_slack] + np.where(np.isfinite(lower), np.abs(lower), 0)
    most += np.where(np.isfinite(upper), np.abs(upper), 0)
    most += np.abs(free) @ np.maximum(np.abs(gauge_lower[moves:]), np.abs(gauge_upper[moves:]))
    column_upper[missed] = 2 * (most @ np.abs(slack)) + 1
    zeros = np.zeros(links.shape[0])
    grain = np.where(whole, 1.0, 1 / unit)
    grain[missed.stop :] = 1e-4
    program = Program(
        objective=objective / objective_scale,
        matrix=sparse.csr_matrix(sparse.hstack([stacked, padding])),
        row_lower=np.concatenate([lower, zeros, extra_lower, paid_lower]),
        row_upper=np.concatenate([upper, zeros, extra_upper, paid_upper]),
        lower=column_lower,
        upper=column_upper,
        integer=whole,
        grain=grain,
    )
    whole_program = Compiled(
        space, program, unit_column, served_column, paid_column, move_columns, by_year, demand_class, blocks, row_scale,
        column_steps, objective_scale, unit, Caps(space, blocks, column_steps, unit, len(column_steps)),
    )  # fmt: skip
    caps = whole_program.all_caps
    few = 0 < caps.entries <= LIGHT * program.matrix.nnz
    return whole_program.with_caps(list(range(len(caps)))) if few else whole_program


LIGHT = 2  # times the entries of a program: all of its caps are in it from the start where they have no more
EAGER = 300  # demands told apart by which funds pay, up to which all get columns of their own at once


def _alone(space: Space, given: np.ndarray | None) -> np.ndarray:
    """(n,) bool: what soft rules count must be told apart; the rest is given, or all of it where it is little."""
    tied = space.tied & space.payable
    counted = np.zeros(space.n, bool)
    for _, row in space.rows:
        for term in row.terms:
            if term.of == "paid":
                counted[term.demands] = True
    if given is None:
        return tied if tied.sum() <= EAGER else tied & counted
    return tied & (counted | given)


def _served_asked_for(space: Space) -> np.ndarray:
    """(n, Y) bool: rows count whether a demand is served up to a year."""
    found = np.zeros((space.n, space.shape[1]), bool)
    for _, row in space.rows:
        for term in row.terms:
            if term.of == "served":
                found[term.demands, int(np.flatnonzero(term.cells[0])[-1])] = True
    return found


def _gauges(space: Space) -> tuple[sparse.csc_matrix, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Auxiliaries as columns: (rows, a) coefficients, and for each its unit, bounds in it and value (a,).

    Moves, which come first, in cents; the others in a power of ten that leaves them some thousands.
    """
    at = {auxiliary: k for k, auxiliary in enumerate(space.auxiliaries)}
    size = np.array([1.0 if a.whole else _handy(a.reach) for a in at])
    entries = _Entries()
    for r, (_, row) in enumerate(space.rows):
        for auxiliary, coefficient in row.auxiliaries:
            k = at[auxiliary]
            entries.add(r, np.array([k]), float(coefficient) * size[k])
    value = np.zeros(len(at))
    for auxiliary, weight in space.aim.auxiliaries:
        value[at[auxiliary]] += float(weight) * size[at[auxiliary]]
    lower, upper = (
        np.array([float(side) for side in sides]) for sides in ([a.lower for a in at], [a.upper for a in at])
    )
    matrix = sparse.csc_matrix(entries.matrix((len(space.rows), len(at))))
    return matrix, size, lower / size, upper / size, value


def _handy(largest: Exact) -> float:
    return 10.0 ** max(-6, len(str(int(largest))) - 4) if largest >= 1 else 1e-4


def _placed(matrix: sparse.csc_matrix, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """The columns of a matrix at their places in a wider one."""
    found = sparse.coo_matrix(matrix)
    return sparse.csr_matrix((found.data, (found.row, columns[found.col])), shape=shape)


def _money_unit(space: Space) -> float:
    """Cents in one unit of a money column: all that is asked makes some thousands, and a cent stays above tolerances."""
    total = int((space.most.astype(object) * space.step).sum()) if space.n else 0
    return 10.0 ** min(6, max(0, len(str(total)) - 4))


def _add_part(
    entries: _Entries,
    part: _Part,
    space: Space,
    unit_column: np.ndarray,
    by_year: np.ndarray,
    column_steps: np.ndarray,
    classes_of: tuple[np.ndarray, np.ndarray],
    money_column: np.ndarray,
    unit: float,
) -> None:
    """A part's constant on unit columns and its rest on the money columns of its classes: these, and where each begins."""
    demands = part.demands
    if part.constant.any():
        per_step = part.weight * space.step[demands]
        if by_year[demands[0]]:
            for y in np.flatnonzero(part.constant):
                columns = unit_column[demands, y]
                entries.add(part.row, columns, per_step * part.constant[y] * column_steps[columns])
        else:
            columns = unit_column[demands, 0]
            entries.add(part.row, columns, per_step * part.constant[0] * column_steps[columns])
    if part.rest.any():
        classes, first = classes_of
        for f, y in np.argwhere(part.rest):
            columns = money_column[classes, y, f]
            entries.add(part.row, columns, part.weight[first] * part.rest[f, y] * unit)


def _add_served(
    entries: _Entries,
    row: int,
    term: Term,
    unit_column: np.ndarray,
    served_column: np.ndarray,
    by_year: np.ndarray,
    begins: np.ndarray,
) -> None:
    """Being served up to a year: a column of its own, or the single unit of a demand in whichever year up to then."""
    last = int(np.flatnonzero(term.cells[0])[-1])
    own = np.where(by_year, served_column[:, last], np.where(begins <= last, served_column[:, -1], -1))
    served = own[term.demands]
    entries.add(row, served, term.weights.astype(float))
    plain = (served < 0) & (served_column[term.demands] < 0).all(axis=1)
    demands, weights = term.demands[plain], term.weights[plain].astype(float)
    entries.add(row, np.where(by_year[demands] | (begins[demands] > last), -1, unit_column[demands, 0]), weights)
    for y in range(last + 1):
        entries.add(row, np.where(by_year[demands], unit_column[demands, y], -1), weights)


def _links(
    space: Space,
    demand_class: np.ndarray,
    by_year: np.ndarray,
    unit_column: np.ndarray,
    money_column: np.ndarray,
    column_steps: np.ndarray,
    columns: int,
    unit: float,
) -> tuple[tuple[Block, ...], sparse.csr_matrix]:
    """Blocks, and the rows  Σ members' money − Σ money by cell = 0  that tie them together."""
    entries, blocks = _Entries(), list[Block]()
    order = np.argsort(demand_class, kind="stable")
    starts = np.searchsorted(demand_class[order], np.arange(len(money_column) + 1))
    for k in range(len(money_column)):
        members = order[starts[k] : starts[k + 1]]
        cells = np.argwhere(money_column[k] >= 0)
        spans = np.unique(cells[:, 0]) if by_year[members[0]] else [-1]
        for year in spans:
            mine = cells if year < 0 else cells[cells[:, 0] == year]
            units = unit_column[members, max(year, 0)]
            money = money_column[k, mine[:, 0], mine[:, 1]]
            row = len(blocks)
            entries.add(row, units, space.step[members] * column_steps[units] / unit)
            entries.add(row, money, -1.0)
            blocks.append(Block(k, int(year), members, units, money, mine[:, 1], mine[:, 0]))
    return tuple(blocks), entries.matrix((len(blocks), columns))


def _own_rows(
    space: Space,
    unit_column: np.ndarray,
    served_column: np.ndarray,
    by_year: np.ndarray,
    columns: int,
    unit: float,
) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """What a demand asks of itself: no more than it wants over the years; nothing, or at least its minimum."""
    low, high = space.boxes
    entries, lower, upper = _Entries(), list[float](), list[float]()

    years = unit_column.shape[1]

    def add(
        demands: np.ndarray,
        own_lower: np.ndarray,
        own_upper: np.ndarray,
        served: np.ndarray | None = None,
        last: int = years - 1,
    ) -> None:
        rows = len(lower) + np.arange(len(demands))
        scale = np.where(space.lumpy[demands], 1.0, unit)
        entries.add(rows, np.where(by_year[demands], -1, unit_column[demands, 0]), 1.0)
        for y in range(last + 1):
            entries.add(rows, np.where(by_year[demands], unit_column[demands, y], -1), 1.0)
        if served is not None:
            entries.add(rows, served_column[demands, last], -served / scale)
        lower.extend(own_lower / scale)
        upper.extend(own_upper / scale)

    over_years = np.flatnonzero(by_year & space.payable)
    add(over_years, low[over_years], high[over_years])
    for last in range(unit_column.shape[1]):
        served = np.flatnonzero(served_column[:, last] >= 0)
        if not len(served):
            continue
        whole = last == unit_column.shape[1] - 1
        endless = np.full(len(served), np.inf)
        # an engine's tolerance is no money: who is served gets more than that
        least = np.maximum(space.least[served] if whole else 1, np.where(space.lumpy[served], 1, ceil(unit * 1e-3)))
        least = np.minimum(least, np.maximum(high[served], 1))
        add(served, -endless, 0 * high[served], high[served], last)
        add(served, 0 * high[served], endless, least, last)
    return entries.matrix((len(lower), columns)), np.array(lower), np.array(upper)


def _paid_rows(
    space: Space,
    paid_column: np.ndarray,
    demand_class: np.ndarray,
    money_column: np.ndarray,
    columns: int,
    unit: float,
) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """For demands told apart: a fund pays nothing, or its least and at most all; of some funds only so many pay."""
    _, high = space.boxes
    entries, lower, upper = _Entries(), list[float](), list[float]()

    def add(pairs: list[tuple[np.ndarray, float]], low: float, top: float) -> None:
        for at, value in pairs:
            entries.add(len(lower), at, value)
        lower.append(low)
        upper.append(top)

    for i in np.flatnonzero((paid_column >= 0).any(axis=1)).tolist():
        pattern = space.patterns[space.pattern[i]]
        all_of_it = float(high[i] * space.step[i]) / unit
        for f in pattern.funds:
            money, paid = money_column[demand_class[i], :, f], paid_column[i, f : f + 1]
            add([(money, 1.0), (paid, -all_of_it)], -np.inf, 0.0)
            if pattern.least[f] > 1:
                add([(money, 1.0), (paid, -pattern.least[f] / unit)], 0.0, np.inf)
        for funds, most in pattern.few:
            add([(paid_column[i, list(funds)], 1.0)], -np.inf, float(most))
    return entries.matrix((len(lower), columns)), np.array(lower), np.array(upper)


def _slacks(space: Space, row_scale: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """What soft rows may miss: columns (rows, k) in the program's row units, and the points (k,) each costs."""
    rows, signs, costs = [], [], []
    for r, ((_, row), price) in enumerate(zip(space.rows, space.prices, strict=True)):
        if price is not None:
            for side, sign in ((row.lower, 1.0), (row.upper, -1.0)):
                if side is not None:
                    rows.append(r)
                    signs.append(sign)
                    costs.append(float(price) / row_scale[r])
    shape = (len(space.rows), len(rows))
    return sparse.csr_matrix((signs, (rows, range(len(rows)))), shape=shape), np.array(costs)


def _powers_of_two(matrix: sparse.csr_matrix) -> np.ndarray:
    """(rows,) factors that bring the largest coefficient of each row to between 1 and 2."""
    largest = (
        np.abs(matrix).max(axis=1).toarray().ravel()
        if matrix.shape[1] and matrix.shape[0]
        else np.zeros(matrix.shape[0])
    )
    return 2.0 ** -np.floor(np.log2(np.where(largest > 0, largest, 1.0)))
