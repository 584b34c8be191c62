"""The relaxation without the years of whole units: the same optimum, and a point and prices of the program itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from strategies import random_scenario

from allocator import years
from allocator.engines import engine
from allocator.engines.base import Outcome, Reason
from allocator.engines.guard import breach, dual_objective
from allocator.program import Compiled, compile
from allocator.relaxed import Relaxed
from allocator.space import Space

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
        program = replace(compiled.program, integer=np.zeros(compiled.program.columns, bool))
        assert plain.reason is Reason.OPTIMAL, seed
        assert quick.objective == pytest.approx(plain.objective, rel=1e-7, abs=1e-7), seed
        assert breach(program, quick.x) <= 1, seed
        assert dual_objective(program, quick.duals) == pytest.approx(plain.objective, rel=1e-6, abs=1e-6), seed
    assert tried >= 10
