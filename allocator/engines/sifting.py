"""Sifting: a program of many columns and few wide rows, solved on the few columns that are in doubt.

Given a price for every wide row, each demand's own columns are decided by themselves; all are put there but those whose
decision is close, which HiGHS solves. Then all columns are priced again, and those that would now decide otherwise join.
When none would, the point is optimal for the whole program and the prices prove it. A session keeps prices and core, so
that a change costs a few simplex steps; every solve ends with all columns priced against the program as it then is, so
what is kept can cost time but never the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .base import Outcome, Program, Reason, Session, Stop
from .guard import Caller, Guarded, Task, checked, clean, refuse, without_library
from .highs import ENGINE as HIGHS
from .highs import Kept, WarmSession

FEWEST = 4_000  # columns below which HiGHS does as well by itself
NARROW = 12  # columns of a row up to which it may be a demand's own
HEAVY = 0.05  # of all that a row can come to: a column that can do this alone is always in doubt
OUTSIZE = 100.0  # times what half of its columns can do: likewise
SPREAD = (
    1e-5  # of a column's objective: drawn at random, so that those to whom years are all one do not all take the same
)
PART, LEAST = 0.02, 1_500  # of all columns: how many are sampled, and how many are first in doubt
ROUNDS = 60  # of pricing
PRIMAL, DUAL = 4, 1  # simplex strategies of HiGHS
TOLERANCE = 1e-9  # reduced costs below this decide nothing
DEARER, DEAREST = 10.0, 1e9  # price of missing a row; beyond, HiGHS has the last word on whether there is a plan


class Sifting(Guarded):
    """HiGHS on the core; on all of the program where columns are whole or sifting has nothing to gain."""

    name = "sifting"
    whole_units = True
    distribution = "highspy"

    def run(self, task: Task) -> Outcome:
        shape = None if task.program.integer.any() else Shape.of(task.program)
        return (None if shape is None else Sift(shape).tried(task)) or HIGHS.run(task)

    def session(self, program: Program) -> Session:
        return SiftingSession(self, program)


class SiftingSession(WarmSession):
    """One program kept with its prices and its core while bounds, sides and objective move; where sifting has nothing to
    gain or nothing to say, HiGHS kept warm."""

    def __init__(self, engine: Sifting, program: Program) -> None:
        super().__init__(engine, program, near=lambda task: self._last)
        self._last: np.ndarray | None = None
        self._sift: Sift | None = None
        self._looked = False  # whether the program as it is can be sifted

    def add_rows(self, matrix: sparse.csr_matrix, row_lower: np.ndarray, row_upper: np.ndarray) -> None:
        """Append rows (k, n). From then on HiGHS, warm, from the last point: what shows only in a point shows again and
        again, and each time costs sifting a search and HiGHS a few steps."""
        super().add_rows(matrix, row_lower, row_upper)
        self._sift, self._looked = None, True

    def _solve(self, time_limit: float | None, stop: Stop | None, began: float) -> Outcome:
        found = self._sifted(time_limit, stop, began)
        if found is None:
            return super()._solve(time_limit, stop, began)
        self._last = found.x
        return found

    def _sifted(self, time_limit: float | None, stop: Stop | None, began: float) -> Outcome | None:
        """None where HiGHS is to answer: nothing to gain, nonsense, or no plan that is plain to see."""
        if self._looked and self._sift is None:
            return None
        if refuse(self._program) or (time_limit is not None and not time_limit > 0) or (stop is not None and stop()):
            return None
        program = clean(self._program)
        if not self._looked:
            shape = Shape.of(program)
            self._sift, self._looked = None if shape is None else Sift(shape), True
        if self._sift is None or without_library(program) is not None:
            return None
        found = self._sift.tried(Task(program, 0.0, time_limit, None, None, stop, began))
        found = None if found is None else checked(program, found, 0.0)
        return None if found is None or found.reason is Reason.ERROR else found


@dataclass(frozen=True, eq=False)
class Shape:
    """Which rows of a program are wide, and which columns a demand's own row ties together.

    `matrix` (m, n); `prices` (n, w): the wide rows, turned; `wide` (w,) rows; `own` (g,) rows Σ a·x ≤ side with a > 0 on
    columns in no other narrow row; `groups` (g, k) their columns and `weights` (g, k) their a, padded with −1 and 1;
    `single` (s,) columns of wide rows only; `always` (a,) columns always in doubt, `rest` the narrow rows among them.
    """

    matrix: sparse.csc_matrix
    prices: sparse.csr_matrix
    wide: np.ndarray
    own: np.ndarray
    rest: np.ndarray
    groups: np.ndarray
    weights: np.ndarray
    single: np.ndarray
    always: np.ndarray

    @staticmethod
    def of(program: Program) -> Shape | None:
        """None where sifting has nothing to gain."""
        matrix, n = program.matrix, program.columns
        if n < FEWEST:
            return None
        widths = np.diff(matrix.indptr)
        rows = np.repeat(np.arange(program.rows), widths)
        narrow = widths <= NARROW
        beside = np.bincount(matrix.indices[narrow[rows]], minlength=n)  # narrow rows of each column
        ended = np.isfinite(program.lower) & np.isfinite(program.upper)
        always = ~ended | _heavy(program, rows, ended)
        plain = narrow & (widths > 0)
        plain[rows[(matrix.data < 0) | (beside[matrix.indices] > 1) | always[matrix.indices]]] = False
        own = np.flatnonzero(plain)
        entries = np.flatnonzero(plain[rows])
        starts = np.cumsum(widths[own]) - widths[own]
        at, slot = np.repeat(np.arange(len(own)), widths[own]), np.arange(len(entries)) - np.repeat(starts, widths[own])
        groups = np.full((len(own), int(widths[own].max(initial=1))), -1)
        weights = np.ones(groups.shape)
        groups[at, slot], weights[at, slot] = matrix.indices[entries], matrix.data[entries]
        tied = np.zeros(n, bool)
        tied[groups[groups >= 0]] = True
        always |= (beside > 0) & ~tied
        wide = np.flatnonzero(~narrow)
        if len(wide) > n / 10 or always.sum() > n / 4:
            return None
        return Shape(
            sparse.csc_matrix(matrix), sparse.csr_matrix(matrix[wide].T), wide, own, np.flatnonzero(narrow & ~plain),
            groups, weights, np.flatnonzero(~always & ~tied), np.flatnonzero(always),
        )  # fmt: skip


def _heavy(program: Program, rows: np.ndarray, ended: np.ndarray) -> np.ndarray:
    """(n,) bool: columns that can do many times what others do in a wide row, or much of all."""
    matrix = program.matrix
    widths = np.diff(matrix.indptr)
    span = np.where(ended, program.upper - program.lower, 0.0)
    reach = np.abs(matrix.data) * span[matrix.indices]
    most = np.bincount(rows, reach, minlength=program.rows)
    usual = most.copy()
    for row in np.flatnonzero(widths > NARROW):
        usual[row] = np.median(reach[matrix.indptr[row] : matrix.indptr[row + 1]])
    found = np.zeros(program.columns, bool)
    heavy = (reach > HEAVY * most[rows]) | (reach > OUTSIZE * usual[rows])
    found[matrix.indices[(widths > NARROW)[rows] & heavy & (reach > 0)]] = True
    return found


@dataclass(frozen=True, eq=False)
class Decided:
    """What all columns do by themselves at given prices: `x` (n,), `reduced` (n,) costs, `duals` (g,) of own rows."""

    x: np.ndarray
    reduced: np.ndarray
    duals: np.ndarray

    @staticmethod
    def at(shape: Shape, program: Program, prices: np.ndarray) -> Decided:
        """At `prices` (w,) of the wide rows: the end of its range that pays, and in own rows what pays best first."""
        reduced = program.objective - shape.prices @ prices
        x = np.where(reduced > 0, program.upper, program.lower)
        columns, weights = shape.groups, shape.weights
        real = columns >= 0
        span = np.where(real, program.upper[columns] - program.lower[columns], 0.0) * weights
        each = np.where(real, reduced[columns] / weights, -np.inf)
        order = np.argsort(-each, axis=1, kind="stable")
        best = np.take_along_axis(each, order, axis=1)
        wanted = np.where(best > 0, np.take_along_axis(span, order, axis=1), 0.0)
        upto = np.cumsum(wanted, axis=1)
        room = _room(shape, program)
        given = np.empty_like(span)
        np.put_along_axis(given, order, np.clip(room[:, None] - (upto - wanted), 0.0, wanted), axis=1)
        last = np.argmax(upto >= room[:, None], axis=1)[:, None]
        duals = np.where(upto[:, -1] > room, np.take_along_axis(best, last, axis=1)[:, 0], 0.0)
        x[columns[real]] = (program.lower[columns] + given / weights)[real]
        return Decided(x, reduced, duals)

    def closeness(self, shape: Shape, program: Program, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How near each single (s,) and group (g,) is to deciding otherwise, of all that is weighed; inf where fixed."""
        size = np.abs(program.objective) + abs(shape.prices) @ np.abs(prices) + 1e-300
        free = program.upper > program.lower
        near = np.where(free, np.abs(self.reduced) / size, np.inf)
        columns = shape.groups
        tolls = self.duals[:, None] * shape.weights
        apart = np.abs(self.reduced[columns] - tolls)
        on_edge = (tolls > 0) & (apart <= TOLERANCE)  # what the row is full of would sooner leave it empty
        apart = np.where(on_edge, tolls, apart) / size[columns]
        apart = np.where((columns >= 0) & free[columns], apart, np.inf)
        return near[shape.single], apart.min(axis=1, initial=np.inf)


