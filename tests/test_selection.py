"""Selections pick what they say and refuse names that do not exist."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from allocator.problems import findings
from allocator.scenario import Scenario
from allocator.selection import Range, Selection


def scenario() -> Scenario:
    territories = pd.DataFrame(
        {
            "id": ["t1", "t2", "t3", "t4"],
            "name": ["A", "B", "C", "D"],
            "region": ["11", "11", "84", "01"],
            "departement": ["75", "77", "38", "971"],
            "population": [1000, 200, 50, 10],
            "metropole": [True, False, True, False],
            "niveau": [1, 2, 3, 4],
        }
    )
    demands = pd.DataFrame(
        {
            "id": ["d1", "d2", "d3", "d4", "d5"],
            "territory": ["t1", "t1", "t2", "t3", "t3"],
            "measure": ["m", "n", "m", "m", "n"],
            "units": [1, 2, 3, 4, 5],
            "asked": [100, "2 k€", 300, 400, 500],
            "filiere": ["bois", "acier", "bois", "", "acier"],
            "neuf": [True, True, False, False, True],
            "emplois": [1, 2, 3, 4, 5],
        }
    )
    return Scenario(
        "essai",
        [2026, 2027],
        [{"id": "f", "amount": "1 M€"}, {"id": "g", "amount": "1 M€"}],
        [{"id": "m"}, {"id": "n"}],
        territories,
        demands,
        [],
        {"maximise": {"emplois": 1}},
    )


SCENARIO = scenario()


def picked(**said: Any) -> dict[str, list[Any]]:
    pick = Selection(**said).pick(SCENARIO)
    return {
        "demands": SCENARIO.demands["id"][pick.demands].tolist(),
        "funds": [fund.id for fund, kept in zip(SCENARIO.funds, pick.funds, strict=True) if kept],
        "years": [year for year, kept in zip(SCENARIO.years, pick.years, strict=True) if kept],
        "territories": SCENARIO.territories["id"][pick.territories].tolist(),
        "measures": [m.id for m, kept in zip(SCENARIO.measures, pick.measures, strict=True) if kept],
    }


EVERYTHING: dict[str, list[Any]] = {
    "demands": ["d1", "d2", "d3", "d4", "d5"],
    "funds": ["f", "g"],
    "years": [2026, 2027],
    "territories": ["t1", "t2", "t3", "t4"],
    "measures": ["m", "n"],
}


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ({}, {}),
        ({"funds": "g"}, {"funds": ["g"]}),
        ({"years": 2027}, {"years": [2027]}),
        ({"measures": ["m"]}, {"measures": ["m"], "demands": ["d1", "d3", "d4"]}),
        ({"territories": ["t1"]}, {"territories": ["t1"], "demands": ["d1", "d2"]}),
        ({"demands": ["d1", "d5"]}, {"demands": ["d1", "d5"]}),
        ({"where": {"region": "11"}}, {"territories": ["t1", "t2"], "demands": ["d1", "d2", "d3"]}),
        ({"where": {"metropole": True}}, {"territories": ["t1", "t3"], "demands": ["d1", "d2", "d4", "d5"]}),
        ({"where": {"niveau": [1, 2.0]}}, {"territories": ["t1", "t2"], "demands": ["d1", "d2", "d3"]}),
        ({"where": {"population": {"max": 50}}}, {"territories": ["t3", "t4"], "demands": ["d4", "d5"]}),
        ({"where": {"filiere": ["bois"]}}, {"demands": ["d1", "d3"]}),
        ({"where": {"filiere": "bois", "neuf": True}}, {"demands": ["d1"]}),
        ({"where": {"units": {"min": 2, "max": 4}}}, {"demands": ["d2", "d3", "d4"]}),
        ({"where": {"asked": {"min": 500}}}, {"demands": ["d2", "d5"]}),
        ({"where": {"beneficiary": "t1"}}, {"demands": ["d1", "d2"]}),
        ({"where": {"id": ["d2"]}}, {"demands": ["d2"]}),
        ({"territories": "t4"}, {"territories": ["t4"], "demands": []}),
    ],
)
def test_pick(said: dict[str, Any], changed: dict[str, list[Any]]) -> None:
    assert Selection(**said).problems(SCENARIO) == []
    assert picked(**said) == EVERYTHING | changed


@pytest.mark.parametrize(
    ("said", "place", "expected"),
    [
        ({"funds": ["f", "h"]}, "on.funds[1]", "fonds inconnu « h »"),
        ({"measures": "mm"}, "on.measures[0]", "« m »"),
        ({"territories": "t9"}, "on.territories[0]", "Possibles : t1, t2, t3, t4."),
        ({"years": 2030}, "on.years[0]", "2026"),
        ({"demands": "d9"}, "on.demands[0]", "dossier inconnu"),
        ({"where": {"filliere": "bois"}}, "on.where.filliere", "« filiere »"),
        ({"where": {"filiere": "boi"}}, "on.where.filiere", "« bois »"),
        ({"where": {"filiere": ["bois", "zzz"]}}, "on.where.filiere[1]", "Possibles : bois, acier"),
        ({"where": {"region": 11}}, "on.where.region", 'Écrivez "11"'),
        ({"where": {"region": "1"}}, "on.where.region", "« 11 »"),
        ({"where": {"metropole": "oui"}}, "on.where.metropole", "true ou false"),
        ({"where": {"neuf": 1}}, "on.where.neuf", "true ou false"),
        ({"where": {"niveau": "1"}}, "on.where.niveau", "nombres"),
        ({"where": {"region": {"min": 3}}}, "on.where.region", "n'est pas un nombre"),
        ({"where": {"population": {"min": 10**6}}}, "on", "aucun territoire"),
        ({"territories": "t1", "where": {"region": "84"}}, "on", "aucun territoire"),
    ],
)
def test_problems_say_where_what_and_what_would_be_right(said: dict[str, Any], place: str, expected: str) -> None:
    problems = Selection(**said).problems(SCENARIO, "on")
    assert [problem.place for problem in problems] == [place]
    assert expected in problems[0].text("fr")
    assert problems[0].text("en") != problems[0].text("fr")


@pytest.mark.parametrize(
    "said",
    [
        {"funds": []},
        {"fund": "f"},
        {"years": "2026"},
        {"years": True},
        {"years": 2026.5},
        {"funds": 1.5},
        {"funds": {"f": 1}},
        {"where": "region"},
        {"where": {"region": []}},
        {"where": {"region": None}},
        {"where": {"n": float("nan")}},
        {"where": {"n": {}}},
        {"where": {"n": {"min": 2, "max": 1}}},
        {"where": {"n": {"mini": 2}}},
        {"where": {"n": {"min": True}}},
        {"where": {"n": [[1]]}},
    ],
)
def test_schema_refuses_in_plain_words(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        Selection(**said)
    for finding in findings(caught.value, Selection):
        assert finding.message.fr != finding.message.en
        assert "valeur refusée" not in finding.message.fr


def test_two_mistakes_in_one_where_are_both_told() -> None:
    with pytest.raises(ValidationError) as caught:
        Selection(where={"a": [], "b": {"min": "x"}})
    said = findings(caught.value, Selection)[0].message.fr
    assert "a :" in said
    assert "b :" in said


def test_selections_are_values() -> None:
    one = Selection(funds="f", where={"region": "11", "n": {"min": 1}})
    same = Selection(funds=["f"], where={"n": Range(1), "region": ["11"]})
    assert one == same
    assert hash(one) == hash(same)
    assert Selection.model_validate(one.model_dump()) == one
    assert Selection.model_validate_json(one.model_dump_json()) == one
    assert Selection().model_dump() == {}
    assert one.selects_funds
    assert not Selection(years=2026).selects_funds
    assert Selection(territories=[200046977]).territories == ("200046977",)  # codes left unquoted


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "measures": st.sets(st.sampled_from(["m", "n"]), min_size=1),
            "territories": st.sets(st.sampled_from(["t1", "t2", "t3", "t4"]), min_size=1),
            "where": st.fixed_dictionaries(
                {},
                optional={
                    "region": st.sets(st.sampled_from(["11", "84", "01"]), min_size=1),
                    "filiere": st.sets(st.sampled_from(["bois", "acier", ""]), min_size=1),
                    "units": st.builds(lambda low: {"min": low}, st.integers(0, 6)),
                    "neuf": st.booleans(),
                },
            ),
        },
    )
)
def test_pick_agrees_with_reading_row_by_row(said: dict[str, Any]) -> None:
    selection = Selection(**said)
    home = SCENARIO.territories.set_index("id")
    expected = []
    for row in SCENARIO.demands.to_dict("records"):
        where = said.get("where", {})
        expected.append(
            row["measure"] in said.get("measures", {row["measure"]})
            and row["territory"] in said.get("territories", {row["territory"]})
            and home.loc[row["territory"], "region"] in where.get("region", {home.loc[row["territory"], "region"]})
            and row["filiere"] in where.get("filiere", {row["filiere"]})
            and row["units"] >= where.get("units", {"min": 0})["min"]
            and row["neuf"] == where.get("neuf", row["neuf"])
        )
    assert selection.pick(SCENARIO).demands.tolist() == expected


def test_pick_is_cheap_on_many_demands() -> None:
    n = 200_000
    random = np.random.default_rng(1)
    many = SCENARIO.with_(
        demands=pd.DataFrame(
            {
                "id": [f"{k:06d}" for k in range(n)],
                "territory": np.array(["t1", "t2", "t3"])[random.integers(0, 3, n)],
                "measure": np.array(["m", "n"])[random.integers(0, 2, n)],
                "units": 1,
                "asked": 100,
                "filiere": np.array(["bois", "acier"])[random.integers(0, 2, n)],
                "emplois": 1,
            }
        )
    )
    selection = Selection(measures="m", where={"region": "11", "filiere": "bois"})
    selection.pick(many)
    start = time.perf_counter()
    for _ in range(50):
        selection.pick(many)
    assert time.perf_counter() - start < 1.5  # 20 times what it takes
