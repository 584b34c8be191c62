"""The conformance suite: what every engine in ``ENGINES`` must do, and the traps we have met."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import allocator
from allocator.engines import ENGINES, Outcome, Program, Reason, UnknownEngine, engine, every
from allocator.engines.guard import Guarded, Task, breach, checked, clean, dual_objective
from allocator.report.kinds import example_scenario

INF = np.inf
PULP = ["pulp:HiGHS", "pulp:PULP_CBC_CMD"]  # what the locked libraries bring
EVERY = [*sorted(ENGINES), *PULP]
WHOLE = [name for name in EVERY if engine(name).whole_units]
SMOOTH = [name for name in EVERY if name != "cp-sat"]  # continuous columns truly continuous
PRICED = [name for name in SMOOTH if name != "scip"]  # duals of programs without whole columns


def program(
    objective: Any,
    matrix: Any,
    row_lower: Any,
    row_upper: Any,
    lower: Any,
    upper: Any,
    *,
    integer: Any = None,
    grain: float = 1e-5,
    offset: float = 0.0,
) -> Program:
    c = np.array(objective, float)
    whole = np.zeros(c.size, bool) if integer is None else np.array(integer, bool)
    return Program(
        objective=c,
        matrix=sparse.csr_matrix(np.array(matrix, float)),
        row_lower=np.array(row_lower, float),
        row_upper=np.array(row_upper, float),
        lower=np.array(lower, float),
        upper=np.array(upper, float),
        integer=whole,
        grain=np.where(whole, 1.0, grain),
        offset=offset,
    )


# --- known answers --------------------------------------------------------------------------------

LINEAR = {
    "plain": (program([3, 2], [[1, 1], [1, 0]], [-INF, -INF], [4, 2], [0, 0], [INF, INF], offset=5), 15),
    "degenerate": (
        program([1, 1], [[1, 1], [2, 2], [1, 0], [1, 1]], [-INF] * 4, [2, 4, 2, 2], [0, 0], [INF, INF]),
        2,
    ),
    "equality": (program([1, 2], [[1, 1], [1, -1]], [3, -INF], [3, 1], [0, 0], [INF, INF]), 6),
    "ranges": (program([-1, -1], [[1, 1], [1, -1]], [2, -1], [5, 1], [0, 0], [9, 9]), -2),
    "free columns": (program([1, -1], [[1, -1], [1, 1]], [-INF, -3], [2, 5], [-INF, -INF], [INF, INF]), 2),
    "negative bounds": (program([-1, 1], [[1, 1]], [-8], [-5], [-7, -6], [-2, -1]), 6),
    "row without sides": (program([1, 1], [[1, 5], [1, 1]], [-INF, -INF], [INF, 3], [0, 0], [2, 2]), 3),
    "row of zeros": (program([1, 1], [[0, 0], [1, 1]], [0, -INF], [0, 3], [0, 0], [2, 2]), 3),
    "column in no row": (program([1, 1], [[1, 0]], [-INF], [3], [0, 0], [9, 4]), 7),
    "fixed column": (program([1, 1], [[1, 1]], [-INF], [3], [0.5, 0], [0.5, 9]), 3),
    "no objective": (program([0, 0], [[1, 1]], [1], [1], [0, 0], [1, 1], offset=2), 2),
    "badly scaled": (
        program(
            [1e-3, 1, 4e-9],
            [[1e-4, 0, 0], [0, 1, 1e-3], [0, 1, 0]],
            [-INF] * 3,
            [10, 2e6, 1e6],
            [0] * 3,
            [1e9] * 3,
        ),
        1e2 + 1e6 + 4,
    ),
    "billions in k€": (
        program([2, 1], [[1, 1], [1, 0]], [-INF] * 2, [15e6, 12345.67891], [0, 0], [INF, INF]),
        15012345.67891,
    ),
}
ALL_WHOLE = {
    "nothing left after preprocessing": (  # CBC with its preprocessing: 158000, optimal
        program(
            [14000, 5000, 3000, 14000, 3000],
            [[6000, 0, 0, 0, -2000], [4, 5, 0, 0, -5], [-0.5, -1.25, 1.5, -1.25, 0.25]],
            [-INF] * 3,
            [28000, INF, 2.75],
            [0, 0, -2, 0, 0],
            [4, 7, 0, 5, 1],
            integer=[1, 1, 1, 0, 0],
        ),
        164000,
    ),
    "knapsack": (
        program([60, 100, 120], [[10, 20, 30]], [-INF], [50], [0] * 3, [1] * 3, integer=[1, 1, 1]),
        220,
    ),
    "negative units": (program([1, 1], [[2, 2]], [-INF], [-3], [-5, -5], [5, 5], integer=[1, 1]), -2),
    "equality of units": (program([1, 0], [[3, 5]], [29], [29], [0, 0], [9, 9], integer=[1, 1]), 8),
    "school": (  # one lumpy school of 780,12345 k€ and money to the cent
        program([5, 1], [[-780.12345, 1], [0, 1]], [0, -INF], [INF, 2000.5], [0, 0], [3, INF], integer=[1, 0]),
        2010.5,
    ),
}
IMPOSSIBLE = {
    "rows": program([1, 1], [[1, 1], [1, 1]], [3, -INF], [INF, 2], [0, 0], [INF, INF]),
    "row of zeros": program([1, 1], [[0, 0], [1, 1]], [1, -INF], [INF, 2], [0, 0], [1, 1]),
    "column bounds cross": program([1, 1], [[1, 1]], [-INF], [2], [3, 0], [2, 1]),
    "row bounds cross": program([1, 1], [[1, 1]], [3], [2], [0, 0], [2, 1]),
    "and the dual too": program([1, 0], [[1, -1], [1, -1]], [1, -INF], [INF, 0], [0, 0], [INF, INF]),
}
LIMITLESS = {
    "free column in no row": program(  # CBC: 21, optimal
        [11, 5, 3, 3],
        [[7, 0, 7, 4], [0.03, 0, 0, 0]],
        [35, -INF],
        [35, 0.06],
        [0, -INF, 0, -1],
        [0, INF, 4, 5],
    ),
    "no row that says anything": program([1, 6], [[8, 5]], [-INF], [INF], [-1, -INF], [5, INF]),  # CBC: abort
    "ray": program([1, 1], [[1, -1]], [0], [0], [0, 0], [INF, INF]),
    "downwards": program([-1, 0], [[1, 1]], [-INF], [5], [-INF, 0], [INF, 3]),
}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("case", LINEAR)
def test_known_linear_programs(name: str, case: str) -> None:
    given, best = LINEAR[case]
    # thirteen orders of magnitude do not fit into the integers of CP-SAT
    gap = 1e-5 if (name, case) == ("cp-sat", "badly scaled") else 1e-9
    outcome = engine(name).solve(given, gap=gap)
    assert outcome.reason is Reason.OPTIMAL, outcome
    assert outcome.objective == pytest.approx(best, rel=gap, abs=1e-7)
    assert outcome.x is not None and breach(given, outcome.x) <= 1
    assert outcome.bound is not None and outcome.bound >= outcome.objective
    assert outcome.engine == name and outcome.version and outcome.seconds > 0
    if outcome.duals is not None:
        check_duals(given, outcome)


def check_duals(given: Program, outcome: Outcome, tolerance: float = 1e-6) -> None:
    """Signs, complementary slackness and strong duality, by the convention of ``Outcome``."""
    assert outcome.x is not None and outcome.duals is not None and outcome.objective is not None
    activity = given.matrix @ outcome.x
    reduced = given.objective - given.matrix.T @ outcome.duals
    for prices, values, low, high in (
        (outcome.duals, activity, given.row_lower, given.row_upper),
        (reduced, outcome.x, given.lower, given.upper),
    ):
        near = 1e-6 * (1 + np.abs(values))
        small = tolerance * (1 + np.abs(given.objective).max())
        assert (prices[values < high - near] <= small).all(), "a price > 0 needs a binding <="
        assert (prices[values > low + near] >= -small).all(), "a price < 0 needs a binding >="
    assert dual_objective(given, outcome.duals) == pytest.approx(outcome.objective, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", PRICED)
def test_duals_are_given_for_linear_programs_and_never_for_whole_ones(name: str) -> None:
    outcome = engine(name).solve(LINEAR["plain"][0])
    assert outcome.duals == pytest.approx([2, 1])
    floors = program([-2, -1], [[1, 1]], [3], [INF], [0, 0], [9, 9])
    assert engine(name).solve(floors).duals == pytest.approx([-1])  # a binding >=
    if name in WHOLE:
        assert engine(name).solve(ALL_WHOLE["knapsack"][0]).duals is None


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("case", ALL_WHOLE)
def test_known_whole_programs(name: str, case: str) -> None:
    given, best = ALL_WHOLE[case]
    outcome = engine(name).solve(given, gap=0)
    assert outcome.reason is Reason.OPTIMAL, outcome
    assert outcome.objective == pytest.approx(best, rel=1e-9)
    assert outcome.x is not None
    assert np.array_equal(outcome.x[given.integer], np.rint(outcome.x[given.integer]))


@pytest.mark.parametrize("name", WHOLE)
def test_knapsacks_against_brute_force(name: str) -> None:
    rng = np.random.default_rng(7)
    for _ in range(6):
        n, m = 5, 2
        weights = rng.integers(1, 40, (m, n))
        values = rng.integers(1, 60, n)
        room = weights.sum(1)
        given = program(values, weights, [-INF] * m, room, [0] * n, [3] * n, integer=[1] * n, offset=-3)
        boxes = np.array(list(itertools.product(range(4), repeat=n)))
        fits = (boxes @ weights.T <= room).all(1)
        assert engine(name).solve(given, gap=0).objective == pytest.approx(float((boxes @ values)[fits].max()) - 3)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_infeasible(name: str, case: str) -> None:
    outcome = engine(name).solve(IMPOSSIBLE[case])
    assert outcome.reason is Reason.INFEASIBLE, outcome
    assert outcome.x is None and outcome.objective is None and outcome.bound is None


@pytest.mark.parametrize("name", WHOLE)
def test_infeasible_only_for_whole_units(name: str) -> None:
    given = program([1, 1], [[2, 2]], [3], [3], [0, 0], [5, 5], integer=[1, 1])
    assert engine(name).solve(given).reason is Reason.INFEASIBLE
    mixed = program([1, 1], [[2, 1]], [3], [3], [0, 0], [5, 0.9], integer=[1, 0])
    assert engine(name).solve(mixed).reason is Reason.INFEASIBLE
    knotty = program(  # HiGHS 1.13 with presolve: kSolveError; CBC with presolve: crash on the like
        [-1, -2, 0, 11],
        [[0.75, -1, -1.25, 0], [0, 0, 0, 0], [0, 1.25, -1.25, 0.5], [0, 0, 0, 2]],
        [-4.5, 0, 7, -INF],
        [INF, INF, 7, INF],
        [1, 0, -5, 0],
        [6, 4, -4, 0],
        integer=[1] * 4,
    )
    assert engine(name).solve(knotty).reason is Reason.INFEASIBLE


def test_cp_sat_does_not_call_infeasible_what_only_its_steps_miss() -> None:
    given = program([1, 1], [[1, 3]], [4.1], [4.1], [0, 0], [1, 9], integer=[1, 0], grain=1)
    assert engine("highs").solve(given).reason is Reason.OPTIMAL
    outcome = engine("cp-sat").solve(given)
    assert outcome.reason is Reason.NOTHING and "steps" in outcome.message


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("case", LIMITLESS)
def test_unbounded(name: str, case: str) -> None:
    outcome = engine(name).solve(LIMITLESS[case])
    assert outcome.reason is Reason.UNBOUNDED, outcome
    assert outcome.x is None


@pytest.mark.parametrize("name", WHOLE)
def test_unbounded_or_infeasible_with_whole_units_is_told_apart(name: str) -> None:
    ray = program([0, 1, 0], [[1, -1, 0], [0, 0, 2]], [-INF, 0], [0.5, 4], [0] * 3, [5, INF, 3], integer=[1, 0, 1])
    assert engine(name).solve(ray).reason is Reason.UNBOUNDED
    never = replace(ray, row_lower=np.array([-INF, 3.0]), row_upper=np.array([0.5, 3.0]))  # 2 z = 3
    reason = engine(name).solve(never).reason  # CP-SAT needs a box, within which it proves nothing
    assert reason is Reason.INFEASIBLE or (name == "cp-sat" and reason is Reason.NOTHING)


@pytest.mark.parametrize("name", EVERY)
def test_empty_programs(name: str) -> None:
    solve = engine(name).solve
    nothing = solve(program([], np.zeros((0, 0)), [], [], [], [], offset=3))
    assert (nothing.reason, nothing.objective) == (Reason.OPTIMAL, 3)
    rows_only = replace(
        program([], np.zeros((0, 0)), [], [], [], []),
        matrix=sparse.csr_matrix((2, 0)),
        row_lower=np.array([0.0, -1.0]),
        row_upper=np.array([0.0, 1.0]),
    )
    assert solve(rows_only).reason is Reason.OPTIMAL
    assert solve(replace(rows_only, row_lower=np.array([0.0, 0.5]))).reason is Reason.INFEASIBLE
    box = solve(program([1, -1, 0], np.zeros((0, 3)), [], [], [0, -2, 1], [4, 5, 9]))
    assert (box.reason, box.objective) == (Reason.OPTIMAL, 6)
    assert solve(program([1], np.zeros((0, 1)), [], [], [0], [INF])).reason is Reason.UNBOUNDED


@pytest.mark.parametrize("name", EVERY)
def test_absurd_input_is_an_error_with_a_message(name: str) -> None:
    given = LINEAR["plain"][0]
    cases = [
        replace(given, objective=np.array([np.nan, 1])),
        replace(given, objective=np.array([np.inf, 1])),
        replace(given, matrix=sparse.csr_matrix([[np.nan, 1], [1, 0]])),
        replace(given, matrix=sparse.csr_matrix([[np.inf, 1], [1, 0]])),
        replace(given, matrix=sparse.csr_matrix([[1e30, 1], [1, 0]])),
        replace(given, lower=np.array([np.nan, 0])),
        replace(given, lower=np.array([np.inf, 0]), upper=np.array([np.inf, 1])),
        replace(given, row_upper=np.array([-np.inf, 1])),
        replace(given, row_upper=np.array([1.0])),
        replace(given, grain=np.zeros(2)),
        replace(given, offset=float("nan")),
    ]
    for case in cases:
        outcome = engine(name).solve(case)
        assert outcome.reason is Reason.ERROR and outcome.message and outcome.x is None
    for options in ({"gap": -1.0}, {"gap": float("nan")}, {"time_limit": -1.0}, {"time_limit": float("nan")}):
        assert engine(name).solve(given, **options).reason is Reason.ERROR
    assert engine(name).solve(given, start=np.zeros(5)).reason is Reason.ERROR


@pytest.mark.parametrize("name", [name for name in EVERY if name not in WHOLE])
def test_engines_without_whole_units_say_so(name: str) -> None:
    outcome = engine(name).solve(ALL_WHOLE["knapsack"][0])
    assert outcome.reason is Reason.ERROR and "whole" in outcome.message


@pytest.mark.parametrize("name", EVERY)
def test_duplicate_entries_and_given_arrays_stay_as_they_were(name: str) -> None:
    doubled = sparse.csr_matrix((np.array([0.5, 0.5, 1.0]), np.array([0, 0, 1]), np.array([0, 3])), shape=(1, 2))
    given = replace(program([1, 1], [[0, 0]], [-INF], [3], [0, 0], [2, 2]), matrix=doubled)
    assert engine(name).solve(given).objective == pytest.approx(3)
    assert given.matrix.nnz == 3


# --- random programs: everybody finds the same ----------------------------------------------------


def random_program(rng: np.random.Generator, whole: bool) -> Program:
    """Funding-like: units of whole cents, funds, a floor, a share; sometimes infeasible."""
    n, funds = int(rng.integers(3, 9)), int(rng.integers(1, 4))
    asked = np.round(rng.uniform(1, 900, n), 2)
    rows = [np.append(-asked, np.ones(funds))]
    low, high = [0.0], [0.0]
    for fund in range(funds):
        rows.append(np.append(np.zeros(n), np.eye(funds)[fund]))
        low.append(-INF)
        high.append(float(np.round(rng.uniform(0, 1.5 * asked.sum() / funds), 2)))
    some = np.append(asked * (rng.random(n) < 0.5), np.zeros(funds))
    rows.append(some)
    low.append(float(np.round(rng.uniform(0, 0.6) * some.sum(), 2)))
    high.append(INF)
    top = rng.integers(1, 4, n)
    return program(
        np.append(np.round(asked * rng.uniform(0.2, 3, n), 2), np.zeros(funds)),
        rows,
        low,
        high,
        np.zeros(n + funds),
        np.append(top, np.full(funds, INF)),
        integer=np.append(np.full(n, whole), np.zeros(funds, bool)),
        offset=float(rng.integers(-5, 5)),
    )


@pytest.mark.parametrize("name", [name for name in SMOOTH if name != "highs"])
def test_engines_agree_on_linear_programs(name: str) -> None:
    rng = np.random.default_rng(11)
    for _ in range(25):
        given = random_program(rng, whole=False)
        one, other = engine("highs").solve(given), engine(name).solve(given)
        assert one.reason is other.reason
        if one.reason is Reason.OPTIMAL:
            assert other.objective == pytest.approx(one.objective, rel=1e-8, abs=1e-6)
            for each in (one, other) if name in PRICED else (one,):
                check_duals(given, each)


@pytest.mark.parametrize("name", [name for name in WHOLE if name != "highs"])
def test_engines_agree_on_whole_programs(name: str) -> None:
    rng = np.random.default_rng(12)
    for _ in range(15):
        given = random_program(rng, whole=True)
        one, other = engine("highs").solve(given, gap=0), engine(name).solve(given, gap=0)
        assert one.reason is other.reason
        if one.reason is Reason.OPTIMAL:
            assert other.objective == pytest.approx(one.objective, rel=1e-7, abs=1e-5)


def odd_program(rng: np.random.Generator) -> Program:
    """Small and strange: free columns, empty rows, ranges, equalities, whole columns, odd scales."""
    n, m = int(rng.integers(1, 8)), int(rng.integers(1, 7))
    a = rng.integers(-5, 9, (m, n)) * (rng.random((m, n)) < 0.6) * rng.choice([1, 1, 0.25, 1e3, 0.01], (m, 1))
    whole = rng.random(n) < rng.choice([0, 0, 0.5, 1])
    lower = np.where(rng.random(n) < 0.7, 0, rng.integers(-6, 3, n)).astype(float)
    upper = lower + rng.integers(0, 9, n)
    upper[~whole & (rng.random(n) < 0.3)] = INF
    lower[~whole & (rng.random(n) < 0.1)] = -INF
    activity, size, kind = a @ rng.integers(0, 5, n), np.abs(a).max(1), rng.integers(0, 5, m)
    row_lower = np.where((kind == 0) | (kind == 2), activity - size * rng.integers(0, 3, m), -INF)
    row_upper = np.where((kind == 1) | (kind == 2), activity + size * rng.integers(0, 3, m), INF)
    row_lower, row_upper = (np.where(kind == 3, activity, side) for side in (row_lower, row_upper))
    c = rng.integers(-9, 15, n) * rng.choice([1, 0.1, 1e3])
    return program(
        c, a, row_lower, row_upper, lower, upper, integer=whole, grain=0.01, offset=float(rng.integers(-3, 3))
    )


@pytest.mark.parametrize("name", [name for name in EVERY if name != "highs"])
def test_engines_agree_on_odd_programs(name: str) -> None:
    rng = np.random.default_rng(14)
    for _ in range(60):
        given = odd_program(rng)
        if given.integer.any() and name not in WHOLE:
            continue
        one, other = engine("highs").solve(given, gap=0), engine(name).solve(given, gap=0)
        if name == "cp-sat" and not given.integer.all():  # in steps it may find less, never more nor the contrary
            assert other.reason in (one.reason, Reason.NOTHING, Reason.FEASIBLE), given
            if one.objective is not None and other.objective is not None:
                assert other.objective <= one.objective + 1e-6 * (1 + abs(one.objective))
            continue
        assert one.reason is other.reason, given
        if one.reason is Reason.OPTIMAL:
            assert other.objective == pytest.approx(one.objective, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", EVERY)
def test_the_same_point_twice(name: str) -> None:
    rng = np.random.default_rng(13)
    for whole in (False, True):
        if whole and name not in WHOLE:
            continue
        for _ in range(3):
            given = random_program(rng, whole)
            one, other = engine(name).solve(given), engine(name).solve(given)
            assert one.reason is other.reason
            assert (one.x is None) == (other.x is None)
            assert one.x is None or np.array_equal(one.x, other.x)


@pytest.mark.parametrize("name", WHOLE)
def test_a_start_is_a_hint_good_or_bad(name: str) -> None:
    given, best = ALL_WHOLE["knapsack"]
    for start in ([0, 1, 1], [1, 1, 1], [0.5, np.nan, 7]):
        assert engine(name).solve(given, gap=0, start=np.array(start, float)).objective == pytest.approx(best)


# --- honesty at the limits ------------------------------------------------------------------------


def hard(n: int = 60, m: int = 8) -> Program:
    """A multi-dimensional knapsack that nobody proves within seconds; feasible at 0."""
    rng = np.random.default_rng(1)
    a = rng.integers(100, 1000, (m, n))
    values = a.sum(0) + rng.integers(-20, 20, n)
    return program(values, a, [-INF] * m, a.sum(1) // 2, [0] * n, [1] * n, integer=[1] * n)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("limit", [0.0, 0.02, 0.3])
def test_a_time_limit_is_kept_and_not_called_optimal(name: str, limit: float) -> None:
    given = hard()
    outcome = engine(name).solve(given, gap=1e-6, time_limit=limit)
    assert outcome.seconds < limit + 3.5  # the first import of a library counts too
    assert outcome.reason in (Reason.FEASIBLE, Reason.NOTHING), outcome
    if outcome.reason is Reason.FEASIBLE:
        assert outcome.x is not None and breach(given, outcome.x) <= 1
        assert outcome.objective == pytest.approx(float(given.objective @ outcome.x))
    if outcome.bound is not None:
        assert outcome.bound >= 134_744  # the best point known


@pytest.mark.parametrize("name", WHOLE)
def test_stop_is_honoured_and_progress_told(name: str) -> None:
    silent = name == "scip" or name in PULP  # they tell nothing before their end
    long = 0.2 if silent else 0.8
    began, told = time.perf_counter(), []
    outcome = engine(name).solve(
        hard(), gap=1e-6, stop=lambda: time.perf_counter() - began > long, on_progress=told.append
    )
    assert outcome.seconds < 4
    assert outcome.reason in (Reason.FEASIBLE, Reason.NOTHING)
    assert told and all(p.stage == "solve" and p.seconds >= 0 for p in told)
    for each in told:  # CBC's output is buffered: it tells late, and perhaps no bound
        if each.objective is not None and each.bound is not None:
            assert each.objective <= each.bound + 1
    if not silent:
        assert any(each.objective is not None for each in told)


@pytest.mark.parametrize("name", EVERY)
def test_stop_before_the_start(name: str) -> None:
    assert engine(name).solve(LINEAR["plain"][0], stop=lambda: True).reason is Reason.NOTHING
    assert engine(name).solve(LINEAR["plain"][0], time_limit=0).reason is Reason.NOTHING


def wide(n: int = 30_000, groups: int = 400, seed: int = 0) -> Program:
    """A linear program of the real size: units, money per class, funds, regions."""
    rng = np.random.default_rng(seed)
    money, funds, regions = 1000, 120, 100
    units = n - money
    asked = rng.integers(50, 5000, units) / 10
    unit, cell = np.arange(units), units + np.arange(money)
    row = [rng.integers(0, groups, units), np.arange(money) % groups]
    row += [groups + rng.integers(0, funds, money), groups + funds + rng.integers(0, regions, units)]
    m = groups + funds + regions
    matrix = sparse.csr_matrix(
        (
            np.concatenate([-asked, np.ones(2 * money), asked]),
            (np.concatenate(row), np.concatenate([unit, cell, cell, unit])),
        ),
        shape=(m, n),
    )
    top = rng.integers(1, 9, units).astype(float)
    total = float(asked @ top)
    row_lower, row_upper = np.zeros(m), np.zeros(m)
    row_lower[groups : groups + funds] = -INF
    row_upper[groups : groups + funds] = total / funds * 0.3
    row_lower[groups + funds :] = total / regions * 0.1
    row_upper[groups + funds :] = total / regions * 0.5
    return Program(
        objective=np.append(rng.random(units) * asked, np.zeros(money)),
        matrix=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=np.zeros(n),
        upper=np.append(top, np.full(money, INF)),
        integer=np.zeros(n, bool),
        grain=np.append(1e-5 / asked, np.full(money, 1e-5)),
    )


@pytest.mark.parametrize("name", SMOOTH)
def test_stop_and_limit_within_a_linear_program(name: str) -> None:
    given = wide(3_000 if name in ("pdlp", "scip", *PULP) else 30_000)
    full = engine(name).solve(given)
    assert full.reason is Reason.OPTIMAL
    if name in PRICED:
        check_duals(given, full)
    began = time.perf_counter()
    stopped = engine(name).solve(given, stop=lambda: time.perf_counter() - began > 0.03)
    limited = engine(name).solve(given, time_limit=0.03)
    for outcome in (stopped, limited):
        assert outcome.reason in (Reason.NOTHING, Reason.FEASIBLE, Reason.OPTIMAL)
        if outcome.reason is Reason.OPTIMAL:  # it was faster than the wish
            assert outcome.objective == pytest.approx(full.objective, rel=1e-8)
        assert outcome.x is None or breach(given, outcome.x) <= 1


@pytest.mark.parametrize("name", WHOLE)
def test_what_the_caller_raises_reaches_him(name: str) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("the caller's own")

    with pytest.raises(ZeroDivisionError, match="the caller's own"):
        engine(name).solve(hard(), gap=1e-6, time_limit=5, on_progress=broken)

    def interrupted() -> bool:
        if time.perf_counter() - began > 0.3:
            raise KeyboardInterrupt
        return False

    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        engine(name).solve(hard(), gap=1e-6, time_limit=20, stop=interrupted)
    assert time.perf_counter() - began < 8


# --- the traps ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_small_continuous_columns_are_not_rounded_away(name: str) -> None:
    """CP-SAT through MathOpt called 0 optimal here."""
    given = program(
        [1.0, 0.5, 0.3], [[1, 1, 0], [0, 1, 1], [1, 0, 1]], [-INF] * 3, [0.4, 0.3, 0.25], [0] * 3, [INF] * 3
    )
    outcome = engine(name).solve(given, gap=1e-6)
    assert outcome.reason is Reason.OPTIMAL
    assert outcome.objective == pytest.approx(0.325, abs=1e-4)
    share = program([0.973], [[2.0]], [-INF], [1.0], [0], [1])
    assert engine(name).solve(share, gap=1e-6).objective == pytest.approx(0.4865, abs=1e-4)


@pytest.mark.parametrize("name", EVERY)
def test_small_coefficients_count(name: str) -> None:
    """HiGHS drops coefficients up to 1e-9 by default, with a warning that is only returned."""
    given = program([1], [[5e-10]], [-INF], [1e-3], [0], [1e8], grain=1)
    outcome = engine(name).solve(given)
    assert outcome.reason is Reason.OPTIMAL
    assert outcome.objective == pytest.approx(2e6, rel=1e-2)


def test_highs_refusals_are_noticed() -> None:
    """``highspy`` only returns kError."""
    from allocator.engines import highs

    kept = highs.Kept(LINEAR["plain"][0])
    for name, value in (
        ("no_such_option", 1),
        ("time_limit", "soon"),
        ("primal_feasibility_tolerance", -1.0),
    ):
        with pytest.raises(highs.Refused):
            kept.option(name, value)


def test_highs_beside_another_user_with_other_threads() -> None:
    import highspy

    other = highspy.Highs()
    other.setOptionValue("output_flag", False)
    other.setOptionValue("threads", 2)
    other.addVar(0.0, 1.0)
    other.run()
    for given, best in (LINEAR["plain"], ALL_WHOLE["knapsack"]):
        assert engine("highs").solve(given).objective == pytest.approx(best)


def test_highs_time_limit_is_per_call_in_a_session() -> None:
    """HiGHS counts its limit over the life of the object."""
    given = wide()
    session = engine("highs").session(given)
    first = session.solve()
    assert first.reason is Reason.OPTIMAL
    for k in range(1, 4):
        again = session.solve(row_upper=given.row_upper * (1 + 0.01 * k), time_limit=5 * first.seconds)
        assert again.reason is Reason.OPTIMAL


class Liar(Guarded):
    """An engine that returns what it is told to."""

    name, whole_units, distribution = "liar", True, "numpy"

    def __init__(self, lie: Outcome | Exception) -> None:
        self.lie = lie

    def run(self, task: Task) -> Outcome:
        if isinstance(self.lie, Exception):
            raise self.lie
        return self.lie


def test_the_guard_believes_nothing() -> None:
    given, best = LINEAR["plain"]
    good = np.array([2.0, 2.0])

    def says(lie: Outcome | Exception, **options: Any) -> Outcome:
        return Liar(lie).solve(given, **options)

    outside = says(Outcome(Reason.OPTIMAL, x=np.array([2.0, 3.0]), bound=17.0))
    assert outside.reason is Reason.ERROR and outside.x is None and outside.bound is None
    assert says(Outcome(Reason.FEASIBLE, x=np.array([2.0, 3.0]))).reason is Reason.NOTHING
    assert says(Outcome(Reason.OPTIMAL)).reason is Reason.ERROR
    assert says(Outcome(Reason.OPTIMAL, x=np.array([np.nan, 1.0]))).reason is Reason.ERROR
    recomputed = says(Outcome(Reason.OPTIMAL, x=good, objective=99.0, bound=15.0))
    assert recomputed.objective == pytest.approx(best)
    assert says(Outcome(Reason.OPTIMAL, x=good, bound=30.0)).reason is Reason.FEASIBLE
    assert says(Outcome(Reason.OPTIMAL, x=good, bound=3.0)).bound is None
    activities = says(Outcome(Reason.OPTIMAL, x=good, duals=np.array([4.0, 2.0]), bound=15.0))
    assert activities.duals is None and "duals" in activities.message
    turned = says(Outcome(Reason.OPTIMAL, x=good, duals=np.array([-2.0, -1.0]), bound=15.0))
    assert turned.duals is None
    assert says(Outcome(Reason.INFEASIBLE), start=good).reason is Reason.ERROR
    thrown = says(RuntimeError("segments"))
    assert thrown.reason is Reason.ERROR and "segments" in thrown.message
    assert "not installed" in says(ImportError("nothing here")).message
    near = checked(given, Outcome(Reason.OPTIMAL, x=good + 1e-9, bound=15.0), 1e-4)
    assert near.reason is Reason.OPTIMAL
    whole = program([1], [[1]], [-INF], [3], [0], [9], integer=[1])
    assert checked(whole, Outcome(Reason.OPTIMAL, x=np.array([2.5])), 1e-4).reason is Reason.ERROR
    assert checked(whole, Outcome(Reason.OPTIMAL, x=np.array([2.9999999]), bound=3.0), 1e-4).x == [3.0]


def test_cp_sat_says_when_it_coarsens_the_grain() -> None:
    fits_not = program([1, 1], [[1, 1]], [-INF], [4e15], [0, 0], [4e15, 4e15], grain=1e-5)
    outcome = engine("cp-sat").solve(fits_not)
    assert outcome.reason in (Reason.OPTIMAL, Reason.FEASIBLE) and "coarsened" in outcome.message
    assert outcome.objective == pytest.approx(4e15, rel=1e-4)


def test_cp_sat_proves_nothing_of_a_relaxation_in_steps_of_whole_units() -> None:
    """``relaxed()`` leaves the grain of a whole column at 1: half of the optimum here."""
    relaxed = program([1.0], [[2.0]], [-INF], [3.9], [0], [9], integer=[1]).relaxed()
    outcome = engine("cp-sat").solve(relaxed)
    assert outcome.reason is Reason.FEASIBLE and outcome.objective == 1
    assert outcome.bound is not None and outcome.bound >= 1.95
    assert engine("cp-sat").session(relaxed).solve().objective == pytest.approx(1.95)


def test_cp_sat_on_coefficients_that_have_no_common_measure() -> None:
    a = [[np.pi, np.e, 1 / 3]]
    given = program([1, 1, 1 / 7], a, [-INF], [100.0], [0] * 3, [20] * 3, integer=[1, 1, 0])
    one, other = engine("highs").solve(given, gap=0), engine("cp-sat").solve(given, gap=1e-9)
    assert other.reason is Reason.OPTIMAL
    assert other.objective == pytest.approx(one.objective, abs=1e-4)


def test_cbc_leaves_no_process_and_keeps_every_digit(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    given = program([1.0, 0.0], [[1.0, 1.0]], [-INF], [12_345_678.123456789], [0, 0], [INF, INF])
    outcome = engine("cbc").solve(given)
    assert outcome.x is not None
    assert outcome.x[0] == pytest.approx(12_345_678.123456789, rel=1e-15)  # PuLP would read 12345678.
    assert not list(tmp_path.iterdir())


# What a library in a process of its own may do: the script that stands for CBC, a time limit, what comes of it.
BROKEN_PROCESSES = {
    "crashes": ("kill -SEGV $$", None, Reason.ERROR, "code -11"),
    "hangs and does not listen": ("trap '' INT; sleep 60", 0.2, Reason.NOTHING, "killed"),
    "is silent": ("exit 0", None, Reason.ERROR, "wrote no solution"),
    "says it is optimal and writes no point": ("echo 'Optimal - objective value 9' > status.txt", None, Reason.NOTHING, "no point"),
    "writes a point of another size": (
        "echo 'Optimal - objective value 9' > status.txt; head -c 200 /dev/zero > point.bin", None, Reason.ERROR, "0 columns",
    ),
    "calls infeasible what has a plan": ("echo 'Infeasible - objective value 0' > status.txt", None, Reason.INFEASIBLE, ""),
}  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="the scripts are for sh")
@pytest.mark.parametrize("case", BROKEN_PROCESSES)
def test_a_broken_process_is_an_honest_status(case: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the engine, with words; and by `solve`, which finds another way or says that it has no plan."""
    from allocator.engines import cbc

    script, limit, reason, told = BROKEN_PROCESSES[case]
    binary = tmp_path / "cbc"
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    monkeypatch.setattr(cbc, "_binary", lambda: str(binary))
    monkeypatch.setattr(cbc, "_GRACE", 0.2)
    given = ALL_WHOLE["knapsack"][0]
    outcome = engine("cbc").solve(given, time_limit=limit)
    assert (outcome.reason, outcome.x, outcome.bound) == (reason, None, None) and told in outcome.message
    if reason is Reason.INFEASIBLE:  # what only the process says is refused where a point is known
        assert engine("cbc").solve(given, start=np.zeros(given.columns)).reason is Reason.ERROR
    scarce = example_scenario(funds=[{"id": "f", "amount": 390}])
    plan = allocator.solve(scarce, engine="cbc", gap=0, time_limit=limit)
    true = allocator.solve(scarce, gap=0)
    assert plan.status in ("optimal", "feasible", "no_plan")
    assert plan.status == "no_plan" or (plan.certificate.ok and plan.bound >= true.objective >= plan.objective)


