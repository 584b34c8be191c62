"""Each kind of constraint: it names itself, its source and its law; its rows and its check, written apart, agree."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from allocator.constraints import KINDS, Constraint
from allocator.reading import Level, Reading, weighted_units
from allocator.report.kinds import example_scenario
from allocator.space import Box, Rate, Row, Space


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
    assert "Source:" in (cls.__doc__ or ""), "a docstring with a source"
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


def left_side(row: Row, plan: Reading) -> Fraction:
    """Σ terms of a row on a plan, in fractions."""
    total = Fraction(0)
    space = plan.space
    for term in row.terms:
        weight = dict(zip(term.demands.tolist(), term.weights.tolist(), strict=True))
        if term.of == "served":
            total += sum(int(weight[i]) for i in weight if plan.served[i])
            continue
        for i, f, y, cents in zip(plan.demand, plan.fund, plan.year, plan.cents, strict=True):
            if int(i) in weight:
                amount = Fraction(int(cents), int(space.asked[i]) if term.of == "units" else 1)
                total += int(weight[int(i)]) * int(term.cells[f, y]) * amount
    return total


LINEAR = [
    *({"kind": kind, **KINDS[kind].example.fields} for kind in ("ceiling", "floor", "share", "count", "indicator", "cofunding")),
    {"kind": "ceiling", "per": "fund", "on": {"years": [2027]}, "amount": 3},
    {"kind": "ceiling", "per": "sol", "on": {"measures": ["friche"]}, "per_inhabitant": 3},
    {"kind": "floor", "per": "territory", "on": {"where": {"region": "11"}}, "amount": 3},
    {"kind": "share", "per": "measure", "on": {"funds": ["f"]}, "of": {"years": [2026]}, "min": 0.25},
    {"kind": "count", "of": "demands", "per": "region", "min": 1},
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
        size = rng.integers(0, 8)
        cells = rng.choice(5 * 2 * 2, size, replace=False)
        plan = Reading(space, cells // 4, cells // 2 % 2, cells % 2, rng.integers(1, 10_000, size))
        rows = {(r.group, r.lower, r.upper): left_side(r, plan) for r in rule.rows(space)}
        levels = {(v.group, v.lower, v.upper): v.left for v in rule.check(plan)}
        if fields["kind"] == "cofunding":  # its check names served demands only
            assert {k: v for k, v in rows.items() if v} == levels
        else:
            assert rows == levels


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
