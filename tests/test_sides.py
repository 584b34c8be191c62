"""Sides that whole units can reach, and rounding under rates whatever the order of columns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import allocator
from allocator import program
from allocator.space import Space

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))
import generator


def question(
    asked: list[int], lumpy: list[str], funds: list[dict[str, Any]], *rules: dict[str, Any]
) -> allocator.Scenario:
    """A demand for each of `asked`, of a measure of its own, `lumpy` ones whole."""
    count = len(asked)
    return allocator.Scenario(
        name="s",
        years=[2026, 2027],
        funds=funds,
        measures=[{"id": f"m{k}", "lumpy": f"m{k}" in lumpy} for k in range(count)],
        territories=pd.DataFrame({"id": ["t"], "name": ["T"], "region": ["R"], "departement": ["1"], "population": [9]}),
        demands=pd.DataFrame(
            {"id": [f"d{k}" for k in range(count)], "territory": "t", "measure": [f"m{k}" for k in range(count)],
             "units": 20, "asked": asked, "jobs": range(1, count + 1)}
        ),
        constraints=list(rules),
        objective={"maximise": {"jobs": 1}},
    )  # fmt: skip


def sides(scenario: allocator.Scenario) -> dict[str, tuple[Any, Any]]:
    space = Space.of(scenario)
    return {rule.id + row.group: both for (rule, row), both in zip(space.rows, space.sides, strict=True)}


ONE = [{"id": "f", "amount": 71_300}]
TWO = [{"id": "f", "amount": 71_300}, {"id": "g", "amount": 10_000}]


@pytest.mark.parametrize(
    ("asked", "lumpy", "funds", "upper"),
    [
        ([4000], ["m0"], ONE, 68_000),
        ([4000, 6000], ["m0", "m1"], ONE, 70_000),
        ([4000, 6000], ["m0"], ONE, 71_300),  # parts of units of the other
        ([4000], ["m0"], TWO, 71_300),  # the other fund may pay some cents of a unit
        ([4000, 6000], ["m0"], [{"id": "f", "amount": 71_300, "on": {"measures": "m0"}}], 68_000),
    ],
)
def test_money_of_whole_units_moves_in_steps(asked: list[int], lumpy: list[str], funds: list[Any], upper: int) -> None:
    found = sides(question(asked, lumpy, funds))
    assert found["f"][1] == upper * 100


def test_floors_and_counts_likewise_but_no_soft_rule() -> None:
    floor = {"kind": "floor", "id": "floor", "on": {}, "amount": 9000}
    count = {"kind": "count", "id": "count", "on": {}, "max": 2.5}
    found = sides(question([4000], ["m0"], ONE, floor, count))
    assert (found["floor"][0], found["count"][1]) == (1_200_000, 2)
    found = sides(question([4000], ["m0"], ONE, {**floor, "soft": 1}))
    assert found["floor"][0] == 900_000


def test_a_side_that_nothing_can_reach_is_left_for_a_proof() -> None:
    rules = [{"kind": "floor", "id": "floor", "amount": 9000}, {"kind": "ceiling", "id": "ceiling", "amount": 11_000}]
    scenario = question([4000], ["m0"], ONE, *rules)
    assert allocator.solve(scenario).status == "infeasible"
    both = question([4000], ["m0"], ONE, {"kind": "share", "id": "s", "on": {}, "of": {}, "max": 1})
    assert allocator.solve(both).objective == 17


@pytest.mark.parametrize("seed", range(4))
def test_a_plan_is_found_whatever_the_order_of_columns(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of a rate is rounded up to the cent: what that lets through must not depend on which class comes first."""
    scenario, classify = generator.scenario(60, 4, 3, "rates"), program._classify
    usual = allocator.solve(scenario)

    def shuffled(*given: Any) -> np.ndarray:
        found = classify(*given)
        order = np.random.default_rng(seed).permutation(int(found.max()) + 1)
        return np.where(found >= 0, order[np.maximum(found, 0)], -1)

    monkeypatch.setattr(program, "_classify", shuffled)
    plan = allocator.solve(scenario)
    assert plan.status == "optimal" and plan.certificate.ok
    assert plan.objective == pytest.approx(usual.objective, rel=1e-6)


@pytest.mark.parametrize("lumpy", ["m0", "m1"])
def test_parts_of_units_leave_no_step_whatever_comes_first(lumpy):
    """A whole unit and one and a half make 2.5, each paid by a fund of its own, whole units looked at first or last."""
    funds = [{"id": k, "amount": 500_000 if k == lumpy else 750_000, "on": {"measures": k}} for k in ("m0", "m1")]
    rule = {"kind": "indicator", "id": "enough", "indicator": "effect", "min": "2.5"}
    scenario = question([500_000, 500_000], [lumpy], funds)
    scenario = scenario.with_(demands=scenario.demands.assign(effect=1), constraints=[rule])
    assert allocator.solve(scenario).status == "optimal"
