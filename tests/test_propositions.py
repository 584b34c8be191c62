"""Each proposition with and without: its switch works, and the plan differs through what the proposition states."""

from __future__ import annotations

import json

import pytest

import allocator
from allocator import cli, data
from allocator.report.effects import effect

BY_NUMBER = {entry.number: entry for entry in data.propositions()}
SMALL = [number for number, entry in BY_NUMBER.items() if entry.switch and entry.switch.scenario == "leviers"]


@pytest.fixture(scope="module")
def scenarios() -> dict[str, allocator.Scenario]:
    return {name: allocator.load(name) for name in data.names()}


@pytest.mark.parametrize("number", [number for number, entry in BY_NUMBER.items() if entry.switch])
def test_a_switch_changes_its_scenario(number, scenarios):
    switch = BY_NUMBER[number].switch
    scenario = scenarios[switch.scenario]
    without = switch.without(scenario)
    assert without.input_hash != scenario.input_hash
    assert {rule.id for rule in scenario.constraints if rule.enabled} >= set(switch.disable)


def test_the_small_scenario_shows_those_without_amounts():
    assert set(SMALL) == {1, 2, 3, 5, 6, 7, 19, 21}


# proposition: (measure, more of it with the proposition (+1) or less (-1))
SHOWN = {
    1: ("site-cle-en-main", 1), 2: ("friche", 1), 3: ("friche", -1), 5: ("projet-ti", 1), 6: ("etude-friche", 1),
    7: ("bail", 1), 19: ("suite-diagnostic", -1),
}  # fmt: skip


@pytest.mark.parametrize("number", SMALL)
def test_the_plan_differs_through_its_mechanism(number):
    one = effect(BY_NUMBER[number])
    assert one.kept.status == "optimal" and one.without.certificate.ok
    if number == 21:  # as many projects, but those under way
        under_way = one.kept.scenario.demands.query("statut == 'en cours'")["id"]
        served = [set(plan.grants["demand"]) for plan in (one.kept, one.without)]
        assert set(under_way) <= served[0] and not set(under_way) <= served[1]
        return
    measure, sign = SHOWN[number]
    changed = {name: (here, there) for name, here, there, _ in one.changes()}
    here, there = changed[measure]
    assert (here - there) * sign > 0


def test_governance_has_no_plan():
    assert effect(BY_NUMBER[4]).kept is None


def test_the_command(capsys):
    assert cli.main(["propositions", "1", "4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["propositions"]
    assert [one["number"] for one in told] == [1, 4] and told[1]["scenario"] is None
    assert told[0]["points"]["least"] > 0
    assert cli.main(["propositions", "29"]) == 2
    assert cli.main(["propositions", "7"]) == 0
    text = capsys.readouterr().out
    assert "absent de la note" in text and "Terrains achetés pour être loués" in text


def test_fewest_euros_for_22_000_hectares():
    """The cheapest land of each kind, by hand: 6 000 ha of sound brownfields and 4 000 polluted, and so on."""
    plan = allocator.solve(allocator.load("hectares-2030"))
    assert plan.status == "optimal" and plan.bound <= plan.objective
    units = plan.units.groupby("measure")["units"].sum()
    sound = float(plan.units.loc[plan.units["measure"] == "friche-saine", "asked_units"].sum())
    by_hand = sound * 375_000 + (10_000 - sound) * 780_000 + 3_500 * 200_000 + 8_500 * 135_000
    assert plan.objective == pytest.approx(by_hand, rel=1e-9)
    assert units["terrain-neuf"] == pytest.approx(8_500) and units["densification"] == pytest.approx(3_500)


def test_the_least_served_region():
    base = allocator.solve(allocator.load("statu-quo"), gap=1e-3)
    plan = allocator.solve(allocator.load("region-la-moins-servie"), gap=1e-3)

    def worst(one):
        people = one.scenario.territories.groupby("region")["population"].sum()
        cents = one.grants["cents"].groupby(one.grants["territory"].map(
            one.scenario.territories.set_index("id")["region"])).sum()  # fmt: skip
        return float((cents.reindex(people.index, fill_value=0) / people).min()) / 100

    assert plan.status == "optimal" and plan.objective == pytest.approx(worst(plan))
    assert worst(plan) > worst(base)
