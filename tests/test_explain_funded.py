"""Why a demand is funded or not: the rival, the rules, and flips that are verified by solving, here once more."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module

import pandas as pd
import pytest
from hypothesis import given, settings
from strategies import scenarios
from valley import FLOOR, SCHOOLS, valley

import allocator
from allocator.explain.flips import Flip, changed
from allocator.explain.funded import Funded
from allocator.explain.points import Gain
from allocator.explain.variants import granted, raised


def solved_again(scenario: allocator.Scenario, demand: str, flip: Flip, value: float) -> int:
    """Cents granted to the demand with the change that a flip speaks of, by a solve of our own, and what it then asks."""
    if flip.what == "fund":
        other = raised(scenario, flip.of, round(value - flip.now))
    elif flip.what == "asked":
        other = changed(scenario, demand, "asked", round(value) / 100)
    else:
        other = changed(scenario, demand, flip.of, round(value, 6))
    plan = allocator.solve(other)
    asked = dict(zip(other.demands["id"], plan.asked_cents(), strict=True))[demand]
    got = granted(plan)[demand] if plan.reading is not None else 0
    return 0 if not got else 2 if got == asked else 1


def verify(scenario: allocator.Scenario, found: Funded) -> int:
    """Every flip turns the decision over, and the figure just short of it does not; how many there were."""
    state = 2 if found.granted == found.asked else 1 if found.granted else 0
    for flip in found.flips:
        if flip.to is None:
            continue
        after, short = (solved_again(scenario, found.demand, flip, v) for v in (flip.to, flip.short))
        if state == 2:
            assert after < 2 and short == 2, flip
        elif state == 1:
            assert after == 2 and short < 2, flip
        else:
            assert after > 0 and short == 0, flip
    return sum(flip.to is not None for flip in found.flips)


def test_refused():
    scenario = valley()
    found = allocator.explain(allocator.solve(scenario), demand="d3")
    # its two hectares (10 jobs) would take the place of two of d2 (18 jobs)
    assert found.contrary.found == pytest.approx(8)
    assert [(r.demand, r.change) for r in found.rivals] == [("d2", -100_000_000)]
    flips = {flip.what: flip for flip in found.flips}
    assert flips["score"].short == pytest.approx(9, abs=0.05)  # beyond the 9 of d2
    assert flips["asked"].to == pytest.approx(5 / 9 * 50_000_000, rel=0.02)
    assert verify(scenario, found) == 4
    text = found.text("fr").replace("\u202f", " ").replace("\u00a0", " ")
    assert text.startswith("Le dossier « Friches, Plateau » (d3) n'est pas financé (il demande 1 000 000 €)")
    assert (
        "Un plan qui le finance en entier, sans faire entrer personne d'autre, retire :\n    1 000 000 € à Friches, Littoral (d2) – Fonds"
        in text
    )
    # what it takes from others is what it gets, what these get more and what is granted less in all
    taken = -sum(rival.change for rival in found.rivals)
    assert taken == found.asked - found.granted + found.elsewhere + found.unspent
    assert "ferait perdre à l'ensemble du plan 8 emplois sur 79,2 (environ 10 %)" in text
    assert "Il suffit de l'un de ces changements pour qu'il soit financé, au moins en partie :" in text
    json.dumps(found.as_dict(), allow_nan=False)


def test_in_part():
    scenario = valley()
    found = allocator.explain(allocator.solve(scenario), demand="d2")
    assert found.contrary.found == pytest.approx(3)
    assert verify(scenario, found) == 4
    assert "est financé en partie" in found.answer.fr


def test_funded():
    scenario = valley((SCHOOLS,))
    found = allocator.explain(allocator.solve(scenario), demand="d1")
    # without d1, 2 M€ go to 1.4 hectares at 9 and two at 5
    assert found.contrary.found == pytest.approx(48 - 1.4 * 9 - 2 * 5)
    assert verify(scenario, found) >= 3
    assert "S'il était refusé, cet argent irait ainsi :" in found.text("fr")


def test_a_rule_that_decides():
    scenario = valley((FLOOR, SCHOOLS))
    plan = allocator.solve(scenario)
    assert "Aucune école" in allocator.explain(plan, demand="d4").answer.fr
    assert allocator.explain(plan, demand="d4").impossible
    # the floor of the South takes the money of the North's last hectare, and d1 could not have it all
    assert ("plancher-sud", "Plancher du Sud") in allocator.explain(plan, demand="d1").blocking
    plateau = {
        "kind": "floor",
        "id": "plancher-d3",
        "label": "Plancher du Plateau",
        "on": {"demands": ["d3"]},
        "amount": 900_000,
    }
    found = allocator.explain(allocator.solve(valley((SCHOOLS, plateau))), demand="d2")
    assert found.deciding == ()  # 0.9 M€ for the plateau: without it d2 would still not be whole
    assert "Abandonner cette règle n'y suffirait pas : « Plancher du Plateau »." in found.text("fr")
    floor = {**plateau, "amount": 200_000}
    funds = [{"id": "friches", "amount": "4.6 M€"}]
    found = allocator.explain(allocator.solve(valley((SCHOOLS, floor), funds=funds)), demand="d2")
    assert found.deciding == (("plancher-d3", "Plancher du Plateau"),)


def test_a_part_is_all_that_is_possible():
    cap = {
        "kind": "ceiling",
        "id": "plafond",
        "label": "Plafond des écoles",
        "on": {"measures": "ecole"},
        "amount": 350_000,
    }
    scenario = valley((cap,))
    found = allocator.explain(allocator.solve(scenario), demand="d4")
    assert found.most == 35_000_000 and not found.impossible
    assert "Le financer en entier est impossible, à cause de : Plafond des écoles" in found.text("fr")


def one_school() -> allocator.Scenario:
    """Two schools of 700 k€, one place for them."""
    rule = {"kind": "count", "id": "une", "label": "Une école au plus", "on": {"measures": "ecole"}, "max": 1}
    scenario = valley((rule,), lumpy=True, funds=[{"id": "f", "label": "Fonds", "amount": "9 M€"}])
    rows = scenario.demands.tail(1).assign(id="d5", territory="t2", emplois=8)
    return scenario.with_(demands=pd.concat([scenario.demands, rows]))


def test_the_cause_comes_first():
    plan = allocator.solve(one_school())
    found, brief = allocator.explain(plan, demand="d5"), allocator.explain(plan, demand="d5", brief=True)
    assert ": il ne reste pas assez de place sous « Une école au plus » (1 sur 1) ; le financer" in found.answer.fr
    assert found.answer == brief.answer
    assert found.details[0].fr == (
        "Une règle en décide à elle seule : il suffirait d'abandonner « Une école au plus » pour qu'il soit financé."
    )
    assert not any(limit.fund for limit in found.limits)  # 9 M€ are more than all ask for
    poor = allocator.explain(allocator.solve(valley()), demand="d3")
    assert (
        ": il ne reste pas assez d'argent dans « Fonds friches » et « Fonds régional » ; le financer" in poor.answer.fr
    )


def test_a_fund_with_money_left_in_another_year_is_no_cause():
    """2026 is all spent, by who may be paid in no other year; the second school could be paid in 2027."""
    fund = {"id": "f", "label": "Fonds", "amounts": {2026: "1 M€", 2027: "9 M€"}}
    scenario = one_school().with_(funds=[fund])
    scenario = scenario.with_(demands=scenario.demands.assign(last_year=[2026, 2026, 2026, 2027, 2027]))
    plan = allocator.solve(scenario)
    assert "f" in plan.binding
    assert [limit.id for limit in allocator.explain(plan, demand="d5", brief=True).limits] == ["une"]


def test_what_is_taken_and_not_needed_is_told():
    """A school of 700 k€ takes the place of one of 900 k€: 200 k€ less are granted, nobody else asks for them."""
    scenario = one_school()
    scenario = scenario.with_(
        demands=scenario.demands.assign(asked=[500_000, 500_000, 500_000, 900_000, 700_000], cost=900_000)
    )
    found = allocator.explain(allocator.solve(scenario), demand="d5")
    assert (found.unspent, found.elsewhere) == (20_000_000, 0)
    assert "(et accorde, en tout, 200 000 € de moins)" in found.text("fr").replace("\u202f", " ").replace("\u00a0", " ")


def test_money_makes_no_place():
    """5.7 M€ are all spent and one school may come in: money does not bring the second one in."""
    scenario = one_school().with_(funds=[{"id": "f", "label": "Fonds", "amount": "5.7 M€"}])
    found = allocator.explain(allocator.solve(scenario, gap=0), demand="d5", gap=0)
    assert [flip.to for flip in found.flips if flip.what == "fund"] == [None]
    text = found.text("fr")
    assert "N'y suffirait pas : " in text
    assert (
        "De l'argent en plus ne lui fait pas de place sous « Une école au plus » : il lui faut celle d'un autre."
        in text
    )


def test_several_rules_decide_together():
    two = [
        {"kind": "count", "id": k, "label": label, "on": {"demands": ["d4", "d5"]}, "max": 1}
        for k, label in (("une", "Une école au plus"), ("vague", "Une seule vague"))
    ]
    found = allocator.explain(allocator.solve(one_school().with_(constraints=two)), demand="d5")
    assert len(found.deciding) == 2
    assert (
        "aucune de ces deux règles n'y suffit seule : « Une école au plus » ; « Une seule vague »."
        in found.details[0].fr
    )


def test_decided_already():
    lock = {"kind": "lock", "id": "promis", "label": "Promis", "on": {"demands": "d3"}, "decision": "fund"}
    found = allocator.explain(allocator.solve(valley((SCHOOLS, lock))), demand="d3")
    assert found.impossible and found.blocking == (("promis", "Promis"),)
    assert "le refuser est impossible, à cause de : Promis" in found.answer.fr


def test_a_tie_is_said_to_be_one():
    scenario = valley((SCHOOLS,))
    scenario = scenario.with_(demands=scenario.demands.assign(emplois=[12, 9, 9, 10]))
    found = allocator.explain(allocator.solve(scenario), demand="d3")
    assert found.contrary.found == pytest.approx(0, abs=1e-6)
    assert "ex æquo" in found.answer.fr
    assert "Comme c'est presque un ex æquo, un changement plus petit peut suffire." in found.text("fr")


def test_a_tie_tells_the_loss_between_the_two_plans():
    plan = allocator.solve(valley((SCHOOLS,)))
    found = allocator.explain(plan, demand="d3")
    tied = replace(found, contrary=Gain(0.02, 0.0, 0.687, 0.8))
    assert "au plus 0,69 emploi" in tied.answer.fr
    assert "peut-être rien (0,02 emploi entre les deux plans calculés) : autant dire un ex æquo" in tied.answer.fr


@settings(max_examples=5, deadline=None)
@given(
    scenarios(
        demands=(3, 6), constraints=(0, 2), funds=(1, 2), years=(1, 2), cruelty=0.0, kinds=("ceiling", "share", "floor")
    )
)
def test_flips_hold_on_random_scenarios(scenario):
    plan = allocator.solve(scenario)
    if plan.status != "optimal":
        return
    for demand in scenario.demands["id"][:2]:
        found = allocator.explain(plan, demand=demand)
        assert found.contrary is None or found.contrary.most >= -1e-9
        verify(scenario, found)


def test_brief_says_what_would_flip_it_in_a_few_solves():
    steps = []
    plan = allocator.solve(valley())
    found = allocator.explain(plan, demand="d3", brief=True, on_step=lambda what, seconds: steps.append(what))
    assert len(steps) <= 10
    assert [flip.what for flip in found.flips] == ["score", "asked"] and found.rules is None
    assert verify(valley(), found) == 2
    assert "Abandonner" not in found.text("fr")


def several(needed: int, idle: int) -> allocator.Scenario:
    """`needed` rules that keep the second school out, each by itself, and `idle` ones that secure what is funded anyway."""
    limits = [
        {"kind": "count", "id": f"r{k}", "label": f"Règle {k}", "on": {"demands": ["d4", "d5"]}, "max": 1}
        for k in range(needed)
    ]
    sums = {"d1": "2 M€", "d2": "2.5 M€", "d3": "1 M€"}
    floors = [
        {"kind": "floor", "id": f"f-{d}", "label": f"Plancher {d}", "on": {"demands": [d]}, "amount": sums[d]}
        for d in list(sums)[:idle]
    ]
    return one_school().with_(constraints=[*limits, *floors])


@pytest.mark.parametrize(
    ("needed", "idle", "solves", "said"),
    [
        (3, 0, 8, "mais pas une de moins"),
        (3, 3, 8, "mais pas une de moins"),
        (8, 0, 8, "moins y suffirait peut-être, tout n'a pas été essayé"),
        (8, 0, 20, "mais pas une de moins"),
    ],
)
def test_more_than_two_rules_are_tried_one_by_one(monkeypatch, needed, idle, solves, said):
    """Three rules, none of which does without the two others; of eight, not all can be tried in as many solves."""
    monkeypatch.setattr(import_module("allocator.explain.deciding"), "RULE_SOLVES", solves)
    found = allocator.explain(allocator.solve(several(needed, idle)), demand="d5")
    assert len(found.rules.tried) == needed + idle
    assert [rule for rule, _ in found.deciding] == [f"r{k}" for k in range(needed)]
    assert said in found.details[0].fr
