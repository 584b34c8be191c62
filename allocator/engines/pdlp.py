"""PDLP of OR-Tools: first-order steps, for programs without whole columns that are too large for a simplex alone.

Its point is only nearly feasible and nearly optimal, so it is never handed on: it shows HiGHS' simplex where to
start (:func:`crossed_over`), and the simplex has the last word, also about what is infeasible or unbounded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .base import Outcome, Program, Reason, Session
from .guard import Guarded, Task, watched
from .highs import WarmSession, crossed_over

# finer costs more steps than it saves the simplex: 30 000 columns, 1e-6: 7.4 s + 0.14; 1e-4: 1.4 s + 0.16
_PARAMETERS = """
num_threads: 1
termination_criteria {
  iteration_limit: 100000
  simple_optimality_criteria { eps_optimal_absolute: 1e-4 eps_optimal_relative: 1e-4 }
}
"""
_SHARE = 0.8  # of the time allowed, at most; the rest is the simplex's


class Pdlp(Guarded):
    name = "pdlp"
    whole_units = False
    distribution = "ortools"

    def run(self, task: Task) -> Outcome:
        x, status = _near(task, task.program)
        if task.stopped():
            return Outcome(Reason.NOTHING, message="stopped")
        outcome = crossed_over(task, x)
        note = "" if status == "OPTIMAL" else f"PDLP: {status}"
        return replace(outcome, message="; ".join(filter(None, (outcome.message, note))))

    def session(self, program: Program) -> Session:
        """PDLP once; from there on the simplex keeps its basis. Without that, each leaf of a tree would cost seconds."""
        return WarmSession(self, program, lambda task: _near(task, task.program)[0])


def _near(task: Task, program: Program) -> tuple[np.ndarray | None, str]:
    """Where PDLP ended (n,), if it has a point, and what it says of it."""
    from ortools.linear_solver.python import model_builder_helper as builder

    held: Any = builder.ModelBuilderHelper()  # its stubs misdeclare arrays
    held.fill_model_from_sparse_data(
        program.lower, program.upper, program.objective, program.row_lower, program.row_upper, program.matrix
    )
    held.set_maximize(True)
    solver = builder.ModelSolverHelper("pdlp")
    solver.enable_output(False)
    solver.set_solver_specific_parameters(_PARAMETERS)
    remaining = task.remaining()
    if remaining is not None:
        solver.set_time_limit_in_seconds(max(remaining * _SHARE, 1e-3))
    watched(lambda: solver.solve(held), task, solver.interrupt_solve)
    if not solver.has_response():
        return None, "no response"
    point = np.array(solver.variable_values()) if solver.has_solution() else None
    return point, str(solver.status().name)


ENGINE = Pdlp()
