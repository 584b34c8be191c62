"""CP-SAT of OR-Tools, in integers throughout: continuous columns are counted in steps of a cent.

Through MathOpt, CP-SAT has called 0 the optimum of a program with continuous columns whose optimum is 0.4865;
so the program is turned into integers here. Rows are multiplied up until their coefficients are whole; where
no such factor exists, coefficients are rounded and the sides loosened by what rounding can move, so that no
point is lost; the returned point is checked by the guard anyway. What CP-SAT proves, it proves of the program
in steps. GLOP solves the relaxation first: it gives a ceiling (nothing in steps beats it), a point to start
from, and tells what is unbounded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .base import Outcome, Program, Reason, Session
from .glop import ENGINE as GLOP
from .guard import Guarded, Task, watched

_LARGEST = 2.0**60  # no row may add up to more, whatever the values of its columns: int64 holds 2**63
_FINE = 2.0**44  # rounded coefficients are made so large, if that fits
_COARSE = 2.0**10  # the smallest acceptable size of the largest rounded coefficient
_DECIMALS = 12


class CpSat(Guarded):
    name = "cp-sat"
    whole_units = True
    distribution = "ortools"

    def run(self, task: Task) -> Outcome:
        program = task.program
        relaxed = GLOP.solve(program.relaxed(), time_limit=_part(task.remaining(), 0.5), stop=task.stop)
        if relaxed.reason is Reason.INFEASIBLE:
            return Outcome(Reason.INFEASIBLE, message="already without whole units (GLOP)")
        low, high = tightened(program)
        boxed = ~np.isfinite(low) | ~np.isfinite(high)
        if relaxed.reason is Reason.UNBOUNDED:
            return self._unbounded(task)
        if boxed.any():  # what no row bounds: a box far beyond the relaxation's point
            reach = 1e3 * (1 + (0.0 if relaxed.x is None else float(np.abs(relaxed.x).max())))
            low, high = (
                np.where(boxed, np.maximum(low, -reach), low),
                np.where(boxed, np.minimum(high, reach), high),
            )
        held = _in_integers(program, low, high)
        if isinstance(held, str):
            return Outcome(Reason.ERROR, message=held)
        outcome = _search(task, held, relaxed, boxed)
        if outcome.reason is Reason.INFEASIBLE and not program.integer.all():
            return self._infeasible(task, outcome, low, high, boxed)
        return outcome

    def _infeasible(
        self, task: Task, outcome: Outcome, low: np.ndarray, high: np.ndarray, boxed: np.ndarray
    ) -> Outcome:
        """No point in steps; no point at all, if rows that forgive half a step of each column do not help."""
        message = f"no point in steps of the grain; {outcome.message}".rstrip("; ")
        nothing = Outcome(Reason.NOTHING, message=message)
        if boxed.any():
            return nothing
        loose = _in_integers(replace(task.program, objective=np.zeros(low.size)), low, high, forgiving=True)
        if isinstance(loose, str):
            return nothing
        again = _search(replace(task, on_progress=None), loose, Outcome(Reason.NOTHING), boxed)
        return again if again.reason is Reason.INFEASIBLE else nothing

    def session(self, program: Program) -> Session:
        """GLOP's: a session solves relaxations, whose columns have no step to be counted in."""
        return GLOP.session(program)

    def _unbounded(self, task: Task) -> Outcome:
        """The relaxation is unbounded; so is the program, if it has a point at all."""
        program = replace(task.program, objective=np.zeros(task.program.columns))
        point = self.run(replace(task, program=program, on_progress=None))
        if point.x is not None:
            return Outcome(Reason.UNBOUNDED)
        return replace(point, bound=None)


@dataclass(frozen=True)
class _Held:
    """A program in integers: x = base + step * k, low <= k <= high, sides on whole combinations of k.

    ``crossed``: some column or row holds no whole number between its sides. ``weights`` are ``scale`` times
    the objective's coefficients per step, give or take ``error`` in total.
    """

    base: np.ndarray  # (n,) the value of a fixed column, else 0
    step: np.ndarray  # (n,)
    low: np.ndarray  # (n,) int64
    high: np.ndarray
    rows: list[tuple[list[int], list[int], int, int]]  # columns, coefficients, sides
    crossed: bool
    weights: np.ndarray  # (n,) int64
    scale: float
    error: float
    message: str


