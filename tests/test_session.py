"""`Session`: what is kept between solves saves time and is seen nowhere in a plan."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import scenarios

import allocator
from allocator.relaxed import Open
from allocator.scenario import Scenario

MOVES = ("amount", "weight", "bound", "units", "rule", "nothing")


def edited(scenario: Scenario, move: str, size: int) -> Scenario:
    """The scenario with one thing moved: most keep the program's columns and rows, `units` and `rule` do not."""
    if move == "amount":
        fund = scenario.funds[size % len(scenario.funds)]
        change: dict[str, Any] = (
            {"amounts": {year: cents * size // 10 for year, cents in fund.amounts.items()}}
            if fund.amounts is not None
            else {"amount": fund.amount * size // 10}
        )
        return scenario.with_(funds=[f.model_copy(update=change) if f is fund else f for f in scenario.funds])
    if move == "weight":
        return scenario.with_(objective={"maximise": {scenario.indicators[0]: Fraction(size, 7)}})
    if move == "bound":
        rule = {"kind": "ceiling", "id": "moved", "on": {}, "amount": size * 40}
        return scenario.with_(constraints=[*(c for c in scenario.constraints if c.id != "moved"), rule])
    if move == "rule" and scenario.constraints:
        which = scenario.constraints[size % len(scenario.constraints)]
        rules = [
            c.model_copy(update={"enabled": not c.enabled}) if c.id == which.id else c for c in scenario.constraints
        ]
        return scenario.with_(constraints=rules)
    if move == "units":
        demands = scenario.demands.assign(units=[max(1, size % 5)] * len(scenario.demands))
        return scenario.with_(demands=demands)
    return scenario


def same(warm: allocator.Plan, cold: allocator.Plan) -> None:
    """Both plans say the same, apart from the time they took."""
    pd.testing.assert_frame_equal(warm.grants, cold.grants)
    pd.testing.assert_frame_equal(warm.payments, cold.payments)
    assert (warm.status, warm.objective, warm.certificate.ok) == (cold.status, cold.objective, cold.certificate.ok)
    if cold.bound is None:
        assert warm.bound is None
    else:
        assert warm.bound == pytest.approx(cold.bound, rel=1e-9, abs=1e-9)


@given(
    scenario=scenarios(),
    moves=st.lists(st.tuples(st.sampled_from(MOVES), st.integers(1, 25)), min_size=2, max_size=6),
)
@settings(max_examples=20, deadline=None)
def test_any_sequence_of_edits_gives_the_plans_of_cold_solves(scenario: Scenario, moves: list[tuple[str, int]]) -> None:
    session = allocator.Session()
    for move, size in moves:
        try:
            scenario = edited(scenario, move, size)
        except allocator.ScenarioError:
            continue
        same(session.solve(scenario), allocator.solve(scenario))


@pytest.mark.parametrize("name", ["hectares-2030", "leviers"])
def test_built_in_scenarios_with_their_funds_moved(name: str) -> None:
    session, scenario = allocator.Session(), allocator.load(name)
    for percent in (100, 104, 98):
        funds = [
            f.model_copy(update={"amount": f.amount * percent // 100}) if f.amount is not None else f
            for f in scenario.funds
        ]
        now = scenario.with_(funds=funds)
        same(session.solve(now), allocator.solve(now))


def test_a_program_is_kept_open_while_only_sides_ranges_and_values_move(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    relaxed = Open.relaxed

    def watched(self: Open, *given: Any) -> Any:
        found = relaxed(self, *given)
        opened.append(id(found.session))
        return found

    monkeypatch.setattr(Open, "relaxed", watched)
    session, scenario = allocator.Session(), allocator.load("hectares-2030")
    moved = scenario.with_(funds=[f.model_copy(update={"amount": f.amount * 2}) for f in scenario.funds])
    other = scenario.with_(constraints=list(scenario.constraints[1:]))
    for now in (scenario, moved, other):
        session.solve(now)
    assert len(set(opened)) == 2
    assert opened[0] == opened[1] != opened[-1]


def test_a_session_refuses_what_solve_refuses() -> None:
    with pytest.raises(ValueError, match="gap"):
        allocator.Session(gap=-1)
    with pytest.raises(ValueError, match="time_limit"):
        allocator.Session(time_limit=np.nan)
    with pytest.raises(KeyError, match="bogus"):
        allocator.Session(engine="bogus")


def test_rules_that_conflict_are_named_only_where_wanted() -> None:
    scenario = allocator.load("leviers")
    floor = {"kind": "floor", "id": "too-much", "on": {}, "amount": "900 Md€"}
    ceiling = {"kind": "ceiling", "id": "too-little", "on": {}, "amount": "1 €", "per": "region"}
    impossible = scenario.with_(constraints=[*scenario.constraints, floor, ceiling])
    named, unnamed = allocator.Session().solve(impossible), allocator.Session(conflicts=False).solve(impossible)
    assert named.status == unnamed.status == "infeasible"
    assert named.certificate.ok and unnamed.certificate.ok
    assert named.conflict is not None
