"""Parts of a scenario that nothing scarce ties together: searched apart, bounded apart, right together."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator
from allocator.bound import Cut, Proof, prove
from allocator.space import Space

COLUMNS = ["id", "territory", "measure", "units", "asked", "votes"]


def districts(projects: list[list[tuple[int, int]]], budget: int, total: int | None = None) -> allocator.Scenario:
    """Whole projects (euros, votes) of districts, each with `budget` euros; all inside `total` where it is given."""
    rows = [
        (f"{d}-{k}", f"d{d}", "projet", 1, euros, votes)
        for d, mine in enumerate(projects)
        for k, (euros, votes) in enumerate(mine)
    ]
    names = [f"d{d}" for d in range(len(projects))]
    territories = pd.DataFrame({"id": names, "region": "r", "departement": "31", "population": 0})
    rule = {"kind": "ceiling", "per": "territory", "amount": budget}
    return allocator.Scenario(
        "quartiers", [2026], [{"id": "f", "amount": total or budget * len(projects)}], [{"id": "projet", "lumpy": True}],
        territories, pd.DataFrame(rows, columns=COLUMNS), [rule], {"maximise": {"votes": 1}},
    )  # fmt: skip


def most(projects: list[tuple[int, int]], budget: int) -> int:
    """Votes of the best choice, by enumeration."""
    chosen = product((0, 1), repeat=len(projects))
    worth = ([(e * c, v * c) for (e, v), c in zip(projects, choice, strict=True)] for choice in chosen)
    return max(sum(v for _, v in one) for one in worth if sum(e for e, _ in one) <= budget)


def drawn(seed: int, count: int, size: int) -> list[list[tuple[int, int]]]:
    rng = np.random.default_rng(seed)
    return [[(int(e), int(e + rng.integers(-9, 9))) for e in rng.integers(20, 60, size)] for _ in range(count)]


def test_twenty_districts_are_closed_by_twenty_small_trees():
    projects = drawn(1, 20, 9)
    scenario = districts(projects, 100)
    plan = allocator.solve(scenario, gap=0)
    assert plan.status == "optimal" and plan.objective == plan.bound == sum(most(mine, 100) for mine in projects)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4), st.sampled_from([1.0, 0.9, 0.5]))
def test_parts_give_the_optimum_with_and_without_a_tie(seed, count, share):
    """With share 1 the fund ties nothing; below, it may, and one tree must close what parts leave."""
    projects = drawn(seed, count, 4)
    budget = 90
    total = int(budget * count * share)
    plan = allocator.solve(districts(projects, budget, total), gap=0)
    frontier = {0: 0}
    for mine in projects:
        options = [
            (
                sum(e for (e, _), c in zip(mine, choice, strict=True) if c),
                sum(v for (_, v), c in zip(mine, choice, strict=True) if c),
            )
            for choice in product((0, 1), repeat=len(mine))
        ]
        held = [(e, v) for e, v in options if e <= budget]
        reached: dict[int, int] = {}
        for (spent, votes), (e, v) in product(frontier.items(), held):
            if spent + e <= total:
                reached[spent + e] = max(reached.get(spent + e, 0), votes + v)
        frontier = reached
    assert plan.status == "optimal" and plan.objective == max(frontier.values())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(-8, 3))
def test_parts_bound_whatever_their_multipliers(seed, size):
    """Any partition with any multipliers bounds the best plan: rows that tie parts together are left out, not believed."""
    rng = np.random.default_rng(seed)
    projects = drawn(seed % 7, 3, 3)
    scenario = districts(projects, 90)
    space = Space.of(scenario)
    label = rng.integers(0, 3, space.n)
    parts = tuple(
        (np.flatnonzero(label == part), Proof(rng.normal(size=len(space.rows)) * 10.0**size))
        for part in np.unique(label)
    )
    limit = prove(space, Proof(np.zeros(len(space.rows)), parts=parts))
    assert limit is not None and limit >= sum(most(mine, 90) for mine in projects)


def test_parts_that_do_not_make_up_the_scenario_are_refused():
    space = Space.of(districts(drawn(0, 2, 3), 90))
    zero = Proof(np.zeros(len(space.rows)))
    everybody = np.arange(space.n)
    for wrong in ((everybody[:-1],), (everybody[:3], everybody[2:])):
        with pytest.raises(ValueError, match="make up"):
            prove(space, replace(zero, parts=tuple((demands, zero) for demands in wrong)))
    foreign = replace(zero, fixed=(Cut(5, 0, 0, 0),))
    split = replace(zero, halves=((Cut(5, 0, 0, 0), zero), (Cut(5, 0, 1, 1), zero)))
    for proof in (foreign, split):
        with pytest.raises(ValueError, match="of another"):
            prove(space, replace(zero, parts=((everybody[:3], proof), (everybody[3:], zero))))