@pytest.mark.skipif(os.name == "nt", reason="the script is for sh")
def test_a_process_of_pulp_that_crashes_is_an_error_with_words(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from allocator.engines import pulp_any

    crashing = tmp_path / "python"
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    monkeypatch.setattr(pulp_any, "_idle", [])
    monkeypatch.setattr(pulp_any.sys, "executable", str(crashing))
    outcome = pulp_any.Pulp("pulp:HiGHS").solve(ALL_WHOLE["knapsack"][0])
    assert outcome.reason is Reason.ERROR and outcome.x is None and "died" in outcome.message
    assert pulp_any._idle == []


def test_cbc_limits_are_not_called_optimal_nor_the_relaxation_a_point() -> None:
    """PuLP calls "Stopped on time" optimal and takes the continuous point for a whole one."""
    from allocator.engines import cbc

    given = ALL_WHOLE["knapsack"][0]
    for line, reason in (
        ("Stopped on time (no integer solution - continuous used) - objective value -3", Reason.NOTHING),
        ("Stopped on time - objective value -220", Reason.FEASIBLE),
        ("Integer infeasible - objective value 0", Reason.INFEASIBLE),
        ("Something new - objective value 0", Reason.ERROR),
    ):
        outcome = read_cbc(cbc, given, line)
        assert outcome.reason is reason, line


def read_cbc(cbc: Any, given: Program, line: str) -> Outcome:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "status.txt").write_text(line + "\n")
        (home / "log.txt").write_text("")
        x = np.array([0.0, 1.0, 1.0])
        parts = [
            np.array([given.rows, given.columns], np.int32),
            np.zeros(1),
            given.matrix @ x,
            np.zeros(1),
            x,
            0 * x,
        ]
        (home / "point.bin").write_bytes(b"".join(part.tobytes() for part in parts))
        return cbc._read(home, given, np.arange(3), 1e-4, "")


