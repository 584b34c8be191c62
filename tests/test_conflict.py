"""Why no plan can exist: the rules named cannot hold together, and without any one of them the others can."""

from __future__ import annotations

import pytest
from test_certificate import scenario

import allocator
from allocator.solver import find_conflict

IDF, BRETAGNE = {"where": {"region": "11"}}, {"where": {"region": "53"}}
ALONE = {"on": {"demands": ["d1"]}, "kind": "lock"}

CONFLICTS: dict[str, tuple[list[dict], set[str]]] = {
    "decided in and out": (
        [{**ALONE, "id": "oui", "decision": "fund"}, {**ALONE, "id": "non", "decision": "refuse"}],
        {"oui", "non"},
    ),
    "a floor above a ceiling": (
        [
            {"kind": "floor", "id": "plancher", "on": {"measures": ["friche"]}, "amount": "2 M€"},
            {"kind": "ceiling", "id": "plafond", "on": {"measures": ["friche"]}, "amount": "1 M€"},
            {"kind": "count", "id": "autre", "on": {}, "max": 100},
        ],
        {"plancher", "plafond"},
    ),
    "floors above the funds": (
        [
            {"kind": "floor", "id": "p1", "on": IDF, "amount": "2.5 M€"},
            {"kind": "floor", "id": "p2", "on": BRETAGNE, "amount": "2.5 M€"},
        ],
        {"p1", "p2", "f1", "f2"},
    ),
    "a count larger than its candidates": (
        [{"kind": "count", "id": "neuf", "on": {"measures": ["ecole"]}, "min": 9}],
        {"neuf"},
    ),
    "decided beyond the funds": ([{"kind": "lock", "id": "tout", "on": {}, "decision": "fund"}], {"tout", "f1", "f2"}),
    "a share against a ceiling and a floor": (
        [
            {"kind": "share", "id": "part", "on": IDF, "of": {}, "min": 0.9},
            {"kind": "ceiling", "id": "plafond", "on": IDF, "amount": "1 M€"},
            {"kind": "floor", "id": "plancher", "on": {}, "amount": "2 M€"},
        ],
        {"part", "plafond", "plancher"},
    ),
}


@pytest.mark.parametrize("case", CONFLICTS)
def test_the_rules_that_cannot_hold_together_are_named(case):
    rules, named = CONFLICTS[case]
    plan = allocator.solve(scenario(constraints=rules))
    assert plan.status == "infeasible"
    assert plan.certificate.ok
    assert {party.rule.id for party in plan.conflict.parties} == named
    assert plan.conflict.minimal
    found = find_conflict(scenario(constraints=rules))
    assert {party.rule.id for party in found.parties} == named


@pytest.mark.parametrize("case", CONFLICTS)
def test_without_any_one_of_them_the_others_can_hold(case):
    rules, named = CONFLICTS[case]
    for name in named:
        fewer = [rule for rule in rules if rule["id"] != name]
        richer = {"f1": "90 M€", "f2": "90 M€"}
        funds = [
            {"id": f, "amount": richer[f] if f == name else held} for f, held in (("f1", "3 M€"), ("f2", "1.5 M€"))
        ]
        assert find_conflict(scenario(constraints=fewer, funds=funds)) is None, name


def test_texts_say_what_is_asked_and_what_is_possible():
    rules, _ = CONFLICTS["a count larger than its candidates"]
    text = find_conflict(scenario(constraints=rules)).text()
    assert "au moins 9 ; possible : au plus 6" in text.fr
    assert "at least 9; possible: at most 6" in text.en


def test_whole_units_alone_can_be_the_reason():
    """Parts of schools would do; two whole ones cannot be paid."""
    rules = [
        {"kind": "ceiling", "id": "c", "on": {"measures": ["ecole"]}, "amount": 2_050_000},
        {"kind": "floor", "id": "f", "on": {"measures": ["ecole"]}, "amount": 2_010_000},
    ]
    possible = {700_000 * a + 900_000 * b + 1_000_000 * c for a in range(2) for b in range(4) for c in range(3)}
    assert not any(2_010_000 <= euros <= 2_050_000 for euros in possible)
    plan = allocator.solve(scenario(constraints=rules))
    assert plan.status == "infeasible"
    assert plan.certificate.ok
