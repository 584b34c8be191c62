"""Scenarios that say only what differs from their base."""

from __future__ import annotations

from pathlib import Path

import pytest

import allocator
from allocator import ScenarioError

TERRITORIES = "id,name,region,departement,population\nt1,Un,11,75,100\nt2,Deux,84,69,200\n"
DEMANDS = "id,territory,measure,units,asked,emplois\nd1,t1,m,1,1000,5\nd2,t2,m,2,500,1\n"
PARENT = """\
name: parent
label: La base
years: [2026, 2027]
funds:
  - {id: f, amount: 1000}
  - id: g
    amounts: {2026: 10, 2027: 20}
    label: Second
measures:
  - {id: m, unit: projet}
territories: territories.csv
demands: demands.csv
constraints:
  - {kind: ceiling, amount: 900}
  - {kind: ceiling, amount: 800}
  - {kind: floor, id: plancher, amount: 1, label: Plancher}
objective: {maximise: {emplois: 1}}
"""


@pytest.fixture
def write(tmp_path: Path):
    """Write scenario folders; the folder `parent` is there."""

    def one(name: str, text: str, **tables: str) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "scenario.yaml").write_text(text, encoding="utf-8")
        for table, content in tables.items():
            (folder / f"{table}.csv").write_text(content, encoding="utf-8")
        return folder

    one("parent", PARENT, territories=TERRITORIES, demands=DEMANDS)
    return one


def problems(folder: Path) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        allocator.load(folder)
    return [problem.text("fr") for problem in caught.value.problems]


def rules(scenario: allocator.Scenario) -> dict[str, object]:
    return {rule.id: rule for rule in scenario.constraints}


def test_a_key_replaces_and_the_rest_is_inherited(write) -> None:
    child = allocator.load(
        write("enfant", "name: enfant\nbase: ../parent\nyears: [2026]\nfunds: [{id: g, amounts: {2026: 5}}]\n")
    )
    assert (child.name, child.base, child.years) == ("enfant", "parent", [2026])
    assert child.label == ""  # not the base's
    funds = {fund.id: fund for fund in child.funds}
    assert list(funds) == ["f", "g"]
    assert funds["f"].amount == 1000_00
    assert (funds["g"].amounts, funds["g"].label) == ({2026: 500}, "Second")
    assert len(child.demands) == 2


def test_entries_merge_by_id_are_added_and_taken_out(write) -> None:
    text = """\
name: enfant
base: ../parent
funds:
  - {id: g, amounts: , amount: 7}
  - {id: h, amount: 3}
constraints:
  - {id: ceiling-1, remove: true}
  - {id: ceiling-2, amount: 700}
  - {kind: ceiling, amount: 600}
  - {id: plancher, enabled: false}
"""
    child = allocator.load(write("enfant", text))
    funds = {fund.id: fund for fund in child.funds}
    assert list(funds) == ["f", "g", "h"]
    assert (funds["g"].amount, funds["g"].amounts) == (700, None)
    found = rules(child)
    assert set(found) == {"ceiling-2", "plancher", "ceiling-3"}
    assert found["ceiling-2"].amount == 700_00
    assert not found["plancher"].enabled
    assert found["plancher"].label == "Plancher"
    assert sorted(rule.amount for rule in child.constraints if rule.kind == "ceiling") == [600_00, 700_00]


def test_a_base_may_have_a_base_and_tables_stay_with_their_file(write) -> None:
    write("milieu", "name: milieu\nbase: ../parent\nconstraints: [{id: plancher, amount: 2}]\n")
    text = "name: bout\nbase: ../milieu\ndemands: autres.csv\nconstraints: [{id: plancher, label: Autre}]\n"
    bout = allocator.load(write("bout", text, autres=DEMANDS + "d3,t1,m,1,1,1\n"))
    assert bout.base == "milieu"
    assert len(bout.demands) == 3  # beside the last file; territories beside the first
    assert len(bout.territories) == 2
    plancher = rules(bout)["plancher"]
    assert (plancher.amount, plancher.label) == (200, "Autre")


def test_a_lone_file_may_name_a_file_or_a_built_in_scenario(write, tmp_path: Path) -> None:
    lone = tmp_path / "seul.yaml"
    lone.write_text("name: seul\nbase: parent/scenario.yaml\n", encoding="utf-8")
    assert allocator.load(lone).base == "parent"
    lone.write_text("name: seul\nbase: propositions-2025\nfunds: [{id: ademe, amount: 1 M€}]\n", encoding="utf-8")
    scenario = allocator.load(lone)
    assert scenario.base == "propositions-2025"
    assert {fund.id: fund.amount for fund in scenario.funds}["ademe"] == 1_000_000_00


