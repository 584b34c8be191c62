"""Each proposition with and without: its switch works, and the plan differs through what the proposition states."""

from __future__ import annotations

import json
from functools import cache

import pytest
import yaml

import allocator
from allocator import cli, data
from allocator.report.effects import PRECISION, ROUGH, dearer, effect


def sign(value):
    return (value > 0) - (value < 0)


BY_NUMBER = {entry.number: entry for entry in data.propositions()}
SMALL = [number for number, entry in BY_NUMBER.items() if entry.switch and entry.switch.scenario == "leviers"]


@cache
def effect_of(number):
    """Solved once for all tests."""
    return effect(BY_NUMBER[number])


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


@pytest.mark.parametrize("number", [number for number, entry in BY_NUMBER.items() if entry.switch])
def test_the_keys_told_make_the_scenario_without(number, scenarios, tmp_path):
    """What `list --propositions` says to write gives, once read from a file, what the table solves."""
    switch = BY_NUMBER[number].switch
    path = tmp_path / "sans.yaml"
    path.write_text(
        yaml.safe_dump({"name": switch.scenario, **switch.overrides()}, allow_unicode=True), encoding="utf-8"
    )
    read, made = allocator.load(path), switch.without(scenarios[switch.scenario])
    for part in ("funds", "constraints"):
        assert getattr(read, part) == getattr(made, part)


# proposition: more of its figures with it than without (+1), less (-1), in their order
SHOWN = {1: (1,), 2: (1,), 3: (1,), 5: (1,), 6: (-1, 1), 7: (1,), 19: (1, -1), 21: (1,)}


@pytest.mark.parametrize("number", SMALL)
def test_the_plan_differs_through_its_mechanism(number):
    one = effect_of(number)
    assert one.kept.status == "optimal" and one.without.status == "optimal"
    assert tuple(sign(here - there) for _, there, here in one.figures()) == SHOWN[number]


def test_figures_of_the_levers_by_hand():
    """What the scenario's own numbers say, without a solver."""
    (_, there, here), *_ = effect_of(1).figures()  # sites of 24 ha of new land within 60 ha, then within 120
    assert (there, here) == pytest.approx((2 * 24, 5 * 24))
    (_, there, here), *_ = effect_of(5).figures()  # 2 M€ a year of taxes, over three years
    assert (there, here) == (0, 6_000_000)
    (_, there, here), *_ = effect_of(6).figures()  # no works before a study of the year before
    assert there > 0 and here == 0
    (_, there, here), *_ = effect_of(7).figures()  # rents: a fifteenth of what is paid, the years after
    assert there == 12_000_000 and 0 < here - there <= 12_000_000 * (1 / 15 + 2 / 15 + 1 / 15**2)
    diagnoses, follow_ups = effect_of(19).figures()  # 1 M€: 200 k€ for both, or 160 k€ for what follows alone
    assert diagnoses[1:] == (0, 5) and follow_ups[1:] == pytest.approx((6.25, 5))


def test_three_funders_pay_three_times_as_many_zones():
    one = effect_of(28)
    (_, alone, together), (_, whole, third) = one.figures()
    assert together == pytest.approx(3 * alone) and alone > 0 and whole == 1 and third == pytest.approx(1 / 3)
    assert one.places() and sum(cents for _, cents in one.places()) == sum(change[3] for change in one.changes())


def test_a_threshold_flips_the_decision():
    """Diagnoses at their threshold: fewer of them there, as many just below."""
    (flip, *_) = effect(BY_NUMBER[19], thresholds=True).thresholds
    assert flip.measure == "diagnostic" and flip.status == "optimal"
    assert 40_000 == flip.asked <= flip.below < flip.euros <= flip.below * (1 + PRECISION) * (1 + 1e-9)

    def diagnoses(euros):
        plan = allocator.solve(dearer(allocator.load("leviers"), "diagnostic", euros / flip.asked), gap=ROUGH)
        return float(plan.units.loc[plan.units["measure"] == "diagnostic", "units"].sum())

    assert diagnoses(flip.euros) < 5 <= diagnoses(flip.below)


@pytest.mark.parametrize("factor", [1.0, 1.000677, 1.37, 2.0])
def test_what_is_dearer_asks_for_no_more_of_its_cost(factor, scenarios):
    """Sites ask for 80 % of their cost, which is the most that the law lets them have."""
    before = scenarios["propositions-2025"]
    after = dearer(before, "site-cle-en-main", factor)
    mine = before.demands["measure"] == "site-cle-en-main"
    asked, cost = (after.demands.loc[mine, column].astype(float) for column in ("asked", "cost"))
    assert ((asked * 100).round() * 10 <= (cost * 100).round() * 8).all()
    assert asked.iloc[0] == pytest.approx(8_000_000 * factor, abs=0.02)
    others = [frame.loc[~mine, ["asked", "cost"]].astype(float) for frame in (before.demands, after.demands)]
    assert others[0].equals(others[1])


def test_governance_has_no_plan():
    assert effect_of(4).kept is None


def test_the_command(capsys):
    assert cli.main(["propositions", "2", "4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["propositions"]
    assert [one["number"] for one in told] == [2, 4] and told[1]["scenario"] is None
    assert told[0]["points"]["least"] > 0
    (figure,) = told[0]["figures"]
    assert figure["unit"] == "euros" and figure["with"] > figure["without"]
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
