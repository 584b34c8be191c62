"""Other ways to solve a program: each library through its own interface, as its users build large models.

A rival is a function (program, gap, seconds left) → `Answer`. Its library is imported by `ready`, before the clock.
One thread each, as for our own engines; the libraries' own tolerances.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
from scipy import sparse

from allocator.engines.base import Program

Seconds = float


@dataclass(frozen=True)
class Answer:
    """`status`: "optimal", "limit" (stopped; x may still be a point), or what the library said. x (columns,) or None."""

    status: str
    x: np.ndarray | None
    build: Seconds
    solve: Seconds


@dataclass(frozen=True)
class Rival:
    title: str
    package: str  # as distributed, for the version
    imports: tuple[str, ...]
    run: Callable[[Program, float, Seconds], Answer]
    whole: bool = True  # for programs with whole columns
    divisible: bool = True  # for those without

    def ready(self) -> str:
        """What is loaded on first use, loaded; the library and its version."""
        for name in self.imports:
            import_module(name)
        one = np.ones(1)
        tiny = Program(one, sparse.csr_matrix([[1.0]]), 0 * one, one, 0 * one, one, one > 2, one)
        self.run(tiny, 1e-4, 10.0)
        return f"{self.package} {version(self.package)}"


def _highs(solver: str) -> Callable[[Program, float, Seconds], Answer]:
    """Arrays straight into HiGHS."""

    def run(program: Program, gap: float, limit: Seconds) -> Answer:
        import highspy

        began = time.perf_counter()
        h = highspy.Highs()
        for name, value in {"output_flag": False, "threads": 1, "solver": solver, "mip_rel_gap": gap}.items():
            h.setOptionValue(name, value)
        a = program.matrix
        h.passModel(
            program.columns, program.rows, a.nnz, int(highspy.MatrixFormat.kRowwise), int(highspy.ObjSense.kMaximize),
            program.offset, program.objective, program.lower, program.upper, program.row_lower, program.row_upper,
            a.indptr.astype(np.int32), a.indices.astype(np.int32), a.data, program.integer.astype(np.int32),
        )  # fmt: skip
        built = time.perf_counter()
        h.setOptionValue("time_limit", max(0.1, limit - (built - began)))
        h.run()
        status = h.getModelStatus().name
        pointed = h.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        x = np.array(h.getSolution().col_value) if pointed else None
        done = time.perf_counter()
        said = {"kOptimal": "optimal", "kTimeLimit": "limit"}.get(status, status)
        return Answer(said, x, built - began, done - built)

    return run


def _pulp(solver: str) -> Callable[[Program, float, Seconds], Answer]:
    """A variable for each column, an expression for each row."""

    def run(program: Program, gap: float, limit: Seconds) -> Answer:
        import pulp

        began = time.perf_counter()
        problem = pulp.LpProblem("plan", pulp.LpMaximize)
        lower, upper, whole = program.lower.tolist(), program.upper.tolist(), program.integer.tolist()
        columns = [
            pulp.LpVariable(f"x{j}", lower[j], upper[j], pulp.LpInteger if whole[j] else pulp.LpContinuous)
            for j in range(program.columns)
        ]
        problem.setObjective(pulp.LpAffineExpression(zip(columns, program.objective.tolist(), strict=True)))
        a = program.matrix
        starts, names, values = a.indptr.tolist(), a.indices.tolist(), a.data.tolist()
        for r, (low, high) in enumerate(zip(program.row_lower.tolist(), program.row_upper.tolist(), strict=True)):
            span = range(starts[r], starts[r + 1])
            terms = [(columns[names[k]], values[k]) for k in span]
            for sense, side in _sides(low, high):
                problem.addConstraint(pulp.LpConstraint(pulp.LpAffineExpression(terms), sense, None, side))
        built = time.perf_counter()
        left = max(1.0, limit - (built - began))
        if solver == "cbc":
            chosen = pulp.PULP_CBC_CMD(msg=False, gapRel=gap, timeLimit=left)
        else:
            chosen = pulp.HiGHS(msg=False, gapRel=gap, timeLimit=left, threads=1)
        problem.solve(chosen)
        found = [column.varValue for column in columns]
        x = None if any(value is None for value in found) else np.array(found, float)
        done = time.perf_counter()
        # "Optimal" is also PuLP's word at a time limit
        stopped = done - built >= 0.98 * left
        said = "limit" if stopped else pulp.LpStatus[problem.status].lower()
        return Answer(said, x, built - began, done - built)

    return run


def _sides(low: float, high: float) -> Iterator[tuple[int, float]]:
    """PuLP's senses: −1 at most, 0 equal, 1 at least."""
    if low == high:
        yield 0, low
        return
    if np.isfinite(low):
        yield 1, low
    if np.isfinite(high):
        yield -1, high