def _room(shape: Shape, program: Program) -> np.ndarray:
    """(g,) what own rows leave beyond the least that their columns take."""
    least = np.where(shape.groups >= 0, program.lower[shape.groups] * shape.weights, 0.0).sum(axis=1)
    return np.asarray(program.row_upper[shape.own] - least)


def _stuck(shape: Shape, program: Program) -> np.ndarray:
    """(g,) bool: own rows that ask for something, or leave less than nothing."""
    least = np.where(shape.groups >= 0, program.lower[shape.groups] * shape.weights, 0.0).sum(axis=1)
    return np.asarray((program.row_upper[shape.own] < least) | (program.row_lower[shape.own] > least))


class Core:
    """The columns in doubt, as a program of their own beside elastic columns for wide rows, open in HiGHS."""

    def __init__(self, shape: Shape, single: np.ndarray, groups: np.ndarray) -> None:
        """`single` (s,), `groups` (g,) bool: which of them."""
        self.shape = shape
        self.single, self.groups = single.copy(), groups.copy()
        tied = shape.groups[groups]
        self.columns = np.concatenate([shape.always, shape.single[single], tied[tied >= 0]])
        self.own = np.flatnonzero(groups)
        self.kept: Kept | None = None
        self.held = 0  # columns that it knows

    def join(self, single: np.ndarray, groups: np.ndarray) -> None:
        """Those of `single` (s,) and `groups` (g,) bool that are not in it."""
        shape = self.shape
        single, groups = single & ~self.single, groups & ~self.groups
        tied = shape.groups[groups]
        self.columns = np.concatenate([self.columns, shape.single[single], tied[tied >= 0]])
        self.own = np.concatenate([self.own, np.flatnonzero(groups)])
        self.single |= single
        self.groups |= groups

    @property
    def rows(self) -> np.ndarray:
        """Rows of the whole program: wide ones first."""
        return np.concatenate([self.shape.wide, self.shape.rest, self.shape.own[self.own]])

    def solve(self, program: Program, x: np.ndarray, dear: float, task: Task, wider: float = 1.0) -> Outcome:
        """The core's optimum, all else at `x` (n,); ranges and own rows `wider` times as wide for a sample.

        The outcome's x: first two elastic columns for each wide row, then `columns`; its duals are those of `rows`.
        """
        shape, columns, rows = self.shape, self.columns, self.rows
        wide, own = len(shape.wide), slice(len(rows) - len(self.own), None)
        beside = x.copy()
        beside[columns] = 0.0
        taken = np.zeros(len(rows))
        taken[:wide] = beside @ shape.prices
        row_lower, row_upper = program.row_lower[rows] - taken, program.row_upper[rows] - taken
        lower, upper = program.lower[columns], program.upper[columns]
        if wider > 1:
            ends = np.isin(columns, shape.always, assume_unique=True, invert=True)
            upper = np.where(ends, lower + (upper - lower) * wider, upper)
            row_upper[own] += _room(shape, program)[self.own] * (wider - 1)
        eye = sparse.identity(wide, format="csr")
        eye.resize(len(rows), wide)
        ends = np.concatenate([np.isfinite(program.row_lower[shape.wide]), np.isfinite(program.row_upper[shape.wide])])
        reduced = Program(
            objective=np.concatenate([np.full(2 * wide, -dear), program.objective[columns]]),
            matrix=sparse.csr_matrix(sparse.hstack([eye, -eye, shape.matrix[:, columns].tocsr()[rows]], format="csr")),
            row_lower=row_lower,
            row_upper=row_upper,
            lower=np.concatenate([np.zeros(2 * wide), lower]),
            upper=np.concatenate([np.where(ends, np.inf, 0.0), upper]),
            integer=np.zeros(2 * wide + len(columns), bool),
            grain=np.ones(2 * wide + len(columns)),
        )
        if self.kept is None:
            self.kept = Kept(reduced, solver="simplex")
        else:
            # columns that join where they are keep the point feasible; without own rows bound flips do as well
            grown = len(columns) > self.held and len(shape.own) > wide
            self.kept.option("simplex_strategy", PRIMAL if grown else DUAL)
            self.kept.move_to(reduced, np.concatenate([np.zeros(2 * wide), x[columns]]))
        self.held = len(columns)
        return self.kept.solve(replace(task, program=reduced, time_limit=task.remaining(), on_progress=None))


