"""Objectives other than points: euros made small, the worst-off made well off, one aim after another, concave steps."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pandas as pd
import pytest

import allocator

TERRITORIES = pd.DataFrame(
    {
        "id": ["a", "b", "c"], "name": ["A", "B", "C"], "region": ["11", "11", "53"],
        "departement": ["75", "77", "35"], "population": [1000, 2000, 3000],
    }
)  # fmt: skip
DEMANDS = pd.DataFrame(
    {
        "id": ["a1", "a2", "b1", "c1", "c2"], "territory": ["a", "a", "b", "c", "c"],
        "measure": ["ecole", "ecole", "ecole", "ecole", "ecole"], "units": [2, 1, 2, 1, 2],
        "asked": [100, 30, 50, 80, 20], "emplois": [7, 1, 3, 6, 2],
    }
)  # fmt: skip


def scenario(objective, *constraints, amount=200, demands=DEMANDS, lumpy=True, **measure):
    return allocator.Scenario(
        "t", [2026], [{"id": "f", "amount": amount}], [{"id": "ecole", "lumpy": lumpy, **measure}], TERRITORIES, demands,
        list(constraints), objective,
    )  # fmt: skip


def all_plans(amount: int = 200):
    """Units of each demand (k,) in every way that the fund can pay."""
    asked = DEMANDS["asked"].tolist()
    for units in product(*(range(n + 1) for n in DEMANDS["units"])):
        if sum(a * u for a, u in zip(asked, units, strict=True)) <= amount:
            yield units


def euros(units, territory=None):
    rows = zip(DEMANDS["asked"], units, DEMANDS["territory"], strict=True)
    return sum(asked * n for asked, n, where in rows if territory in (None, where))


def emplois(units):
    return sum(e * n for e, n in zip(DEMANDS["emplois"], units, strict=True))


def found(plan):
    return tuple(int(n) for n in plan.units.sort_values("demand")["units"])


def test_fewest_euros_under_a_target():
    target = {"kind": "indicator", "indicator": "emplois", "min": 13}
    plan = allocator.solve(scenario({"minimise": "euros"}, target, amount=1000), gap=0)
    cheapest = min(euros(u) for u in all_plans(1000) if emplois(u) >= 13)
    assert plan.status == "optimal" and plan.objective == plan.bound == cheapest == euros(found(plan))
    assert plan.summary()["levels"][0]["unit"] == "€"


def test_a_bound_on_euros_lies_below():
    target = {"kind": "indicator", "indicator": "emplois", "min": 13.5}
    plan = allocator.solve(scenario({"minimise": "euros"}, target, amount=1000, lumpy=False), gap=1e-6)
    assert plan.status == "optimal" and plan.bound <= plan.objective
    # by euros per job: c2 (10), c1 (13.33), a1 (14.29): 4 + 6 jobs, then 3.5 of a1
    assert plan.objective == pytest.approx(40 + 80 + 3.5 * 100 / 7, abs=0.02)


def test_soft_losses_come_on_top_of_euros():
    wanted = {"kind": "indicator", "indicator": "emplois", "min": 13, "soft": 11}
    plan = allocator.solve(scenario({"minimise": "euros"}, wanted, amount=1000), gap=0)
    best = min(euros(u) + 11 * max(0, 13 - emplois(u)) for u in all_plans(1000))
    assert plan.status == "optimal" and plan.objective == best


def sorted_sums(units, depth, people=None):
    each = sorted(Fraction(euros(units, t), people[t] if people else 1) for t in ("a", "b", "c"))
    return tuple(sum(each[: k + 1]) for k in range(depth))


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("of", ["euros", "euros_per_inhabitant"])
def test_leximin_is_what_trying_every_plan_finds(of, depth):
    people = dict(zip(TERRITORIES["id"], TERRITORIES["population"], strict=True)) if of != "euros" else None
    best = max(sorted_sums(u, depth, people) for u in all_plans())
    plan = allocator.solve(scenario({"maximin": {"of": of, "per": "territory", "depth": depth}}), gap=1e-9)
    got = sorted_sums(found(plan), depth, people)
    assert plan.status == "optimal"
    assert [float(v) for v in got] == pytest.approx([float(v) for v in best], rel=3e-6)
    assert [level["objective"] for level in plan.summary()["levels"]] == pytest.approx([float(v) for v in got])


def test_maximin_of_an_indicator_counts_units():
    plan = allocator.solve(scenario({"maximin": {"of": "emplois", "per": "region"}}), gap=1e-9)

    def worst(units):
        per = {"11": 0, "53": 0}
        for e, n, t in zip(DEMANDS["emplois"], units, DEMANDS["territory"], strict=True):
            per["53" if t == "c" else "11"] += e * n
        return min(per.values())

    assert plan.objective == max(worst(u) for u in all_plans())


def test_groups_that_nothing_may_pay_are_not_the_worst_off():
    only = {"id": "f", "amount": 200, "on": {"territories": ["a", "b"]}}
    base = scenario({"maximin": {"of": "euros", "per": "territory"}})
    assert allocator.solve(base.with_(funds=[only])).objective > 0


def test_one_aim_after_another():
    objective = {"lexicographic": [{"maximise": {"emplois": 1}}, {"minimise": "euros"}]}
    plan = allocator.solve(scenario(objective, amount=330), gap=0)
    best = max((emplois(u), -euros(u)) for u in all_plans(330))
    assert (emplois(found(plan)), -euros(found(plan))) == best
    assert plan.status == "optimal" and plan.objective == best[0]
    assert [level["objective"] for level in plan.summary()["levels"]] == [best[0], -best[1]]
    assert any(check.name == "level:level-1" and check.ok for check in plan.certificate.checks)


def test_later_aims_weigh_soft_losses_of_the_first():
    """What a soft rule takes may change hands against points, as long as the first level keeps its net value."""
    soft = {"kind": "count", "on": {"territories": ["c"]}, "max": 0, "soft": 2}
    objective = {"lexicographic": [{"maximise": {"emplois": 1}}, {"minimise": "euros"}]}
    plan = allocator.solve(scenario(objective, soft), gap=0)

    def net(units):
        return emplois(units) - 2 * (units[3] + units[4])

    best = max((net(u), -euros(u)) for u in all_plans())
    assert (net(found(plan)), -euros(found(plan))) == best and plan.status == "optimal"


STEPS = [{"up_to": 0.5, "value": 1}, {"up_to": 1, "value": "1/4"}]


def with_steps(units):
    total = Fraction(0)
    for e, n, asked in zip(DEMANDS["emplois"], units, DEMANDS["units"], strict=True):
        half = Fraction(int(asked), 2)
        total += e * (min(n, half) + max(n - half, 0) * Fraction(1, 4))
    return total


def test_steps_count_what_comes_later_for_less():
    plan = allocator.solve(scenario({"maximise": {"emplois": 1}}, steps=STEPS), gap=0)
    best = max(with_steps(u) for u in all_plans())
    assert plan.status in ("optimal", "feasible") and plan.gap < 1e-12
    assert with_steps(found(plan)) == best and plan.objective == pytest.approx(float(best))


def test_steps_spread_divisible_money():
    plain = allocator.solve(scenario({"maximise": {"emplois": 1}}, lumpy=False))
    stepped = allocator.solve(scenario({"maximise": {"emplois": 1}}, lumpy=False, steps=STEPS))
    assert stepped.status == "optimal"
    assert (stepped.units["units"] > 0).sum() > (plain.units["units"] > 0).sum()


def test_steps_refuse_points_that_shrink():
    with pytest.raises(allocator.ScenarioError, match="steps"):
        scenario({"maximise": {"emplois": -1}}, steps=STEPS)


@pytest.mark.parametrize(
    ("objective", "place"),
    [
        ({"maximin": {"of": "emploi", "per": "region"}}, "maximin.of"),
        ({"maximin": {"of": "euros", "per": "regoin"}}, "maximin.per"),
        (
            {"lexicographic": [{"maximise": {"emplois": 1}}, {"maximise": {"emploi": 1}}]},
            "lexicographic.1.maximise.emploi",
        ),
        ({"lexicographic": []}, "lexicographic"),
        ({"minimise": "emplois"}, "minimise"),
        ({"maximin": {"of": "euros", "per": "region", "depth": 0}}, "maximin.depth"),
    ],
)
def test_mistakes_in_objectives(objective, place):
    with pytest.raises(allocator.ScenarioError) as error:
        scenario(objective)
    assert any(place in str(problem.place) for problem in error.value.problems)


def test_an_annual_measure_is_asked_again_every_year():
    """A site a year: each demand becomes one per year, and with_ does not multiply it again."""
    fund = {"id": "f", "amount": 150, "on": {"demands": ["a2 2026", "a2 2027"]}}
    demands = DEMANDS[DEMANDS["id"].isin(["a1", "a2"])].assign(measure=["site", "site"])
    years = allocator.Scenario(
        "t", [2026, 2027], [fund], [{"id": "site", "lumpy": True, "annual": True}], TERRITORIES, demands, [],
        {"maximise": {"emplois": 1}},
    )  # fmt: skip
    assert years.demands["id"].tolist() == ["a1 2026", "a1 2027", "a2 2026", "a2 2027"]
    assert years.demands["project"].tolist() == ["a1", "a1", "a2", "a2"]
    assert years.with_(name="u").demands["id"].tolist() == years.demands["id"].tolist()
    plan = allocator.solve(years)
    assert plan.grants[["demand", "year", "cents"]].values.tolist() == [
        ["a2 2026", 2026, 3000],
        ["a2 2027", 2027, 3000],
    ]


def test_a_remedy_does_not_name_what_would_be_refused():
    with pytest.raises(allocator.ScenarioError) as error:
        scenario({"maximin": {"of": "euros", "per": "quoi"}})
    told = str(error.value)
    assert "departement" in told and "name" not in told and "population" not in told
