"""GLOP, the simplex of OR-Tools: programs without whole columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .base import Outcome, Program, Reason
from .guard import Guarded, Task, watched

_REASONS = {
    "OPTIMAL": Reason.OPTIMAL,
    "FEASIBLE": Reason.FEASIBLE,
    "INFEASIBLE": Reason.INFEASIBLE,
    "UNBOUNDED": Reason.UNBOUNDED,
    "NOT_SOLVED": Reason.NOTHING,
    "CANCELLED_BY_USER": Reason.NOTHING,
}  # what is not named here is an ERROR
_TOLERANCES = (1e-9, 1e-7)


class Glop(Guarded):
    name = "glop"
    whole_units = False
    distribution = "ortools"

    def run(self, task: Task) -> Outcome:
        outcome = Outcome(Reason.ERROR)
        for tolerance in _TOLERANCES:
            outcome = _once(task, task.program, tolerance)
            if outcome.reason not in (Reason.ERROR, Reason.INFEASIBLE, Reason.UNBOUNDED):
                break
            if outcome.reason is not Reason.ERROR:
                # GLOP's "infeasible" may mean "or unbounded": without an objective nothing is unbounded
                flat = replace(task.program, objective=np.zeros(task.program.columns))
                feasible = _once(task, flat, tolerance)
                if feasible.reason is Reason.OPTIMAL:
                    outcome = Outcome(Reason.UNBOUNDED)
                elif feasible.reason is Reason.INFEASIBLE:
                    outcome = Outcome(Reason.INFEASIBLE)
                else:
                    outcome = Outcome(feasible.reason, message=feasible.message)
                if outcome.reason is not Reason.ERROR:
                    break
        return outcome


def _once(task: Task, program: Program, tolerance: float) -> Outcome:
    from ortools.linear_solver.python import model_builder_helper as builder

    held: Any = builder.ModelBuilderHelper()  # its stubs misdeclare arrays
    held.fill_model_from_sparse_data(
        program.lower,
        program.upper,
        program.objective,
        program.row_lower,
        program.row_upper,
        program.matrix,
    )
    held.set_maximize(True)
    held.set_objective_offset(program.offset)
    solver = builder.ModelSolverHelper("glop")
    solver.enable_output(False)
    solver.set_solver_specific_parameters(
        f"primal_feasibility_tolerance: {tolerance} dual_feasibility_tolerance: {tolerance} random_seed: 1"
    )
    remaining = task.remaining()
    if remaining is not None:
        solver.set_time_limit_in_seconds(max(remaining, 1e-3))
    watched(lambda: solver.solve(held), task, solver.interrupt_solve)
    if not solver.has_response():
        return Outcome(Reason.ERROR, message="GLOP gave no response")
    status = str(solver.status().name)
    reason = _REASONS.get(status, Reason.ERROR)
    message = "" if reason is Reason.OPTIMAL else " ".join(filter(None, (status, solver.status_string())))
    if reason not in (Reason.OPTIMAL, Reason.FEASIBLE) or not solver.has_solution():
        return Outcome(Reason.NOTHING if reason is Reason.FEASIBLE else reason, message=message)
    optimal = reason is Reason.OPTIMAL
    return Outcome(
        reason,
        x=np.array(solver.variable_values()),
        duals=np.array(solver.dual_values()) if optimal else None,
        bound=solver.objective_value() if optimal else None,
        message=message,
    )


ENGINE = Glop()