class Sift:
    """One program's state: the prices of its wide rows and the core with which they were found."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.spread = 1 + SPREAD * np.random.default_rng(1).random(shape.matrix.shape[1])
        self.prices: np.ndarray | None = None  # of the spread program
        self.core: Core | None = None

    def tried(self, task: Task) -> Outcome | None:
        """The same, and None too where the library fails on a core: on the whole program it may not."""
        try:
            return self.solve(task)
        except Caller as wrapped:
            raise (wrapped.__cause__ or wrapped) from None
        except Exception:
            self.prices, self.core = None, None
            return None

    def solve(self, task: Task) -> Outcome | None:
        """The optimum of `task.program`, which has this shape; None where HiGHS should be asked."""
        shape, program = self.shape, task.program
        some = max(LEAST, int(PART * program.columns))
        free = program.upper > program.lower
        stuck = _stuck(shape, program)
        if stuck.sum() > 4 * some:  # own rows that ask for something are always in doubt: too many to sift
            return None
        open_single = free[shape.single]
        open_groups = stuck | (free[shape.groups] & (shape.groups >= 0)).any(axis=1)
        if open_single.sum() + open_groups.sum() <= 2 * some:  # nothing to choose from
            everything = Core(shape, open_single, open_groups)
            found = self._priced_out(everything, np.zeros(len(shape.wide)), program.lower, stuck, some, task)
            return None if found is None else found[0]
        spread = replace(program, objective=program.objective * self.spread)
        apart = replace(task, program=spread)
        prices, core = self.prices, self.core
        self.prices, self.core = None, None  # until this has gone well
        if prices is None:
            prices = self._sampled(apart, some, stuck)
        if prices is None:
            return None
        if core is None or core.single.sum() + core.groups.sum() > 4 * some:
            core = self._chosen(spread, prices, some)
        found = self._priced_out(core, prices, Decided.at(shape, spread, prices).x, stuck, some, apart)
        if found is None:
            return None
        first, core, prices = found
        assert first.x is not None
        found = self._priced_out(core, prices, first.x, stuck, some, task)
        if found is None:
            return None
        outcome, self.core, _ = found
        self.prices = prices
        return outcome

    def _chosen(self, program: Program, prices: np.ndarray, some: int) -> Core:
        """A core of `some` closest decisions."""
        near = Decided.at(self.shape, program, prices).closeness(self.shape, program, prices)
        return Core(self.shape, *_closest(*near, some))

    def _sampled(self, task: Task, some: int, stuck: np.ndarray) -> np.ndarray | None:
        """Prices (w,) at which a few of all columns, as many times as wide, meet the rows."""
        shape, program = self.shape, task.program
        part = some / (len(shape.single) + len(shape.own))
        draw = np.random.default_rng(0).random(len(shape.single) + len(shape.own)) < part
        single, groups = draw[: len(shape.single)], draw[len(shape.single) :] & ~stuck
        found = Core(shape, single, groups).solve(program, program.lower, DEARER, task, 1 / part)
        return None if found.duals is None else found.duals[: len(shape.wide)]

    def _priced_out(
        self, core: Core, prices: np.ndarray, x: np.ndarray, stuck: np.ndarray, some: int, task: Task
    ) -> tuple[Outcome, Core, np.ndarray] | None:
        """Solve the core, price all columns, let those join that would decide otherwise; until none would."""
        shape, program = self.shape, task.program
        wide, x = len(shape.wide), x.copy()
        dear = DEARER * max(1.0, float(np.abs(prices).max(initial=0.0)))
        core.join(np.zeros(len(shape.single), bool), stuck)
        near: tuple[np.ndarray, np.ndarray] | None = None
        trusted = prices  # those of a core that met the rows
        for _ in range(ROUNDS):
            outcome = core.solve(program, x, dear, task)
            if outcome.reason is not Reason.OPTIMAL or outcome.x is None or outcome.duals is None:
                return None
            x[core.columns] = outcome.x[2 * wide :]
            prices = outcome.duals[:wide]
            missed = outcome.x[: 2 * wide].max(initial=0.0) > TOLERANCE
            if not missed:
                near, trusted = None, prices
            decided = Decided.at(shape, program, prices)
            single, groups = self._otherwise(program, decided, x, core)
            count = int(single.sum() + groups.sum())
            if count > some:  # prices of rows that are missed say too much: the closest at better ones join first
                near = near or Decided.at(shape, program, trusted).closeness(shape, program, trusted)
                single, groups = _closest(np.where(single, near[0], np.inf), np.where(groups, near[1], np.inf), some)
            if count:
                core.join(single, groups)
            elif missed:
                dear *= DEARER
                if dear > DEAREST:
                    return None
            else:
                duals = np.zeros(program.rows)
                duals[shape.own] = decided.duals
                duals[core.rows] = outcome.duals
                value = float(program.objective @ x) + program.offset
                return Outcome(Reason.OPTIMAL, x, duals, value, value), core, prices
        return None

    def _otherwise(
        self, program: Program, decided: Decided, x: np.ndarray, core: Core
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which singles (s,) and groups (g,) outside the core would gain by another decision than `x`."""
        shape = self.shape
        moved = np.abs(decided.x - x)
        gain = decided.reduced * (decided.x - x)
        single = (gain > TOLERANCE * moved)[shape.single] & ~core.single
        real = shape.groups >= 0
        gains = np.where(real, gain[shape.groups], 0.0).sum(axis=1)
        moves = np.where(real, moved[shape.groups], 0.0).sum(axis=1)
        return single, (gains > TOLERANCE * moves) & ~core.groups


def _closest(single: np.ndarray, groups: np.ndarray, some: int) -> tuple[np.ndarray, np.ndarray]:
    """(s,), (g,) bool: the `some` nearest of both."""
    near = np.concatenate([single, groups])
    edge = np.partition(near, some)[some] if some < len(near) else np.inf
    return (single <= edge) & np.isfinite(single), (groups <= edge) & np.isfinite(groups)


ENGINE = Sifting()
