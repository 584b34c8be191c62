"""The measurements measure what they say: scenarios of the shape claimed, and one question asked of everyone."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator
from allocator import engines
from allocator.bound import Proof
from allocator.certify import certify
from allocator.program import compile
from allocator.reading import Reading
from allocator.space import Space

sys.path.append(str(Path(__file__).resolve().parents[1]))  # tests/ has a `textbook` of its own

from benchmarks import generator
from benchmarks.textbook import NotWritten, textbook

STRUCTURES = sorted(generator.STRUCTURES)
KINDS = {
    "open": {"floor", "ceiling", "count", "share"},
    "tight": {"floor", "ceiling"},
    "purses": {"floor", "ceiling", "share"},
    "rates": {"fund_rate", "floor", "ceiling", "indicator"},
    "conditions": {"min_grant", "no_stacking", "lock", "indicator", "floor", "ceiling"},
    "knapsacks": {"ceiling", "indicator"},
}


def test_the_same_seed_draws_the_same_tables() -> None:
    for structure in STRUCTURES:
        one, same, other = (generator.tables(200, 3, 2, structure, whole=0.5, seed=seed) for seed in (4, 4, 5))
        for table in ("territories", "demands"):
            pd.testing.assert_frame_equal(one[table], same[table])
        assert (one["funds"], one["constraints"]) == (same["funds"], same["constraints"])
        assert not one["demands"].equals(other["demands"])


@pytest.mark.parametrize("n", [60, 600])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_is_feasible_and_of_its_shape(structure: str, n: int) -> None:
    scenario = generator.scenario(n, 4, 3, structure)
    assert (len(scenario.demands), len(scenario.funds), len(scenario.years)) == (n, 4, 3)
    assert {rule.kind for rule in scenario.constraints} == KINDS[structure]
    plan = allocator.solve(scenario)
    assert (plan.status, plan.certificate.ok) == ("optimal", True)
    assert plan.objective > 0


@pytest.mark.parametrize("n", [60, 600])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_plan_that_rules_are_read_off_keeps_them(structure: str, n: int) -> None:
    for whole in (0.0, 0.5, 1.0):
        space = Space.of(generator.scenario(n, 4, 3, structure, whole=whole))
        drawn = generator.draw(n, 4, 3, structure, whole=whole)
        assert np.array_equal(space.lumpy, drawn.lumpy) and drawn.lumpy.any() == (whole > 0)
        demand, fund = np.nonzero(drawn.paid)
        known = Reading(space, demand, fund, drawn.year[demand], 10 * drawn.paid[demand, fund])
        checks = certify(known, Proof(np.zeros(len(space.rows)))).checks
        assert [check.name for check in checks if not check.ok] == []
        assert known.cents.sum() == 10 * drawn.given.sum() > 0


@pytest.mark.parametrize("whole", [0.0, 0.2])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_textbook_program_has_our_optimum(structure: str, whole: float) -> None:
    scenario = generator.scenario(60, 3, 2, structure, whole=whole)
    program = textbook(Space.of(scenario))
    assert program.integer.any() == (whole > 0 or structure == "conditions")
    found = engines.engine("highs").solve(program, gap=1e-7, time_limit=60)
    plan = allocator.solve(scenario, gap=1e-3, time_limit=60)
    assert found.reason is engines.Reason.OPTIMAL and plan.status == "optimal"
    assert found.objective <= plan.bound * (1 + 1e-7)
    assert found.objective >= plan.objective * (1 - 1e-6)
    if not program.integer.any():
        assert found.objective == pytest.approx(plan.objective, rel=1e-6)


def test_the_textbook_program_is_larger_than_ours() -> None:
    space = Space.of(generator.scenario(600, 4, 3, "open"))
    ours, theirs = compile(space).program, textbook(space)
    assert theirs.columns > 4 * ours.columns and theirs.rows >= 600 > ours.rows


def test_what_the_textbook_does_not_write_it_says() -> None:
    scenario = generator.scenario(60, 2, 2, "open").with_(
        objective={"lexicographic": [{"maximise": {"emplois": 1}}, {"minimise": "euros"}]}
    )
    with pytest.raises(NotWritten):
        textbook(Space.of(scenario))
