"""Explanations read aloud and checked sentence by sentence: what they claim is so, one figure for one thing, sums told."""

from __future__ import annotations

import numpy as np
import pytest
from valley import SCHOOLS, valley

import allocator
from allocator.explain.flips import Flip
from allocator.explain.limits import limits_on, wanted_of
from allocator.explain.nouns import of
from allocator.texts import Text


def plain(text: str) -> str:
    """With ordinary spaces."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def soils() -> allocator.Scenario:
    """An envelope of new soils that the brownfield of d1 fills; d2 takes half a hectare of it per unit, d3 none."""
    rule = {"kind": "indicator", "id": "sols", "label": "Sols nouveaux", "indicator": "sols", "max": 4}
    funds = [{"id": "friches", "label": "Fonds friches", "amount": "2 M€"}]
    scenario = valley(())
    return scenario.with_(funds=funds, demands=scenario.demands.assign(sols=[1, 0.5, 0, 0]), constraints=[rule])


def test_a_rule_that_counts_nothing_of_a_demand_does_not_stand_against_it():
    plan = allocator.solve(soils())
    assert plan.grants["demand"].tolist() == ["d1"]
    assert limits_on(plan, ["d2", "d3"]) == {"d2": ("Fonds friches", "Sols nouveaux"), "d3": ("Fonds friches",)}
    rule = next(c for c in plan.scenario.constraints if c.id == "sols")
    assert wanted_of(plan, rule, np.arange(4)).tolist() == [4, 2.5, 0, 0]
    refused = allocator.explain(plan, demand="d3")
    assert "Sols nouveaux" not in refused.text("fr")


@pytest.mark.parametrize("demand", ["d2", "d3"])
def test_brief_gives_the_figures_of_the_full_answer(demand):
    plan = allocator.solve(valley())
    short, full = (allocator.explain(plan, demand=demand, brief=brief) for brief in (True, False))
    assert short.answer == full.answer
    figures = [flip for flip in full.flips if flip.what != "fund"]
    assert list(short.flips) == figures and figures


def test_brief_is_as_near_where_the_first_guess_is_far():
    """Beside the loss of one step, the next ones cost more: the guess does not do, and what does is looked for."""
    plan = allocator.solve(allocator.load("rebond-urgence"))
    asked = {"demand": "friche-244900015", "brief": True}
    (score, asking) = allocator.explain(plan, **asked).flips
    assert abs(score.to - score.now) < 0.2 and abs(asking.to - asking.now) < 50_000_00


def test_nobody_is_asked_to_have_less_than_none():
    """d1 is worth so much by its hectares alone that no number of jobs turns it out."""
    scenario = valley((SCHOOLS,))
    scenario = scenario.with_(
        demands=scenario.demands.assign(hectares=[100, 1, 1, 1], emplois=[120, 9, 5, 10]),
        objective={"maximise": {"emplois": 1, "hectares": 1}},
    )
    found = allocator.explain(allocator.solve(scenario), demand="d1")
    (score,) = [flip for flip in found.flips if flip.what == "score"]
    assert score.to is None and score.short == 0
    assert "Aucun des nombres d'emplois essayés par ha, de 120 à 0, n'y suffit." in plain(found.text("fr"))


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        ("emplois", "d'emplois"), ("études", "d'études"), ("hectares aménagés", "d'hectares aménagés"),
        ("friches", "de friches"), ("halles", "de halles"), ("œuvres", "d'œuvres"), ("", "de "),
    ],
)  # fmt: skip
def test_elision(noun, said):
    assert of(noun) == said


def test_elision_in_a_flip():
    flip = Flip("score", "emplois", Text("emplois", "jobs"), "ha", 12, None, 0, 4)
    assert flip.vain().fr == "Aucun des nombres d'emplois essayés par ha, de 12 à 0, n'y suffit."


def test_nobody_is_called_never_funded_whom_a_plan_as_near_funds():
    """None of the plans looked at funds it, but the best one that does loses less than they do."""
    plan = allocator.solve(allocator.load("rebond-urgence"))
    found = allocator.explain(plan, demand="rebond-200006682", about="near", brief=True)
    assert found.near.verdict("rebond-200006682") == "never" and found.verdict == "open"
    assert "ouvert, financé dans 0 plan sur 3" in plain(found.answer.fr)
    assert "mais un plan qui le finance ne perd que 0,035 %" in plain(found.answer.fr)


def test_a_long_list_counts_the_rest_as_numbers_are_written():
    from allocator.explain.variants import listing

    said = listing(map(str, range(1500)))
    assert plain(said.fr).endswith("et 1 495 autres") and said.en.endswith("and 1,495 more")


def test_a_unit_dearer_than_a_million_is_not_said_to_be_worth_nothing():
    """Two million buy a school, one million none: the answer says what more would buy."""
    scenario = valley(()).with_(measures=[
        {"id": "friche", "label": "Friches", "unit": "ha"}, {"id": "ecole", "label": "École", "unit": "école", "lumpy": True},
    ])  # fmt: skip
    demands = scenario.demands[scenario.demands["measure"] == "ecole"].assign(asked=[2_000_000.0], cost=[2_000_000.0])
    funds = [{"id": "ecoles", "label": "Fonds des écoles", "amount": 0}]
    plan = allocator.solve(scenario.with_(demands=demands, funds=funds))
    first = (
        "Un million d'euros de plus dans « Fonds des écoles » n'achète, à lui seul, rien de mesurable : la moins chère des "
        "unités que les règles permettent encore coûte 2 000 000 € ; avec 2 000 000 € de plus, ce serait 10 emplois"
    )
    assert plain(allocator.explain(plan, fund="ecoles", brief=True).answer.fr) == f"{first}."
    full = plain(allocator.explain(plan, fund="ecoles").answer.fr)
    assert full == f"{first} ; au-delà (2 000 000 € en tout), plus rien de mesurable."
    (line,) = [plain(t.fr) for t in allocator.explain(plan, about="money").details if "écoles" in t.fr]
    assert line.endswith("avec 2 000 000 € de plus, ce serait 10 emplois)")


def test_a_unit_that_a_rule_forbids_is_not_tried():
    """The school may not come in at any price: the rule is named, and no sum."""
    lumpy = [m.model_copy(update={"lumpy": True}) for m in valley().measures]
    dear = valley((SCHOOLS,), measures=lumpy, funds=[{"id": "f", "label": "Fonds", "amount": 0}])
    plan = allocator.solve(
        dear.with_(demands=dear.demands[dear.demands["measure"] == "ecole"].assign(asked=2e6, cost=2e6))
    )
    said = plain(allocator.explain(plan, fund="f", brief=True).answer.fr)
    assert said.endswith("rien de mesurable : ce qui attend encore est limité aussi par « Aucune école ».")


def test_money_beyond_what_is_asked_is_said_to_be_so():
    plan = allocator.solve(
        valley((SCHOOLS,), funds=[{"id": "f", "label": "Fonds", "amount": "9 M€"}]).with_(constraints=[])
    )
    said = plain(allocator.explain(plan, fund="f", brief=True).answer.fr)
    assert said.endswith("rien de mesurable : tous les dossiers qu'il peut payer ont ce qu'ils demandent.")


def test_what_is_left_is_told_with_its_amount():
    plan = allocator.solve(allocator.load("leviers"))
    found = allocator.explain(plan, about="left")
    assert (
        "Sites clés en main, part de la région, 20 000 000 € (aucun plan ne peut en dépenser 10 000 000 € de plus)"
        in plain(found.answer.fr)
    )
    assert "Aucun plan ne peut en dépenser 10 000 000 € de plus, la moitié, à cause de : Enveloppe" in plain(
        found.text("fr")
    )


def test_the_reserve_list_names_each_demand_once():
    """Half a hectare of d1 and so on, a million at a time: one line for each, its sum told."""
    plan = allocator.solve(valley((SCHOOLS,), funds=[{"id": "friches", "label": "Fonds friches", "amount": "500 k€"}]))
    found = allocator.explain(plan, fund="friches").reserve
    lines = [plain(line.fr) for line in found.details if line.fr[:1].isdigit()]
    assert [line.split("(")[1][:2] for line in lines] == ["d1", "d2", "d3"]
    assert (
        lines[0]
        == "1. avec 1 000 000 € de plus : Friches, Vallée (d1), 1 500 000 €, dont 1 000 000 € d'abord, le reste jusqu'à 2 000 000 € de plus"
    )
    given = {d: sum(each.cents for each in found.waiting if each.demand == d) for d in ("d1", "d2", "d3")}
    assert given == {"d1": 150_000_000, "d2": 250_000_000, "d3": 100_000_000}
