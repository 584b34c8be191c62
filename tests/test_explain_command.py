"""`allocator explain`: the texts on a terminal, JSON, and what is wrong said at once."""

from __future__ import annotations

import json

import pytest
from valley import valley

from allocator.cli import main

SCENARIO = """
name: vallee
years: [2026]
funds: [{id: friches, label: Fonds friches, amount: 3 M€}]
measures: [{id: friche, label: Friches, unit: ha}]
territories: territories.csv
demands: demands.csv
constraints:
  - {kind: floor, id: plancher-sud, label: Plancher du Sud, on: {where: {region: Sud}}, amount: 2 M€}
objective: {maximise: {emplois: 1}}
"""


@pytest.fixture
def folder(tmp_path):
    scenario = valley()
    (tmp_path / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    scenario.territories.to_csv(tmp_path / "territories.csv", index=False)
    brownfields = scenario.demands[scenario.demands["measure"] == "friche"]
    brownfields[["id", "territory", "measure", "units", "asked", "cost", "emplois"]].to_csv(
        tmp_path / "demands.csv", index=False
    )
    return str(tmp_path)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ([], "Plancher du Sud"),
        (["--constraint", "plancher-sud"], "coûte 6 emplois"),
        (["--demand", "d3"], "n'est pas financé"),
        (["--fund", "friches"], "Liste complémentaire"),
        (["--about", "left"], "Il ne reste rien"),
        (["--demand", "d3", "--brief"], "ferait perdre"),
        (["--fund", "friches", "--brief"], "Avant cet ajout, il n'y reste rien"),
        (["--brief"], "un million d'euros de plus"),
    ],
)
def test_questions(folder, capsys, question, said):
    assert main(["explain", folder, *question, "--lang", "fr"]) == 0
    assert said in capsys.readouterr().out


def test_json(folder, capsys):
    assert main(["explain", folder, "--demand", "d3", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["scenario"], report["about"], report["granted_cents"]) == ("vallee", "demand", 0)


def test_english(folder, capsys):
    assert main(["explain", folder, "--constraint", "plancher-sud", "--lang", "en"]) == 0
    assert "Keeping “Plancher du Sud” costs 6 emplois of 60 (about 10%)." in capsys.readouterr().out


def test_a_wrong_name(folder, capsys):
    assert main(["explain", folder, "--demand", "d33", "--lang", "fr"]) == 2
    assert "dossier inconnu « d33 »" in capsys.readouterr().err


def test_the_help_names_every_topic(capsys):
    """The command does not import what it would take to list them."""
    from allocator.explain import TOPICS

    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert ", ".join(["overview", *TOPICS]) in told
