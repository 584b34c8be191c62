"""Who wins and who loses: sums to the cent, people counted once, inequality by hand and by its laws."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_certificate import scenario
from valley import FLOOR, valley

import allocator
from allocator.explain.winners import winners
from allocator.inequality import Inequality


def plans():
    """From no rule to a floor for the South: the school and Vallée give way to Littoral."""
    return allocator.solve(valley(())), allocator.solve(valley((FLOOR,)))


def test_changes_add_up_to_the_cent():
    before, after = plans()
    told = winners(after, before)
    change = int(after.grants["cents"].sum()) - int(before.grants["cents"].sum())
    assert told.totals == (int(before.grants["cents"].sum()), int(after.grants["cents"].sum()))
    for each in told.breakdowns:
        assert int(each.table["change"].sum()) == change
        assert (each.table["after"] - each.table["before"] == each.table["change"]).all()
    assert sum(cents for _, cents in told.fates.values()) == change
    assert sum(count for count, _ in told.fates.values()) == len(after.scenario.demands)


def test_who_by_hand():
    before, after = plans()
    told = winners(after, before, per=["region"])
    table = told.breakdowns[0].table.set_index("key")
    assert table["population"].to_dict() == {"Nord": 42_000, "Sud": 92_000}
    south = int(after.grants.loc[after.grants["territory"].isin(["t2", "t3"]), "cents"].sum())
    was = int(before.grants.loc[before.grants["territory"].isin(["t2", "t3"]), "cents"].sum())
    assert table.loc["Sud", "change"] == south - was > 0
    assert table.loc["Sud", "change_per_inhabitant"] == pytest.approx((south - was) / 100 / 92_000)
    assert told.breakdowns[0].winners["key"].tolist() == ["Sud"]
    assert told.breakdowns[0].losers["key"].tolist() == ["Nord"]


def test_the_other_way_round_winners_lose():
    before, after = plans()
    there, back = winners(after, before), winners(before, after)
    for one, two in zip(there.breakdowns, back.breakdowns, strict=True):
        assert one.winners["key"].tolist() == two.losers["key"].tolist()
        assert (one.before, one.after) == (two.after, two.before)
    assert there.fates["new"][0] == back.fates["gone"][0]


def test_nothing_changes_from_a_plan_to_itself():
    before, _ = plans()
    told = winners(before, before)
    assert all(len(each.winners) == len(each.losers) == 0 for each in told.breakdowns)
    assert told.fates["new"][0] == told.fates["gone"][0] == 0
    assert "territoires qui gagnent : 0, qui perdent : 0" in told.text("fr")


def test_kinds_of_territory_where_there_are_some():
    before, _ = plans()
    assert [each.per for each in winners(before, before).breakdowns] == ["territory", "departement", "region"]
    kinds = before.scenario.territories.assign(kind=["CA", "CC", "CC"])
    other = allocator.solve(before.scenario.with_(territories=kinds))
    by_kind = winners(other, other).breakdowns[-1]
    assert by_kind.per == "kind" and by_kind.table["population"].tolist() == [42_000, 92_000]


def test_groups_without_people_have_no_euros_per_inhabitant():
    empty = valley(()).territories.assign(population=[42_000, 0, 1_000])
    plan = allocator.solve(valley((), territories=empty))
    row = winners(plan, plan, per=["territory"]).breakdowns[0].table.set_index("key").loc["t2"]
    assert np.isnan(row["after_per_inhabitant"])
    json.dumps(winners(plan, plan).as_dict(), allow_nan=False)


def test_a_reference_without_a_plan_counts_for_nothing():
    impossible = allocator.solve(valley(({**FLOOR, "amount": "90 M€"},)))
    told = winners(allocator.solve(valley(())), impossible)
    assert told.totals[0] == 0 and "n'a pas de plan" in told.text("fr")


def test_inequality_by_hand():
    """One of two halves has everything: Gini 1/2, Theil ln 2; 1 and 3 euros a head: Gini 1/4."""
    people = np.array([1000, 1000])
    one = Inequality.of(np.array([0.0, 500.0]), people)
    assert (one.gini, one.theil) == (pytest.approx(0.5), pytest.approx(np.log(2)))
    assert one.nobody == 1000
    two = Inequality.of(np.array([100_000.0, 300_000.0]), people)
    assert two.gini == pytest.approx(0.25)
    assert two.theil == pytest.approx(0.25 * np.log(0.5) + 0.75 * np.log(1.5))
    assert (two.least, two.most) == (pytest.approx(1), pytest.approx(3))
    assert Inequality.of(np.zeros(2), people) == Inequality(0, 0, 0, 0, 2000)


GROUPS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**6)), min_size=1, max_size=30)


@given(GROUPS)
def test_gini_is_the_mean_difference_between_two_people(groups):
    cents, people = (np.array(each, float) for each in zip(*groups, strict=True))
    if not cents.sum():
        return
    each = cents / people
    share = people / people.sum()
    mean = cents.sum() / people.sum()
    expected = (share[:, None] * share[None, :] * np.abs(each[:, None] - each[None, :])).sum() / (2 * mean)
    told = Inequality.of(cents, people)
    assert told.gini == pytest.approx(expected, abs=1e-9)
    assert 0 <= told.gini < 1 and 0 <= told.theil <= np.log(people.sum()) + 1e-9


@given(GROUPS, st.integers(2, 5))
def test_splitting_a_group_into_equal_parts_changes_nothing(groups, parts):
    cents, people = (np.array(each, float) for each in zip(*groups, strict=True))
    one, many = (
        Inequality.of(cents, people),
        Inequality.of(np.repeat(cents / parts, parts), np.repeat(people / parts, parts)),
    )
    assert many.gini == pytest.approx(one.gini, abs=1e-9)
    assert many.theil == pytest.approx(one.theil, abs=1e-9)


def test_explain_in_words():
    before, after = plans()
    told = allocator.explain(after, against=before)
    text = told.text("fr")
    assert text.startswith("De « vallee » à « vallee (2) » : ")
    assert "Inégalité par habitant : Gini" in text and "Par région : gagnent 1, perdent 1" in text
    assert "Inequality per inhabitant: Gini" in told.text("en")
    facts = json.loads(json.dumps(told.as_dict(), allow_nan=False))
    assert {row["key"] for row in facts["by"]["region"]["rows"]} == {"Nord", "Sud"}


def test_people_of_both_scenarios():
    """A territory that only one scenario has keeps its people."""
    one = scenario()
    more = pd.concat(
        [one.territories, one.territories.iloc[:1].assign(id="z", name="Z", population=50)], ignore_index=True
    )
    plan = allocator.solve(one.with_(territories=more))
    for told in (winners(plan, allocator.solve(one)), winners(allocator.solve(one), plan)):
        assert told.breakdowns[0].table.set_index("key").loc["z", "population"] == 50
