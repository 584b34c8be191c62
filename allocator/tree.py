"""Whole units: a small branch and bound whose every leaf is proof.

It closes the gap that an engine's plan leaves, and finds plans itself for engines that know no whole units. What it
hands on is a `Proof` in the scenario's terms; `bound.prove` re-checks each leaf, so nothing here is trusted.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from allocator.bound import ALL_YEARS, Cut, Proof
from allocator.engines import heard
from allocator.engines.base import OnProgress, Outcome, Program, Progress, Reason, Stop
from allocator.program import Compiled
from allocator.relaxed import Relaxed
from allocator.settle import precise_product

PLUNGE = 200  # nodes more, on the way down to a first plan
WHOLE = 1e-6  # how far from whole a column may be and count as whole
HAIR = 2.0**-50  # of what a row adds up: what its coefficients may be off by as floats


@dataclass
class Node:
    """A box, as the columns that it moves away from the root's: {column: (lower, upper)}; numbers from `columns` on are
    rows: what a demand gets over the years."""

    box: dict[int, tuple[float, float]]
    bound: float
    multipliers: np.ndarray
    farkas: bool = False
    fixed: tuple[Cut, ...] = ()
    split: int = -1
    at: float = 0.0
    children: tuple[Node, Node] | None = None
    otherwise: np.ndarray | None = None


@dataclass(frozen=True)
class Found:
    """What a search knows: the proof so far, the best point of its own if any, whether nothing is left to look at, what
    the proof should bound (in the program's scale, not to be trusted), and the point nearest to whole that it came by."""

    proof: Proof
    x: np.ndarray | None
    complete: bool
    nodes: int
    bound: float
    near: np.ndarray | None = None


@dataclass
class Search:
    """Best bound first, plunging into the nearer half. Objectives in the program's own scale.

    `cutoff(objective)` is the bound that a leaf may keep beside the best plan known: what gap and step allow.
    """

    relaxed: Relaxed
    gap: float
    step: float  # the step of objectives, 0 where unknown
    nodes: int = 20_000
    deadline: float | None = None
    stop: Stop | None = None
    on_progress: OnProgress | None = None
    check: float = 0.0  # seconds that a node takes to be checked, which is to be done by the deadline too
    best: float = -np.inf
    x: np.ndarray | None = None
    _lost: float = -np.inf  # the best bound of the nodes that an engine said nothing of
    _near: tuple[int, np.ndarray | None] = (2**53, None)  # columns that are not whole, and the point
    _top: Node | None = field(default=None, repr=False)
    _heap: list[tuple[float, int, Node]] = field(default_factory=list, repr=False)
    _count: int = 0
    _places: dict[int, Cut] = field(default_factory=dict, repr=False)
    _total_rows: np.ndarray = field(default_factory=lambda: np.zeros(0, int), repr=False)
    _sums: sparse.csr_matrix = field(default_factory=lambda: sparse.csr_matrix((0, 0)), repr=False)
    _family_rows: np.ndarray = field(default_factory=lambda: np.zeros(0, int), repr=False)
    _counts: sparse.csr_matrix = field(default_factory=lambda: sparse.csr_matrix((0, 0)), repr=False)
    _exact_rows: np.ndarray = field(default_factory=lambda: np.zeros(0, int), repr=False)
    _exact: sparse.csr_matrix = field(default_factory=lambda: sparse.csr_matrix((0, 0)), repr=False)

    def run(self, root: Outcome) -> Found:
        """Search below a solved root; `root.reason` OPTIMAL or INFEASIBLE."""
        self.relaxed.count()
        compiled = self.relaxed.compiled
        self._places = _places(compiled)
        summed = np.flatnonzero(compiled.space.lumpy & (compiled.total_row >= 0))
        summed = summed[compiled.program.integer[compiled.unit_column[summed].max(axis=1, initial=-1)]]  # of this part
        self._total_rows = compiled.total_row[summed]
        self._sums = sparse.csr_matrix(compiled.program.matrix[self._total_rows])
        rows = np.array(compiled.family_rows, int)
        counted = sparse.csr_matrix(compiled.program.matrix[rows])
        within = counted @ compiled.program.integer == np.diff(counted.indptr)  # all of this part
        self._family_rows, self._counts = rows[within], counted[within]
        own = sparse.csr_matrix(compiled.program.matrix[: len(compiled.row_scale)])
        filled = np.diff(own.indptr)
        whole = (own != 0).astype(int) @ compiled.program.integer.astype(int)
        self._exact_rows = np.flatnonzero((filled > 0) & (whole == filled))
        self._exact = own[self._exact_rows]
        top = Node(
            {}, np.inf, np.zeros(len(compiled.row_scale)) if root.duals is None else compiled.multipliers(root.duals)
        )
        self._top, self._heap, self._count = top, [(-top.bound, 0, top)], 0
        return self.go_on(root if root.reason is Reason.OPTIMAL else None)

    def go_on(self, outcome: Outcome | None = None) -> Found:
        """Up to `nodes` in all, from where the search stopped; what is better known by now (`best`) counts. `outcome`: of
        the next node, where it is solved already."""
        start = time.monotonic()
        heap, current = self._heap, None
        while current is not None or heap:
            allowed = self.nodes
            if current is None:
                _, _, current = heapq.heappop(heap)
                if current.bound <= self.cutoff():
                    current = None
                    continue
            elif not np.isfinite(self.best):
                allowed += PLUNGE
            if self._count >= allowed or self._out_of_time():
                heapq.heappush(heap, (-current.bound, 0, current))
                break
            self._count += 1
            if self.on_progress and self._count % 20 == 0:
                seconds = time.monotonic() - start
                self.on_progress(Progress("prove", seconds, self._points(self.best), self._points(current.bound)))
            children = self._visit(current, outcome)
            outcome = None
            if children is None:
                current = None
                continue
            near, far = children
            heapq.heappush(heap, (-far.bound, self._count, far))
            current = near
        left = max([self._lost, *(node.bound for _, _, node in heap)])
        complete = left <= self.cutoff()
        assert self._top is not None
        return Found(self._proof(self._top), self.x, complete, self._count, max(left, self.cutoff()), self._near[1])

    def cutoff(self) -> float:
        if not np.isfinite(self.best):
            return -np.inf
        allowed = max(self.gap * abs(self.best) * 0.999, self.step * (1 - 1e-6), 1e-11 * abs(self.best))
        return self.best + allowed

    def _points(self, value: float) -> float | None:
        return float(value * self.relaxed.compiled.objective_scale) if np.isfinite(value) else None

    def _out_of_time(self) -> bool:
        late = self.deadline is not None and time.monotonic() + self._count * self.check > self.deadline
        return late or (self.stop is not None and self.stop())

    def _bounds(self, node: Node) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Bounds of columns, sides of rows."""
        program = self.relaxed.compiled.program
        lower, upper = program.lower.copy(), program.upper.copy()
        row_lower, row_upper = program.row_lower.copy(), program.row_upper.copy()
        for at, (low, high) in node.box.items():
            if at < program.columns:
                lower[at], upper[at] = low, high
            else:
                row_lower[at - program.columns], row_upper[at - program.columns] = low, high
        return lower, upper, row_lower, row_upper

    def _visit(self, node: Node, outcome: Outcome | None) -> tuple[Node, Node] | None:
        """Solve a node: prune, find a plan, or split into (nearer, further)."""
        bounds = self._bounds(node)
        lower, upper, row_lower, row_upper = bounds
        outcome = outcome or self.relaxed.solve(
            lower=lower, upper=upper, row_lower=row_lower, row_upper=row_upper, stop=self.stop
        )
        compiled = self.relaxed.compiled
        program = compiled.program
        if outcome.reason is Reason.INFEASIBLE:
            empty = farkas_multipliers(self.relaxed, *bounds)
            if empty is not None:
                node.otherwise = node.multipliers
                node.multipliers, node.farkas, node.bound = empty, True, -np.inf
            return None
        if outcome.reason is not Reason.OPTIMAL or outcome.x is None or outcome.duals is None:
            self._lost = max(self._lost, node.bound)
            return None  # the parent's multipliers stay: a weaker bound, still true
        x, duals = compiled.tidied(outcome.x), outcome.duals
        value = float(program.objective @ x) + program.offset
        node.multipliers = compiled.multipliers(duals)
        node.bound = min(node.bound, value)
        part = np.where(program.integer, np.abs(x - np.round(x)), 0.0)  # at most one half
        if part.max(initial=0.0) <= WHOLE:
            broken = self._broken(np.where(program.integer, np.round(x), x), row_lower, row_upper)
            if broken is not None:
                return self._apart(node, x, *broken)
            if value > self.best:
                self.best, self.x = value, x
            return None
        divided = int((part > WHOLE).sum())
        if divided < self._near[0]:
            self._near = divided, x
        if node.bound <= self.cutoff():
            return None
        self._fix(node, bounds, x, duals, value)
        at, level = self._split(x, part)
        down, up = self._halved(node, at, float(np.floor(level + WHOLE)))
        return (up, down) if level - node.at > 0.5 else (down, up)

    def _halved(self, node: Node, at: int, last: float) -> tuple[Node, Node]:
        """The node split between `last` and the next whole number."""
        low, high = node.box.get(at, self._range(at))
        node.split, node.at = at, last
        down = Node({**node.box, at: (low, last)}, node.bound, node.multipliers)
        up = Node({**node.box, at: (last + 1, high)}, node.bound, node.multipliers)
        node.children = (down, up)
        return node.children

    def _broken(self, x: np.ndarray, row_lower: np.ndarray, row_upper: np.ndarray) -> tuple[int, float] | None:
        """A row of nothing but whole columns that the whole point x breaks by less than a solver sees: 1 € beside 15 Md€.
        Its place among `_exact_rows`, and 1 where x is beyond its upper side, −1 below its lower."""
        left = precise_product(self._exact, x)
        hair = HAIR * (abs(self._exact) @ np.abs(x))
        for sign, beyond in ((1.0, left - row_upper[self._exact_rows]), (-1.0, row_lower[self._exact_rows] - left)):
            found = np.flatnonzero(beyond > hair)
            if len(found):
                return int(found[0]), sign
        return None

    def _apart(self, node: Node, x: np.ndarray, row: int, sign: float) -> tuple[Node, Node] | None:
        """Split the node at a whole point that is no plan, on a column of the row that it breaks; where all of these are
        decided, the row alone shows that nothing is left."""
        columns = self._exact.indices[self._exact.indptr[row] : self._exact.indptr[row + 1]]
        for column in columns.tolist():
            low, high = node.box.get(column, self._range(column))
            if low < high:
                here = float(np.round(x[column]))
                down, up = self._halved(node, column, here - 1 if here > low else here)
                return (down, up) if here == low else (up, down)
        multipliers = np.zeros_like(node.multipliers)
        multipliers[self._exact_rows[row]] = sign
        node.otherwise = node.multipliers
        node.multipliers, node.farkas, node.bound = multipliers, True, -np.inf
        return None

    def _split(self, x: np.ndarray, part: np.ndarray) -> tuple[int, float]:
        """What to split, and its value: how many units a family gets before which of its demands, and a demand's total
        before the years that make it up, for a unit moves to one like it or to another year at next to no cost; of each the
        one furthest from whole."""
        for sums, rows in ((self._counts, self._family_rows), (self._sums, self._total_rows)):
            totals = sums @ x
            off = np.abs(totals - np.round(totals))
            if off.max(initial=0.0) > WHOLE:
                k = int(np.argmax(off))
                return self.relaxed.compiled.program.columns + int(rows[k]), float(totals[k])
        column = int(np.argmax(part))
        return column, float(x[column])

    def _range(self, at: int) -> tuple[float, float]:
        program = self.relaxed.compiled.program
        if at < program.columns:
            return float(program.lower[at]), float(program.upper[at])
        row = at - program.columns
        return float(program.row_lower[row]), float(program.row_upper[row])

    def _fix(
        self,
        node: Node,
        bounds: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
        x: np.ndarray,
        duals: np.ndarray,
        value: float,
    ) -> None:
        """Reduced costs: a whole column or total need not go further from its bound than the cutoff lets it."""
        cutoff = self.cutoff()
        if not np.isfinite(cutoff):
            return
        program = self.relaxed.compiled.program
        lower, upper, row_lower, row_upper = bounds
        duals = np.concatenate([duals, np.zeros(program.rows - len(duals))])
        reduced = program.objective - program.matrix.T @ duals
        room = value - cutoff
        fixed = list(node.fixed)
        whole = program.integer.copy()
        for k, row in enumerate(self._total_rows.tolist()):
            columns = self._sums.indices[self._sums.indptr[k] : self._sums.indptr[k + 1]]
            low, high = row_lower[row], row_upper[row]
            low = max(low, 0.0)
            if low >= high:
                continue
            total, best = float(x[columns].sum()), float(reduced[columns].max())
            at = program.columns + row
            if duals[row] > 1e-9 and total >= high - WHOLE:
                far = np.floor(room / duals[row] * (1 + 1e-9) + 1e-9)
                box = (high - far, high)
            elif best < -1e-9 and total <= low + WHOLE and low <= 0:
                far = np.floor(room / -best * (1 + 1e-9) + 1e-9)
                box = (low, low + far)
            else:
                continue
            if far < high - low:
                node.box[at] = box
                fixed.append(self._cut(at, *box))
                if box[1] <= 0:
                    whole[columns] = False
        for column in np.flatnonzero(whole & (upper > lower) & (np.abs(reduced) > 1e-9)):
            far = np.floor(room / abs(reduced[column]) * (1 + 1e-9) + 1e-9)  # steps that still might pay
            low, high = lower[column], upper[column]
            if reduced[column] < 0 and x[column] <= low + WHOLE and low + far < high:
                node.box[int(column)] = (low, low + far)
            elif reduced[column] > 0 and x[column] >= high - WHOLE and high - far > low:
                node.box[int(column)] = (high - far, high)
            else:
                continue
            fixed.append(self._cut(int(column), *node.box[int(column)]))
        node.fixed = tuple(fixed)

    def _cut(self, column: int, low: float, high: float) -> Cut:
        return replace(self._places[column], lower=round(low), upper=round(high))

    def _proof(self, node: Node) -> Proof:
        """Bottom up without recursion, for a plunge may be deep."""
        done: dict[int, Proof] = {}
        stack = [(node, False)]
        while stack:
            here, ready = stack.pop()
            if here.children is None:
                done[id(here)] = Proof(here.multipliers, here.farkas, here.fixed, None, here.otherwise)
            elif not ready:
                stack.append((here, True))
                stack += [(child, False) for child in here.children]
            else:
                below, above = (done[id(child)] for child in here.children)
                halves = (
                    (self._cut(here.split, 0, here.at), below),
                    (self._cut(here.split, here.at + 1, 2**53), above),
                )
                done[id(here)] = Proof(here.multipliers, here.farkas, here.fixed, halves, here.otherwise)
        return done[id(node)]


def _places(compiled: Compiled) -> dict[int, Cut]:
    """What each whole column is in the scenario, whatever its range."""
    places = {}
    for demand, year in np.argwhere(compiled.unit_column >= 0).tolist():
        at = year if compiled.by_year[demand] else ALL_YEARS
        places[int(compiled.unit_column[demand, year])] = Cut(demand, at, 0, 0)
    for demand, year in np.argwhere(compiled.served_column >= 0).tolist():
        places[int(compiled.served_column[demand, year])] = Cut(demand, year, 0, 0, "served")
    for demand, fund in np.argwhere(compiled.paid_column >= 0).tolist():
        places[int(compiled.paid_column[demand, fund])] = Cut(demand, fund, 0, 0, "paid")
    for family, row in enumerate(compiled.family_rows):
        places[compiled.program.columns + row] = Cut(family, ALL_YEARS, 0, 0, "counted")
    for demand, row in enumerate(compiled.total_row.tolist()):
        if row >= 0:
            places[compiled.program.columns + row] = Cut(demand, ALL_YEARS, 0, 0)
    return places


def farkas_multipliers(
    relaxed: Relaxed,
    lower: np.ndarray,
    upper: np.ndarray,
    row_lower: np.ndarray | None = None,
    row_upper: np.ndarray | None = None,
) -> np.ndarray | None:
    """Multipliers (rows of the scenario,) that show the box empty; None when the rows can be kept after all."""
    elastic = elastic_program(relaxed.compiled, lower, upper, sides=(row_lower, row_upper))
    outcome = heard(lambda: relaxed.engine.solve(elastic), elastic.columns, elastic.rows)
    if outcome.reason is not Reason.OPTIMAL or outcome.duals is None or (outcome.objective or 0.0) > -1e-9:
        return None
    return relaxed.compiled.multipliers(outcome.duals, farkas=True)


def elastic_program(
    compiled: Compiled,
    lower: np.ndarray,
    upper: np.ndarray,
    rows: np.ndarray | None = None,
    sides: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> Program:
    """Keep the box, miss the scenario's hard rows at a price: objective −Σ misses. `rows` (k,) bool: only these rows.
    `sides`: what the box says of the first rows."""
    program = compiled.program
    hard = np.array([price is None for price in compiled.space.prices], bool)
    kept = hard if rows is None else hard & rows
    free = np.flatnonzero(~kept)
    families = np.array(compiled.family_rows, int)
    row_lower, row_upper = program.row_lower.copy(), program.row_upper.copy()
    for own, given in zip((row_lower, row_upper), sides, strict=True):
        if given is not None:
            own[: len(given)] = given
    row_lower[free], row_upper[free] = -np.inf, np.inf
    at = np.concatenate([np.flatnonzero(kept), families])
    plus = sparse.csr_matrix((np.ones(len(at)), (at, range(len(at)))), shape=(program.rows, len(at)))
    misses = 2 * len(at)
    return replace(
        program,
        objective=np.concatenate([np.zeros(program.columns), -np.ones(misses)]),
        matrix=sparse.csr_matrix(sparse.hstack([program.matrix, plus, -plus])),
        row_lower=row_lower,
        row_upper=row_upper,
        lower=np.concatenate([lower, np.zeros(misses)]),
        upper=np.concatenate([upper, np.full(misses, np.inf)]),
        integer=np.zeros(program.columns + misses, bool),
        grain=np.ones(program.columns + misses),
        offset=0.0,
    )
