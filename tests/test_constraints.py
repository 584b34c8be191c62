"""Each kind of constraint: it names itself, its source and its law; its rows and its check, written apart, agree."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pandas as pd
import pytest
import yaml
from rich.console import Console

import allocator
from allocator import references
from allocator.constraints import KINDS, Constraint
from allocator.explain.limits import limits_on
from allocator.formats import yaml_text
from allocator.formats.schema import json_schema
from allocator.kinds.example import DEMANDS, TERRITORIES
from allocator.reading import Level, Reading, weighted_units
from allocator.report.console import print_plan
from allocator.report.kinds import as_dicts, example_scenario
from allocator.space import Box, Rate, Row, Space, Term


def space_with(*constraints: dict, **parts) -> Space:
    return Space.of(example_scenario(*constraints, **parts))


def reading(space: Space, *grants: tuple[str, str, int, float]) -> Reading:
    """Grants (demand, fund, year, euros)."""
    scenario = space.scenario
    demand = [scenario.demands["id"].tolist().index(g[0]) for g in grants]
    fund = [[f.id for f in scenario.funds].index(g[1]) for g in grants]
    year = [scenario.years.index(g[2]) for g in grants]
    cents = [round(100 * g[3]) for g in grants]
    return Reading(space, *(np.array(column, np.int64) for column in (demand, fund, year, cents)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_complete(kind):
    cls = KINDS[kind]
    assert cls.title.fr and cls.title.en and cls.title.fr != "Constraint"
    assert cls.__doc__ and cls.law.fr and cls.law.en, "what it says, and where such rules come from"
    assert cls.rows is not Constraint.rows and cls.check is not Constraint.check
    assert cls.says.fr and cls.says.en and cls.example.keeps and cls.example.breaks
    assert cls.model_json_schema()["properties"]


@pytest.mark.parametrize("kind", KINDS)
def test_examples(kind):
    fields, keeps, breaks = KINDS[kind].example
    space = space_with({"kind": kind, **fields})
    (rule,) = space.scenario.constraints
    assert all(level.held for level in rule.check(reading(space, *keeps)))
    assert not all(level.held for level in rule.check(reading(space, *breaks)))


EDGES = [  # rule, a plan at its edge, the same plan a cent beyond
    ({"kind": "fund_rate", "on": {"funds": ["g"]}, "max_rate": 0.25},
     [("a-ecole", "f", 2026, 62.5), ("a-ecole", "g", 2026, 37.5)], [("a-ecole", "f", 2026, 62.49), ("a-ecole", "g", 2026, 37.51)]),
    ({"kind": "fund_rate", "on": {"funds": ["g"]}, "max_rate": "1/3"},  # rounded up to the cent
     [("a-friche", "f", 2026, 66.66), ("a-friche", "g", 2026, 33.34)], [("a-friche", "f", 2026, 66.65), ("a-friche", "g", 2026, 33.35)]),
    ({"kind": "lock", "on": {"demands": ["a-friche"]}, "decision": "units", "units": "1.0001"},  # 30.003 €
     [("a-friche", "f", 2026, 30.01)], [("a-friche", "f", 2026, 30.02)]),
    ({"kind": "lock", "on": {"demands": ["a-friche"]}, "decision": "units", "units": "1.0001"},
     [("a-friche", "f", 2026, 30)], [("a-friche", "f", 2026, 29.99)]),
    ({"kind": "lock", "on": {"demands": ["a-friche"]}, "decision": "units", "units": 1},
     [("a-friche", "f", 2026, 30)], [("a-friche", "f", 2026, 30.01)]),
    ({"kind": "indicator", "indicator": "emplois", "on": {"demands": ["a-friche"]}, "min": 1, "max": 1},  # a cent a grant
     [("a-friche", "f", 2026, 30.01)], [("a-friche", "f", 2026, 30.02)]),
    ({"kind": "indicator", "indicator": "emplois", "on": {"demands": ["a-friche"]}, "min": 1, "max": 1},
     [("a-friche", "f", 2026, 20), ("a-friche", "f", 2027, 9.98)], [("a-friche", "f", 2026, 20), ("a-friche", "f", 2027, 9.97)]),
    ({"kind": "indicator", "indicator": "emplois", "on": {"demands": ["a-friche"]}, "min": 1},
     [("a-friche", "f", 2026, 30)], [("a-friche", "f", 2026, 29.99)]),
    ({"kind": "count", "on": {"demands": ["a-friche"]}, "min": 1, "max": 1},
     [("a-friche", "f", 2026, 30.01)], [("a-friche", "f", 2026, 30.02)]),
    ({"kind": "share", "on": {"funds": ["f"]}, "of": {}, "min": 0.5, "max": 0.5},  # half a cent a grant
     [("a-friche", "f", 2026, 10.02), ("b-friche", "g", 2026, 9.98)], [("a-friche", "f", 2026, 10.03), ("b-friche", "g", 2026, 9.97)]),
    ({"kind": "share", "on": {"funds": ["f"]}, "of": {}, "min": 0.5},
     [("a-friche", "f", 2026, 10), ("b-friche", "g", 2026, 10)], [("a-friche", "f", 2026, 9.99), ("b-friche", "g", 2026, 10)]),
    ({"kind": "equity", "per": "territory", "on": {"where": {"region": "11"}}, "max_ratio": 2},
     [("a-friche", "f", 2026, 10), ("b-friche", "f", 2026, 40)], [("a-friche", "f", 2026, 10), ("b-friche", "f", 2026, 40.01)]),
    ({"kind": "equity", "per": "territory", "on": {"where": {"region": "11"}}, "max_ratio": 1},  # twice a cent for 1 000 people
     [("a-friche", "f", 2026, 10), ("b-friche", "f", 2026, 20.04)], [("a-friche", "f", 2026, 10), ("b-friche", "f", 2026, 20.05)]),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "held", "broken"), EDGES, ids=lambda f: f["kind"] if isinstance(f, dict) else "")
def test_to_the_cent(fields, held, broken):
    space = space_with(fields)
    (rule,) = space.scenario.constraints
    assert all(level.held for level in rule.check(reading(space, *held)))
    assert not all(level.held for level in rule.check(reading(space, *broken)))


def test_what_is_at_its_side_is_told_and_what_counts_nothing_is_not():
    space = space_with({"kind": "no_stacking", "max_funds": 1})
    (rule,) = space.scenario.constraints
    assert [level.tight for level in rule.check(reading(space, ("a-friche", "f", 2026, 1)))] == [True]
    space = space_with({"kind": "min_grant", "amount": 40})
    (rule,) = space.scenario.constraints
    assert [level.tight for level in rule.check(reading(space, ("a-friche", "f", 2026, 40)))] == [True]
    space = space_with({"kind": "equity", "per": "region", "max_ratio": 2})
    (rule,) = space.scenario.constraints
    assert [level.idle for level in rule.check(reading(space))] == [True]
    assert [level.idle for level in rule.check(reading(space, ("a-friche", "f", 2026, 1)))] == [False]
    space = space_with({"kind": "cofunding", "max_public_rate": "1/3"})  # just what `c-friche` has
    (rule,) = space.scenario.constraints
    assert not list(rule.check(reading(space, ("c-friche", "f", 2026, 1))))
    space = space_with({"kind": "share", "on": {"funds": ["f"]}, "of": {}, "min": 0.5})
    (rule,) = space.scenario.constraints
    assert [level.idle for level in rule.check(reading(space))] == [True]
    assert [level.idle for level in rule.check(reading(space, ("a-friche", "g", 2026, 10)))] == [False]
    space = space_with({"kind": "share", "on": {"demands": ["a-ecole"]}, "of": {}, "max": 0.01})  # too little for any of it
    (rule,) = space.scenario.constraints
    assert [level.idle for level in rule.check(reading(space))] == [False]


def test_a_breach_is_told_in_its_unit():
    def missed(rule: Constraint, plan: Reading) -> Fraction:
        return sum((Fraction(level.miss) / level.scale for level in rule.check(plan)), Fraction(0))

    space = space_with({"kind": "equity", "per": "territory", "on": {"where": {"region": "11"}}, "max_ratio": 1.5})
    (rule,) = space.scenario.constraints  # euros per inhabitant: 0.03 where 1.5 times 0.01 may be
    assert missed(rule, reading(space, ("a-friche", "f", 2026, 10), ("b-friche", "f", 2026, 60))) == Fraction(15, 1000)

    loan = {"id": "f", "amount": 1000, "returns": {1: 0.75}, "reference_rate": 0}
    space = space_with({"kind": "de_minimis", "amount": 20}, prior_aid=None, funds=[loan, {"id": "g", "amount": 1000}])
    (rule,) = space.scenario.constraints  # euros of grant equivalent
    assert missed(rule, reading(space, ("a-ecole", "f", 2026, 100))) == 5

    demands = pd.DataFrame(DEMANDS).assign(asked="0.02", cost="0.01", own="0.06")
    for base, points in (("cost", 200 - 10), ("public", 25 - 10)):  # percentage points
        space = space_with({"kind": "cofunding", "max_public_rate": 0.1, "base": base}, demands=demands)
        (rule,) = space.scenario.constraints
        assert missed(rule, reading(space, ("a-friche", "f", 2026, 0.02))) == points


def test_rates_of_what_costs_less_than_is_asked():
    """Such a demand is warned about. A rate of the whole cost limits nothing; public money without any cost is too much."""
    demands = pd.DataFrame(DEMANDS).assign(cost=[150, 20, 0, 80, 60], other_public=[0, 0, 0, 0, 30])
    space = space_with({"kind": "fund_rate", "max_rate": 1}, demands=demands)
    (rule,) = space.scenario.constraints
    assert not list(rule.rows(space)) and all(level.held for level in rule.check(reading(space, ("a-friche", "f", 2026, 30))))
    space = space_with({"kind": "cofunding", "max_public_rate": 0.75}, demands=demands)
    (rule,) = space.scenario.constraints
    told = {level.group: level.miss / level.scale for level in rule.check(reading(space, *((d, "f", 2026, 1) for d in DEMANDS["id"])))}
    assert told == {"a-friche": 75, "b-friche": 25, "c-ecole": 25, "c-friche": pytest.approx(100 * (50 / 60 - 0.75))}


def left_side(row: Row, plan: Reading, auxiliaries: dict | None = None) -> Fraction:
    """Σ terms and auxiliaries of a row on a plan, in fractions."""
    total = sum((c * auxiliaries[a] for a, c in row.auxiliaries), Fraction(0)) if auxiliaries else Fraction(0)
    space = plan.space
    for term in row.terms:
        weight = dict(zip(term.demands.tolist(), term.weights.tolist(), strict=True))
        grants = list(
            zip(plan.demand.tolist(), plan.fund.tolist(), plan.year.tolist(), plan.cents.tolist(), strict=True)
        )
        here = [(i, f, y, cents) for i, f, y, cents in grants if i in weight]
        if term.of == "served":
            total += sum(int(weight[i]) for i in {i for i, f, y, _ in here if term.cells[f, y]})
        elif term.of == "paid":
            total += sum(int(weight[i]) * int(term.cells[f, 0]) for i, f in {(i, f) for i, f, _, _ in here})
        else:
            for i, f, y, cents in here:
                amount = Fraction(cents, int(space.asked[i]) if term.of == "units" else 1)
                total += int(weight[i]) * int(term.cells[f, y]) * amount
    return total


def random_reading(space: Space, rng: np.random.Generator) -> Reading:
    funds, years = space.shape
    size = int(rng.integers(0, 8))
    cells = rng.choice(space.n * funds * years, size, replace=False)
    demand, fund, year = np.unravel_index(cells, (space.n, funds, years))
    return Reading(space, demand, fund, year, rng.integers(1, 10_000, size))


def missed(row: Row, left: Fraction) -> Fraction:
    below = row.lower - left if row.lower is not None else 0
    above = left - row.upper if row.upper is not None else 0
    return Fraction(max(below, above, 0)) / row.scale


LINEAR = [
    *({"kind": kind, **KINDS[kind].example.fields} for kind in ("ceiling", "floor", "share", "count", "indicator", "cofunding")),
    {"kind": "ceiling", "per": "fund", "on": {"years": [2027]}, "amount": 3},
    {"kind": "ceiling", "per": "sol", "on": {"measures": ["friche"]}, "per_inhabitant": 3},
    {"kind": "floor", "per": "territory", "on": {"where": {"region": "11"}}, "amount": 3},
    {"kind": "share", "per": "measure", "on": {"funds": ["f"]}, "of": {"years": [2026]}, "min": 0.25},
    {"kind": "count", "of": "demands", "per": "region", "min": 1},
    {"kind": "exclusive", "per": "territory"},
    {"kind": "exclusive", "on": {"where": {"sol": "vert"}}, "at_most": 2},
    {"kind": "continuity", "per": "territory", "on": {"funds": ["f"]}, "max_change": 0.3,
     "reference": [{"demand": "a-friche", "cents": 77, "fund": "f"}, {"demand": "b-friche", "cents": 10, "fund": "g"}]},
    {"kind": "count", "on": {"years": [2026]}, "max": 1.5},
    {"kind": "indicator", "indicator": "emplois", "per": "year", "max": 2,
     "weights": {"sol": {"bâti": 0.5, "vert": 1.5}, "region": {"11": 2}}, "until": 2026},
]  # fmt: skip


@pytest.mark.parametrize("fields", LINEAR, ids=lambda f: f["kind"])
def test_rows_and_check_count_the_same(fields):
    space = space_with(fields)
    (rule,) = space.scenario.constraints
    rng = np.random.default_rng(7)
    for _ in range(30):
        plan = random_reading(space, rng)
        rows = {(r.group, r.lower, r.upper, r.scale): left_side(r, plan) for r in rule.rows(space)}
        levels = {(v.group, v.lower, v.upper, v.scale): v.left for v in rule.check(plan)}
        if fields["kind"] == "cofunding":  # its check names served demands only
            assert {k: v for k, v in rows.items() if v} == levels
        else:
            assert rows == levels


# What is said of single demands, windows and groups: the breaches of rows and of check add up to the same.
PRICED = [
    {"kind": "no_stacking", "max_funds": 1},
    {"kind": "no_stacking", "on": {"measures": ["friche"]}, "incompatible": ["f", "g"]},
    {"kind": "min_grant", "amount": 40},
    {"kind": "min_grant", "on": {"funds": ["g"], "where": {"region": "11"}}, "amount": "25,50 €"},
    {"kind": "requires", "when": {"measures": ["friche"]}, "then": {"measures": ["ecole"]}, "within": "territory"},
    {"kind": "requires", "when": {"measures": ["friche"]}, "then": {"measures": ["ecole"]}, "within": "sol", "lag": 1},
    {"kind": "requires", "when": {}, "then": {"where": {"sol": "vert"}}, "within": "region"},
    {"kind": "requires", "when": {"measures": ["friche"]}, "then": {}, "lag": 2},
    {"kind": "exclusive"},
    {"kind": "de_minimis", "amount": 30},
    {"kind": "de_minimis", "amount": 90, "window": 1, "on": {"funds": ["f"]}},
    {"kind": "contains", "reference": [{"demand": "a-friche", "cents": 777}, {"demand": "c-ecole", "cents": 1}]},
    {"kind": "fund_rate", "max_rate": 0.25},
    {"kind": "fund_rate", "on": {"funds": ["g"]}, "max_rate": 0.25},
    {"kind": "fund_rate", "max_rate": [{"where": {"sol": "bâti"}, "rate": 0}, {"rate": "1/3"}]},
    {"kind": "cofunding", "base": "cost", "max_public_rate": 0.5},
]  # fmt: skip
PRIOR = pd.DataFrame(
    {"beneficiary": ["a", "a", "a", "c"], "date": ["2023-12-31", "2024-01-01", "2027-03-05", "2025"],
     "cents": [1000, 500, 800, 1200]}
)  # fmt: skip


@pytest.mark.parametrize("fields", PRICED, ids=lambda f: f["kind"])
def test_soft_rows_and_check_miss_the_same(fields):
    space = space_with({**fields, "soft": 1}, prior_aid=PRIOR)
    (rule,) = space.scenario.constraints
    rows = [row for of, row in space.rows if of is rule]
    rng = np.random.default_rng(11)
    broken = 0
    for _ in range(60):
        plan = random_reading(space, rng)
        if fields["kind"] == "contains":  # speaks of whole steps, as many as were asked for
            first = np.unique(plan.demand, return_index=True)[1]
            step, most = space.step[plan.demand[first]], space.most[plan.demand[first]]
            cents = np.minimum(plan.cents[first] // step, most) * step
            plan = Reading(space, plan.demand[first], plan.fund[first], plan.year[first], cents)
        by_rows = sum((missed(row, left_side(row, plan)) for row in rows), Fraction(0))
        by_check = sum((Fraction(level.miss) / level.scale for level in rule.check(plan)), Fraction(0))
        assert by_rows == by_check
        broken += by_rows > 0
    assert broken > 5


@pytest.mark.parametrize(
    "fields", [{"max_ratio": 1.5}, {"max_gap": 0.01}, {"max_ratio": 1}, {"max_gap": 0, "on": {"funds": ["f"]}}], ids=str
)
@pytest.mark.parametrize("per", ["region", "territory"])
def test_equity_rows_with_the_best_auxiliaries_miss_what_check_misses(fields, per):
    space = space_with({"kind": "equity", "per": per, **fields})
    (rule,) = space.scenario.constraints
    said = list(rule.rows(space))
    (own,) = [row for row in said if not row.defines]
    (highest, _), (lowest, _) = own.auxiliaries
    rng = np.random.default_rng(5)
    for _ in range(30):
        plan = random_reading(space, rng)
        each = {}
        for row in said:
            if row.defines:
                ((auxiliary, people),) = row.auxiliaries
                each.setdefault(auxiliary, []).append(left_side(row, plan) / -people)
        best = {highest: max(each[highest]), lowest: min(each[lowest])}
        assert all(missed(row, left_side(row, plan, best)) == 0 for row in said if row.defines)
        (level,) = rule.check(plan)
        assert left_side(own, plan, best) == level.left and (own.upper, own.scale) == (level.upper, level.scale)
        equal = fields.get("max_ratio") == 1 or fields.get("max_gap") == 0
        assert (own.rounding > 0) == equal and (equal or not level.tolerance)
        assert level.tolerance <= own.rounding


def test_equity_is_between_groups_that_have_people_and_a_demand_that_may_be_paid():
    funds = [{"id": "f", "amount": 1000, "on": {"where": {"region": "11"}}}]
    (rule,) = (
        space := space_with({"kind": "equity", "per": "region", "max_ratio": 1}, funds=funds)
    ).scenario.constraints
    assert not list(rule.rows(space)) and not list(rule.check(random_reading(space, np.random.default_rng(0))))


def test_de_minimis_windows_reach_over_calendar_years_and_earlier_aid():
    space = space_with({"kind": "de_minimis", "amount": 30}, prior_aid=PRIOR)
    (rule,) = space.scenario.constraints
    windows = {str(w.end): (w.years.tolist(), w.limit) for w in rule._windows(space, "a")}
    assert windows == {
        "2026-01-01": ([True, False], 1500),  # after 1 January 2023: 10 € and 5 €
        # 1 January 2024 is just outside 2027-01-01, which leaves 3000: less than that is left on
        "2027-03-05": ([True, True], 2200),
    }
    assert {w.limit for w in rule._windows(space, "c")} == {1800}


def test_repayable_aid_counts_for_its_equivalent():
    loan = {"id": "f", "amount": 1000, "returns": {1: 0.75}, "reference_rate": 0}
    advance = {"id": "g", "amount": 1000, "returns": {1: 1}, "reference_rate": 0}
    rules = {"kind": "de_minimis", "amount": 25}, {"kind": "fund_rate", "max_rate": 0.2}
    space = space_with(*rules, prior_aid=None, funds=[loan, advance])
    aid, rate = space.scenario.constraints
    said = list(rate.rows(space))
    assert [s.rate for s in said] == [Fraction(4, 5)] and said[0].cells.tolist() == [[True, True], [False, False]]
    kept = reading(space, ("a-ecole", "f", 2026, 100), ("a-ecole", "g", 2026, 100))
    broken = reading(space, ("a-ecole", "f", 2026, 100), ("a-friche", "f", 2027, 0.04))
    assert all(level.held for level in aid.check(kept)) and not all(level.held for level in aid.check(broken))
    assert all(level.held for level in rate.check(kept))


def test_requires_names_years_and_refuses_what_has_no_support():
    space = space_with(
        {
            "kind": "requires",
            "when": {"measures": ["friche"]},
            "then": {"measures": ["ecole"]},
            "within": "territory",
            "lag": 1,
        }
    )
    (rule,) = space.scenario.constraints
    late = reading(space, ("b-friche", "f", 2027, 50))
    assert [(level.group, level.held) for level in rule.check(late)] == [("b-friche, 2027", False)]
    refused = {space.scenario.demands["id"][i] for i in np.flatnonzero(space.boxes[1] == 0)}
    assert refused == {"b-friche"}, "a friche of `a` may still start in 2027"


def test_only_a_row_of_served_demands_and_nothing_else_refuses_them(monkeypatch):
    """Served up to a year, or served beside an auxiliary, at most 0: neither says that a demand is refused."""
    space = space_with({"kind": "exclusive"})
    (rule,) = space.scenario.constraints
    at, ones = np.array([0]), np.ones(space.shape, np.int64)
    early = ones.copy()
    early[:, 1:] = 0
    whether = space.auxiliary("whether", upper=1)
    for row, refused in (
        (Row((Term(at, 1, ones, "served"),), None, 0), True),
        (Row((Term(at, 1, early, "served"),), None, 0), False),
        (Row((Term(at, 1, ones, "served"),), None, 0, auxiliaries=((whether, -1),), defines=True), False),
    ):
        monkeypatch.setattr(type(rule), "rows", lambda self, space, row=row: iter([row]))
        assert (Space.of(space.scenario).boxes[1][0] == 0) == refused


def test_cofunding_looks_at_local_authorities_alone():
    kinds = ["EPCI", "entreprise", "", "Département", "association"]
    demands = pd.DataFrame(DEMANDS).assign(beneficiary_kind=kinds, cost=pd.DataFrame(DEMANDS)["asked"])
    territories = pd.DataFrame(TERRITORIES).assign(departement=["75", "974", "35"])

    def refused(**fields):
        space = space_with({"kind": "cofunding", **fields}, demands=demands, territories=territories)
        return {space.scenario.demands["id"][i] for i in np.flatnonzero(space.boxes[1] == 0)}

    assert refused() == {"a-ecole", "c-ecole"}
    assert refused(overseas=True) == {"a-ecole", "b-friche", "c-ecole"}
    assert refused(authorities=["association"]) == {"c-friche"}


def problems_of(*constraints: dict, **parts) -> str:
    with pytest.raises(allocator.ScenarioError) as wrong:
        space_with(*constraints, **parts)
    return wrong.value.text("fr")


def test_what_is_wrong_is_told_all_at_once():
    text = problems_of(
        {"kind": "no_stacking", "on": {"funds": ["f"], "years": [2026]}, "incompatible": ["f", "h"], "max_funds": 1},
        {"kind": "no_stacking", "incompatible": ["f", "f"]},
        {"kind": "min_grant", "on": {"years": [2026]}, "amount": 1},
        {"kind": "requires", "when": {"funds": ["f"]}, "then": {"years": [2026]}, "within": "year"},
        {"kind": "exclusive", "on": {"funds": ["f"]}, "per": "fund"},
        {"kind": "equity", "per": "sol", "max_ratio": 2, "max_gap": 3},
        {"kind": "de_minimis", "per": "project"},
        {"kind": "fund_rate", "max_rate": [{"where": {"sol": "vert"}, "rate": 0.5}]},
        {"kind": "fund_rate", "max_rate": [{"where": {"sool": "vert"}, "rate": 0.5}]},
        {"kind": "contains", "on": {"years": [2026]}, "reference": []},
    )
    for told in (
        "constraints[0].max_funds", "constraints[0].on.years", "constraints[0].on.funds",
        "constraints[0].incompatible[1] : fonds inconnu « h »", "constraints[1].incompatible : deux fonds",
        "constraints[2].on.years", "constraints[3].when.funds", "constraints[3].then.years", "constraints[3].within",
        "constraints[4].on.funds", "constraints[4].per", "constraints[5].max_ratio", "constraints[5].per",
        "constraints[6].per : les aides passées",
        "constraints[7].max_rate : 2 dossier(s) sans taux : a-ecole, b-friche",
        "constraints[8].max_rate[0].where.sool : attribut inconnu « sool »", "constraints[9].on.years",
    ):  # fmt: skip
        assert told in text, told


def test_de_minimis_counts_demands_without_a_beneficiary():
    demands = pd.DataFrame(DEMANDS).assign(groupe=["x", "", "y", "", "x"])
    text = problems_of({"kind": "de_minimis", "per": "groupe"}, demands=demands, prior_aid=None)
    assert "2 dossier(s) sans « groupe » : a-friche, c-ecole" in text


def test_what_a_reference_has_and_the_scenario_lacks_is_a_warning():
    rows = [
        {"demand": "a-friche", "cents": 100},
        {"demand": "old", "cents": 300},
        {"demand": "older", "cents": 400, "territory": "b", "measure": "friche"},
    ]
    space = space_with(
        {"kind": "continuity", "reference": rows, "max_change": 0.5, "per": "territory"},
        {"kind": "contains", "reference": rows},
    )
    told = [warning.text("fr") for warning in space.scenario.warnings]
    assert ["constraints[0].reference : 1 ligne" in told[0], "old" in told[0]] == [True, True]
    assert "constraints[1].reference : 2 ligne" in told[1] and "older" in told[1]
    continuity = space.scenario.constraints[0]
    assert {row.group: row.lower for row in continuity.rows(space)} == {"a": 50, "b": 200}


def test_a_reference_is_a_plan_its_folder_or_rows(tmp_path):
    rows = [{"demand": "a-friche", "cents": 100, "fund": "f", "year": 2026}]
    (tmp_path / "before").mkdir()
    (tmp_path / "before/grants.csv").write_text(
        "demand,territory,measure,fund,year,cents,euros\na-friche,,,f,2026,100,1.00\n"
    )
    plan = SimpleNamespace(grants=pd.DataFrame(rows))
    read = [references.read(given) for given in (rows, plan, tmp_path / "before", tmp_path / "before/grants.csv")]
    assert read == [(references.Past("a-friche", 100, fund="f", year=2026),)] * 4
    assert references.read(references.written(read[0])) == read[0]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (3, "une référence est attendue"),
        ("nowhere", "référence illisible : nowhere (introuvable)"),
        ([{"demand": "a"}, {"demand": "b", "cents": "x"}, 4], "ligne 1 : cents manque"),
        ([{"demand": "a", "cents": -1}], "négatif"),
        ([{"demand": "a", "cents": 1, "fnd": "f"}], "« fund »"),
    ],
)
def test_what_is_no_reference_says_so(given, told):
    assert told in problems_of({"kind": "contains", "reference": given})


def test_a_reference_in_a_file_is_beside_the_file_that_names_it(tmp_path, monkeypatch):
    scenario = example_scenario()
    folder = tmp_path / "s"
    (folder / "before").mkdir(parents=True)
    (folder / "before/grants.csv").write_text("demand,fund,year,cents\na-friche,f,2026,100\n")
    pd.DataFrame(TERRITORIES).to_csv(folder / "t.csv", index=False)
    pd.DataFrame(DEMANDS).to_csv(folder / "d.csv", index=False)
    told = {key: value for key, value in scenario.to_dict().items() if key != "constraints"}
    told |= {"territories": "t.csv", "demands": "d.csv", "constraints": [{"kind": "contains", "reference": "before"}]}
    (folder / "scenario.yaml").write_text(yaml.safe_dump(told))
    monkeypatch.chdir(tmp_path)
    (rule,) = allocator.load("s").constraints
    assert [row.cents for row in rule.reference] == [100]


def test_every_kind_is_in_the_table_and_in_the_schema():
    assert [row["kind"] for row in as_dicts()] == list(KINDS)
    assert all(row["source"] for row in as_dicts())
    schema = json_schema()
    one = {"name": "x", "years": [2026], "funds": [], "measures": [], "territories": "t", "demands": "d"}
    one |= {"objective": {"maximise": {"emplois": 1}}}
    validator = jsonschema.Draft202012Validator(schema)
    for kind, cls in KINDS.items():
        assert validator.is_valid({**one, "constraints": [{"kind": kind, **cls.example.fields}]}), kind
        assert not validator.is_valid({**one, "constraints": [{"kind": kind, **cls.example.fields, "nonsense": 1}]}), (
            kind
        )


@pytest.mark.parametrize(
    "path", sorted(Path(allocator.__file__).parent.glob("data/scenarios/*/scenario.yaml")), ids=lambda p: p.parent.name
)
def test_the_schema_fits_the_scenarios_that_come_with_the_tool(path):
    jsonschema.Draft202012Validator.check_schema(json_schema())
    content, problems = yaml_text.read(path.read_bytes(), "scenario.yaml")
    assert not problems
    jsonschema.validate(json.loads(json.dumps(content.value)), json_schema(), jsonschema.Draft202012Validator)


def test_units_of_many_prices_add_up_exactly():
    rng = np.random.default_rng(3)
    weight, cents, asked = rng.integers(1, 99, 500), rng.integers(1, 10**9, 500), rng.integers(1, 10**7, 500)
    exact = sum((Fraction(int(w) * int(c), int(a)) for w, c, a in zip(weight, cents, asked, strict=True)), Fraction(0))
    assert weighted_units(weight, cents, asked) == exact


def test_a_level_tells_its_breach_and_slack_in_euros():
    level = Level("", 12_050, None, 10_000, scale=100)
    assert (level.breach, level.slack, level.held) == (Fraction(41, 2), Fraction(-41, 2), False)
    assert Level("", 10_000, None, 10_000, scale=100).tight
    assert not Level("", 0, 0, None).tight


def test_hard_cofunding_refuses_and_soft_cofunding_prices():
    hard, soft = space_with({"kind": "cofunding"}), space_with({"kind": "cofunding", "soft": 2})
    assert {hard.scenario.demands["id"][i] for i in np.flatnonzero(hard.boxes[1] == 0)} == {
        "a-friche",
        "c-ecole",
    }
    assert (soft.boxes[1] > 0).all() and len(soft.rows) == len(hard.rows) + 2


def test_soft_boxes_and_rates_become_rows():
    space = space_with(
        {"kind": "lock", "soft": 1, "on": {"demands": ["a-friche"]}, "decision": "fund"},
        {"kind": "fund_rate", "soft": 1, "on": {"funds": ["g"], "demands": ["b-friche"]}, "max_rate": 0.25},
    )
    lock, rate = space.scenario.constraints
    assert [type(s) for s in lock.rows(space)] == [Box] and [type(s) for s in rate.rows(space)] == [Rate]
    assert sum(rule is lock for rule, _ in space.rows) == 1
    assert sum(rule is rate for rule, _ in space.rows) == 2  # one a year
    assert not space.capped.any()


def test_rules_that_ask_for_nothing_or_for_everything_are_warned_about():
    told = [
        warning.text("fr")
        for warning in space_with(
            {"kind": "requires", "when": {"measures": ["friche"]}, "then": {"measures": ["ecole"]}, "lag": 3},
            {"kind": "requires", "when": {"measures": ["friche"]}, "then": {"measures": ["friche"]}},
            {"kind": "requires", "when": {"measures": ["friche"]}, "then": {"measures": ["ecole"]}},
        ).scenario.warnings
    ]
    assert len(told) == 2
    assert "constraints[0].lag" in told[0] and "aucun dossier" in told[0]
    assert "constraints[1].then" in told[1] and "n'exige rien" in told[1]


def test_beneficiaries_counted_apart_are_warned_about():
    demands = pd.DataFrame(DEMANDS)
    rule = {"kind": "de_minimis"}
    (none,) = space_with(
        rule, demands=demands.drop(columns="beneficiary", errors="ignore"), prior_aid=None
    ).scenario.warnings
    assert "par territoire" in none.text("fr")
    twice = demands.assign(beneficiary=["SAS Été", "B", "sas ete", "B", "C"][: len(demands)])
    (alike,) = space_with(rule, demands=twice, prior_aid=None).scenario.warnings
    assert "comptés comme 2 bénéficiaires : SAS Été, sas ete" in alike.text("fr")


def three_of_a_region(asked: tuple[float, float, float], units: tuple[int, int, int], lumpy: bool, **share) -> Space:
    """Demands of one region: in `on` and in `of`, in `on` only, in `of` only."""
    territories = {"id": ["a"], "name": ["A"], "region": ["11"], "departement": ["75"], "population": [1]}
    demands = {"id": ["i", "o", "r"], "territory": "a", "measure": "m", "units": units, "asked": asked, "x": 1}
    sides = {"on": {"demands": ["i", "o"]}, "of": {"demands": ["i", "r"]}}
    return space_with(
        {"kind": "share", "per": "region", **sides, **share}, years=[2026], funds=[{"id": "f", "amount": 9}],
        measures=[{"id": "m", "lumpy": lumpy}], territories=pd.DataFrame(territories), demands=pd.DataFrame(demands),
        objective={"maximise": {"x": 1}}, prior_aid=None,
    )  # fmt: skip


@pytest.mark.parametrize("side", ["min", "max"])
@pytest.mark.parametrize("lumpy", [False, True])
def test_a_share_shuts_out_whom_no_plan_of_its_group_could_pay(side, lumpy):
    """Against all that the three could get, in cents."""
    rng = np.random.default_rng(0)
    shut_out = 0
    for _ in range(40):
        asked, units = rng.integers(1, 5, 3), rng.integers(0, 3, 3)
        space = three_of_a_region(
            tuple(asked / 100), tuple(units), lumpy, **{side: str(Fraction(int(rng.integers(1, 8)), 8))}
        )
        (rule,) = space.scenario.constraints
        steps = [range(0, a * u + 1, a if lumpy else 1) for a, u in zip(asked.tolist(), units.tolist(), strict=True)]
        paid = set()
        for grants in product(*steps):
            plan = reading(space, *((d, "f", 2026, c / 100) for d, c in zip("ior", grants, strict=True) if c))
            if all(level.held for level in rule.check(plan)):
                paid |= {d for d, c in zip("ior", grants, strict=True) if c}
        watched = "io" if side == "max" else "r"
        shut = any(d not in paid for d, most in zip("ior", units, strict=True) if d in watched and most)
        empty = reading(space)
        assert rule.holds_back(empty) == shut
        assert any(level.tight for level in rule.check(empty)) == shut
        shut_out += shut
    assert 5 <= shut_out <= 35


def test_a_share_that_shuts_a_region_is_named_with_the_region():
    """The South asks only for what may be at most 40 % of its money."""
    demands = {
        "id": ["n1", "n2", "s1"], "territory": ["a", "a", "b"], "measure": ["m", "e", "m"], "units": 1,
        "asked": [100, 300, 100], "x": [5, 1, 9],
    }  # fmt: skip
    territories = {
        "id": ["a", "b"],
        "name": ["A", "B"],
        "region": ["Nord", "Sud"],
        "departement": "75",
        "population": 1,
    }
    rule = {"kind": "share", "id": "part", "on": {"measures": "m"}, "max": "40 %", "per": "region"}
    plan = allocator.solve(example_scenario(
        rule, years=[2026], funds=[{"id": "f", "amount": 1000}], measures=[{"id": "m"}, {"id": "e"}], prior_aid=None,
        territories=pd.DataFrame(territories), demands=pd.DataFrame(demands), objective={"maximise": {"x": 1}},
    ))  # fmt: skip
    assert plan.grants["demand"].tolist() == ["n1", "n2"]
    assert limits_on(plan, ["s1"]) == {"s1": ("part",)}
    out = io.StringIO()
    print_plan(plan, Console(file=out, width=100))
    assert "part — Sud" in out.getvalue()
