"""The certificate piece by piece: what each check says, and of what."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from allocator import certify as certified
from allocator.bound import Cut, Proof
from allocator.certify import Check, certify, certify_infeasible, relative_gap
from allocator.kinds.example import DEMANDS
from allocator.reading import Level, Reading
from allocator.report.kinds import example_scenario
from allocator.space import Row, Space, Term
from allocator.texts import Text


def example(*constraints: dict, **parts) -> tuple[Space, Reading, Proof]:
    """The scenario of the examples, the plan that grants nothing, and a proof that leans on no row."""
    space = Space.of(example_scenario(*constraints, **parts))
    return space, Reading.nothing(space), Proof(np.zeros(len(space.rows)))


def told(reading: Reading, proof: Proof | None, name: str) -> Check:
    (found,) = (check for check in certify(reading, proof).checks if check.name == name)
    return found


@pytest.mark.parametrize(
    ("objective", "bound", "gap"),
    [(8, 10, Fraction(1, 4)), (-8, -6, Fraction(1, 4)), (0, 0, 0), (7, 7, 0), (0, 5, float("inf")), (None, 5, None), (5, None, None)],
)
def test_the_gap_is_relative_to_the_plan(objective, bound, gap):
    assert relative_gap(*(None if side is None else Fraction(side) for side in (objective, bound))) == gap


def test_a_check_of_a_later_level_says_which():
    detail = Text("", "")
    assert Check("bound:2", True, detail).label.en == "bound recomputed, level 2"
    assert Check("bound", True, detail).label.en == "bound recomputed"
    assert Check("ceiling:plafond", True, detail).label.en == "ceiling:plafond"


def test_a_grant_of_nothing_is_no_grant():
    space, nothing, proof = example()
    first = np.zeros(1, np.int64)
    assert not told(Reading(space, first, first, first, first), proof, "grants").ok
    assert told(replace(nothing), proof, "grants").ok


def test_a_rule_is_told_by_its_worst_breach():
    rule = SimpleNamespace(kind="ceiling", id="c", soft=None)
    levels = [Level("a", 105, None, 100, 10), Level("b", 130, None, 100, 10), Level("c", 90, None, 100, 10)]
    found = certified._rule(rule, levels)
    assert not found.ok and found.detail.en == "2 breach(es), at most 3"
    assert certified._rule(SimpleNamespace(kind="ceiling", id="c", soft=Fraction(1)), levels).ok
    loose = [Level("a", 105, 100, 100, 10, tolerance=5), Level("b", 102, 100, 100, 10, tolerance=5)]
    assert certified._rule(rule, loose).detail.en == "held within 0.5 (whole cents)"
    assert certified._rule(rule, []).detail.en == "held" and certified._rule(rule, levels[2:]).detail.en == "held"


def test_what_is_priced_is_whole_where_all_of_it_is():
    space, _, _ = example(measures=[{"id": "friche"}, {"id": "ecole", "lumpy": True}])
    every = np.ones(space.shape, np.int64)
    cents = Term(np.arange(space.n), 1, every, "cents")
    schools = Term(np.flatnonzero(space.lumpy), 1, every, "units")
    plots = Term(np.flatnonzero(~space.lumpy), 1, every, "units")
    half = Fraction(1, 2)
    for terms, lower, upper, whole in (
        ((cents,), 1, None, True), ((cents,), half, None, False), ((cents,), 1, half, False), ((cents,), half, half, False),
        ((schools,), None, 2, True), ((cents, schools), None, 2, True), ((cents, plots), None, 2, False), ((plots,), None, 2, False),
    ):  # fmt: skip
        assert certified._whole(space, Row(terms, lower, upper)) == whole
    mixed = Term(np.arange(space.n), 1, every, "units")
    assert not certified._whole(space, Row((mixed,), None, 2))
    assert not certified._whole(space, Row((cents,), 1, None, rounding=1))
    of_a_fund = replace(schools, cells=np.array([[1, 1], [0, 0]]))
    assert not certified._whole(space, Row((of_a_fund,), None, 2))


MOVES = [{"id": "f", "amount": 100, "transfers": {"g": 10}}, {"id": "g", "amount": 100, "transfers": {"f": 10}}]


@pytest.mark.parametrize(
    ("moved", "ok"), [((0, 0), True), ((1000, 10), True), ((1000, 1001), False), ((1001, 0), False), ((-1, 0), False), ((5,), False)]
)
def test_money_moves_within_what_each_move_allows(moved, ok):
    space, nothing, proof = example(funds=MOVES)
    assert len(space.moves) == 2
    found = told(replace(nothing, moved=np.array(moved, np.int64)), proof, "moves")
    assert found.ok == ok
    assert moved != (1000, 10) or found.detail.en == "€10.10 moved"


def test_moves_that_are_no_whole_cents_are_none():
    _, nothing, proof = example(funds=MOVES)
    assert not told(replace(nothing, moved=np.array([1.0, 1.0])), proof, "moves").ok
    assert told(replace(nothing, moved=np.zeros(2, np.int64)), proof, "moves").detail.en == "€0 moved"


def test_a_broken_proof_bounds_nothing():
    space, nothing, proof = example()
    hole = replace(proof, halves=((Cut(2, 0, 0, 0), proof), (Cut(2, 0, 2, 2), proof)))
    found = certify(nothing, hole)
    assert not found.ok and found.bound is None and "refused" in told(nothing, hole, "bound").detail.en
    assert not certify_infeasible(space, hole).ok
    assert told(nothing, None, "bound").ok and certify(nothing, None).bound is None


def test_a_proof_that_no_plan_exists_is_none_of_a_plan():
    space, nothing, _ = example({"kind": "ceiling", "amount": 1}, {"kind": "floor", "amount": 2})
    rows = [rule.kind for rule, _ in space.rows]
    multipliers = np.array([1.0 if kind == "ceiling" else -1.0 if kind == "floor" else 0.0 for kind in rows])
    empty = Proof(multipliers, farkas=True)
    shown = certify_infeasible(space, empty)
    assert shown.ok and shown.checks[0].detail.en == "no plan can keep all rules"
    assert certify_infeasible(space, Proof(0 * multipliers, farkas=True)).checks[0].ok is False
    found = told(nothing, empty, "bound")
    assert not found.ok and found.detail.en == "the proof says that no plan exists"


def test_a_proof_is_checked_once_for_each_scenario(monkeypatch):
    """The plan has no part in it; another scenario has."""
    _, nothing, proof = example()
    bound = certify(nothing, proof).bound
    assert told(nothing, proof, "bound").detail.en.startswith("no plan has more than ")
    asked = []
    monkeypatch.setattr(certified, "prove", lambda *given: asked.append(given) or Fraction(7))
    assert certify(nothing, proof).bound == bound and not asked
    other, none, _ = example(demands=pd.DataFrame(DEMANDS).assign(emplois=1))
    assert certify(none, proof).bound == 7 and asked[0][0] is other


def granted(space: Space, *grants: tuple[int, int, int, int]) -> Reading:
    """Grants (demand, fund, year, cents), all by position."""
    return Reading(space, *(np.array(column, np.int64) for column in zip(*grants, strict=True)))


def test_a_fund_pays_what_it_may_pay_when_it_is_wanted():
    funds = [{"id": "f", "amount": 1000, "on": {"measures": ["ecole"]}}, {"id": "g", "amount": 1000}]
    space, _, proof = example(funds=funds, demands=pd.DataFrame(DEMANDS).assign(first_year=2026, last_year=2026))
    school, plot = (int(np.flatnonzero(space.scenario.demands["measure"] == m)[0]) for m in ("ecole", "friche"))
    assert told(granted(space, (school, 0, 0, 1), (plot, 1, 0, 1)), proof, "eligibility").ok
    assert told(granted(space, (school, 0, 0, 1), (plot, 1, 0, 1)), proof, "grants").ok
    for wrong in ((plot, 0, 0, 1), (school, 0, 1, 1)):
        assert told(granted(space, wrong), proof, "eligibility").detail.en == "1 not eligible"
    later, _, proof = example(demands=pd.DataFrame(DEMANDS).assign(first_year=2027, last_year=2027))
    assert not told(granted(later, (plot, 0, 0, 1)), proof, "eligibility").ok


def test_too_much_here_is_not_made_good_by_too_little_there():
    space, _, proof = example(demands=pd.DataFrame(DEMANDS).assign(min_units=1))
    one, other = np.flatnonzero(~space.lumpy)[:2].tolist()
    wrong = granted(space, (one, 0, 0, int(space.most[one]) + 1), (other, 0, 0, 1))
    assert "served, 2 error(s)" in told(wrong, proof, "units").detail.en


def test_no_word_of_moves_moves_nothing():
    _, nothing, proof = example(funds=MOVES)
    found = told(replace(nothing, moved=np.zeros(0, np.int64)), proof, "moves")
    assert not found.ok and found.detail.en == "€0 moved"
