"""Rules for plans that hold up: rows with the best auxiliaries are what check counts, and both are every way tried."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_constraints import left_side, missed, random_reading, space_with

import allocator
from allocator.kinds.risk import sum_of_largest
from allocator.problems import ScenarioError

OVERRUNS = [
    {"amount": 100, "overruns": [{"rate": "50 %"}], "at_once": 1},
    {
        "amount": 90,
        "overruns": [{"rate": 2, "by": "region"}, {"on": {"funds": ["g"]}, "rate": "1/3"}],
        "at_once": "1.5",
    },
    {"amount": 30, "per": "fund", "overruns": [{"rate": 1, "by": "all"}, {"rate": 0.1, "by": "sol"}], "at_once": 2},
    {"amount": 30, "per": "region", "on": {"years": [2026]}, "overruns": [{"rate": 1, "by": "measure"}], "at_once": 0},
]
CASES = [
    {"amount": 80, "tail": 0.5, "draws": [{"factors": [1, 0.5, 2, 1.25]}]},
    {"amount": 60, "tail": "1/3", "per": "region", "draws": [
        {"by": "region", "factors": {"11": [1, 2, 1], "53": [3, 1, 0]}}, {"on": {"measures": ["friche"]}, "factors": [1, 1.5, 1]},
    ]},
    {"amount": 60, "tail": 1, "on": {"funds": ["f"]}, "draws": [{"factors": [1, 3]}]},
]  # fmt: skip
FUTURES = [
    {"id": "emplois", "best": 20, "objective": {"maximise": {"emplois": 1}}},
    {"id": "euros", "best": 5, "objective": {"minimise": "euros"}},
    {"id": "partout", "best": "1/3", "objective": {"maximin": {"of": "euros", "per": "region"}}},
]


def best_auxiliaries(rows: list, plan) -> dict:
    """For one group's rows: level is one of the numbers, the rest is what the others are above it; the least of these."""
    (own,) = [row for row in rows if not row.defines]
    values = {}
    for row in rows:
        if row.defines:
            (level, scale), (over, _) = row.auxiliaries
            values[over] = -left_side(row, plan) / scale
    level = own.auxiliaries[0][0]
    tried = []
    for at in {Fraction(0), *values.values()}:
        chosen = {level: at, **{over: max(value - at, Fraction(0)) for over, value in values.items()}}
        tried.append((left_side(own, plan, chosen), chosen))
    return min(tried, key=lambda pair: pair[0])[1]


@pytest.mark.parametrize(
    "fields",
    [{"kind": "overrun", **f} for f in OVERRUNS] + [{"kind": "cvar", **f} for f in CASES],
    ids=lambda f: f["kind"],
)
def test_rows_with_the_best_auxiliaries_count_what_check_counts(fields):
    space = space_with(fields)
    (rule,) = space.scenario.constraints
    rng, broken = np.random.default_rng(3), 0
    said = list(rule.rows(space))
    for _ in range(30):
        plan = random_reading(space, rng)
        levels = {level.group: level for level in rule.check(plan)}
        assert set(levels) == {row.group for row in said}
        for group, level in levels.items():
            rows = [row for row in said if row.group == group]
            chosen = best_auxiliaries(rows, plan)
            (own,) = [row for row in rows if not row.defines]
            assert all(missed(row, left_side(row, plan, chosen)) == 0 for row in rows if row.defines)
            assert (left_side(own, plan, chosen), own.upper, own.scale) == (level.left, level.upper, level.scale)
            assert all(0 <= value <= auxiliary.upper for auxiliary, value in chosen.items()) or level.miss > 0
            broken += level.miss > 0
    assert broken > 5


