"""What every engine shares: refuse nonsense going in, believe nothing coming out.

An engine subclasses :class:`Guarded` and writes ``run``. The guard cleans and checks the program, answers the
programs that need no library (no rows, no columns, crossed bounds), turns whatever the library throws into
``Reason.ERROR``, and checks the returned point, bound and duals itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import metadata
from threading import Thread
from typing import Any, TypeVar

import numpy as np
from scipy import sparse

from .base import OnProgress, Outcome, Program, Progress, Reason, Session, Stop

INFINITE = 1e20  # a bound at or beyond this is no bound: the convention of HiGHS, CBC and MPS files
ABSURD = 1e15  # coefficients beyond this cannot be computed with in floats
ABSOLUTE, RELATIVE, INTEGRALITY = 1e-6, 1e-7, 1e-6  # how far a returned point may stray

T = TypeVar("T")


@dataclass(frozen=True)
class Task:
    """One call of ``solve``: a clean program, and what the caller wants to hear and say meanwhile."""

    program: Program
    gap: float = 1e-4
    time_limit: float | None = None
    start: np.ndarray | None = None
    on_progress: OnProgress | None = None
    stop: Stop | None = None
    began: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    def remaining(self) -> float | None:
        """Seconds left, never negative; None without a limit."""
        return None if self.time_limit is None else max(0.0, self.time_limit - self.seconds)

    def stopped(self) -> bool:
        return self.stop is not None and bool(self.stop())

    def report(self, objective: float | None = None, bound: float | None = None) -> None:
        """Tell the caller, whose exceptions are his own. Numbers that are not finite are unknown."""
        if self.on_progress is not None:
            known = [v if v is not None and abs(v) < INFINITE else None for v in (objective, bound)]
            self.on_progress(Progress("solve", self.seconds, *known))


class Caller(Exception):
    """Wraps what the caller's own ``stop`` or ``on_progress`` raised: no failure of the library."""