# --- sessions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_a_session_equals_cold_solves_after_any_edits(name: str) -> None:
    rng = np.random.default_rng(21)
    for _ in range(2 if name == "highs" else 1):
        given = random_program(rng, whole=True)  # a session solves the relaxation
        now = given.relaxed()
        session = engine(name).session(given)
        for step in range(25 if name == "highs" else 6):
            changes: dict[str, np.ndarray] = {}
            kind = step % 5
            if kind == 0:
                changes["row_upper"] = now.row_upper * rng.uniform(0.5, 1.6, now.rows)
            elif kind == 1:
                changes["upper"] = np.where(
                    np.isfinite(given.upper), np.rint(given.upper * rng.random(given.columns)), INF
                )
            elif kind == 2:
                changes["objective"] = given.objective * np.round(rng.uniform(-0.5, 2, given.columns), 2)
            elif kind == 3:
                changes["lower"] = np.where(rng.random(given.columns) < 0.3, 2.0, 0.0)  # may cross the upper bounds
            else:
                changes = {"lower": given.lower, "row_lower": given.row_lower * rng.uniform(0, 1)}
                extra = sparse.csr_matrix(np.round(rng.uniform(0, 2, (1, now.columns)), 1))
                side = np.array([float(np.round(rng.uniform(5, 3000), 1))])
                session.add_rows(extra, np.array([-INF]), side)
                now = replace(
                    now,
                    matrix=sparse.csr_matrix(sparse.vstack([now.matrix, extra])),
                    row_lower=np.append(now.row_lower, -INF),
                    row_upper=np.append(now.row_upper, side),
                )
                changes["row_lower"] = np.where(np.isfinite(now.row_lower), now.row_lower * 0.9, -INF)
            now = replace(now, **changes)
            warm, cold = session.solve(**changes), engine("highs").solve(now)
            assert warm.reason is cold.reason or (name == "cp-sat" and warm.reason is Reason.NOTHING), (
                step,
                warm,
            )
            if warm.reason is Reason.OPTIMAL and cold.objective is not None:
                assert warm.objective == pytest.approx(cold.objective, rel=1e-7, abs=1e-5)
                if warm.duals is not None:
                    check_duals(now, warm)
            assert warm.engine == ("glop" if name == "cp-sat" else name)


