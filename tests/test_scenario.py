"""What a scenario accepts, completes and refuses; every mistake at once."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator.problems import Problem, ScenarioError, near
from allocator.scenario import Fund, Measure, Scenario
from allocator.texts import Text, language, set_language


def parts() -> dict[str, Any]:
    """A small right scenario, to be spoilt."""
    return {
        "name": "essai",
        "years": [2026, 2027],
        "funds": [
            {"id": "f", "amount": "1 M€"},
            {"id": "g", "amounts": {2026: 500, 2027: "1 k€"}, "parent": "f", "on": {"measures": "m"}},
        ],
        "measures": [{"id": "m", "unit": "ha"}, {"id": "e", "lumpy": True}],
        "territories": pd.DataFrame(
            {
                "id": ["t2", "t1"],
                "name": ["B", "A"],
                "region": ["11", "84"],
                "departement": ["75", "01"],
                "population": [200, 100],
                "metropole": [True, False],
            }
        ),
        "demands": pd.DataFrame(
            {
                "id": ["d3", "d1", "d2"],
                "territory": ["t1", "t2", "t1"],
                "measure": ["m", "m", "e"],
                "units": [1.5, 2, 3],
                "asked": [100.1, 0.3, 50],
                "emplois": [1, 2.5, 3],
                "filiere": ["bois", "acier", "bois"],
            }
        ),
        "constraints": [
            {"kind": "ceiling", "on": {"where": {"region": "11"}}, "amount": "2 k€"},
            {"kind": "floor", "amount": 1, "per": "region"},
            {"kind": "ceiling", "amount": 5000},
        ],
        "objective": {"maximise": {"emplois": 1}},
    }


def with_cells(**columns: list[Any]) -> dict[str, Any]:
    return {"demands": parts()["demands"].assign(**columns)}


def problems_of(**changes: Any) -> list[Problem]:
    with pytest.raises(ScenarioError) as caught:
        Scenario(**(parts() | changes))
    return caught.value.problems


def test_tables_are_completed_and_sorted() -> None:
    scenario = Scenario(**parts())
    demands = scenario.demands
    assert demands["id"].tolist() == ["d1", "d2", "d3"]
    assert list(demands.columns[:5]) == ["id", "territory", "measure", "units", "asked"]
    first = demands.iloc[0].to_dict()
    assert (
        first
        | {
            "cost": 0.3,
            "other_public": 0,
            "own": 0,
            "min_units": 0,
            "beneficiary": "t2",
            "beneficiary_kind": "",
            "first_year": 2026,
            "last_year": 2027,
            "project": "d1",
        }
        == first
    )
    assert scenario.territories["id"].tolist() == ["t1", "t2"]
    assert (scenario.indicators, scenario.attributes) == (["emplois"], ["filiere"])
    assert [c.id for c in scenario.constraints] == ["ceiling-1", "floor-1", "ceiling-2"]
    assert scenario.constraints[0].label == "ceiling-1"
    assert scenario.funds[0].amount == 100_000_000
    assert scenario.funds[0].label == "f"
    assert scenario.cents("asked").tolist() == [30, 5000, 10010]
    assert scenario.decimals("emplois")[0].tolist() == [25, 30, 10]
    assert scenario.warnings == [] or all(isinstance(w, Problem) for w in scenario.warnings)


def test_own_share_is_exact_to_the_cent() -> None:
    scenario = Scenario(
        **(parts() | with_cells(cost=[0.3, "1 k€", 70], asked=[0.1, "0,2", 50], other_public=[0.1, None, 5]))
    )
    assert scenario.cents("own").tolist() == [99980, 1500, 10]
    assert scenario.cents("other_public").tolist() == [0, 500, 10]


def test_missing_optional_cells_take_their_defaults() -> None:
    scenario = Scenario(
        **(
            parts()
            | with_cells(
                cost=[math.nan, 9, math.nan],
                first_year=[2027, math.nan, math.nan],
                project=["p", None, ""],
                min_units=[1, math.nan, 2],
                beneficiary=[None, "x", ""],
            )
        )
    )
    assert scenario.cents("cost").tolist() == [900, 5000, 10010]
    assert scenario.demands["first_year"].tolist() == [2026, 2026, 2027]
    assert scenario.demands["project"].tolist() == ["d1", "d2", "p"]
    assert scenario.demands["beneficiary"].tolist() == ["x", "t1", "t1"]
    assert scenario.demands["min_units"].tolist() == [0, 2, 1]


def test_ids_made_of_digits_are_texts() -> None:
    given = parts()
    given["territories"]["id"] = [2, 1]
    given["demands"]["territory"] = [1, 2, 1]
    given["demands"]["id"] = [30, 10, 20]
    scenario = Scenario(**given)
    assert scenario.territories["id"].tolist() == ["1", "2"]
    assert scenario.demands["territory"].tolist() == ["2", "1", "1"]


SPOILT: list[tuple[dict[str, Any], str, str]] = [
    ({"name": ""}, "name", "un nom est attendu"),
    ({"years": []}, "years", "années"),
    ({"years": [2026, 2026]}, "years[1]", "deux fois"),
    ({"years": [2026, True]}, "years[1]", "n'est pas une année"),
    ({"years": "2026"}, "years", "années"),
    ({"funds": [{"id": "f"}]}, "funds[0]", "amount"),
    ({"funds": [{"id": "f", "amount": 1, "amounts": {2026: 1}}]}, "funds[0]", "l'un des deux"),
    ({"funds": [{"id": "f", "amount": -1}]}, "funds[0].amount", "supérieure ou égale à 0"),
    ({"funds": [{"id": "f", "amount": True}]}, "funds[0].amount", "booléen"),
    ({"funds": [{"id": "f", "amount": math.nan}]}, "funds[0].amount", "valeur absente"),
    ({"funds": [{"id": "f", "amount": 10**40}]}, "funds[0].amount", "trop grand"),
    (
        {"funds": [{"id": "f", "amount": 4 * 10**16}, {"id": "g", "amount": 4 * 10**16}]},
        "funds",
        "trop grand",
    ),
    ({"funds": [{"id": "f", "amout": 1}]}, "funds[0].amout", "« amount »"),
    ({"funds": [{"id": "f", "amount": 1}, {"id": "f", "amount": 2}]}, "funds[1].id", "déjà utilisé"),
    ({"funds": [{"id": "f", "amounts": {2030: 1}}]}, "funds[0].amounts[2030]", "hors de l'horizon"),
    ({"funds": [{"id": "f", "amount": 1, "parent": "g"}]}, "funds[0].parent", "fonds inconnu"),
    ({"funds": [{"id": "f", "amount": 1, "reserve": 1}]}, "funds[0].reserve", "reserve"),
    ({"funds": [{"id": "f", "amount": 1, "reserve": -0.1}]}, "funds[0].reserve", "taux"),
    ({"funds": [{"id": "f", "amount": 1, "max_rate": 0}]}, "funds[0].max_rate", "max_rate"),
    ({"funds": [{"id": "f", "amount": 1, "payments": {2020: 1}}]}, "funds[0].payments[2020]", "hors de l'horizon"),
    ({"funds": [{"id": "f", "amount": 1, "income": {2050: 1}}]}, "funds[0].income[2050]", "hors de l'horizon"),
    (
        {"funds": [{"id": "f", "amount": 1, "returns": {1: 0.5, 2: 0.6}}]},
        "funds[0].returns",
        "plus que ce qui est payé",
    ),
    ({"funds": [{"id": "f", "amount": 1, "returns": {-1: 0.5}}]}, "funds[0].returns[-1]", "supérieure ou égale à 1"),
    ({"funds": [{"id": "f", "amount": 1, "returns": {0: 0.5}}]}, "funds[0].returns[0]", "supérieure ou égale à 1"),
    ({"constraints": [{"kind": "count", "min": 5, "max": 1}]}, "constraints[0].min", "min (5) est supérieur à max (1)"),
    (
        {"constraints": [{"kind": "share", "of": {}, "min": 0.7, "max": 0.3}]},
        "constraints[0].min",
        "min (0,7) est supérieur",
    ),
    ({"constraints": [{"kind": "plafond", "amount": 1}]}, "constraints[0].kind", "Vouliez-vous dire « ceiling »"),
    ({"funds": [{"id": "f", "amount": 1, "reference_rate": 0.5}]}, "funds[0]", "returns"),
    ({"funds": [{"id": "f", "amount": -1, "income": {1999: 1}}]}, "funds[0].income[1999]", "hors de l'horizon"),
    ({"funds": [{"id": "f", "amount": 1, "payments": {1999: 1}}]}, "funds[0].payments[1999]", "hors de l'horizon"),
    (
        {"funds": [{"id": "f", "amount": 1, "returns": {1: "1/1000000007", 2: "1/1000000009"}}]},
        "funds[0].returns",
        "trop fines",
    ),
    ({"funds": [{"id": "f", "amount": 1, "transfers": {"g": 1}}]}, "funds[0].transfers.g", "fonds inconnu"),
    (
        {"funds": [{"id": "f", "amount": 1, "transfers": {"g": 1}}, {"id": "g", "amount": 1, "parent": "f"}]},
        "funds[0].transfers.g",
        "celui qui le contient",
    ),
    (
        {"funds": [{"id": "f", "amount": 1, "notified": {"Nulle part": 1}}]},
        "funds[0].notified.Nulle part",
        "région inconnue",
    ),
    ({"funds": [{"id": "f", "amount": 1, "notified": {"Bretagne": 2}}]}, "funds[0]", "dépassent"),
    ({"funds": [{"id": "f", "amount": 1, "notified_until": 2026}]}, "funds[0]", "va avec notified"),
    (
        {"funds": [{"id": "f", "amount": 1, "on": {"measures": "z"}}]},
        "funds[0].on.measures[0]",
        "mesure inconnue",
    ),
    (
        {"funds": [{"id": "f", "amount": 1, "on": {"funds": "f"}}]},
        "funds[0].on.funds",
        "pas de choix de fonds",
    ),
    (
        {"funds": [{"id": "f", "amount": 1, "hypothesis": 3}]},
        "funds[0].hypothesis",
        "true, false ou un texte",
    ),
    ({"funds": [3]}, "funds[0]", "des clés et des valeurs"),
    ({"funds": "f"}, "funds", "liste"),
    ({"funds": None}, "funds", "obligatoire"),
    (
        {"measures": [{"id": "m"}, {"id": "e", "payment_profile": [0.5, 0.4]}]},
        "measures[1].payment_profile",
        "payment_profile",
    ),
    (
        {"measures": [{"id": "m"}, {"id": "e", "payment_profile": [1.5, -0.5]}]},
        "measures[1].payment_profile",
        "négative",
    ),
    ({"measures": [{"id": "m"}, {"id": "e", "steps": [1]}]}, "measures[1].steps[0]", "des clés et des valeurs"),
    ({"measures": [{"id": "m"}, {"id": "e", "steps": [{"up_to": 0.5, "value": 1}]}]}, "measures[1].steps", "finir à 1"),
    (
        {"measures": [{"id": "m"}, {"id": "e", "steps": [{"up_to": 0.5, "value": 1}, {"up_to": 1, "value": 2}]}]},
        "measures[1].steps",
        "concave",
    ),
    ({"measures": [{"id": "m"}, {"id": "e", "lumpy": "oui"}]}, "measures[1].lumpy", "true ou false"),
    (with_cells(id=["a", "b", "a"]), "demands, ligne 3, colonne id", "déjà utilisé"),
    (with_cells(id=["a", None, "c"]), "demands, ligne 2, colonne id", "vide"),
    (with_cells(id=["a", 1.5, "c"]), "demands, ligne 2, colonne id", "n'est pas un texte"),
    (
        with_cells(territory=["t1", "t3", "t1"]),
        "demands, ligne 2, colonne territory",
        "territoire inconnu « t3 »",
    ),
    (with_cells(measure=["m", "mm", "e"]), "demands, ligne 2, colonne measure", "« m »"),
    (with_cells(units=[1.5, math.nan, 3]), "demands, ligne 2, colonne units", "absente"),
    (with_cells(units=[1.5, math.inf, 3]), "demands, ligne 2, colonne units", "fini"),
    (with_cells(units=[1.5, -2, 3]), "demands, ligne 2, colonne units", "négatif"),
    (with_cells(units=[1.5, 2, 3.5]), "demands, ligne 3, colonne units", "entier"),
    (with_cells(units=[1, True, 3]), "demands, ligne 2, colonne units", "booléen"),
    (with_cells(min_units=[2, 0, 0]), "demands, ligne 1, colonne min_units", "dépasse"),
    (with_cells(min_units=[0, 0, 0.5]), "demands, ligne 3, colonne min_units", "entier"),
    (with_cells(min_units=[-1, 0, 0]), "demands, ligne 1, colonne min_units", "négatif"),
    (with_cells(asked=[1, 0, 2]), "demands, ligne 2, colonne asked", "positif"),
    (with_cells(asked=[1, 0.001, 2]), "demands, ligne 2, colonne asked", "centimes"),
    (with_cells(asked=[1, "x", 2]), "demands, ligne 2, colonne asked", "n'est pas un montant"),
    (with_cells(asked=[1, 4 * 10**16, 2]), "demands, colonne asked", "total"),
    (with_cells(cost=[1000, -1, 200]), "demands, ligne 2, colonne cost", "négatif"),
    (with_cells(other_public=[0, "z", 0]), "demands, ligne 2, colonne other_public", "montant"),
    (
        with_cells(first_year=[2027, 2026, 2026], last_year=[2026, 2026, 2027]),
        "demands, ligne 1, colonne first_year",
        "après",
    ),
    (with_cells(first_year=[2026.5, 2026, 2026]), "demands, ligne 1, colonne first_year", "entier"),
    (with_cells(emplois=[1, math.nan, 2]), "demands, ligne 2, colonne emplois", "absente"),
    (with_cells(emplois=[1, math.inf, 2]), "demands, ligne 2, colonne emplois", "fini"),
    (with_cells(filiere=["a", 3, "b"]), "demands, ligne 2, colonne filiere", "ne mélange pas"),
    (with_cells(region=["a", "a", "b"]), "demands, colonne region", "territoires"),
    (
        {"demands": parts()["demands"].drop(columns="asked").assign(askd=1)},
        "demands, colonne asked",
        "« askd »",
    ),
    ({"demands": 3}, "demands", "un tableau est attendu"),
    ({"demands": None}, "demands", "absente"),
    (
        {"territories": parts()["territories"].assign(population=[-1, 5])},
        "territories, ligne 1, colonne population",
        "négative",
    ),
    (
        {"territories": parts()["territories"].assign(population=[1.5, 5])},
        "territories, ligne 1, colonne population",
        "entier",
    ),
    (
        {"territories": parts()["territories"].drop(columns="region")},
        "territories, colonne region",
        "obligatoire",
    ),
    ({"constraints": [{"kind": "celing", "amount": 1}]}, "constraints[0].kind", "« ceiling »"),
    ({"constraints": [{"amount": 1}]}, "constraints[0].kind", "ceiling"),
    ({"constraints": [3]}, "constraints[0]", "des clés et des valeurs"),
    ({"constraints": {"kind": "ceiling"}}, "constraints", "liste"),
    ({"constraints": [{"kind": "ceiling", "amount": 1, "per": "regio"}]}, "constraints[0].per", "« region »"),
    ({"constraints": [{"kind": "ceiling", "amount": 1, "per": "emplois"}]}, "constraints[0].per", "nombres"),
    (
        {"constraints": [{"kind": "ceiling", "amount": 1, "on": {"funds": "h"}}]},
        "constraints[0].on.funds[0]",
        "inconnu",
    ),
    (
        {"constraints": [{"kind": "ceiling", "amount": 1, "enabled": False, "on": {"funds": "h"}}]},
        "constraints[0].on.funds[0]",
        "inconnu",
    ),
    (
        {
            "constraints": [
                {"kind": "ceiling", "amount": 1, "id": "a"},
                {"kind": "floor", "amount": 1, "id": "a"},
            ]
        },
        "constraints[1].id",
        "déjà",
    ),
    (
        {"constraints": [{"kind": "ceiling", "amount": "1 zz"}]},
        "constraints[0].amount",
        "n'est pas un montant",
    ),
    ({"objective": None}, "objective", "obligatoire"),
    ({"objective": "emplois"}, "objective", "maximise"),
    ({"objective": {"maximize": {"emplois": 1}}}, "objective.maximize", "« maximise »"),
    ({"objective": {"maximise": {"emploi": 1}}}, "objective.maximise.emploi", "emplois"),
    ({"objective": {"maximise": {"emplois": "x"}}}, "objective.maximise.emplois", "n'est pas un nombre"),
]


@pytest.mark.parametrize(("changes", "place", "expected"), SPOILT, ids=[f"{p}-{w}"[:60] for _, p, w in SPOILT])
def test_each_mistake_is_placed_and_told(changes: dict[str, Any], place: str, expected: str) -> None:
    problems = problems_of(**copy.deepcopy(changes))
    told = {str(p.place.fr if isinstance(p.place, Text) else p.place): p for p in problems}
    assert place in told, [p.text("fr") for p in problems]
    assert expected in told[place].text("fr")
    assert told[place].message.en != told[place].message.fr
    assert set(told[place].as_dict("en")) == {"file", "place", "message", "remedy"}
    allowed = 3 if "constraints" not in place else 1  # a spoilt fund or table can be missed by what names it
    assert len(problems) <= allowed, [p.text("fr") for p in problems]


def test_all_mistakes_come_together_even_those_inside_what_was_refused() -> None:
    problems = problems_of(
        years=[2026, 2026],
        funds=[{"id": "f", "amount": "x", "on": {"measures": "zz"}}, {"id": "g", "amount": 1, "parent": "f"}],
        constraints=[{"kind": "ceiling", "amount": -1, "on": {"funds": ["f", "zz"]}}],
        objective={"maximise": {"emploi": 1}},
        **with_cells(units=["x", 2, 3], asked=[1, -1, 2]),
    )
    places = {p.place.fr if isinstance(p.place, Text) else p.place for p in problems}
    assert places == {
        "years[1]",
        "funds[0].amount",
        "funds[0].on.measures[0]",
        "demands, ligne 1, colonne units",
        "demands, ligne 2, colonne asked",
        "constraints[0].amount",
        "constraints[0].on.funds[1]",
        "objective.maximise.emploi",
    }
    error = ScenarioError(problems)
    assert str(error).count("\n") == len(problems) - 1
    assert pickle.loads(pickle.dumps(error)).problems == problems


def test_a_thousand_equal_mistakes_are_counted_not_recited() -> None:
    n = 1000
    many = pd.DataFrame({"id": range(n), "territory": "t1", "measure": "m", "units": 1, "asked": 0, "emplois": "x"})
    problems = problems_of(demands=many, constraints=[])
    texts = [p.text("fr") for p in problems]
    assert len(texts) < 50
    assert sum("et 980 autres lignes" in text for text in texts) == 1


def test_an_indicator_spoilt_by_one_cell_names_the_cell() -> None:
    problems = problems_of(**with_cells(emplois=["1", "2O", "3"]))
    assert any("2O" in p.text("fr") and "ligne 2" in p.text("fr") for p in problems)


@pytest.mark.parametrize(
    "loop", [{"f": "f"}, {"f": "g", "g": "f"}, {"f": "g", "g": "h", "h": "f"}, {"f": "g", "g": "h", "h": "g"}]
)
def test_funds_do_not_contain_each_other(loop: dict[str, str]) -> None:
    funds = [{"id": i, "amount": 1, "parent": loop.get(i)} for i in ("f", "g", "h")]
    problems = problems_of(funds=funds)
    assert len(problems) == 1
    assert "contiennent" in problems[0].text("fr")


# Warnings


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"funds": [{"id": "f", "amount": 1, "on": {"measures": "m"}}, {"id": "g", "amount": 0}]},
            "aucun fonds",
        ),
        (with_cells(first_year=[2030, 2026, 2026], last_year=[2031, 2026, 2027]), "ne peut rien recevoir"),
        (with_cells(first_year=[2020, 2026, 2026], last_year=[2021, 2026, 2027]), "ne peut rien recevoir"),
        (with_cells(min_unit=[0, 0, 0]), "min_units"),
        (with_cells(cost=[50, 0.3, 50]), "dépassent le coût"),
        (
            with_cells(filiere=["bois", None, "bois"])
            | {"constraints": [{"kind": "ceiling", "amount": 1, "per": "filiere"}]},
            "sans « filiere »",
        ),
        (
            {"constraints": [{"kind": "ceiling", "amount": 1, "on": {"where": {"region": "11"}, "measures": "e"}}]},
            "aucun dossier",
        ),
    ],
)
def test_what_looks_wrong_but_computes_is_a_warning(changes: dict[str, Any], expected: str) -> None:
    warnings = Scenario(**(parts() | changes)).warnings
    assert [w for w in warnings if expected in w.text("fr")], [w.text("fr") for w in warnings]


def test_a_disabled_constraint_warns_of_nothing() -> None:
    off = {
        "kind": "ceiling",
        "amount": 1,
        "enabled": False,
        "on": {"where": {"region": "11"}, "measures": "e"},
    }
    assert Scenario(**(parts() | {"constraints": [off]})).warnings == []


# Sameness


def test_the_order_of_rows_and_columns_does_not_matter() -> None:
    given = parts()
    turned = parts()
    turned["demands"] = turned["demands"].iloc[::-1][list(turned["demands"].columns[::-1])]
    turned["territories"] = turned["territories"].iloc[::-1].set_index(pd.Index([7, 7]))
    one, other = Scenario(**given), Scenario(**turned)
    assert one.input_hash == other.input_hash
    assert len(one.input_hash) == 64
    pd.testing.assert_frame_equal(
        one.demands.drop(columns=["emplois", "filiere"]), other.demands.drop(columns=["emplois", "filiere"])
    )


def test_the_way_numbers_are_written_does_not_matter() -> None:
    one = Scenario(**(parts() | with_cells(asked=[100.1, 0.3, 50], units=[1.5, 2.0, 3.0])))
    other = Scenario(**(parts() | with_cells(asked=["100,10 €", Decimal("0.30"), 50], units=["1,5", "2", "3"])))
    assert one.input_hash == other.input_hash
    assert other.demands["units"].tolist() == one.demands["units"].tolist()


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "autre"},
        {"years": [2026, 2027, 2028]},
        {"objective": {"maximise": {"emplois": 2}}},
        {"constraints": []},
        {"funds": [{"id": "f", "amount": "1 M€"}]},
        with_cells(asked=[100.1, 0.3, 50.01]),
        with_cells(emplois=[1, 2.5, 3.1]),
        with_cells(filiere=["bois", "acier", "acier"]),
        with_cells(neuf=[True, True, True]),
        {"territories": parts()["territories"].assign(population=[200, 101])},
        {"prior_aid": pd.DataFrame({"beneficiary": ["t1"], "date": ["2025-01-31"], "cents": [100]})},
    ],
)
def test_different_content_has_another_hash(changes: dict[str, Any]) -> None:
    one = Scenario(**parts())
    assert one.with_(**changes).input_hash == Scenario(**(parts() | changes)).input_hash
    assert one.with_(**changes).input_hash != one.input_hash


def test_variants_recompute_what_depends_on_the_change() -> None:
    scenario = Scenario(**parts())
    assert scenario.with_().input_hash == scenario.input_hash
    shorter = scenario.with_(years=[2026], funds=[{"id": "f", "amount": 1}], constraints=[])
    assert shorter.demands["last_year"].tolist() == [2026] * 3
    added = scenario.with_(constraints=[*scenario.constraints[1:], {"kind": "ceiling", "amount": 3}])
    assert sorted(c.id for c in added.constraints) == [
        "ceiling-2",
        "ceiling-3",
        "floor-1",
    ]  # no id is taken twice
    cheaper = scenario.with_(demands=scenario.demands.assign(asked=1))
    assert cheaper.cents("asked").tolist() == [100] * 3
    assert "aucun fonds" in scenario.with_(funds=[]).warnings[0].text("fr")
    with pytest.raises(TypeError, match="demands"):
        scenario.with_(demand=[])


def test_to_dict_builds_the_same_scenario() -> None:
    scenario = Scenario(**parts())
    said = scenario.to_dict()
    again = Scenario(**said, territories=scenario.territories, demands=scenario.demands)
    assert again.input_hash == scenario.input_hash
    assert said["funds"][1]["amounts"] == {2026: 500, 2027: 1000}
    assert pickle.loads(pickle.dumps(scenario)).input_hash == scenario.input_hash


def test_models_and_dicts_are_the_same() -> None:
    given = parts()
    given["funds"] = [Fund(**fund) for fund in given["funds"]]
    given["measures"] = [Measure(**measure) for measure in given["measures"]]
    given["constraints"] = Scenario(**parts()).constraints
    given["years"] = np.array([2027, 2026])
    given["demands"] = given["demands"].to_dict("records")
    assert Scenario(**given).input_hash == Scenario(**parts()).input_hash


def test_the_given_tables_are_left_alone() -> None:
    given = parts()
    before = given["demands"].copy(), given["territories"].copy()
    Scenario(**given)
    pd.testing.assert_frame_equal(given["demands"], before[0])
    pd.testing.assert_frame_equal(given["territories"], before[1])


def test_nobody_asking_is_a_scenario() -> None:
    given = parts()
    given["demands"] = given["demands"].iloc[:0]
    assert len(Scenario(**given).demands) == 0


def test_prior_aid_is_read() -> None:
    aid = pd.DataFrame({"beneficiary": ["t2", "t1"], "date": [2024, "2025-01-31"], "cents": [5, 7]})
    found = Scenario(**(parts() | {"prior_aid": aid})).prior_aid
    assert found is not None
    assert found.to_dict("list") == {
        "beneficiary": ["t1", "t2"],
        "date": ["2025-01-31", "2024"],
        "cents": [7, 5],
    }
    problems = problems_of(prior_aid=aid.assign(date=["hier", "2025"], cents=[1.5, -1]))
    assert len(problems) == 3
    written = pd.DataFrame({"beneficiary": ["t1", "t2"], "date": ["31/01/2025", 2024], "amount": ["0,07 €", "2 M€"]})
    euros = Scenario(**(parts() | {"prior_aid": written})).prior_aid
    assert euros is not None and euros.columns.tolist() == ["beneficiary", "date", "cents"]
    assert euros.values.tolist() == [["t1", "2025-01-31", 7], ["t2", "2024", 200_000_000]]
    assert len(problems_of(prior_aid=written.assign(cents=1))) == 1
    assert "amount" in problems_of(prior_aid=aid.drop(columns="cents"))[0].text("fr")


def test_prior_aid_of_nobody_is_told() -> None:
    """A name in no demand would be ignored, and a rule broken in silence."""
    demands = parts()["demands"].assign(beneficiary=["ACME", "SAS Été", "SAS Été"])
    aid = pd.DataFrame({"beneficiary": ["Acme", "sas ete"], "date": ["2025", "2025"], "cents": [1, 1]})
    problems = [p.text("fr") for p in problems_of(demands=demands, prior_aid=aid)]
    assert len(problems) == 2 and "« ACME »" in problems[0] and "« SAS Été »" in problems[1]
    typo = aid.assign(beneficiary=["ACME", "SAS Étes"])
    scenario = Scenario(**(parts() | {"demands": demands, "prior_aid": typo}))
    (warning,) = [w.text("fr") for w in scenario.warnings if "ne demande rien" in w.text("fr")]
    assert "« SAS Été »" in warning
    problems = [p.text("fr") for p in problems_of(prior_aid=typo)]
    assert len(problems) == 1 and "colonne beneficiary" in problems[0]


# Words


def test_texts_follow_the_language() -> None:
    text = Text("oui", "yes")
    before = language()
    try:
        set_language("en")
        assert (str(text), f"{text}", text.in_("fr")) == ("yes", "yes", "oui")
        set_language("fr")
        assert str(text) == "oui"
    finally:
        set_language(before)
    with pytest.raises(ValueError, match="xx"):
        set_language("xx")


def test_near_names() -> None:
    assert near("Ecole-Production", ["ecole-production", "rebond"]) == "ecole-production"
    assert near("écoles de production", ["ecole-production", "rebond"]) == "ecole-production"
    assert near("zzz", ["rebond"]) is None
    assert near("d000123x", [f"d{k:06d}" for k in range(300_000)]) is not None


def test_importing_a_scenario_loads_no_engine() -> None:
    code = (
        "import sys, allocator.scenario, allocator.formats;"
        "print([m for m in ('highspy','ortools','pulp','rich','streamlit') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