class Guarded:
    """Base of the engines: ``solve`` and a cold ``session`` around the subclass's ``run``."""

    name: str
    whole_units: bool
    distribution: str  # the package on PyPI that must be there

    def run(self, task: Task) -> Outcome:
        """Solve a clean program with at least one row and one column. May raise; is not believed."""
        raise NotImplementedError

    @property
    def version(self) -> str:
        return _version(self.distribution)

    def solve(
        self,
        program: Program,
        *,
        gap: float = 1e-4,
        time_limit: float | None = None,
        start: np.ndarray | None = None,
        on_progress: OnProgress | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        began = time.perf_counter()
        outcome = self._solve(program, gap, time_limit, start, on_progress, stop, began)
        return replace(outcome, engine=self.name, version=self.version, seconds=time.perf_counter() - began)

    def session(self, program: Program) -> Session:
        return ColdSession(self, program)

    def _solve(
        self,
        program: Program,
        gap: float,
        time_limit: float | None,
        start: np.ndarray | None,
        on_progress: OnProgress | None,
        stop: Stop | None,
        began: float,
    ) -> Outcome:
        if not gap >= 0:
            return Outcome(Reason.ERROR, message=f"gap {gap!r} is not a number >= 0")
        if time_limit is not None and not time_limit >= 0:
            return Outcome(Reason.ERROR, message=f"time limit {time_limit!r} is not a number of seconds >= 0")
        complaint = refuse(program)
        if complaint:
            return Outcome(Reason.ERROR, message=complaint)
        program = clean(program)
        if program.integer.any() and not self.whole_units:
            return Outcome(Reason.ERROR, message=f"{self.name} solves no whole columns")
        outcome = without_library(program)
        if outcome is not None:
            return checked(program, outcome, gap)
        if start is not None and np.shape(start) != (program.columns,):
            return Outcome(Reason.ERROR, message=f"start has shape {np.shape(start)}, not ({program.columns},)")
        task = Task(program, gap, time_limit, start, on_progress, stop, began)
        if task.stopped() or time_limit == 0:
            return Outcome(Reason.NOTHING, message="stopped before the start")
        try:
            outcome = self.run(task)
        except Caller as wrapped:
            raise (wrapped.__cause__ or wrapped) from None
        except ImportError as error:
            return Outcome(Reason.ERROR, message=f"{self.distribution} is not installed: {error}")
        except Exception as error:  # the library's own failures, C++ ones included
            return Outcome(Reason.ERROR, message=f"{type(error).__name__}: {error}")
        return checked(program, outcome, gap, start)


@cache
def _version(distribution: str) -> str:
    """Read once: a search asks thousands of times."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


class ColdSession:
    """A session for libraries that keep nothing: every ``solve`` starts afresh."""

    def __init__(self, engine: Guarded, program: Program) -> None:
        self._engine = engine
        self._program = program.relaxed()

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
        self._program = edited(
            self._program,
            lower=lower,
            upper=upper,
            row_lower=row_lower,
            row_upper=row_upper,
            objective=objective,
        )
        return self._engine.solve(self._program, time_limit=time_limit, stop=stop)

    def add_rows(self, matrix: sparse.csr_matrix, row_lower: np.ndarray, row_upper: np.ndarray) -> None:
        self._program = extended(self._program, matrix, row_lower, row_upper)


def edited(program: Program, **changes: np.ndarray | None) -> Program:
    """The program with the given arrays (copied: the caller may reuse his); None keeps what there is."""
    arrays: dict[str, Any] = {k: np.array(v, float) for k, v in changes.items() if v is not None}
    return replace(program, **arrays)


def extended(program: Program, matrix: sparse.csr_matrix, row_lower: np.ndarray, row_upper: np.ndarray) -> Program:
    """The program with rows (k, n) appended."""
    return replace(
        program,
        matrix=sparse.csr_matrix(sparse.vstack([program.matrix, matrix], format="csr")),
        row_lower=np.append(program.row_lower, row_lower),
        row_upper=np.append(program.row_upper, row_upper),
    )


def refuse(program: Program) -> str:
    """Why this program cannot be computed with; empty when it can."""
    m, n = program.matrix.shape
    shapes = {
        "objective": n,
        "lower": n,
        "upper": n,
        "integer": n,
        "grain": n,
        "row_lower": m,
        "row_upper": m,
    }
    for field_name, size in shapes.items():
        shape = np.shape(getattr(program, field_name))
        if shape != (size,):
            return f"{field_name} has shape {shape}, not ({size},)"
    for field_name in ("objective", "matrix"):
        values = program.matrix.data if field_name == "matrix" else program.objective
        if not np.all(np.abs(values) < ABSURD):  # false for NaN too
            return f"{field_name} holds a number that is not finite, or beyond {ABSURD:g}"
    if not abs(program.offset) < INFINITE:
        return "offset is not finite"
    if not np.all((program.grain > 0) & (program.grain < INFINITE)):
        return "grain must be positive and finite"
    for low, high in (("lower", "upper"), ("row_lower", "row_upper")):
        a, b = getattr(program, low), getattr(program, high)
        if np.isnan(a).any() or np.isnan(b).any():
            return f"{low} or {high} holds NaN"
        if (a >= INFINITE).any() or (b <= -INFINITE).any():
            return f"{low} is +infinite or {high} is -infinite somewhere"
    return ""


def clean(program: Program) -> Program:
    """A copy: canonical CSR without zeros, float arrays, infinite infinities, whole bounds where whole."""
    matrix = sparse.csr_matrix(program.matrix, dtype=float, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    bounds = {}
    for side in ("lower", "upper", "row_lower", "row_upper"):
        values = np.array(getattr(program, side), float)
        values[values >= INFINITE] = np.inf
        values[values <= -INFINITE] = -np.inf
        bounds[side] = values
    integer = np.asarray(program.integer, bool)
    bounds["lower"][integer] = np.ceil(bounds["lower"][integer] - INTEGRALITY)
    bounds["upper"][integer] = np.floor(bounds["upper"][integer] + INTEGRALITY)
    return replace(
        program,
        objective=np.array(program.objective, float),
        matrix=matrix,
        integer=integer,
        grain=np.asarray(program.grain, float),
        offset=float(program.offset),
        **bounds,
    )


def without_library(program: Program) -> Outcome | None:
    """The answer where none is needed: crossed bounds, no rows or no columns."""
    for low, high, what in (
        (program.lower, program.upper, "column"),
        (program.row_lower, program.row_upper, "row"),
    ):
        crossed = np.flatnonzero(low > high)
        if crossed.size:
            k = int(crossed[0])
            return Outcome(Reason.INFEASIBLE, message=f"bounds of {what} {k} cross: {low[k]:g} > {high[k]:g}")
    if program.rows and program.columns:
        return None
    if ((program.row_lower > 0) | (program.row_upper < 0)).any():  # rows without columns add up to 0
        return Outcome(Reason.INFEASIBLE, message="a row without columns does not hold")
    c = program.objective
    x = np.where(c > 0, program.upper, np.where(c < 0, program.lower, 0.0))
    if not np.isfinite(x).all():
        return Outcome(Reason.UNBOUNDED)
    x = np.clip(x, program.lower, program.upper)
    objective = float(c @ x) + program.offset
    duals = None if program.integer.any() else np.zeros(program.rows)
    return Outcome(
        Reason.OPTIMAL, x=x, duals=duals, objective=objective, bound=objective, message="no rows: no library"
    )


def breach(program: Program, x: np.ndarray) -> float:
    """How far x is outside, in units of what is allowed: up to 1 it passes. NaN counts as infinitely far.

    Allowed on a side s of a row: 1e-6 + 1e-7 (|s| + Σ|a||x|); on a column likewise; 1e-6 off a whole number.
    """
    if x.shape != (program.columns,) or not np.isfinite(x).all():
        return np.inf
    activity = program.matrix @ x
    size = abs(program.matrix) @ np.abs(x)
    worst = 0.0
    for values, low, high, scale in (
        (activity, program.row_lower, program.row_upper, size),
        (x, program.lower, program.upper, np.abs(x)),
    ):
        for side, excess in ((low, low - values), (high, values - high)):
            finite = np.isfinite(side)
            if finite.any():
                allowed = ABSOLUTE + RELATIVE * (np.abs(side[finite]) + scale[finite])
                worst = max(worst, float(np.max(excess[finite] / allowed)))
    whole = x[program.integer]
    if whole.size:
        worst = max(worst, float(np.max(np.abs(whole - np.rint(whole)))) / INTEGRALITY)
    return worst


def tidy(program: Program, x: np.ndarray) -> np.ndarray:
    """x inside its column bounds and with whole columns whole, where that keeps it passing."""
    neat = np.where(program.integer, np.rint(x), x)
    neat = np.clip(neat, program.lower, program.upper) + 0.0  # no -0.0
    return neat if breach(program, neat) <= 1 else x


def dual_objective(program: Program, duals: np.ndarray) -> float:
    """The value of the Lagrangian bound at these duals; prices of 1e-7 on infinite sides are forgiven."""
    reduced = program.objective - program.matrix.T @ duals

    def paid(prices: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
        side = np.where(prices > 0, high, low)
        charged = np.isfinite(side) | (np.abs(prices) > 1e-7 * (1 + np.abs(program.objective).max(initial=0)))
        return float(np.sum(prices[charged] * side[charged]))

    return (
        paid(duals, program.row_lower, program.row_upper) + paid(reduced, program.lower, program.upper) + program.offset
    )


def checked(program: Program, outcome: Outcome, gap: float, start: np.ndarray | None = None) -> Outcome:
    """The outcome as far as the program bears it out.

    A point that breaks the program turns OPTIMAL into ERROR and FEASIBLE into NOTHING; a bound below the
    point is dropped; OPTIMAL with a bound beyond the gap becomes FEASIBLE; duals that are far from the
    objective are dropped; INFEASIBLE is refused when the start passes.
    """
    notes = [outcome.message] if outcome.message else []
    if outcome.reason not in (Reason.OPTIMAL, Reason.FEASIBLE):
        if outcome.reason is Reason.INFEASIBLE and start is not None and breach(program, start) <= 1:
            notes.append("the library says infeasible, yet the start satisfies the program")
            outcome = replace(outcome, reason=Reason.ERROR)
        bound = outcome.bound if outcome.reason is Reason.NOTHING and _known(outcome.bound) else None
        return replace(outcome, x=None, duals=None, objective=None, bound=bound, message="; ".join(notes))

    x = None if outcome.x is None else np.asarray(outcome.x, float)
    far = np.inf if x is None else breach(program, x)
    if x is None or not far <= 1:
        notes.append(
            f"the library says {outcome.reason.value}, but its point "
            + ("is missing" if x is None else f"breaks the program ({far:.3g} times what is allowed)")
        )
        reason = Reason.ERROR if outcome.reason is Reason.OPTIMAL else Reason.NOTHING
        return replace(outcome, reason=reason, x=None, duals=None, objective=None, bound=None, message="; ".join(notes))

    x = tidy(program, x)
    objective = float(program.objective @ x) + program.offset
    slack = 1e-6 * (1 + abs(objective))
    reason, bound, duals = outcome.reason, outcome.bound if _known(outcome.bound) else None, outcome.duals
    if bound is not None and bound < objective:
        if bound < objective - slack:
            notes.append(f"the claimed bound {bound:.10g} is below the point's {objective:.10g}: dropped")
            bound = None
        else:
            bound = objective
    if reason is Reason.OPTIMAL and bound is not None and bound - objective > gap * abs(objective) + slack:
        notes.append(f"claimed optimal with a bound of {bound:.10g}, beyond the gap")
        reason = Reason.FEASIBLE
    if duals is not None:
        duals = np.asarray(duals, float)
        if program.integer.any():
            duals = None
        elif duals.shape != (program.rows,) or not np.isfinite(duals).all():
            duals = None
            notes.append("the library gave no usable duals")
        elif not abs(dual_objective(program, duals) - objective) <= 1e-4 * (1 + abs(objective)):
            duals = None
            notes.append("the library's duals do not price the optimum: dropped")
    return replace(outcome, reason=reason, x=x, duals=duals, objective=objective, bound=bound, message="; ".join(notes))


def heard(ask: Callable[[], Outcome], columns: int, rows: int) -> Outcome:
    """The word of any engine, one that has no guard too: an error where it raises or its point is none of a program of so
    many columns; no duals where they are not those of so many rows."""
    try:
        outcome = ask()
        if not isinstance(outcome, Outcome):
            return Outcome(Reason.ERROR, message=f"the engine returned {type(outcome).__name__}, no Outcome")
        x, duals = _numbers(outcome.x, columns), _numbers(outcome.duals, rows)
    except Exception as error:
        return Outcome(Reason.ERROR, message=f"{type(error).__name__}: {error}")
    if outcome.x is not None and x is None:
        return replace(outcome, reason=Reason.ERROR, x=None, duals=None, message="the point is not one of this program")
    return replace(outcome, x=x, duals=duals)


def _numbers(values: Any, count: int) -> np.ndarray | None:
    """So many finite numbers; None for anything else."""
    if values is None or np.shape(values) != (count,):
        return None
    numbers = np.asarray(values, float)
    return numbers if np.isfinite(numbers).all() else None


def _known(value: float | None) -> bool:
    return value is not None and abs(value) < INFINITE


def watched(
    work: Callable[[], T],
    task: Task,
    interrupt: Callable[[], object],
    tick: Callable[[], object] | None = None,
) -> T:
    """Run a library's blocking call in a thread; poll ``stop`` and Ctrl-C from here and interrupt the
    library.

    ``interrupt`` is repeated until the library ends, for a request that comes before its start is lost by
    some.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def target() -> None:
        try:
            done.append(work())
        except BaseException as error:  # handed to the waiting thread
            failed.append(error)

    thread = Thread(target=target, name="allocator-engine", daemon=True)
    thread.start()
    try:
        stopping = False
        while thread.is_alive():
            thread.join(0.02)
            stopping = stopping or (thread.is_alive() and task.stopped())
            if stopping:
                interrupt()
            elif tick is not None:
                tick()
    except BaseException as error:
        while thread.is_alive():
            interrupt()
            thread.join(0.05)
        if isinstance(error, Exception):
            raise Caller from error
        raise
    if failed:
        raise failed[0]
    return done[0]