def test_a_highs_session_survives_nonsense_and_stops() -> None:
    given = LINEAR["plain"][0]
    session = engine("highs").session(given)
    assert session.solve(upper=np.array([np.nan, 1.0])).reason is Reason.ERROR
    assert session.solve(upper=np.array([INF, 1.0])).objective == pytest.approx(13)
    assert session.solve(row_upper=np.array([4.0])).reason is Reason.ERROR
    assert session.solve(row_upper=np.array([4.0, 3.0]), stop=lambda: True).reason is Reason.NOTHING
    assert session.solve(time_limit=0).reason is Reason.NOTHING
    assert session.solve().objective == pytest.approx(16)
    assert session.solve(objective=np.array([1.0, -1.0]), lower=np.array([0.0, -INF])).reason is Reason.UNBOUNDED
    assert session.solve(lower=np.zeros(2)).objective == pytest.approx(8)


# --- the registry ---------------------------------------------------------------------------------


def test_the_registry_names_its_engines() -> None:
    assert {"highs", "glop", "cp-sat", "cbc", "pdlp", "scip", "sifting"} <= set(ENGINES)
    assert all(engine(name).name == name for name in ENGINES)
    with pytest.raises(UnknownEngine, match=r"gurobi.*cbc.*highs") as caught:
        engine("gurobi")
    assert isinstance(caught.value, KeyError)


