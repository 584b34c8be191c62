"""What differs between two scenarios: said in words, and as changes that lead from one to the other."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator
from allocator import cli
from allocator.changes import changed
from allocator.scenario import Scenario

DEMANDS = {
    "id": ["d1", "d2", "d.3", "d4", "d5"],
    "territory": ["t", "u", "t", "u", "t"],
    "measure": ["m", "m", "n", "n", "n"],
    "units": [1, 2, 3, 4, 1.5],
    "asked": [100, 33.33, 10, 5, 1],
    "jobs": [1, 2, 0.5, 0, 3],
    "soil": ["a", "b", "b", "a", "c"],
    "clean": [True, False, True, True, False],
}


def base(**changes: Any) -> Scenario:
    parts: dict[str, Any] = {
        "name": "s",
        "years": [2026, 2027],
        "funds": [
            {"id": "a", "label": "Fonds A", "amount": "100 M€", "on": {"measures": ["m", "n"]}},
            {"id": "b.c", "amounts": {2026: 10, 2027: "0.01"}, "max_rate": "50 %"},
        ],
        "measures": [{"id": "m"}, {"id": "n", "unit": "ha"}],
        "territories": pd.DataFrame(
            {
                "id": ["t", "u"],
                "name": ["T", "U"],
                "region": ["R", "S"],
                "departement": ["1", "2"],
                "population": [9, 5],
            }
        ),
        "demands": pd.DataFrame(DEMANDS),
        "constraints": [
            {"kind": "ceiling", "id": "cap", "on": {"measures": "m"}, "amount": 150},
            {"kind": "share", "id": "part", "on": {"where": {"region": "R"}}, "max": "40 %"},
            {"kind": "count", "max": 2, "of": "demands"},
        ],
        "objective": {"maximise": {"jobs": 1}},
    }
    return Scenario(**{**parts, **changes})


CHANGES: dict[str, list[Any]] = {
    "funds.a.amount": [5, "1/3", "65 M€"],
    "funds.a.max_rate": ["20 %", 1],
    "funds.a.label": ["x2", "Autre", "a"],
    "funds.a.on": [None, {"measures": ["m"]}, {"where": {"soil": "b"}}],
    "funds.a.carry_over": [True],
    "funds.b.c.amounts": [{2026: 1}, {2026: 3, 2027: 0}],
    "funds.b.c.amounts.2027": ["0.02", 9],
    "measures.n.lumpy": [False],
    "measures.m.steps": [[{"up_to": 0.5, "value": 1}, {"up_to": 1, "value": "1/3"}]],
    "constraints.cap.enabled": [False],
    "constraints.cap.amount": [0, "123.45"],
    "constraints.cap.soft": [2, None],
    "constraints.part.max": ["1/3", 1],
    "constraints.part.min": [0.1],
    "objective.maximise.jobs": [2, 0.1],
    "objective": [{"maximise": {"jobs": 3}}, {"minimise": "euros"}, {"maximin": {"of": "euros", "per": "soil"}}],
    "labels": [{"jobs": "emplois"}],
    "years": [[2026, 2027, 2028]],
    "demands.d1.units": [2, 0.5],
    "demands.d.3.asked": [7, "0.01"],
    "demands.*.soil": ["z", "+10 %"],
    "demands.d2.clean": [True],
    "demands.d4.cost": [6, 5],
    "demands.*.jobs": [4],
    "territories.u.population": [7],
}
SOME = st.lists(st.sampled_from(sorted(CHANGES)), max_size=8, unique=True).flatmap(
    lambda paths: st.tuples(*(st.tuples(st.just(path), st.sampled_from(CHANGES[path])) for path in paths)).map(dict)
)


def variant(changes: dict[str, Any]) -> Scenario:
    try:
        return changed(base(), {path: value for path, value in changes.items() if value != "+10 %"})
    except allocator.ScenarioError:  # one path undoes what another needs
        return base()


@given(SOME, SOME)
@settings(max_examples=30, deadline=None)
def test_the_changes_of_a_difference_lead_from_one_to_the_other(one: dict[str, Any], two: dict[str, Any]) -> None:
    a, b = variant(one), variant(two)
    found = allocator.diff(a, b)
    assert found.same == (a.input_hash == b.input_hash)
    json.dumps(found.as_dict(), allow_nan=False)
    assert found.whole or any(value == "x2" for value in two.values())
    if found.whole:
        assert changed(a, found.changes).input_hash == b.input_hash


def test_a_cost_that_is_given_stays_where_what_is_asked_moves() -> None:
    """Where nobody gives it, it is what is asked."""
    given = changed(base(), {"demands.d4.cost": 5})
    found = allocator.diff(base(), changed(given, {"demands.d.3.asked": 7}))
    assert found.changes == {"demands.d.3.asked": 7, "demands.d.3.cost": 10}
    assert changed(base(), found.changes).input_hash == found.b.input_hash
    assert "donné, ne suit plus le reste (d.3)" in found.text("fr")


def test_nothing_differs() -> None:
    found = allocator.diff(base(), base(name="t", label="Autre"))
    assert (found.same, found.changes, found.text("fr")) == (True, {}, "De « s » à « t », rien ne diffère.")


@pytest.mark.parametrize(
    ("changes", "fr"),
    [
        ({"funds.a.amount": "65 M€"}, "Fonds « Fonds A » (a) : montant, de 100 M€ à 65 M€ (−35 %)."),
        ({"funds.a.amount": "65 000 000,01 €"},
         "Fonds « Fonds A » (a) : montant, de 100 M€ à 65 000 000,01 € (≈ −35 %)."),
        ({"funds.a.on": {"measures": ["m"]}}, "Fonds « Fonds A » (a) : mesures choisies : sans n."),
        ({"funds.b.c.amounts.2026": 20}, "Fonds « b.c » : montants par année 2026, de 10 € à 20 € (+100 %)."),
        ({"funds.b.c.max_rate": "20 %"}, "Fonds « b.c » : taux maximal, de 50 % à 20 %."),
        ({"constraints.cap.enabled": False}, "Règle « cap » : suspendue."),
        ({"constraints.part.max": "1/3"}, "Règle « part » : maximum, de 40 % à 1/3."),
        ({"constraints.part.min": 0.1}, "Règle « part » : minimum : 10 %, rien avant."),
        ({"objective.maximise.jobs": 2}, "Objectif : poids de « jobs », de 1 à 2 (+100 %)."),
        ({"demands.d1.units": 2}, "Dossiers, unités demandées : « d1 » de 1 à 2 (+100 %)."),
        ({"demands.*.jobs": 2}, "Dossiers, « jobs » : 4 changent, en tout de 7 à 19 (≈ +171,4 %)."),
        ({"territories.u.population": 10}, "Territoires, population : « u » de 5 à 10 (+100 %)."),
    ],
)  # fmt: skip
def test_sentences(changes: dict[str, Any], fr: str) -> None:
    found = allocator.diff(base(), changed(base(), changes))
    said = found.text("fr").replace("\u202f", " ").replace("\xa0", " ")
    assert fr in [line.strip() for line in said.splitlines()], said


def test_rows_and_entries_that_come_and_go() -> None:
    a = base()
    other = a.demands.iloc[:-1][list(DEMANDS)]
    b = base(
        demands=pd.concat([other, pd.DataFrame({**{k: [v[0]] for k, v in DEMANDS.items()}, "id": ["new"]})]),
        funds=[a.funds[1], a.funds[0], {"id": "z", "amount": 3}],
        constraints=[a.constraints[0], {"kind": "floor", "id": "part", "amount": 1}, a.constraints[2]],
    )
    found = allocator.diff(a, b)
    said = found.text("fr")
    for line in (
        "Fonds ajouté : « z », 3\xa0€.",
        "L'ordre des fonds change : entre plans égaux, le premier sert d'abord.",
        "Règle retirée : « part », part.",
        "Règle ajoutée : « part », plancher, 1\xa0€.",
        "Dossiers retirés : 1 (d5), qui demandent 1,5\xa0€.",
        "Dossiers ajoutés : 1 (new), qui demandent 100\xa0€.",
    ):
        assert line in said, said
    assert not found.whole
    assert {"funds.z", "funds", "constraints.part", "demands"} <= set(found.beyond)
    assert "Removed" not in said and "removed" in found.text("en")


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["diff", "statu-quo", "statu-quo-lfi", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["changes"]["funds.fonds-vert.amounts.2026"] == 104_000_000
    assert report["beyond"] == ["constraints.plancher-ti"]
    assert cli.main(["diff", "statu-quo", "statu-quo"]) == 0
    assert "rien ne diffère" in capsys.readouterr().out
    assert cli.main(["diff", "statu-qo", "propositions"]) == 2
    said = capsys.readouterr().err
    assert "« statu-qo »" in said and "« propositions »" in said
