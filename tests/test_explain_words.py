"""Sentences of explanations: what they name, how sure they say it is, and that nothing they hide is small."""

from __future__ import annotations

from fractions import Fraction

import pytest
from valley import SCHOOLS, valley

import allocator
from allocator.explain.points import Gain, counted
from allocator.explain.variants import listing


@pytest.mark.parametrize(
    ("gain", "french"),
    [
        (Gain(5.83, 2.48, 9.18), "entre 2,4 et 9,2"),
        (Gain(19.79, 16.44, 23.15), "entre 16,4 et 23,2"),
        (Gain(3, 3, 3), "3"),
        (Gain(0.2, -1, 0.687), "au plus 0,69"),
        (Gain(8, 7, float("inf")), "au moins 7"),
    ],
)
def test_a_room_is_told_rounded_outwards(gain, french):
    assert gain.text().fr == french


def test_a_loss_beside_the_total_of_the_plan():
    plan = allocator.solve(valley())
    said = counted(plan)
    assert said.lost(Gain(8, 8, 8)).fr == "ferait perdre à l'ensemble du plan 8 emplois sur 79,2 (environ 10 %)"
    assert said.lost(Gain(0.5, 0.1, 0.8)).en == (
        "would make the plan as a whole lose between 0.1 and 0.8 emplois of 79.2 (less than 1.1%)"
    )
    assert said.notes(Gain(8, 8, 8)) == []  # its name says what it is


def test_points_are_what_the_scenario_says_they_are():
    scenario = valley()
    scenario = scenario.with_(
        demands=scenario.demands.assign(hectares_nus=1), objective={"maximise": {"emplois": 1, "hectares_nus": "0.5"}}
    )
    (note,) = counted(allocator.solve(scenario)).notes(Gain(1, 1, 1))
    assert note.fr == "Les points de ce scénario : emplois × 1, hectares nus × 0,5 ; ce plan en a 83."
    # one indicator alone is counted in itself, whatever its weight
    alone = counted(allocator.solve(valley(objective={"maximise": {"emplois": Fraction(1, 2)}})))
    assert alone.of(Gain(4, 4, 4)).fr == "8 emplois"


def test_a_list_hides_two_at_least():
    names = [str(k) for k in range(7)]
    assert "autre" not in listing(names[:6]).fr
    assert listing(names).fr.endswith("et 2 autres")


def test_the_minimum_that_forbids_a_demand_is_named():
    least = {"kind": "min_grant", "id": "mini", "label": "Au moins 3 M€ par subvention", "amount": "3 M€"}
    plan = allocator.solve(valley((least, SCHOOLS)))
    found = allocator.explain(plan, demand="d3")
    assert found.impossible and found.blocking == (("mini", "Au moins 3 M€ par subvention"),)
    told = allocator.explain(plan, about="left").text("fr")
    assert "Au moins 3 M€ par subvention" in told and "unités entières" not in told


def test_a_demand_asked_for_every_year_is_named_by_year():
    scenario = valley()
    yearly = [m.model_copy(update={"annual": m.id == "friche"}) for m in scenario.measures]
    plan = allocator.solve(valley((SCHOOLS,), measures=yearly))
    with pytest.raises(allocator.ScenarioError, match=r"d3 2026, d3 2027"):
        allocator.explain(plan, demand="d3")


def test_rent_that_comes_back_is_told_where_a_fund_needs_less_than_is_missing():
    fund = {"id": "friches", "label": "Terrains", "amount": "1 M€", "returns": {1: "1/2"}}
    found = allocator.explain(allocator.solve(valley((SCHOOLS,), funds=[fund])), demand="d2")
    (flip,) = [flip for flip in found.flips if flip.what == "fund"]
    assert flip.earned == pytest.approx((flip.to - flip.now) / 2, rel=0.01)  # half comes back the year after
    assert "remboursements" in flip.text().fr


def test_what_a_sum_over_years_is_called():
    fund = {"id": "r", "label": "Fonds", "amounts": {2026: "1 M€", 2027: "1 M€"}, "carry_over": True}
    plan = allocator.solve(valley(({"kind": "floor", "id": "p", "amount": "3 M€"},), funds=[fund]))
    assert "au plus 2 000 000 € (AE cumulées jusqu'à cette année-là)" in plan.conflict.text().fr.replace(
        "\u202f", " "
    ).replace("\u00a0", " ")