def test_solvers_of_pulp_are_found_by_name() -> None:
    with pytest.raises(UnknownEngine, match=r"pulp:NOBODY.*pulp:HiGHS, pulp:PULP_CBC_CMD") as caught:
        engine("pulp:NOBODY")
    assert caught.value.text.fr != caught.value.text.en and set(PULP) <= set(caught.value.known)
    with pytest.raises(UnknownEngine, match=r"gurobi:.*highs"):
        engine("gurobi:anything")
    assert [*ENGINES, *PULP] == [each.name for each in every()][: len(ENGINES) + len(PULP)]


def test_pulp_ends_with_what_it_started(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that is stopped takes its process, the processes that it began and their files with it."""
    from allocator.engines import pulp_any

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(pulp_any, "_idle", [])
    began = time.perf_counter()
    outcome = engine("pulp:PULP_CBC_CMD").solve(hard(), gap=1e-6, stop=lambda: time.perf_counter() - began > 1)
    assert outcome.reason is Reason.NOTHING and not pulp_any._idle and not list(tmp_path.iterdir())

    def left() -> list[Path]:
        found = []
        for running in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if str(tmp_path).encode() in running.read_bytes():  # CBC is given its program there
                    found.append(running)
        return found

    until = time.perf_counter() + 10  # a killed process takes a moment to go on a busy machine
    while left() and time.perf_counter() < until:
        time.sleep(0.1)
    assert left() == []


@pytest.mark.parametrize("answer", [(1, [2.0, 3.0]), (1, [2.0, 1.0]), (-1, [np.nan, np.nan]), (-3, [np.nan, np.nan])])
def test_what_pulp_says_of_a_linear_program_is_not_believed(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from allocator.engines import pulp_any

    monkeypatch.setattr(pulp_any, "_exchange", lambda request, task: ("ok", (answer[0], np.array(answer[1]))))
    given, best = LINEAR["plain"]
    outcome = engine("pulp:HiGHS").solve(given)
    assert outcome.reason is Reason.OPTIMAL and outcome.objective == pytest.approx(best)
    assert outcome.duals == pytest.approx([2, 1])


def test_pulp_is_not_optimal_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """PuLP calls optimal what a solver had when its time was over, holding or not."""
    from allocator.engines import pulp_any

    given, _ = ALL_WHOLE["knapsack"]

    def answers(solution: int, x: list[float], seconds: float) -> None:
        def exchange(request: Any, task: Task) -> Any:
            time.sleep(seconds)
            return "ok", (solution, np.array(x))

        monkeypatch.setattr(pulp_any, "_exchange", exchange)

    answers(1, [0, 0, 1], 0.05)
    assert engine("pulp:HiGHS").solve(given, time_limit=0.05).reason is Reason.FEASIBLE
    answers(2, [0, 0, 1], 0)
    assert engine("pulp:HiGHS").solve(given).reason is Reason.FEASIBLE
    answers(1, [1, 1, 1], 0)
    assert engine("pulp:HiGHS").solve(given).reason is Reason.ERROR
    answers(2, [1, 1, 1], 0)
    assert engine("pulp:HiGHS").solve(given).reason is Reason.NOTHING
    answers(0, [np.nan] * 3, 0.05)
    assert engine("pulp:HiGHS").solve(given, time_limit=0.05).reason is Reason.NOTHING


def test_pdlp_only_shows_the_simplex_where_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from allocator.engines import pdlp

    given = wide(3_000)
    best = engine("highs").solve(given)
    assert best.x is not None
    rough, said = pdlp._near(Task(clean(given)), clean(given))
    assert said == "OPTIMAL" and rough is not None
    assert abs(float(given.objective @ rough) - float(best.objective or 0)) > 1e-6  # not good enough to hand on
    outcome = engine("pdlp").solve(given)
    assert outcome.objective == pytest.approx(best.objective, rel=1e-9)
    between = (outcome.x > given.lower + 1e-9) & (outcome.x < given.upper - 1e-9)
    assert between.sum() <= given.rows  # a vertex
    for astray in (None, np.full(given.columns, np.nan), -1e6 * np.ones(given.columns)):
        monkeypatch.setattr(pdlp, "_near", lambda task, program, point=astray: (point, "NOT_SOLVED"))
        again = engine("pdlp").solve(given)
        assert again.objective == pytest.approx(best.objective, rel=1e-9) and "NOT_SOLVED" in again.message


def test_importing_the_engines_loads_no_library() -> None:
    code = (
        "import sys, allocator.engines as e; e.engine('highs').version; "
        "sys.exit(bool({'highspy', 'ortools', 'pulp'} & {m.split('.')[0] for m in sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("order", list(itertools.permutations(["highspy", "ortools", "pulp"])))
def test_the_libraries_live_in_one_process(order: tuple[str, ...]) -> None:
    """highspy 1.15 and ortools 9.15 do not, in either order."""
    names = {"highspy": "highs", "ortools": "cp-sat", "pulp": "cbc"}
    code = (
        "import importlib, numpy as np\n"
        "from scipy import sparse\n"
        f"for m in {order}: importlib.import_module(m if m != 'ortools' else 'ortools.sat.python.cp_model')\n"
        "from allocator.engines import Program, engine\n"
        "p = Program(np.array([3.0, 2.0]), sparse.csr_matrix([[1.0, 1.0], [1.0, 0.0]]), np.full(2, -np.inf),"
        " np.array([4.0, 2.0]), np.zeros(2), np.full(2, 9.0), np.zeros(2, bool), np.full(2, 0.01))\n"
        f"for name in {[names[m] for m in order] + ['glop']}:\n"
        "    assert abs(engine(name).solve(p).objective - 10) < 1e-6\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
