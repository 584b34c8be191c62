"""A compiled program without its whole columns, kept open in an LP engine."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from scipy import sparse

from allocator.engines import heard
from allocator.engines.base import Engine, Outcome, Program, Reason, Session, Stop
from allocator.program import Compiled

ROUNDS = 50  # of adding broken caps
ON_FACE = 1e-7  # a reduced cost or dual beyond this keeps its column or row where it is
NOISE = 1e-12  # of what a reduced cost is the difference of: below, floats say nothing
GOLDEN = (5**0.5 - 1) / 2
OPEN = 4  # programs kept open at most: those of a few levels of an objective


class Relaxed:
    """A compiled program kept open in an LP engine, its broken caps added as they show."""

    def __init__(self, compiled: Compiled, engine: Engine) -> None:
        self.compiled = compiled
        self.engine = engine
        self.session: Session = engine.session(compiled.program)
        self.failure = ""  # what the engine last failed with

    def take(self, compiled: Compiled) -> bool:
        """Whether this program, but for sides, ranges and values, is the one that is open; then it will be solved from here."""
        mine, given = self.compiled.program, compiled.program
        same = (
            not self.compiled.caps and np.array_equal(mine.integer, given.integer) and _equal(mine.matrix, given.matrix)
        )
        if same:
            self.compiled = compiled
        return same

    def solve(
        self,
        *,
        lower: np.ndarray | None = None,
        upper: np.ndarray | None = None,
        row_lower: np.ndarray | None = None,
        row_upper: np.ndarray | None = None,
        objective: np.ndarray | None = None,
        time_limit: float | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """Solve the program itself but for what is given, adding caps until none is broken.

        Given row sides are those of the first rows; caps added meanwhile keep their own.
        """
        for _ in range(ROUNDS):
            program = self.compiled.program
            ask = partial(
                self.session.solve,
                lower=program.lower if lower is None else lower,
                upper=program.upper if upper is None else upper,
                row_lower=_first(row_lower, program.row_lower),
                row_upper=_first(row_upper, program.row_upper),
                objective=program.objective if objective is None else objective,
                time_limit=time_limit,
                stop=stop,
            )
            outcome = heard(ask, program.columns, program.rows)
            if outcome.reason is Reason.ERROR:
                self.failure = outcome.message
            broken = [] if outcome.x is None else self.compiled.broken_caps(outcome.x)
            if not broken:
                return outcome
            self.add(broken)
        return replace(outcome, reason=Reason.ERROR, message="caps are still broken")

    def add(self, caps: list[int]) -> None:
        """Append the rows of these caps."""
        self._grow(self.compiled.with_caps(caps))

    def count(self) -> None:
        """Append the rows of the families of demands, if there are any and they are not there yet."""
        if self.compiled.space.families and not self.compiled.family_rows:
            self._grow(self.compiled.counting())

    def _grow(self, compiled: Compiled) -> None:
        program, new = compiled.program, slice(self.compiled.program.rows, None)
        self.compiled = compiled
        self.session.add_rows(program.matrix[new], program.row_lower[new], program.row_upper[new])

    def canonical(self, best: Outcome, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
        """The one among the optimal points of a box that does not depend on how `best` was found: fewest euros, then a
        fixed order of demands, years and funds.

        The optimal points are what complementary slackness leaves: a column with a reduced cost stays at its bound, a row
        with a dual at its side. What the engine's tolerance hides of the objective is looked at before euros are: a demand
        of 15 Md€ may be worth as much as one of 1 €, and next to nothing per euro.
        """
        program = self.compiled.program
        row_lower, row_upper, objective = program.row_lower, program.row_upper, program.objective
        levels: list[np.ndarray | None] = [None, *_tie_breakers(self.compiled)]
        for level in levels:
            program, x, duals = self.compiled.program, best.x, best.duals
            if x is None or duals is None:
                break
            row_lower, row_upper = _first(row_lower, program.row_lower), _first(row_upper, program.row_upper)
            duals = np.concatenate([duals, np.zeros(program.rows - len(duals))])
            reduced = objective - program.matrix.T @ duals
            nearer_low = x - lower < upper - x
            stays = np.abs(reduced) > ON_FACE
            place = np.where(nearer_low, lower, upper)
            lower, upper = np.where(stays, place, lower), np.where(stays, place, upper)
            tight = np.abs(duals) > ON_FACE
            side = np.where(duals > 0, row_upper, row_lower)
            tight &= np.isfinite(side)
            row_lower, row_upper = np.where(tight, side, row_lower), np.where(tight, side, row_upper)
            if level is None:
                level = _hidden(program, np.where(tight, duals, 0.0), upper > lower)
                if level is None:
                    continue
            objective = level
            outcome = self.solve(lower=lower, upper=upper, row_lower=row_lower, row_upper=row_upper, objective=level)
            if outcome.reason is not Reason.OPTIMAL:
                break
            best = outcome
        assert best.x is not None
        return best.x


class Open:
    """Programs kept open from one solve to the next: one with the same columns and rows, whatever their sides, ranges and
    values, starts from where the last one ended."""

    def __init__(self) -> None:
        self._kept: list[Relaxed] = []

    def relaxed(self, compiled: Compiled, engine: Engine) -> Relaxed:
        """`compiled` open in the engine, warm where something like it is open already."""
        for k, known in enumerate(self._kept):
            if known.engine is engine and known.take(compiled):
                self._kept.insert(0, self._kept.pop(k))
                return known
        self._kept = [Relaxed(compiled, engine), *self._kept[: OPEN - 1]]
        return self._kept[0]


def _first(given: np.ndarray | None, own: np.ndarray) -> np.ndarray:
    return own if given is None else np.concatenate([given, own[len(given) :]])


def _equal(one: sparse.csr_matrix, other: sparse.csr_matrix) -> bool:
    return (
        one.shape == other.shape
        and np.array_equal(one.indptr, other.indptr)
        and np.array_equal(one.indices, other.indices)
        and np.array_equal(one.data, other.data)
    )


def _hidden(program: Program, duals: np.ndarray, free: np.ndarray) -> np.ndarray | None:
    """What is left of the objective (columns,) on the `free` columns where rows with `duals` are kept at their sides, made
    large; None where it is nothing."""
    left = program.objective - program.matrix.T @ duals
    matrix = program.matrix  # whose own abs() would put its entries in another order, here and for whoever looks next
    sizes = sparse.csr_matrix((np.abs(matrix.data), matrix.indices, matrix.indptr), matrix.shape)
    size = np.abs(program.objective) + sizes.T @ np.abs(duals)
    left = np.where(free & (np.abs(left) > NOISE * size), left, 0.0)
    largest = float(np.abs(left).max(initial=0.0))
    return left / largest if largest > 0 else None


def _tie_breakers(compiled: Compiled) -> list[np.ndarray]:
    """Objectives (columns,) after the scenario's own: fewer euros, fewer moves; earlier demands, years, funds first."""
    cheaper, ordered = np.zeros(compiled.program.columns), np.zeros(compiled.program.columns)
    space = compiled.space
    funds, years = space.shape
    # in (0, 1), in order, but nowhere in step: what one demand gives up for another is never the same between two others
    place = (np.arange(space.n) + (np.arange(space.n) * GOLDEN) % 1) / (space.n + 1)
    for block in compiled.blocks:
        cheaper[block.money] = -1.0
        cell = (block.years * funds + block.funds + 1.0) / (funds * years)
        ordered[block.money] = -cell * (1 + place[block.members[0]])
    demand, year = np.nonzero(compiled.unit_column >= 0)
    sooner = np.where(compiled.by_year[demand], 1 - (year + 1.0) / (2 * years), 1.0)
    np.maximum.at(ordered, compiled.unit_column[demand, year], (1.0 - place[demand]) * sooner)
    if not len(compiled.move_columns):
        return [cheaper, ordered]
    fewer_moves = np.zeros(compiled.program.columns)
    fewer_moves[compiled.move_columns] = -1.0
    return [cheaper, fewer_moves, ordered]
