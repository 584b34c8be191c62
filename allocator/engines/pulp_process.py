"""The process in which PuLP and its solvers live: run by file name, it serves requests until its input ends.

A request is ``("solvers",)`` or ``("solve", …)`` (see :func:`solve`), pickled on standard input; the answer, or the
exception's text as ``("error", text)``, is pickled on what was standard output. Imports nothing of the allocator.
"""

from __future__ import annotations

import inspect
import os
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np


def solvers() -> list[str]:
    """Names of the solvers that PuLP finds here."""
    import pulp

    return list(dict.fromkeys(pulp.listSolvers(onlyAvailable=True)))


def solve(name: str, program: dict[str, Any], wishes: dict[str, Any], own: dict[str, Any]) -> tuple[int, np.ndarray]:
    """Minimise ``costs @ x``: PuLP's status of the solution, x (n,) with NaN for what has no value.

    ``program`` holds arrays: costs, lower, upper, integer (n,); row_lower, row_upper (m,); indptr, indices, data of the
    matrix in CSR. ``wishes`` are PuLP's options, of which the solver gets those that it takes by name; ``own`` its own.
    """
    import pulp

    def number(value: float) -> float | None:
        return value if np.isfinite(value) else None

    problem = pulp.LpProblem("allocator", pulp.LpMinimize)
    columns = [
        pulp.LpVariable(f"C{j}", number(low), number(high), pulp.LpInteger if whole else pulp.LpContinuous)
        for j, (low, high, whole) in enumerate(
            zip(*(program[k].tolist() for k in ("lower", "upper", "integer")), strict=True)
        )
    ]
    problem.addVariables(columns)
    problem.setObjective(pulp.LpAffineExpression(zip(columns, program["costs"].tolist(), strict=True)))
    ends, indices, data = (program[k].tolist() for k in ("indptr", "indices", "data"))
    for i, (low, high) in enumerate(zip(program["row_lower"].tolist(), program["row_upper"].tolist(), strict=True)):
        part = slice(ends[i], ends[i + 1])
        row = [(columns[j], value) for j, value in zip(indices[part], data[part], strict=True)]
        # PuLP knows no ranges: a row for each side
        sides = [(pulp.LpConstraintGE, low), (pulp.LpConstraintLE, high)]
        if low == high:
            sides = [(pulp.LpConstraintEQ, low)]
        for sense, side in sides:
            if np.isfinite(side):
                problem.addConstraint(pulp.LpConstraint(pulp.LpAffineExpression(row), sense, f"R{i}_{sense}", side))

    taken = inspect.signature(type(pulp.getSolver(name, msg=False)).__init__).parameters
    solver = pulp.getSolver(name, **({key: value for key, value in wishes.items() if key in taken} | own))
    problem.solve(solver)
    values = [column.value() for column in columns]
    # "no solution" (0) where the status itself is infeasible, unbounded or undefined (below 0)
    solution = problem.sol_status or min(problem.status, 0)
    return solution, np.array([np.nan if v is None else v for v in values], float)


def serve() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what solvers print is no answer
    work: dict[str, Callable[..., Any]] = {"solvers": solvers, "solve": solve}
    while True:
        try:
            task, *arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer: Any = ("ok", work[task](*arguments))
        except Exception as error:
            answer = ("error", f"{type(error).__name__}: {error}")
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    serve()