def _linopy(program: Program, gap: float, limit: Seconds) -> Answer:
    """Arrays of variables, rows of like length together in padded (row, term) arrays, straight to HiGHS."""
    import linopy
    import xarray

    began = time.perf_counter()
    model = linopy.Model()
    labels = np.empty(program.columns, np.int64)
    kinds = [(mask, name) for mask, name in ((~program.integer, "x"), (program.integer, "u")) if mask.any()]
    objective: Any = 0
    for mask, name in kinds:
        at = np.arange(int(mask.sum()))
        held = model.add_variables(
            lower=program.lower[mask], upper=program.upper[mask], coords=[at], dims=[name], name=name,
            integer=name == "u",
        )  # fmt: skip
        labels[mask] = held.labels.values
        objective = (held * xarray.DataArray(program.objective[mask], coords=[at], dims=[name])).sum() + objective
    model.add_objective(objective, sense="max")

    a = program.matrix
    lengths = np.diff(a.indptr)
    bucket = np.ceil(np.log2(np.maximum(lengths, 1))).astype(int)
    for size in np.unique(bucket):
        for sign, side, has in (
            ("=", program.row_lower, program.row_lower == program.row_upper),
            (">=", program.row_lower, np.isfinite(program.row_lower) & (program.row_lower != program.row_upper)),
            ("<=", program.row_upper, np.isfinite(program.row_upper) & (program.row_lower != program.row_upper)),
        ):
            rows = np.flatnonzero((bucket == size) & has & (lengths > 0))
            if not len(rows):
                continue
            width = int(lengths[rows].max())
            place = a.indptr[rows][:, None] + np.arange(width)
            real = np.arange(width) < lengths[rows][:, None]
            place = np.where(real, place, 0)
            dims = ("row", "_term")
            terms = xarray.Dataset(
                {
                    "coeffs": (dims, np.where(real, a.data[place], 0.0)),
                    "vars": (dims, np.where(real, labels[a.indices[place]], -1)),
                    "const": ("row", np.zeros(len(rows))),
                },
                coords={"row": np.arange(len(rows))},
            )
            expression = linopy.LinearExpression(terms, model)
            bound = xarray.DataArray(side[rows], dims="row", coords={"row": np.arange(len(rows))})
            model.add_constraints(expression, sign, bound)
    built = time.perf_counter()
    left = max(0.1, limit - (built - began))
    status, said = model.solve(
        "highs", io_api="direct", progress=False, output_flag=False, threads=1, mip_rel_gap=gap, time_limit=left
    )
    x = None
    if status == "ok" or said == "time_limit":
        x = np.zeros(program.columns)
        for mask, name in kinds:
            x[mask] = model.variables[name].solution.values
        x = x if np.isfinite(x).all() else None
    done = time.perf_counter()
    return Answer({"time_limit": "limit"}.get(said, said), x, built - began, done - built)


def _mathopt(solver: str) -> Callable[[Program, float, Seconds], Answer]:
    """A model proto filled from arrays: MathOpt's own way around a Python call for each column."""

    def run(program: Program, gap: float, limit: Seconds) -> Answer:
        from datetime import timedelta

        from ortools.math_opt import model_pb2
        from ortools.math_opt.python import mathopt

        began = time.perf_counter()
        proto = model_pb2.ModelProto()
        for target, lower, upper, count in (
            (proto.variables, program.lower, program.upper, program.columns),
            (proto.linear_constraints, program.row_lower, program.row_upper, program.rows),
        ):
            target.ids.extend(range(count))
            target.lower_bounds.extend(lower.tolist())
            target.upper_bounds.extend(upper.tolist())
        proto.variables.integers.extend(program.integer.tolist())
        priced = np.flatnonzero(program.objective)
        proto.objective.maximize = True
        proto.objective.linear_coefficients.ids.extend(priced.tolist())
        proto.objective.linear_coefficients.values.extend(program.objective[priced].tolist())
        a = program.matrix.sorted_indices()
        entries = proto.linear_constraint_matrix
        entries.row_ids.extend(np.repeat(np.arange(program.rows), np.diff(a.indptr)).tolist())
        entries.column_ids.extend(a.indices.tolist())
        entries.coefficients.extend(a.data.tolist())
        model = mathopt.Model.from_model_proto(proto)
        built = time.perf_counter()
        left = timedelta(seconds=max(0.1, limit - (built - began)))
        # GLOP knows neither threads nor gaps
        more = {"relative_gap_tolerance": gap} if program.integer.any() else {}
        if solver in ("PDLP", "GSCIP"):
            more["threads"] = 1
        result = mathopt.solve(
            model, getattr(mathopt.SolverType, solver), params=mathopt.SolveParameters(time_limit=left, **more)
        )
        x = None
        if result.has_primal_feasible_solution():
            values = result.variable_values()
            x = np.array([values[variable] for variable in model.variables()])
        done = time.perf_counter()
        reason = result.termination.reason.name.lower()
        said = "limit" if reason in ("feasible", "no_solution_found") else reason
        return Answer(said, x, built - began, done - built)

    return run


RIVALS = {
    "pulp-cbc": Rival("PuLP + CBC", "pulp", ("pulp",), _pulp("cbc")),
    "pulp-highs": Rival("PuLP + HiGHS", "pulp", ("pulp", "highspy"), _pulp("highs")),
    "linopy-highs": Rival("linopy + HiGHS", "linopy", ("linopy", "highspy"), _linopy),
    "mathopt-glop": Rival(
        "MathOpt, GLOP", "ortools", ("ortools.math_opt.python.mathopt",), _mathopt("GLOP"), whole=False
    ),
    "mathopt-pdlp": Rival(
        "MathOpt, PDLP", "ortools", ("ortools.math_opt.python.mathopt",), _mathopt("PDLP"), whole=False
    ),
    "mathopt-highs": Rival("MathOpt, HiGHS", "ortools", ("ortools.math_opt.python.mathopt",), _mathopt("HIGHS")),
    "mathopt-scip": Rival(
        "MathOpt, SCIP", "ortools", ("ortools.math_opt.python.mathopt",), _mathopt("GSCIP"), divisible=False
    ),
    "highspy-simplex": Rival("highspy, simplex", "highspy", ("highspy",), _highs("simplex"), whole=False),
    "highspy-ipm": Rival("highspy, ipm", "highspy", ("highspy",), _highs("ipm"), whole=False),
    "highspy": Rival(
        "highspy", "highspy", ("highspy",), _highs("choose"), divisible=False
    ),  # it chooses its LP method itself
}
