"""Proofs that split on how many units like demands get together: exact, never trusted, and what they are for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator
from allocator.bound import ALL_YEARS, Cut, Proof, prove
from allocator.program import compile
from allocator.solver import _kept_near
from allocator.space import Space

SMALL, LARGE = "petit", "grand"
PRICES = {SMALL: 3, LARGE: 5}  # M€ a unit


def districts(seed: int, each: int, budgets: tuple[int, ...], places: int = 2) -> allocator.Scenario:
    """`each` demands of one unit of each measure in each place; two funds, the second for large units alone."""
    rng = np.random.default_rng(seed)
    rows = [
        {"id": f"{measure}-{place}-{k}", "territory": f"t{place}", "measure": measure, "units": 1,
         "asked": PRICES[measure] * 10**6, "emplois": float(rng.integers(40, 60)) * PRICES[measure]}
        for measure in PRICES for place in range(places) for k in range(each)
    ]  # fmt: skip
    territories = pd.DataFrame(
        {"id": [f"t{k}" for k in range(places)], "region": [f"r{k}" for k in range(places)], "departement": "d",
         "population": 1000}
    )  # fmt: skip
    funds = [{"id": "f", "amount": f"{budgets[0]} M€"}]
    if len(budgets) > 1:
        funds.append({"id": "g", "amount": f"{budgets[1]} M€", "on": {"measures": [LARGE]}})
    measures = [{"id": name, "lumpy": True} for name in PRICES]
    return allocator.Scenario(
        "familles", [2026], funds, measures, territories, pd.DataFrame(rows), [], {"maximise": {"emplois": 1}}
    )


def best(scenario: allocator.Scenario) -> Fraction:
    """By counting: of each measure the demands worth most, as many as fit."""
    demands, funds = scenario.demands, {fund.id: fund.amount // 100 // 10**6 for fund in scenario.funds}
    worth = {name: sorted(demands[demands["measure"] == name]["emplois"], reverse=True) for name in PRICES}
    found = 0.0
    for small, large in product(*(range(len(worth[name]) + 1) for name in PRICES)):
        others = max(PRICES[LARGE] * large - funds.get("g", 0), 0)
        if PRICES[SMALL] * small + others <= funds["f"]:
            found = max(found, sum(worth[SMALL][:small]) + sum(worth[LARGE][:large]))
    return Fraction(found)


def test_families_are_demands_of_one_measure_at_one_price():
    scenario = districts(0, 3, (20,))
    demands = scenario.demands.copy()
    demands.loc[0, "asked"] = 6 * 10**6
    space = Space.of(scenario.with_(demands=demands))
    ids = scenario.demands["id"].to_numpy()
    found = [set(ids[family]) for family in space.families]
    assert sorted(map(len, found)) == [5, 6]
    assert all(len({i.split("-")[0] for i in family}) == 1 for family in found)
    assert not any(ids[0] in family for family in found)


@pytest.mark.parametrize("budgets", [(67,), (64, 33), (32, 71), (101, 7)])
@pytest.mark.parametrize("seed", range(3))
def test_like_demands_are_closed_by_their_count(seed, budgets):
    scenario = districts(seed, 15, budgets)
    plan = allocator.solve(scenario, gap=0)
    assert plan.status == "optimal"
    assert plan.certificate.objective == best(scenario)


def test_the_count_is_what_closes_it(monkeypatch):
    """Without it the same fraction moves from one demand to the next."""
    scenario = districts(1, 15, (64, 33))
    cases = {}
    for name in ("counted", "alone"):
        if name == "alone":
            monkeypatch.setattr(Space, "families", [])
        detail = next(c for c in allocator.solve(scenario, gap=0).certificate.checks if c.name == "bound").detail
        cases[name] = int(detail.en.rpartition("(")[2].split()[0])
    assert cases["counted"] < cases["alone"]


def test_a_whole_point_is_looked_for_among_families():
    """What stays where it is whole: all but one column, or all but those like it."""
    compiled = compile(Space.of(districts(0, 3, (17,)))).counting()
    program = compiled.program
    small, large = (compiled.unit_column[family].max(axis=1) for family in compiled.space.families)
    x = np.zeros(program.columns)
    x[small[1]], x[large[0]] = 0.5, 1.0
    for families, free in ((False, small[[1]]), (True, small)):
        near = _kept_near(compiled, x, families)
        stays = near.lower == near.upper
        assert set(np.flatnonzero(program.integer & ~stays)) == set(free)
        assert (near.lower[stays & program.integer] == x[stays & program.integer]).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(-9, 2), st.integers(0, 6), st.integers(0, 6))
def test_counts_bound_whatever_the_multipliers(seed, size, first, second):
    """Any tree of counts with any multipliers bounds the best plan."""
    rng = np.random.default_rng(seed)
    scenario = districts(seed % 5, 3, ((17,), (11, 13))[seed % 2])
    space = Space.of(scenario)
    length = len(space.rows) + len(space.families)

    def leaf() -> Proof:
        return Proof(rng.normal(size=length) * 10.0**size)

    def halved(family: int, at: int, below: Proof, above: Proof) -> Proof:
        top = int(space.boxes[1].sum())
        cuts = Cut(family, ALL_YEARS, 0, at, "counted"), Cut(family, ALL_YEARS, at + 1, top, "counted")
        return Proof(leaf().multipliers, halves=((cuts[0], below), (cuts[1], above)))

    proof = halved(0, first, halved(1, second, leaf(), leaf()), halved(0, min(first + 1, 6), leaf(), leaf()))
    limit = prove(space, proof)
    assert limit is not None and limit >= best(scenario)


def test_counts_that_leave_a_hole_are_refused():
    space = Space.of(districts(0, 3, (17,)))
    leaf = Proof(np.zeros(len(space.rows) + len(space.families)))

    def of(low: int, high: int, family: int = 0) -> Cut:
        return Cut(family, ALL_YEARS, low, high, "counted")

    holes = [
        (of(0, 1), of(3, 6)),
        (of(1, 2), of(3, 6)),
        (of(0, 2), of(3, 5)),
        (of(0, 2), of(3, 6, family=1)),
        (of(0, 2), replace(of(3, 6), of="steps")),
    ]
    for below, above in holes:
        with pytest.raises(ValueError, match="cover"):
            prove(space, replace(leaf, halves=((below, leaf), (above, leaf))))
    prove(space, replace(leaf, halves=((of(0, 2), leaf), (of(3, 6), leaf))))


def test_a_part_splits_on_families_of_its_own_alone():
    space = Space.of(districts(0, 3, (17,)))
    leaf = Proof(np.zeros(len(space.rows) + len(space.families)))
    family = space.families[0]
    split = replace(
        leaf, halves=((Cut(0, ALL_YEARS, 0, 2, "counted"), leaf), (Cut(0, ALL_YEARS, 3, 6, "counted"), leaf))
    )
    others = np.setdiff1d(np.arange(space.n), family)
    assert prove(space, replace(leaf, parts=((family, split), (others, leaf)))) is not None
    with pytest.raises(ValueError, match="of another"):
        prove(space, replace(leaf, parts=((family[1:], split), (np.append(others, family[0]), leaf))))
