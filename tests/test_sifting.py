"""Sifting against HiGHS on the whole program: same optimum, true prices, whatever is edited in between."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from allocator.engines import ENGINES, Program, Reason, sifting
from allocator.engines.guard import Task


@pytest.fixture(autouse=True)
def _small_programs_too(monkeypatch):
    """A core of a few columns, so that programs of some hundreds are sifted for many rounds."""
    monkeypatch.setattr(sifting, "FEWEST", 50)
    monkeypatch.setattr(sifting, "LEAST", 12)


def program(seed: int, demands: int = 150, *, years: int = 0, equal: bool = False) -> Program:
    """A knapsack of several envelopes: demands with a column each, or one for each year and a row that ties them; floors
    and ceilings of groups; one column of money that a row makes of all. `equal`: years are all one to everybody."""
    rng = np.random.default_rng(seed)
    per = max(years, 1)
    n = demands * per
    size = rng.lognormal(0, 0.8, demands)
    worth = np.repeat(size * rng.lognormal(0, 0.4, demands), per) * (1 if equal else rng.uniform(0.9, 1.1, n))
    cost = np.repeat(size, per)
    group = np.repeat(rng.integers(0, 5, demands), per)
    rows = [np.where(np.arange(n) % per == year, cost, 0.0) for year in range(per)]
    rows += [np.where(group == g, cost, 0.0) for g in range(5)]
    share = cost.sum() / per
    lower = [-np.inf] * per + [0.05 * share] * 5
    upper = [0.35 * share / per] * per + [0.12 * share] * 5
    matrix = np.column_stack([np.vstack([*rows, cost]), np.append(np.zeros(len(rows)), -1.0)])
    matrix = sparse.csr_matrix(matrix)
    lower, upper = [*lower, 0.0], [*upper, 0.0]
    if years:
        own = sparse.csr_matrix((np.ones(n), (np.repeat(np.arange(demands), per), np.arange(n))), (demands, n + 1))
        matrix = sparse.csr_matrix(sparse.vstack([matrix, own]))
        lower += [0.0 if k % 7 else -np.inf for k in range(demands)]
        upper += [1.0] * demands
    return Program(
        objective=np.append(worth, -0.01),
        matrix=matrix,
        row_lower=np.array(lower),
        row_upper=np.array(upper),
        lower=np.zeros(n + 1),
        upper=np.append(np.ones(n), 2 * cost.sum()),
        integer=np.zeros(n + 1, bool),
        grain=np.full(n + 1, 1e-3),
    )


def sifted(given: Program):
    shape = sifting.Shape.of(given)
    return None if shape is None else sifting.Sift(shape).solve(Task(given, 0.0))


@pytest.mark.parametrize("years", [0, 3])
@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_the_same_optimum_as_the_whole_program(seed, years, equal):
    given = program(seed, years=years, equal=equal)
    own = sifted(given)
    assert own is not None and own.reason is Reason.OPTIMAL  # it did the work itself
    full, guarded = ENGINES["highs"].solve(given), ENGINES["sifting"].solve(given)
    assert guarded.objective == pytest.approx(full.objective, rel=1e-9)
    assert guarded.duals is not None  # the guard drops prices that do not price the optimum
    reduced = given.objective - given.matrix.T @ guarded.duals
    paid = np.where(guarded.duals > 0, given.row_upper, given.row_lower)
    known = np.abs(guarded.duals) > 1e-12
    bound = float(guarded.duals[known] @ paid[known]) + float(
        np.maximum(reduced * given.lower, reduced * given.upper).sum()
    )
    assert bound == pytest.approx(guarded.objective, rel=1e-8)


def test_a_core_is_a_fraction_of_the_program():
    given = program(1, 2_000)
    sift = sifting.Sift(sifting.Shape.of(given))
    assert sift.solve(Task(given, 0.0)).reason is Reason.OPTIMAL
    assert len(sift.core.columns) < given.columns / 4


@pytest.mark.parametrize("years", [0, 3])
@pytest.mark.parametrize("seed", range(4))
def test_a_session_after_any_edits_is_never_stale(seed, years):
    rng = np.random.default_rng(seed)
    now = program(seed, years=years)
    session = ENGINES["sifting"].session(now)
    for turn in range(12):
        edit = turn % 6
        if edit == 0:
            now = replace(now, row_upper=now.row_upper * np.where(rng.random(now.rows) < 0.3, 1.2, 1.0))
        elif edit == 1:
            now = replace(now, objective=now.objective * rng.uniform(0.7, 1.3, now.columns))
        elif edit == 2:
            now = replace(now, upper=np.where(rng.random(now.columns) < 0.1, 0.0, now.upper))
        elif edit == 3:
            up = np.where((rng.random(now.columns) < 0.02) & (now.upper >= 1), 0.3, now.lower)
            now = replace(now, lower=up)
        elif edit == 4:
            now = replace(now, row_lower=np.where(rng.random(now.rows) < 0.3, now.row_lower * 0.5, now.row_lower))
        else:
            extra = sparse.csr_matrix((rng.random((1, now.columns)) < 0.3).astype(float))
            side = np.array([now.columns / 10.0])
            session.add_rows(extra, np.array([-np.inf]), side)
            now = replace(
                now,
                matrix=sparse.csr_matrix(sparse.vstack([now.matrix, extra])),
                row_lower=np.append(now.row_lower, -np.inf),
                row_upper=np.append(now.row_upper, side),
            )
        warm = session.solve(
            lower=now.lower, upper=now.upper, row_lower=now.row_lower, row_upper=now.row_upper, objective=now.objective
        )
        cold = ENGINES["highs"].solve(now)
        assert warm.reason is cold.reason
        if cold.reason is Reason.OPTIMAL:
            assert warm.objective == pytest.approx(cold.objective, rel=1e-9)


def test_no_plan_is_said_by_highs_and_a_plan_comes_back_after():
    given = program(3)
    session = ENGINES["sifting"].session(given)
    first = session.solve()
    assert session.solve(row_lower=np.where(np.isfinite(given.row_lower), 1e6, -np.inf)).reason is Reason.INFEASIBLE
    assert session.solve(row_lower=given.row_lower).objective == pytest.approx(first.objective, rel=1e-9)


def test_a_row_that_only_a_high_price_keeps():
    """A floor that is worth a thousand times what it costs elsewhere: the first price of missing it is too low."""
    given = program(5)
    dear = replace(given, objective=given.objective * np.where(given.matrix[1].toarray()[0] > 0, -1000.0, 1.0))
    own = sifted(dear)
    assert own is not None
    assert own.objective == pytest.approx(ENGINES["highs"].solve(dear).objective, rel=1e-9)


def test_a_programme_that_gains_nothing_goes_to_highs(monkeypatch):
    given = program(2)
    monkeypatch.setattr(sifting, "FEWEST", 10_000)
    assert sifting.Shape.of(given) is None
    assert ENGINES["sifting"].solve(given).objective == pytest.approx(ENGINES["highs"].solve(given).objective)
