"""HiGHS through highspy: the default engine, with and without whole columns, with warm re-solves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from .base import Outcome, Program, Reason, Session, Stop
from .guard import Caller, Guarded, Task, checked, clean, edited, extended, refuse, without_library

_REASONS = {
    "kOptimal": Reason.OPTIMAL,
    "kInfeasible": Reason.INFEASIBLE,
    "kUnbounded": Reason.UNBOUNDED,
    "kTimeLimit": Reason.FEASIBLE,  # with a point; NOTHING without
    "kIterationLimit": Reason.FEASIBLE,
    "kSolutionLimit": Reason.FEASIBLE,
    "kMemoryLimit": Reason.FEASIBLE,
    "kInterrupt": Reason.FEASIBLE,
    "kHighsInterrupt": Reason.FEASIBLE,
    "kObjectiveBound": Reason.FEASIBLE,
    "kObjectiveTarget": Reason.FEASIBLE,
}  # what is not named here is an ERROR
_UNRESOLVED = "kUnboundedOrInfeasible"
_ATTEMPTS = ((1e-9, "choose"), (1e-7, "choose"), (1e-7, "off"))  # feasibility tolerance, presolve
OPTIONS: dict[str, bool | int | float | str] = {
    "output_flag": False,
    "threads": 1,
    "random_seed": 0,
    "small_matrix_value": 1e-12,  # by default HiGHS drops coefficients up to 1e-9
    "mip_abs_gap": 0.0,
}
_NEAR = 1e-5  # of its size, from an end: at it
_PROGRESS_EVERY = 0.1  # seconds


class Refused(RuntimeError):
    """HiGHS returned kError, which it never raises by itself."""


class HighsEngine(Guarded):
    name = "highs"
    whole_units = True
    distribution = "highspy"

    def run(self, task: Task) -> Outcome:
        kept = Kept(task.program)
        kept.option("mip_rel_gap", float(task.gap))
        note = ""
        if task.start is not None and task.program.integer.any() and not kept.hint(task.start):
            note = "the start was refused"
        outcome = kept.solve(task)
        return replace(outcome, message="; ".join(filter(None, (outcome.message, note))))

    def session(self, program: Program) -> Session:
        return WarmSession(self, program)


def crossed_over(task: Task, near: np.ndarray | None) -> Outcome:
    """The optimum of a program without whole columns, from a point (n,) near it: a vertex, with its duals.

    Simplex from a basis of what lies between its ends at that point. HiGHS' own crossover refuses points that stray
    from their ends, and has brought the process down (1.13.1, 30 000 columns, a point off by 1e-6).
    """
    kept = Kept(task.program, solver="simplex")
    kept.stand_at(near)
    return kept.solve(task)


class WarmSession:
    """A Highs object kept with its basis: moving bounds costs a few simplex iterations.

    `near` gives a point (n,) at which the first of them begins.
    """

    def __init__(
        self, engine: Guarded, program: Program, near: Callable[[Task], np.ndarray | None] | None = None
    ) -> None:
        self._engine = engine
        self._near = near
        self._program = program.relaxed()  # as last set, sane or not
        self._kept: Kept | None = None

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
        began = time.perf_counter()
        self._program = edited(
            self._program,
            lower=lower,
            upper=upper,
            row_lower=row_lower,
            row_upper=row_upper,
            objective=objective,
        )
        outcome = self._solve(time_limit, stop, began)
        return replace(
            outcome,
            engine=self._engine.name,
            version=self._engine.version,
            seconds=time.perf_counter() - began,
        )

    def add_rows(self, matrix: sparse.csr_matrix, row_lower: np.ndarray, row_upper: np.ndarray) -> None:
        """Append rows (k, n); the basis stays, with the new rows basic."""
        self._program = extended(self._program, matrix, row_lower, row_upper)

    def _solve(self, time_limit: float | None, stop: Stop | None, began: float) -> Outcome:
        if time_limit is not None and not time_limit >= 0:
            return Outcome(Reason.ERROR, message=f"time limit {time_limit!r} is not a number of seconds >= 0")
        complaint = refuse(self._program)
        if complaint:
            return Outcome(Reason.ERROR, message=complaint)
        program = clean(self._program)
        outcome = without_library(program)
        if outcome is not None:
            return checked(program, outcome, 0.0)
        task = Task(program, 0.0, time_limit, None, None, stop, began)
        if task.stopped() or time_limit == 0:
            return Outcome(Reason.NOTHING, message="stopped before the start")
        outcome = Outcome(Reason.ERROR)
        for _attempt in ("warm", "cold"):  # a basis gone bad must not cost the answer
            try:
                if self._kept is None:
                    self._kept = Kept(program, solver="simplex")
                    if self._near is not None:
                        self._kept.stand_at(self._near(task))
                else:
                    self._kept.move_to(program)
                outcome = checked(program, self._kept.solve(task), 0.0)
            except Caller as wrapped:
                self._kept = None
                raise (wrapped.__cause__ or wrapped) from None
            except ImportError as error:
                return Outcome(Reason.ERROR, message=f"highspy is not installed: {error}")
            except Exception as error:
                outcome = Outcome(Reason.ERROR, message=f"{type(error).__name__}: {error}")
            if outcome.reason is not Reason.ERROR:
                break
            self._kept = None
        return outcome


class Kept:
    """A Highs object and the clean program it holds."""

    def __init__(self, program: Program, solver: str = "choose") -> None:
        import highspy

        self._highspy = highspy
        self._program = program
        self._highs = highspy.Highs()
        for name, value in {**OPTIONS, "solver": solver}.items():
            self.option(name, value)
        self._tolerate(_ATTEMPTS[0][0])
        a = program.matrix
        self._must(
            self._highs.passModel(
                program.columns,
                program.rows,
                a.nnz,
                int(highspy.MatrixFormat.kRowwise),
                int(highspy.ObjSense.kMaximize),
                program.offset,
                program.objective,
                program.lower,
                program.upper,
                program.row_lower,
                program.row_upper,
                a.indptr.astype(np.int32),
                a.indices.astype(np.int32),
                a.data,
                program.integer.astype(np.int32),
            ),
            "passModel",
        )
        if self._highs.getNumNz() != a.nnz:  # it only warns
            raise Refused(f"HiGHS dropped {a.nnz - self._highs.getNumNz()} small coefficients")

    def option(self, name: str, value: bool | int | float | str) -> None:
        self._must(self._highs.setOptionValue(name, value), f"option {name} = {value!r}")

    def hint(self, start: np.ndarray) -> bool:
        """Give a point, or the part of one that is not NaN; False when HiGHS will not have it."""
        known = np.flatnonzero(np.isfinite(start)).astype(np.int32)
        values = np.asarray(start, float)[known]
        status = self._highs.setSolution(known.size, known, values)
        return bool(status != self._highspy.HighsStatus.kError)

    def move_to(self, program: Program, start: np.ndarray | None = None) -> None:
        """Become ``program``, which differs in bounds, objective, appended rows and then appended columns only.

        ``start`` (n,): where appended columns begin, of which only those at their upper ends matter.
        """
        old, h = self._program, self._highs
        self._program = program
        grown = program
        if program.columns > old.columns:
            program = _first_columns(program, old.columns)

        def moved(*pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
            return np.flatnonzero(np.logical_or.reduce([a != b for a, b in pairs])).astype(np.int32)

        k = moved((old.lower, program.lower), (old.upper, program.upper))
        if k.size:
            self._must(h.changeColsBounds(k.size, k, program.lower[k], program.upper[k]), "changeColsBounds")
        k = moved((old.objective, program.objective))
        if k.size:
            self._must(h.changeColsCost(k.size, k, program.objective[k]), "changeColsCost")
        low, high = program.row_lower[: old.rows], program.row_upper[: old.rows]
        k = moved((old.row_lower, low), (old.row_upper, high))
        if k.size:
            self._must(h.changeRowsBounds(k.size, k, low[k], high[k]), "changeRowsBounds")
        if program.rows > old.rows:
            new = program.matrix[old.rows :]
            self._must(
                h.addRows(
                    new.shape[0],
                    program.row_lower[old.rows :],
                    program.row_upper[old.rows :],
                    new.nnz,
                    new.indptr[:-1].astype(np.int32),
                    new.indices.astype(np.int32),
                    new.data,
                ),
                "addRows",
            )
        if grown.columns > old.columns:
            new, added = sparse.csc_matrix(grown.matrix[:, old.columns :]), slice(old.columns, None)
            self._must(
                h.addCols(
                    new.shape[1],
                    grown.objective[added],
                    grown.lower[added],
                    grown.upper[added],
                    new.nnz,
                    new.indptr[:-1].astype(np.int32),
                    new.indices.astype(np.int32),
                    new.data,
                ),
                "addCols",
            )
            if start is not None:
                high = (start >= grown.upper) & (grown.upper > grown.lower)
                self._raise(old.columns + np.flatnonzero(high[old.columns :]))

    def stand_at(self, x: np.ndarray | None) -> None:
        """Begin the simplex near x (n,): basic is what lies between its ends. HiGHS makes that a true basis.

        Without a point, or with one that is no point, it begins as it would.
        """
        if x is None or not np.isfinite(x).all():
            return
        program, statuses = self._program, self._highspy.HighsBasisStatus

        def placed(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[Any]:
            below = values <= low + _NEAR * (1 + np.abs(low))  # never where low is infinite
            above = values >= high - _NEAR * (1 + np.abs(high))
            nearer = above & (~below | (high - values < values - low))
            kinds = (statuses.kBasic, statuses.kLower, statuses.kUpper)
            return [kinds[k] for k in np.where(nearer, 2, np.where(below, 1, 0)).tolist()]

        basis = self._highspy.HighsBasis()
        with np.errstate(invalid="ignore"):  # inf - inf
            basis.col_status = placed(x, program.lower, program.upper)
            basis.row_status = placed(program.matrix @ x, program.row_lower, program.row_upper)
        basis.valid = basis.alien = True
        self._must(self._highs.setBasis(basis), "setBasis")

    def _raise(self, columns: np.ndarray) -> None:
        """Put nonbasic columns (k,) at their upper ends, where there is a basis to keep."""
        basis = self._highs.getBasis()
        if basis.valid:
            statuses = list(basis.col_status)
            for column in columns.tolist():
                statuses[column] = self._highspy.HighsBasisStatus.kUpper
            basis.col_status = statuses
            self._must(self._highs.setBasis(basis), "setBasis")

    def solve(self, task: Task) -> Outcome:
        """Run until a status that means something: with tight tolerances, then looser ones, afresh."""
        outcome = Outcome(Reason.ERROR)
        for tolerance, presolve in _ATTEMPTS:
            self._tolerate(tolerance)
            self.option("presolve", presolve)
            outcome = self._once(task)
            if outcome.reason is not Reason.ERROR:
                break
            self._must(self._highs.clearSolver(), "clearSolver")
        self._tolerate(_ATTEMPTS[0][0])
        self.option("presolve", _ATTEMPTS[0][1])
        return outcome

    def _once(self, task: Task) -> Outcome:
        status = self._run(task)
        whole = bool(task.program.integer.any())
        if status == _UNRESOLVED or (status == "kUnbounded" and whole):
            return self._resolve(task)
        reason = _REASONS.get(status, Reason.ERROR)
        if reason in (Reason.INFEASIBLE, Reason.UNBOUNDED):
            return Outcome(reason)
        info = self._highs.getInfo()
        pointed = info.primal_solution_status == self._highspy.SolutionStatus.kSolutionStatusFeasible
        if reason is Reason.ERROR:
            return Outcome(reason, message=f"HiGHS ended with {status}")
        bound = info.mip_dual_bound if whole else None
        if reason is Reason.FEASIBLE and not pointed:
            return Outcome(Reason.NOTHING, bound=bound, message=status)
        solution = self._highs.getSolution()
        if not whole and reason is Reason.OPTIMAL:
            bound = info.objective_function_value
        return Outcome(
            reason,
            x=np.array(solution.col_value),
            duals=None if whole or reason is not Reason.OPTIMAL else np.array(solution.row_dual),
            bound=bound,
            message="" if reason is Reason.OPTIMAL else status,
        )

    def _resolve(self, task: Task) -> Outcome:
        """Tell infeasible from unbounded: without an objective nothing is unbounded."""
        h, n = self._highs, task.program.columns
        every = np.arange(n, dtype=np.int32)
        self._must(h.changeColsCost(n, every, np.zeros(n)), "changeColsCost")
        status = self._run(task)
        self._must(h.changeColsCost(n, every, task.program.objective), "changeColsCost")
        reason = {"kInfeasible": Reason.INFEASIBLE, "kOptimal": Reason.UNBOUNDED}.get(status)
        if reason is not None:
            return Outcome(reason)
        stopped = _REASONS.get(status) is Reason.FEASIBLE
        return Outcome(Reason.NOTHING if stopped else Reason.ERROR, message=f"infeasible or unbounded, then {status}")

    def _run(self, task: Task) -> str:
        """One run under the clock and the caller's wishes; the name of the resulting model status."""
        h = self._highs
        remaining = task.remaining()
        # HiGHS counts its limit over the life of the object, not from this run
        self.option("time_limit", float("inf") if remaining is None else h.getRunTime() + remaining)
        raised: list[BaseException] = []
        told = [time.perf_counter()]

        def called(event: Any) -> None:
            try:
                now = time.perf_counter()
                if task.on_progress is not None and now - told[0] >= _PROGRESS_EVERY:
                    told[0] = now
                    out = event.data_out
                    if task.program.integer.any():
                        task.report(out.mip_primal_bound, out.mip_dual_bound)
                    else:
                        task.report()
                if task.stopped():
                    event.interrupt()
            except BaseException as error:  # must not travel through C++
                raised.append(error)
                event.interrupt()

        events = (h.cbMipInterrupt, h.cbSimplexInterrupt, h.cbIpmInterrupt)
        for event in events:
            event.subscribe(called)
        try:
            status = h.run()
            if status == self._highspy.HighsStatus.kError and not raised:
                # another user of HiGHS in this process may have started its thread pool with another size
                self._highspy.Highs.resetGlobalScheduler(True)
                self._must(h.clearSolver(), "clearSolver")
                status = h.run()
        finally:
            for event in events:
                event.clear()
        if raised:
            if isinstance(raised[0], Exception):
                raise Caller from raised[0]
            raise raised[0]
        model_status = str(h.getModelStatus().name)
        if model_status not in ("kSolveError", "kUnknown"):
            self._must(status, f"run ({model_status})")
        return model_status

    def _tolerate(self, tolerance: float) -> None:
        for kind in ("primal_feasibility", "dual_feasibility", "mip_feasibility"):
            self.option(f"{kind}_tolerance", tolerance)

    def _must(self, status: Any, what: str) -> None:
        if status == self._highspy.HighsStatus.kError:
            raise Refused(f"HiGHS refused {what}")


def _first_columns(program: Program, count: int) -> Program:
    first = slice(count)
    return replace(
        program,
        objective=program.objective[first],
        matrix=sparse.csr_matrix(program.matrix[:, first]),
        lower=program.lower[first],
        upper=program.upper[first],
        integer=program.integer[first],
        grain=program.grain[first],
    )


ENGINE = HighsEngine()
