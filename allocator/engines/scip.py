"""SCIP, as OR-Tools brings it along: branch and cut, with and without whole columns; it gives no duals.

Through OR-Tools' older interface: ModelBuilder cannot interrupt SCIP, and MathOpt, where it can, makes SCIP write
an error to the terminal at each solve.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .base import Outcome, Program, Reason
from .guard import Guarded, Task, watched

_EXACT = 1e-12  # below this numbers are 0 to SCIP; by default it drops coefficients up to 1e-9
_TOLERANCES = (1e-9, 1e-7)


class Scip(Guarded):
    name = "scip"
    whole_units = True
    distribution = "ortools"

    def run(self, task: Task) -> Outcome:
        outcome = Outcome(Reason.ERROR)
        for tolerance in _TOLERANCES:
            outcome = _once(task, task.program, tolerance)
            if outcome.reason in (Reason.INFEASIBLE, Reason.UNBOUNDED):
                # "infeasible" may mean "or unbounded", and a ray alone is no point: without an objective nothing is
                flat = replace(task.program, objective=np.zeros(task.program.columns))
                feasible = _once(replace(task, start=None), flat, tolerance)
                outcome = Outcome(Reason.UNBOUNDED) if feasible.x is not None else replace(feasible, bound=None)
            if outcome.reason is not Reason.ERROR:
                break
        return outcome


def _once(task: Task, program: Program, tolerance: float) -> Outcome:
    from ortools.linear_solver import pywraplp

    solver = pywraplp.Solver.CreateSolver("SCIP")
    if solver is None:
        return Outcome(Reason.ERROR, message="this OR-Tools has no SCIP")
    complaint = solver.LoadModelFromProto(_proto(program, task.start))
    if complaint:
        return Outcome(Reason.ERROR, message=f"OR-Tools refused the program: {complaint}")
    parameters = {
        "limits/gap": float(task.gap),
        "limits/absgap": 0.0,
        "numerics/feastol": tolerance,
        "numerics/dualfeastol": tolerance,
        "numerics/epsilon": _EXACT,
        "numerics/sumepsilon": _EXACT * 10,
        "misc/catchctrlc": "FALSE",
    }
    if not solver.SetSolverSpecificParametersAsString("".join(f"{k} = {v}\n" for k, v in parameters.items())):
        return Outcome(Reason.ERROR, message="SCIP refused a parameter")
    remaining = task.remaining()
    if remaining is not None:
        solver.SetTimeLimit(max(1, int(remaining * 1000)))
    settings = pywraplp.MPSolverParameters()
    settings.SetDoubleParam(settings.RELATIVE_MIP_GAP, float(task.gap))
    status = watched(lambda: solver.Solve(settings), task, solver.InterruptSolve, task.report)
    reason = {
        solver.OPTIMAL: Reason.OPTIMAL,
        solver.FEASIBLE: Reason.FEASIBLE,
        solver.INFEASIBLE: Reason.INFEASIBLE,
        solver.UNBOUNDED: Reason.UNBOUNDED,
        solver.NOT_SOLVED: Reason.NOTHING,
    }.get(status, Reason.ERROR)
    if reason is Reason.ERROR:
        ended = task.stopped() or task.remaining() == 0  # before it had begun
        return Outcome(Reason.NOTHING if ended else reason, message=f"SCIP ended with status {status}")
    if reason not in (Reason.OPTIMAL, Reason.FEASIBLE):
        return Outcome(reason)
    x = np.array([column.solution_value() for column in solver.variables()])
    return Outcome(
        reason,
        x=x,
        bound=solver.Objective().BestBound(),
        message="" if reason is Reason.OPTIMAL else "stopped",
    )


def _proto(program: Program, start: np.ndarray | None) -> Any:
    from ortools.linear_solver import linear_solver_pb2

    model = linear_solver_pb2.MPModelProto(maximize=True, objective_offset=program.offset)
    columns = (each.tolist() for each in (program.lower, program.upper, program.objective, program.integer))
    for low, high, value, whole in zip(*columns, strict=True):
        model.variable.add(lower_bound=low, upper_bound=high, objective_coefficient=value, is_integer=whole)
    a = program.matrix
    ends = a.indptr.tolist()
    for i, (low, high) in enumerate(zip(program.row_lower.tolist(), program.row_upper.tolist(), strict=True)):
        part = slice(ends[i], ends[i + 1])
        model.constraint.add(
            lower_bound=low, upper_bound=high, var_index=a.indices[part].tolist(), coefficient=a.data[part].tolist()
        )
    if start is not None and np.isfinite(start).all():
        model.solution_hint.var_index.extend(range(program.columns))
        model.solution_hint.var_value.extend(start.tolist())
    return model


ENGINE = Scip()
