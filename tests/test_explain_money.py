"""A million more, the curve of a fund, what is left and why, who is next: known figures, and what must hold for any scenario."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from strategies import scenarios
from valley import FLOOR, SCHOOLS, valley

import allocator
from allocator.explain.curve import curve
from allocator.explain.left import left
from allocator.explain.reserve import reserve
from allocator.explain.variants import Variants, granted, raised, total

MILLION = 100_000_000


def test_a_million_more():
    # 200 k€ complete d1 at 12 jobs, 500 k€ d2 at 9, and 300 k€ go to d3 at 5
    found = allocator.explain(allocator.solve(valley()), about="money")
    assert [bought.gain.found for bought in found.ranked] == pytest.approx([16.8, 16.8])
    assert "16,8 emplois" in found.text("fr")


def test_the_breakpoints_of_a_fund():
    variants = Variants(allocator.solve(valley()))
    points, exact, enough = curve(variants, "friches")
    # 3.8 M€ fill d1 at 4 M€ in all, d2 at 4.5, d3 at 5.5; 0.8 M€ of it come from the other fund
    assert exact
    assert [p.cents for p in points[1:]] == pytest.approx(
        [320_000_000, 370_000_000, 470_000_000, points[-1].cents], abs=100
    )
    assert [p.gain.found for p in points[1:]] == pytest.approx([4.8, 13.8, 23.8, 23.8], abs=1e-6)
    assert enough == pytest.approx(470_000_000, abs=100)


def test_a_fund_of_whole_units():
    variants = Variants(allocator.solve(valley(lumpy=True), gap=0), gap=0)
    points, exact, enough = curve(variants, "friches")
    assert not exact
    found = [p.gain.found for p in points]
    assert found == sorted(found)
    assert 470_000_000 <= enough <= 490_000_000  # 5.5 M€ in all, the other fund pays one hectare of 500 k€ or none
    assert points[-1].gain.found == pytest.approx(103 - 72)  # 4 at 12, 5 at 9, 2 at 5 against 3 and 4


def test_new_money_passes_through_the_envelope_around():
    funds = [
        {"id": "vert", "amounts": {2026: "2 M€", 2027: "1 M€"}},
        {"id": "friches", "parent": "vert", "amount": "1 M€"},
    ]
    richer = raised(valley(funds=funds), "friches", MILLION)
    assert [total(f) for f in richer.funds] == [400_000_000, 200_000_000]
    assert richer.funds[0].amounts == {2026: 266_666_666, 2027: 133_333_334}
    assert total(raised(richer, "friches", -10 * MILLION).funds[1]) == 0


def test_the_million_is_told_by_year_beside_what_is_left():
    """1 M€ a year, of which 2026 alone has anybody to pay: the million of 2027 buys nothing."""
    fund = {"id": "f", "label": "Fonds", "amounts": {2026: "1 M€", 2027: "1 M€"}}
    scenario = valley((SCHOOLS,), funds=[fund])
    scenario = scenario.with_(demands=scenario.demands.assign(first_year=2026, last_year=2026))
    plan = allocator.solve(scenario)
    text = allocator.explain(plan, fund="f").text("fr").replace("\u202f", " ").replace("\u00a0", " ")
    assert "Avant cet ajout, il reste : Fonds : 1 000 000 € en 2027. Tous les dossiers qu'il peut payer" in text
    assert "L'ajout, un million en tout : 500 000 € en 2026, 500 000 € en 2027." in text
    assert "Le plan recalculé y engage 500 000 € de plus (500 000 € en 2026)." in text
    assert "Ce million en 2026 seulement : 24 emplois." in text
    assert "Ce million en 2027 seulement : rien de mesurable." in text


def test_nobody_left_to_pay():
    funds = [{"id": "friches", "label": "Fonds friches", "amount": "10 M€"}]
    plan = allocator.solve(valley((), funds=funds))
    (place,) = left(Variants(plan)).places
    assert (place.cause, place.cents) == ("nobody", 1_000_000_000 - 620_000_000)


def test_the_envelope_around_is_spent():
    funds = [
        {"id": "vert", "label": "Fonds vert", "amount": "3 M€"},
        {"id": "friches", "label": "Fonds friches", "parent": "vert", "amount": "5 M€"},
    ]
    found = left(Variants(allocator.solve(valley(funds=funds))))
    (place,) = found.places
    assert (place.fund, place.cause) == ("friches", "around")
    assert "« Fonds vert », est tout entière engagée" in found.details[0].fr
    said = found.answer.fr.replace("\u202f", " ").replace("\u00a0", " ")
    assert said == (
        "Il ne reste rien à attribuer ; « Fonds friches » n'engage pas 5 000 000 €, mais l'enveloppe qui le contient est tout "
        "entière engagée."
    )


def test_units_that_do_not_fit():
    plan = allocator.solve(valley((FLOOR, SCHOOLS), lumpy=True), gap=0)
    (place,) = left(Variants(plan)).places
    assert (place.fund, place.cents, place.cause) == ("region", 30_000_000, "units")


def test_rules_that_keep_money_back():
    cap = {
        "kind": "ceiling",
        "id": "plafond",
        "label": "Plafond du Sud",
        "on": {"where": {"region": "Sud"}},
        "amount": "1 M€",
    }
    plan = allocator.solve(valley((cap, SCHOOLS)))
    places = left(Variants(plan)).places
    assert {place.cause for place in places} == {"rules"}
    assert all("plafond" in place.rules for place in places)
    assert "Plafond du Sud" in allocator.explain(plan, about="left").text("fr")


def test_money_that_would_lose_points():
    # hectares of d3 now cost jobs: money stays
    scenario = valley((SCHOOLS,), funds=[{"id": "friches", "label": "Fonds friches", "amount": "5 M€"}])
    scenario = scenario.with_(demands=scenario.demands.assign(emplois=[12, 9, -5, 10]))
    (place,) = left(Variants(allocator.solve(scenario))).places
    assert place.cause == "loss"
    assert place.cents == 50_000_000


def test_who_is_next():
    found = reserve(Variants(allocator.solve(valley())), "friches", tranche=50_000_000, most=4)
    assert [(n.demand, n.extra, n.cents, n.completed) for n in found.waiting][:4] == [
        ("d2", 50_000_000, 30_000_000, False),
        ("d1", 50_000_000, 20_000_000, True),
        ("d3", 100_000_000, 30_000_000, False),
        ("d2", 100_000_000, 20_000_000, True),
    ]
    assert found.nesting.found == pytest.approx(0, abs=1e-9)
    assert "1. avec 500 000 € de plus : Friches, Littoral (d2)" in found.text("fr").replace("\u202f", " ").replace(
        "\u00a0", " "
    )


def test_what_taking_from_nobody_costs():
    # whole hectares and 300 k€ left: the school (700 k€, 10 jobs) cannot come in with 300 k€ more unless a hectare goes
    rules = ({"kind": "count", "id": "un", "on": {"demands": ["d2", "d4"]}, "max": 1, "of": "demands"},)
    scenario = valley(rules, lumpy=True, funds=[{"id": "friches", "amount": "2.7 M€"}])
    scenario = scenario.with_(demands=scenario.demands.assign(units=[4, 2, 2, 1]))
    plan = allocator.solve(scenario, gap=0)
    assert plan.objective == 58  # four hectares at 12 and the school
    found = reserve(Variants(plan, gap=0), "friches", tranche=50_000_000, most=1)
    assert [n.demand for n in found.waiting] == ["d3"]  # 63, the school kept
    assert found.nesting.found == 66 - 63  # d2 whole in place of the school


@settings(max_examples=15, deadline=None)
@given(scenarios(demands=(3, 7), constraints=(0, 3), funds=(1, 2), cruelty=0.0))
def test_the_reserve_list_is_nested(scenario):
    plan = allocator.solve(scenario, time_limit=20)
    if plan.reading is None:
        return
    found = reserve(Variants(plan), scenario.funds[0].id, tranche=50_000, most=3)
    for poorer, richer in zip(found.plans, found.plans[1:], strict=False):
        before, after = granted(poorer), granted(richer)
        assert richer.certificate.ok
        assert all(after[d] >= cents for d, cents in before.items())
    if found.nesting is not None:
        assert found.nesting.most >= -1e-9


def test_the_fund_in_json():
    found = allocator.explain(allocator.solve(valley()), fund="friches")
    report = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert report["exact"] and report["enough_cents"] == pytest.approx(470_000_000, abs=100)
    assert allocator.explain(allocator.solve(valley()), constraint="friches").as_dict()["about"] == "fund"


def test_who_profits_in_the_envelope_around_is_told():
    """A million for the schools' fund grows the envelope around it, which pays brownfields too."""
    funds = [
        {"id": "vert", "label": "Fonds vert", "amount": "1 M€"},
        {"id": "ecoles", "label": "Fonds des écoles", "parent": "vert", "amount": 0, "on": {"measures": "ecole"}},
    ]
    plan = allocator.solve(valley((), funds=funds, lumpy=True))
    found = reserve(Variants(plan), "ecoles", most=2)
    assert {each.demand[0] for each in found.waiting} == {"d"} and found.around == ("Fonds vert",)
    assert "L'argent ajouté compte aussi dans « Fonds vert »" in found.text("fr")
    assert reserve(Variants(plan), "vert", most=1).around == ()