def tightened(program: Program, rounds: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Column bounds (n,), (n,) narrowed by what each row leaves its columns when the others do their best."""
    low, high = program.lower.copy(), program.upper.copy()
    a = program.matrix
    row = np.repeat(np.arange(a.shape[0]), np.diff(a.indptr))
    column, value = a.indices, a.data
    for _ in range(rounds):
        before = np.append(low, high)
        least = value * np.where(value > 0, low[column], high[column])
        most = value * np.where(value > 0, high[column], low[column])
        for ends, side, sign in ((least, program.row_upper, 1.0), (most, program.row_lower, -1.0)):
            # Σ of the other ends, with infinite ones counted apart
            wild = ~np.isfinite(ends)
            total = np.bincount(row, np.where(wild, 0.0, ends), a.shape[0])
            count = np.bincount(row, wild, a.shape[0])
            others = total[row] - np.where(wild, 0.0, ends)
            usable = (count[row] - wild == 0) & np.isfinite(side[row])
            limit = (side[row] - others)[usable] / value[usable]
            limit += (
                np.sign(value[usable]) * sign * 1e-7 * (1 + np.abs(limit) + np.abs(total[row][usable] / value[usable]))
            )
            j, above = column[usable], value[usable] * sign > 0
            np.minimum.at(high, j[above], limit[above])
            np.maximum.at(low, j[~above], limit[~above])
        if np.array_equal(before, np.append(low, high)):
            break
    crossed = low > high  # by rounding, or infeasible: CP-SAT will tell
    low[crossed], high[crossed] = program.lower[crossed], program.upper[crossed]
    return low, high


def _in_integers(program: Program, low: np.ndarray, high: np.ndarray, forgiving: bool = False) -> _Held | str:
    """The program in steps of the grain, made ten times coarser until it fits; a complaint if never."""
    for tens in range(_DECIMALS + 1):
        step = np.where(program.integer, 1.0, program.grain * 10.0**tens)
        held = _with_steps(program, low, high, step, forgiving)
        if held is not None:
            note = f"grain coarsened {10**tens} times to fit into 64 bits" if tens else ""
            return replace(held, message=note)
    return "the numbers do not fit into 64 bits, even in coarse steps"


def _with_steps(program: Program, low: np.ndarray, high: np.ndarray, step: np.ndarray, forgiving: bool) -> _Held | None:
    fixed = low == high
    base = np.where(fixed, low, 0.0)
    first = np.where(fixed, 0.0, np.ceil(low / step - 1e-6))
    last = np.where(fixed, 0.0, np.floor(high / step + 1e-6))
    if forgiving:
        first = np.where(fixed | program.integer, first, np.floor(low / step))
        last = np.where(fixed | program.integer, last, np.ceil(high / step))
    narrow = first > last  # no step inside: for money the nearest one, and the guard decides
    crossed = bool((narrow & program.integer).any())
    first = np.where(narrow, np.rint(low / step), first)
    last = np.where(narrow, first, last)
    size = np.maximum(np.abs(first), np.abs(last))
    if not (size < _LARGEST / 4).all():
        return None
    a = program.matrix
    constant = a @ base
    rows: list[tuple[list[int], list[int], int, int]] = []
    for i in range(program.rows):
        part = slice(a.indptr[i], a.indptr[i + 1])
        columns = a.indices[part]
        live = ~fixed[columns]
        columns, factors = columns[live], (a.data[part] * step[a.indices[part]])[live]
        scaled = _whole(factors, size[columns])
        if scaled is None:
            return None
        whole, scale, error = scaled
        if forgiving:
            error += 0.5 * float(np.abs(whole[~program.integer[columns]]).sum())
        sides = []
        for side, sign in ((program.row_lower[i], -1), (program.row_upper[i], 1)):
            if not np.isfinite(side):
                sides.append(sign * int(_LARGEST))
                continue
            target = (side - constant[i]) * scale
            slack = 1e-6 + error + 4e-16 * scale * (abs(side) + abs(constant[i]))
            target = np.floor(target + slack) if sign > 0 else np.ceil(target - slack)
            sides.append(int(np.clip(target, -_LARGEST, _LARGEST)))
        crossed |= sides[0] > sides[1]
        rows.append((columns.tolist(), whole.astype(np.int64).tolist(), sides[0], sides[1]))
    scaled = _whole(np.where(fixed, 0.0, program.objective * step), size)
    if scaled is None:
        return None
    weights, scale, error = scaled
    return _Held(
        base=base,
        step=step,
        low=first.astype(np.int64),
        high=last.astype(np.int64),
        rows=rows,
        crossed=crossed,
        weights=weights.astype(np.int64),
        scale=scale,
        error=error,
        message="",
    )


def _whole(factors: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, float, float] | None:
    """Whole multiples of the factors: (whole, scale, error), error being what rounding can move in Σ whole *
    k.

    ``size`` bounds \\|k\\|. None when even rounded factors would be too coarse to fit below 2**60.
    """
    present = np.abs(factors[factors != 0])
    if present.size == 0:
        return np.zeros(factors.shape), 1.0, 0.0
    for unit in (1.0, float(present.min())):
        for power in range(_DECIMALS + 1):
            scale = 10.0**power / unit
            whole = np.rint(factors * scale)
            if np.abs(whole) @ size > _LARGEST:
                break
            if (np.abs(factors * scale - whole) <= 1e-12 * np.maximum(1.0, np.abs(whole))).all() and (
                np.abs(whole).max() < 2.0**40
            ):
                return whole, scale, 0.0
    scale = min(_FINE / float(present.max()), 0.99 * _LARGEST / max(float(np.abs(factors) @ size), 1e-300))
    whole = np.rint(factors * scale)
    if np.abs(whole).max() < _COARSE or np.abs(whole) @ size > _LARGEST:
        return None
    return whole, scale, float(np.abs(factors * scale - whole) @ size)


def _search(task: Task, held: _Held, relaxed: Outcome, boxed: np.ndarray) -> Outcome:
    from ortools.sat.python import cp_model

    program = task.program
    if held.crossed:
        return Outcome(Reason.INFEASIBLE, message=held.message)
    offset = program.offset + float(program.objective @ held.base)
    ceiling = None if relaxed.bound is None else relaxed.bound + 1e-9 * (1 + abs(relaxed.bound))

    model = cp_model.CpModel()
    proto: Any = model.proto
    for low, high in zip(held.low.tolist(), held.high.tolist(), strict=True):
        proto.variables.add().domain.extend([low, high])
    for columns, whole, low, high in held.rows:
        linear = proto.constraints.add().linear
        linear.vars.extend(columns)
        linear.coeffs.extend(whole)
        linear.domain.extend([low, high])
    priced = np.flatnonzero(held.weights)
    if priced.size:
        proto.objective.vars.extend(priced.tolist())
        proto.objective.coeffs.extend((-held.weights[priced]).tolist())
        proto.objective.scaling_factor = -1.0
        proto.objective.offset = -offset * held.scale
        if ceiling is not None:
            best = np.floor((ceiling - offset) * held.scale + held.error + 1)
            if abs(best) < _LARGEST:  # nothing in steps beats the relaxation
                proto.objective.domain.extend([-int(best), int(_LARGEST)])
    hint = _hint(task, held, relaxed)
    if hint is not None:
        proto.solution_hint.vars.extend(range(program.columns))
        proto.solution_hint.values.extend(hint.tolist())

    solver = cp_model.CpSolver()
    # one worker is the same search every time, and from the hint faster than eight interleaved ones
    # (4 000 lumpy units, gap 1e-4: 2 s against 30)
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.linearization_level = 2
    solver.parameters.relative_gap_limit = float(task.gap)
    solver.parameters.absolute_gap_limit = 0.0
    solver.parameters.catch_sigint_signal = False
    remaining = task.remaining()
    if remaining is not None:
        solver.parameters.max_time_in_seconds = max(remaining, 1e-3)

    heard: dict[str, float] = {}

    class Hear(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
        def on_solution_callback(self) -> None:
            heard["objective"] = self.objective_value / held.scale
            heard["bound"] = self.best_objective_bound / held.scale

    def bounded(value: float) -> None:
        heard["bound"] = value / held.scale

    solver.best_bound_callback = bounded
    status = str(
        watched(
            lambda: solver.solve(model, Hear()),
            task,
            solver.stop_search,
            lambda: task.report(heard.get("objective"), heard.get("bound")) if task.on_progress else None,
        ).name
    )
    response = solver.response_proto
    if status == "INFEASIBLE":
        return Outcome(Reason.INFEASIBLE, message=held.message)
    bound = ceiling
    claimed = heard.get("bound")  # what the response says before the search has begun is no bound
    if status in ("OPTIMAL", "FEASIBLE"):
        claimed = response.best_objective_bound / held.scale if priced.size else offset
    # without whole columns the relaxation is the program itself, and steps prove nothing about it
    if claimed is not None and program.integer.any() and not boxed.any() and not held.message:
        claimed += (held.error + 1e-6) / held.scale
        bound = claimed if bound is None else min(bound, claimed)
    if status == "UNKNOWN":
        return Outcome(Reason.NOTHING, bound=bound, message="; ".join(filter(None, ("UNKNOWN", held.message))))
    if status not in ("OPTIMAL", "FEASIBLE"):
        return Outcome(Reason.ERROR, message=f"CP-SAT ended with {status}: {response.solution_info}")
    x = held.base + held.step * np.array(list(response.solution), float)
    reason = Reason.OPTIMAL if status == "OPTIMAL" else Reason.FEASIBLE
    if reason is Reason.OPTIMAL and bound is None:
        reason = Reason.FEASIBLE  # proved only within a box or in coarse steps
    message = "; ".join(filter(None, ("" if reason is Reason.OPTIMAL else status, held.message)))
    return Outcome(reason, x=x, bound=bound, message=message)


def _hint(task: Task, held: _Held, relaxed: Outcome) -> np.ndarray | None:
    """A point to start from, in steps (n,): the caller's, or the relaxation with its units rounded down."""
    program = task.program
    point = task.start
    if point is None or not np.isfinite(point).all():
        if relaxed.x is None:
            return None
        point = relaxed.x
        if program.integer.any():
            units = np.where(program.integer, np.floor(point + 1e-6), program.lower)
            upper = np.where(program.integer, units, program.upper)
            again = GLOP.solve(
                replace(program.relaxed(), lower=units, upper=upper),
                time_limit=_part(task.remaining(), 0.2),
                stop=task.stop,
            )
            point = np.where(program.integer, units, point) if again.x is None else again.x
    steps = np.rint((point - held.base) / held.step)
    clipped: np.ndarray = np.clip(steps, held.low, held.high)
    return clipped.astype(np.int64)


def _part(seconds: float | None, share: float) -> float | None:
    return None if seconds is None else seconds * share


ENGINE = CpSat()
