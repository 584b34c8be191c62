"""The relaxation without the years of whole units: the same optimum, and a point and prices of the program itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from strategies import random_scenario

import allocator
from allocator import program, years
from allocator.engines import engine
from allocator.engines.base import Outcome, Reason
from allocator.engines.guard import breach, dual_objective
from allocator.program import Compiled, compile
from allocator.relaxed import Relaxed
from allocator.space import Space
from allocator.tree import Search

KINDS = ("ceiling", "floor", "share", "count", "indicator", "cofunding", "lock")  # no rates, which keep years apart


@pytest.fixture(autouse=True)
def _small_programs_too(monkeypatch):
    monkeypatch.setattr(years, "FEWEST", 0)


def relaxed_both_ways(seed: int) -> tuple[Compiled, Outcome | None, Outcome]:
    """A random scenario's program, its relaxation without years, and as it stands."""
    compiled = compile(Space.of(random_scenario(seed, demands=(6, 30), years=(2, 3), whole_units=("some", "all")[seed % 2], kinds=KINDS, everything=seed % 3 == 0)))
    highs = engine("highs")
    return compiled, years.relaxation(compiled, highs, None), Relaxed(compiled, highs).solve()


def test_it_has_the_same_optimum_at_a_point_and_prices_of_the_program():
    tried = 0
    for seed in range(45):
        compiled, quick, plain = relaxed_both_ways(seed)
        if quick is None:
            continue
        tried += 1
        loose = replace(compiled.program, integer=np.zeros(compiled.program.columns, bool))
        assert plain.reason is Reason.OPTIMAL, seed
        assert quick.objective == pytest.approx(plain.objective, rel=1e-7, abs=1e-7), seed
        assert breach(loose, quick.x) <= 1, seed
        assert dual_objective(loose, quick.duals) == pytest.approx(plain.objective, rel=1e-6, abs=1e-6), seed
    assert tried >= 10


def test_who_may_not_be_paid_by_both_is_told_apart_before_any_search(monkeypatch):
    """Two funds of 150 € would pay three projects of 100 €, one of them together, which they may not."""
    monkeypatch.setattr(program, "EAGER", 0)
    searched = []
    run = Search.run
    monkeypatch.setattr(Search, "run", lambda tree, root: searched.append(tree.relaxed.compiled.apart.any()) or run(tree, root))
    territories = pd.DataFrame({"id": ["t"], "region": "r", "departement": "31", "population": 0})
    demands = pd.DataFrame({"id": ["a", "b", "c"], "territory": "t", "measure": "m", "units": 1, "asked": 100, "votes": [5, 4, 3]})
    plan = allocator.solve(
        allocator.Scenario(
            "three", [2026], [{"id": "f", "amount": 150}, {"id": "g", "amount": 150}], [{"id": "m", "lumpy": True}],
            territories, demands, [{"kind": "no_stacking", "max_funds": 1}], {"maximise": {"votes": 1}},
        ),
        gap=1e-6,
    )  # fmt: skip
    assert (plan.status, plan.objective) == ("optimal", 9)
    assert all(searched)