def test_same_content_same_scenario_but_for_name_and_base(write) -> None:
    child = allocator.load(write("enfant", "name: parent\nlabel: La base\nbase: ../parent\n"))
    parent = allocator.load(write("parent", PARENT))
    assert child.with_(base=None).input_hash == parent.input_hash


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: e\nbase: ../parnt\n", ["base (ligne 2)", "« ../parnt »", "../parent"]),
        ("name: e\nbase: statu-qo\n", ["base (ligne 2)", "statu-quo"]),
        ("name: e\nbase: .\n", ["base (ligne 2)", "l'un à l'autre"]),
        ("name: e\nbase: [x]\n", ["base (ligne 2)"]),
        (
            "name: e\nbase: ../parent\nfunds:\n  - {id: ff, remove: true}\n",
            ["funds[0] (ligne 4)", "« ff »", "« f »"],
        ),
        (
            "name: e\nbase: ../parent\nfunds:\n  - {id: f, remove: yes}\n",
            ["funds[0] (ligne 4)", "remove: true"],
        ),
        ("name: e\nbase: ../parent\nfunds:\n  - {id: f, remove: true, amount: 1}\n", ["funds[0] (ligne 4)"]),
        ("name: e\nbase: ../parent\nfunds:\n  - {id: k, label: K}\n", ["funds[0].id (ligne 4)", "« k »"]),
        (
            "name: e\nbase: ../parent\nconstraints:\n  - {id: planchet, amount: 1}\n",
            ["(ligne 4)", "« plancher »"],
        ),
        (
            "name: e\nbase: ../parent\nfunds:\n  - {id: f}\n  - {id: f}\n",
            ["funds[1].id (ligne 5)", "deux fois"],
        ),
        (
            "name: e\nbase: ../parent\nfunds:\n  - {id: g, amount: 1}\n",
            ["funds[0] (ligne 4)", "l'un des deux"],
        ),
        (
            "name: e\nbase: ../parent\nfunds:\n  - {id: f, amount: beaucoup}\n",
            ["funds[0].amount (ligne 4)", "beaucoup"],
        ),
        ("name: e\nbase: ../parent\nfunds: rien\n", ["funds (ligne 3)"]),
        ("base: ../parent\n", ["name", "un nom est attendu"]),
        ("name: e\nbase: ../parent\ndemands: absent.csv\n", ["demands (ligne 3)", "absent.csv"]),
    ],
)
def test_mistakes_are_told_where_they_stand(write, text: str, says: list[str]) -> None:
    folder = write("e", text)
    told = [line for line in problems(folder) if all(part in line for part in says)]
    assert told
    assert str(folder / "scenario.yaml") in told[0]


def test_a_mistake_of_the_base_is_told_in_the_base(write) -> None:
    parent = write("parent", PARENT.replace("amount: 900", "amount: neuf"), territories=TERRITORIES)
    child = write("enfant", "name: enfant\nbase: ../parent\nconstraints: [{id: plancher, amount: dix}]\n")
    told = problems(child)
    assert len(told) == 2
    assert any("constraints[0].amount (ligne 14)" in line and "parent/scenario.yaml" in line for line in told)
    assert any("constraints[0].amount (ligne 3)" in line and str(child) in line for line in told)
    assert parent.name == "parent"


def test_places_follow_entries_that_moved(write) -> None:
    """A rule of the base that slid up because another was taken out keeps its line."""
    write("parent", PARENT.replace("amount: 1, label", "amount: un, label"))
    child = write("enfant", "name: enfant\nbase: ../parent\nconstraints: [{id: ceiling-1, remove: true}]\n")
    assert any("constraints[2].amount (ligne 16)" in line for line in problems(child))


def test_a_circle_is_refused(write) -> None:
    write("un", "name: un\nbase: ../deux\n")
    write("deux", "name: deux\nbase: ../trois\n")
    told = problems(write("trois", "name: trois\nbase: ../un\n"))
    assert any("trois → un → deux" in line and "deux/scenario.yaml" in line for line in told)


def test_a_base_that_cannot_be_read_is_the_one_thing_to_say(write, tmp_path: Path) -> None:
    (tmp_path / "vide.yaml").write_text("", encoding="utf-8")
    (tmp_path / "faux.yaml").write_text("a: [1\n", encoding="utf-8")
    for name, says in (("vide", "pas de clés"), ("faux", "illisible"), ("absente", "base inconnu")):
        told = problems(write("e", f"name: e\nbase: ../{name}.yaml\n"))
        assert len(told) == 1
        assert f"{name}.yaml" in told[0]
        assert says in told[0]
