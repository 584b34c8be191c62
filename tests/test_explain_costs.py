"""What rules cost: known figures, never less than minus the gap, the same whatever the order, nothing claimed below the gap."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from strategies import scenarios
from valley import FLOOR, SCHOOLS, valley

import allocator
from allocator.explain.costs import _moved, costs
from allocator.explain.variants import Variants


def test_a_known_cost():
    # by hand: 3.8 M€; with 2 M€ in the South 3.6 ha at 12 and 4 ha at 9; without, 4 ha at 12 and 3.6 ha at 9
    plan = allocator.solve(valley((FLOOR,)))
    found = allocator.explain(plan, constraint="plancher-sud")
    assert found.regained.found == pytest.approx(1.2)
    assert found.regained.least <= 1.2 + 1e-9 <= found.regained.most + 2e-9
    assert found.indicators == {"emplois": pytest.approx(1.2)}
    assert found.text("fr").startswith("Respecter « Plancher du Sud » coûte 1,2 emploi sur 79,2 (environ 1,5 %).")
    assert found.text("en").startswith("Keeping “Plancher du Sud” costs 1.2 emplois of 79.2 (about 1.5%).")


def test_ranked_and_not_measurable():
    plan = allocator.solve(valley())
    found = allocator.explain(plan, about="costs")
    assert [cost.rule for cost in found.ranked] == ["plancher-sud", "ecoles"]
    assert [cost.measurable for cost in found.ranked] == [True, False]
    assert "Ne coûte rien : Aucune école." in found.text("fr")
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["costs"][0]["rule"] == "plancher-sud"


def test_whole_units():
    # whole hectares: 3 at 12 and 4 at 9 with the floor (72); 4 at 12 and 3 at 9 without (75)
    plan = allocator.solve(valley(lumpy=True), gap=0)
    assert allocator.explain(plan, constraint="plancher-sud", gap=0).regained.found == 3


def test_a_gap_hides_what_is_smaller():
    # a bound that is 5 points above the plan leaves no cost of 1.2 points to be measured
    plan = allocator.solve(valley((FLOOR,)))
    loose = replace(plan, certificate=replace(plan.certificate, bound=plan.certificate.objective + 5))
    found = allocator.explain(loose, constraint="plancher-sud")
    assert found.regained.found == pytest.approx(1.2)
    assert not found.measurable
    assert "non mesurable" in found.text("fr") and "not measurable" in found.text("en")


@settings(max_examples=12, deadline=None)
@given(scenarios(demands=(3, 8), constraints=(1, 4), cruelty=0.0))
def test_no_rule_pays_for_itself(scenario):
    plan = allocator.solve(scenario, time_limit=20)
    if plan.reading is None:
        return
    for cost in costs(Variants(plan)).ranked:
        if cost.regained is not None:
            assert (
                plan.gap is None
                or cost.regained.found >= -(plan.bound - plan.objective) - 1e-4 * abs(plan.objective) - 1e-9
            )
            assert 0 <= cost.regained.least <= max(cost.regained.most, 0)


def test_a_name_that_is_not_there():
    plan = allocator.solve(valley())
    for question in ({"constraint": "plancher"}, {"demand": "d9"}, {"fund": "friche"}, {"about": "coûts"}):
        with pytest.raises(allocator.ScenarioError, match=r"inconnu|unknown"):
            allocator.explain(plan, **question)
    with pytest.raises(allocator.ScenarioError):
        allocator.explain(plan, demand="d1", constraint="ecoles")


def test_the_plan_in_short():
    found = allocator.explain(allocator.solve(valley()))
    text = found.text("fr")
    assert "Plancher du Sud" in text and "un million d'euros de plus" in text and "Il ne reste rien" in text
    assert [part["about"] for part in found.as_dict()["parts"]] == ["costs", "money", "left"]


def test_equals_that_change_places_are_counted_not_named():
    """Of three alike, one comes in for another; the school comes in beside, for nobody alike."""
    scenario = valley()
    scenario = scenario.with_(demands=scenario.demands.assign(units=[2, 2, 2, 1], emplois=[9, 9, 9, 10]))
    before, after = {"d1": 1_000_000_00, "d2": 1_000_000_00}, {"d1": 1_000_000_00, "d3": 1_000_000_00, "d4": 700_000_00}
    every = dict.fromkeys(scenario.demands["id"], 0)
    newly, no_longer, equals = _moved(scenario, {**every, **before}, {**every, **after})
    assert (newly, no_longer, equals) == ((("École, Vallée (d4)", 700_000_00),), (), (1, 1_000_000_00))
    found = replace(
        allocator.explain(allocator.solve(valley((FLOOR,))), constraint="plancher-sud"), equals=equals, newly=newly
    )
    said = found.text("fr").replace("\u202f", " ").replace("\u00a0", " ")
    assert "seraient financés : École, Vallée (d4), 700 000 €." in said
    assert "(même mesure, même montant, mêmes effets) : 1 dossier (1 000 000 €) contre autant d'autres" in said


def test_soft_rules_have_a_cost_too():
    plan = allocator.solve(valley(({**FLOOR, "soft": "0.000001"}, SCHOOLS)))
    # a euro short costs a millionth of a point: 1.2 jobs are worth 200 000 € short
    found = allocator.explain(plan, constraint="plancher-sud").regained
    assert found.found == pytest.approx(0.2, abs=1e-6)
