"""Changes by dotted paths: what they reach, how they round, how mistakes are told."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pandas as pd
import pytest

import allocator
from allocator.changes import changed, factor_of
from allocator.scenario import Scenario


@pytest.fixture
def scenario() -> Scenario:
    return Scenario(
        name="s",
        years=[2026, 2027],
        funds=[
            {"id": "a", "amount": 1000},
            {"id": "b.c", "amounts": {2026: 10, 2027: "0.01"}, "max_rate": "50 %"},
        ],
        measures=[{"id": "m"}],
        territories=pd.DataFrame(
            {"id": ["t"], "name": ["T"], "region": ["R"], "departement": ["1"], "population": [9]}
        ),
        demands=pd.DataFrame(
            {
                "id": ["d1", "d2"],
                "territory": "t",
                "measure": "m",
                "units": [1, 2],
                "asked": [100, 33.33],
                "jobs": [1, 2],
            }
        ),
        constraints=[
            {"kind": "ceiling", "id": "cap", "on": {"measures": "m"}, "amount": 150},
            {"kind": "count", "id": "two", "max": 2, "of": "demands"},
        ],
        objective={"maximise": {"jobs": 1}},
    )


def fund(scenario: Scenario, name: str) -> Any:
    return next(f for f in scenario.funds if f.id == name)


@pytest.mark.parametrize(
    ("text", "factor"),
    [("+10 %", "11/10"), ("-30 %", "7/10"), ("−2,5 %", "39/40"), ("x1.2", "6/5"), ("× 1,2", "6/5"), ("2 M€", None), (3, None),
     ("10 %", None), ("-3", None)],
)  # fmt: skip
def test_relative_values(text: object, factor: str | None) -> None:
    assert factor_of(text) == (None if factor is None else Fraction(factor))


def test_paths_reach_every_part(scenario: Scenario) -> None:
    now = changed(
        scenario,
        {
            "funds.a.amount": "2 k€",
            "funds.b.c.amounts.2026": "+50 %",
            "funds.b.c.max_rate": "x0.5",
            "constraints.cap.amount": "-10 %",
            "constraints.two.enabled": False,
            "constraints.two.max": 1,
            "measures.m.lumpy": True,
            "objective.maximise.jobs": "x3",
            "demands.d2.units": 1,
            "demands.*.asked": "+1 %",
            "territories.t.population": 10,
        },
    )
    assert fund(now, "a").amount == 200_000
    assert fund(now, "b.c").amounts == {2026: 1500, 2027: 1}
    assert fund(now, "b.c").max_rate == Fraction(1, 4)
    assert now.constraints[0].amount == 13_500
    assert (now.constraints[1].enabled, now.constraints[1].max) == (False, 1)
    assert now.measures[0].lumpy
    assert now.cents("asked").tolist() == [10_100, 3_366]  # 33,6633 € is 33,66 €
    assert now.demands["units"].tolist() == [1, 1]
    assert now.territories["population"].tolist() == [10]
    assert fund(scenario, "a").amount == 100_000  # what was given is as it was


def test_amounts_of_all_funds_and_years(scenario: Scenario) -> None:
    now = changed(scenario, {"funds.*.amount": "-30 %"})
    assert fund(now, "a").amount == 70_000
    assert fund(now, "b.c").amounts == {2026: 700, 2027: 1}  # 0,7 cent is a cent
    assert changed(now, {}) is now


def test_the_same_as_writing_it_so(scenario: Scenario) -> None:
    funds = [{"id": "a", "amount": 900}, fund(scenario, "b.c")]
    assert changed(scenario, {"funds.a.amount": "-10 %"}).input_hash == scenario.with_(funds=funds).input_hash


def test_a_built_in_scenario_keeps_its_tables() -> None:
    scenario = allocator.load("leviers")
    now = changed(scenario, {"funds.*.amount": "+1 %"})
    assert now.demands is scenario.demands
    assert now.input_hash != scenario.input_hash


def test_all_mistakes_at_once_each_at_its_path(scenario: Scenario) -> None:
    wrong = {
        "fund.a.amount": 1,
        "funds": 1,
        "funds.aa.amount": 1,
        "funds.a": 1,
        "funds.a.amout": 1,
        "funds.b.c.amount": 5,
        "constraints.cap.per_inhabitant": "+1 %",
        "objective.minimise.x": "x2",
        "demands.d9.units": 1,
        "demands.d1.color": 1,
    }
    with pytest.raises(allocator.ScenarioError) as error:
        changed(scenario, wrong)
    assert [p.place for p in error.value.problems] == list(wrong)
    said = error.value.text("en")
    assert "Did you mean “funds”?" in said and "Did you mean “a”?" in said and "Did you mean “amount”?" in said


def test_values_that_the_scenario_refuses_are_told_by_id(scenario: Scenario) -> None:
    with pytest.raises(allocator.ScenarioError) as error:
        changed(scenario, {"funds.a.amount": "3 ME€", "constraints.two.max": "many"})
    places = sorted(str(p.place) for p in error.value.problems)
    assert places == ["constraints.two.max", "funds.a.amount"]


def test_a_mapping_is_replaced_or_scaled_whole(scenario: Scenario) -> None:
    now = changed(scenario, {"objective.maximise": {"jobs": 7}, "constraints.cap.on.where": {"region": "R"}})
    assert now.to_dict()["objective"] == {"maximise": {"jobs": 7}}
    assert now.constraints[0].on.model_dump()["where"] == {"region": ["R"]}
    twice = changed(scenario, {"objective.maximise": "x2", "funds.b.c.amounts": "x2"})
    assert twice.to_dict()["objective"] == {"maximise": {"jobs": 2}}
    assert fund(twice, "b.c").amounts == {2026: 2000, 2027: 2}


def test_parts_given_whole(scenario: Scenario) -> None:
    now = changed(scenario, {"years": [2026, 2027, 2028], "objective": {"minimise": "euros"}})
    assert (now.years, now.to_dict()["objective"]) == ([2026, 2027, 2028], {"minimise": "euros"})
    years = changed(scenario, {"funds.b.c.amounts": None, "funds.b.c.amount": 5})
    assert (fund(years, "b.c").amount, fund(years, "b.c").amounts) == (500, None)


@pytest.mark.parametrize("odd", ["x1.2.3", "+ %", "x", "10 %", "+1,2,3 %", "x1 2"])
def test_what_is_no_relative_value(odd: str) -> None:
    assert factor_of(odd) is None