def test_regret_rows_and_check_count_the_same():
    space = space_with({"kind": "regret", "amount": 1.5, "futures": FUTURES})
    (rule,) = space.scenario.constraints
    said = list(rule.rows(space))
    (own,) = [row for row in said if not row.auxiliaries or (row.upper is not None and not row.terms)]
    ((regret, _),) = own.auxiliaries
    worst = {
        row.group: row
        for row in said
        if row.group in {"emplois", "euros", "partout"} and regret in dict(row.auxiliaries)
    }
    assert set(worst) == {"emplois", "euros", "partout"}
    rng = np.random.default_rng(4)
    for _ in range(30):
        plan = random_reading(space, rng)
        needed = [Fraction(0)]
        for row in worst.values():
            others = {a: 0 for a, _ in row.auxiliaries}
            level = next((a for a, _ in row.auxiliaries if a is not regret), None)
            if level is not None:  # as high as its own rows let it
                limits = [
                    left_side(r, plan, {level: 0})
                    for r in said
                    if r is not row and dict(r.auxiliaries).keys() == {level}
                ]
                scales = [
                    dict(r.auxiliaries)[level] for r in said if r is not row and dict(r.auxiliaries).keys() == {level}
                ]
                others[level] = min(-left / scale for left, scale in zip(limits, scales, strict=True))
            needed.append((row.lower - left_side(row, plan, others)) / row.scale)
        (told,) = rule.check(plan)
        assert Fraction(told.left) / told.scale == max(needed)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.fractions(0, 100, max_denominator=20), min_size=1, max_size=6),
    st.fractions(0, 7, max_denominator=4),
)
def test_the_largest_are_the_worst_of_all_ways(values, count):
    """Every set of so many at once, of one more a part: none is above what `check` adds up."""
    whole, rest = int(count), count - int(count)
    ways = [Fraction(0)]
    for size in range(min(whole, len(values)) + 1):
        for chosen in combinations(range(len(values)), size):
            total = sum((values[k] for k in chosen), Fraction(0))
            ways += [total, *(total + rest * values[k] for k in range(len(values)) if k not in chosen)]
    assert sum_of_largest(values, count) == max(ways)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.fractions(0, 100, max_denominator=20), min_size=1, max_size=8), st.integers(1, 8))
def test_cvar_is_the_rockafellar_uryasev_minimum(values, count):
    """min over t of t + Σ (v − t)+ / count, at one of the values."""
    count = min(count, len(values))
    direct = min(t + sum(max(v - t, Fraction(0)) for v in values) / count for t in values)
    assert sum_of_largest(values, Fraction(count)) / count == direct


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"kind": "overrun", "amount": 1, "at_once": 1, "overruns": [{"rate": 1, "by": "regoin"}]}, "overruns[0].by"),
        ({"kind": "overrun", "amount": 1, "at_once": 1, "overruns": [{"rate": -1}]}, "rate"),
        ({"kind": "overrun", "amount": 1, "at_once": 1, "overruns": [{"rate": 1, "on": {"measures": "x"}}]}, "overruns[0].on"),
        ({"kind": "cvar", "amount": 1, "tail": 1, "draws": [{"by": "region", "factors": {"11": [1]}}]}, "draws[0].factors"),
        ({"kind": "cvar", "amount": 1, "tail": 1, "draws": [{"factors": [1]}, {"factors": [1, 2]}]}, "draws"),
        ({"kind": "cvar", "amount": 1, "tail": 1, "draws": [{"factors": [-1]}]}, "factors"),
        ({"kind": "cvar", "amount": 1, "tail": 0, "draws": [{"factors": [1]}]}, "tail"),
        ({"kind": "cvar", "amount": 1, "tail": 1, "draws": [{"factors": ["0.123456789012"], "on": {}}, {"factors": ["1.1"]}]}, "draws"),
        ({"kind": "cvar", "amount": 1, "tail": 1, "draws": [{"on": {"funds": ["f"]}, "factors": [1]}]}, "draws[0].on"),
        ({"kind": "regret", "amount": 0, "futures": [{"id": "a", "best": 1, "objective": {"maximise": {"x": 1}}}]}, "futures[0]"),
        ({"kind": "regret", "amount": 0, "futures": [
            {"id": "a", "best": 1, "objective": {"lexicographic": [{"minimise": "euros"}]}}]}, "futures[0]"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_place(fields, place):
    with pytest.raises(ScenarioError) as caught:
        space_with(fields)
    assert any(place in str(problem.place) for problem in caught.value.problems), caught.value.text("fr")
    assert all(problem.message.fr and problem.message.en for problem in caught.value.problems)


def test_at_once_beyond_all_is_all_of_them():
    """More overruns at once than there are: everything is dearer."""
    rule = {"kind": "overrun", "id": "r", "on": {}, "amount": 300, "overruns": [{"rate": 1}], "at_once": 99}
    free, ready = (allocator.solve(space_with(*more).scenario) for more in ((), (rule,)))
    assert ready.certificate.ok and ready.objective < free.objective
    assert int(ready.grants["cents"].sum()) * 2 <= 30_000
