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


def test_changes_come_last_at_their_layer(write) -> None:
    write(
        "milieu", "name: milieu\nbase: ../parent\nchanges: {funds.*.amount: +10 %, constraints.ceiling-1.amount: x2}\n"
    )
    milieu = allocator.load(write("bout", "name: bout\nbase: ../milieu\n"))
    funds = {fund.id: fund for fund in milieu.funds}
    assert (funds["f"].amount, funds["g"].amounts) == (1100_00, {2026: 1100, 2027: 2200})
    assert rules(milieu)["ceiling-1"].amount == 1800_00
    text = "name: bout\nbase: ../milieu\nfunds: [{id: f, amount: 5}]\nchanges: {objective.maximise.emplois: 3}\n"
    bout = allocator.load(write("bout", text))
    assert bout.funds[0].amount == 500  # said above the change: not raised by it
    assert bout.objective.maximise == {"emplois": 3}
    assert bout.base == "milieu"


def test_changes_are_those_of_python(write) -> None:
    paths = {"funds.f.amount": "-30 %", "demands.d1.units": 3, "demands.*.asked": "x1,5", "years": [2026, 2027, 2028]}
    text = "".join(f"  {path}: {value}\n" for path, value in paths.items())
    read = allocator.load(write("enfant", f"name: parent\nlabel: La base\nbase: ../parent\nchanges:\n{text}"))
    parent = allocator.load(write("parent", PARENT))
    assert read.input_hash == allocator.changed(parent, paths).input_hash


def test_rows_are_laid_over_the_bases(write) -> None:
    over = (
        "id,units,asked,note,remove,territory,measure,emplois\nd1,,2000,haut,,,,\nd2,,,,true,,,\nd3,4,7,bas,,t2,m,1\n"
    )
    child = allocator.load(write("enfant", "name: e\nbase: ../parent\ndemands: {change: d.csv}\n", d=over))
    assert child.demands["id"].tolist() == ["d1", "d3"]
    assert child.demands["units"].tolist() == [1, 4]
    assert child.cents("asked").tolist() == [2000_00, 700]
    assert child.demands["note"].tolist() == ["haut", "bas"]
    again = write("encore", "name: e\nbase: ../enfant\ndemands: {change: d.csv}\n", d="id,units\nd3,5\n")
    assert allocator.load(again).demands["units"].tolist() == [1, 5]


AID = "beneficiary,date,amount\nd1,2025-06-30,100\nd1,2024,200\nd2,2024,300\nd2,2025,1\nd2,2025,2\n"


def test_earlier_aid_is_laid_over_the_bases_by_beneficiary_and_date(write) -> None:
    said = PARENT.replace("demands: demands.csv", "demands: demands.csv\nprior_aid: aid.csv")
    lines = DEMANDS.splitlines()
    asked = "\n".join([f"{lines[0]},beneficiary", *(f"{line},{line[:2]}" for line in lines[1:])])
    write("parent", said, aid=AID, demands=asked)
    over = "beneficiary,date,amount,remove\nd1,2024,250 €,\nd2,2024,,true\nd2,2023,7,\n"
    child = allocator.load(write("e", "name: e\nbase: ../parent\nprior_aid: {change: d.csv}\n", d=over))
    whole = AID.replace("d1,2024,200", "d1,2024,250").replace("d2,2024,300", "d2,2023,7")
    other = allocator.load(write("f", said, aid=whole, territories=TERRITORIES, demands=asked))
    assert child.prior_aid is not None and other.prior_aid is not None
    laid, given = ({tuple(row) for row in one.prior_aid.astype(str).to_numpy()} for one in (child, other))
    assert len(laid) == 5 and laid == given


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            "beneficiary,date,amount\nd2,2025,9\n",
            "d.csv, ligne 2, colonne beneficiary : « d2 2025 » : plusieurs lignes de la base",
        ),
        ("beneficiary,date,amount\nd1,,9\n", "d.csv, ligne 2, colonne date : une valeur est attendue dans date"),
        (
            "beneficiary,date,amount\nd1,2024,9\nd1,2024,8\n",
            "d.csv, ligne 3, colonne beneficiary : « d1 2024 » donné deux fois",
        ),
        ("beneficiary,date,remove\nd1,2022,true\n", "« d1 2022 » n'est pas dans la base"),
        ("beneficiary,date,amount,remove\nd1,2024,1,true\n", "n'a que beneficiary et date et remove"),
        ("beneficiary,date,amount\nd1,2022,\n", "amount"),
        ("beneficiary,amount\nd1,1\n", "la colonne date manque"),
        ("beneficiary,date,amount\nd1,2024,mille\n", "d.csv, ligne 2, colonne amount"),
    ],
)
def test_mistakes_of_earlier_aid_are_told_where_they_stand(write, rows: str, says: str) -> None:
    write("parent", PARENT.replace("demands: demands.csv", "demands: demands.csv\nprior_aid: aid.csv"), aid=AID)
    told = problems(write("e", "name: e\nbase: ../parent\nprior_aid: {change: d.csv}\n", d=rows))
    assert any(says in line for line in told), told


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("id,units\nd1,deux\n", "d.csv, ligne 2, colonne units"),
        ("id,units\nd1,2\nd1,3\n", "d.csv, ligne 3, colonne id : « d1 » donné deux fois"),
        ("id,units\nzzz,2\n", "d.csv, ligne 2, colonne id : « zzz » n'est pas dans la base. Pour une ligne nouvelle"),
        ("id,units,remove\nd1,2,true\n", "d.csv, ligne 2, colonne remove"),
        ("id,remove\nd22,true\n", "Vouliez-vous dire « d2 » ?"),
        ("units\n2\n", "la colonne id manque"),
    ],
)
def test_mistakes_of_rows_are_told_where_they_stand(write, rows: str, says: str) -> None:
    told = problems(write("e", "name: e\nbase: ../parent\ndemands: {change: d.csv}\n", d=rows))
    assert any(says in line for line in told), told


def test_a_cell_of_the_base_is_told_in_the_bases_file(write) -> None:
    write("parent", PARENT, demands=DEMANDS.replace("1,1000", "1,mille"))
    told = problems(write("e", "name: e\nbase: ../parent\ndemands: {change: d.csv}\n", d="id,units\nd1,2\n"))
    assert len(told) == 1 and "parent/demands.csv, ligne 2, colonne asked" in told[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "changes:\n  funds.ff.amount: 1\n  funds.f.amout: 1\n",
            ["funds.ff.amount (ligne 4)", "funds.f.amout (ligne 5)"],
        ),
        ("changes:\n  funds.f.amount: beaucoup\n", ["funds.f.amount (ligne 4)"]),
        ("changes: [1]\n", ["changes (ligne 3)"]),
    ],
)
def test_mistakes_of_changes_are_told_where_they_stand(write, text: str, says: list[str]) -> None:
    folder = write("e", "name: e\nbase: ../parent\n" + text)
    told = problems(folder)
    assert len(told) == len(says)
    assert all(part in line and str(folder) in line for part, line in zip(says, told, strict=True)), told


def test_a_workbook_as_a_base(write, tmp_path: Path) -> None:
    parent = allocator.load(write("parent", PARENT))
    from allocator.formats import save

    save(parent, tmp_path / "classeur.xlsx")
    text = "name: parent\nlabel: La base\nbase: ../classeur.xlsx\n"
    same = allocator.load(write("enfant", text))
    assert (same.base, same.input_hash) == ("parent", parent.input_hash)
    more = write("plus", text + "funds: [{id: f, amount: 3}]\ndemands: {change: d.csv}\n", d="id,units\nd1,9\n")
    assert allocator.load(more).demands["units"].tolist() == [9, 2]
    told = problems(write("faux", text + "years: [2026]\n"))
    assert told and all("classeur.xlsx, Fonds!" in line for line in told), told


def test_the_hash_is_that_of_the_scenario_said_whole(write, tmp_path: Path) -> None:
    from allocator.formats import save

    child = allocator.load(write("enfant", "name: e\nbase: ../parent\nchanges: {funds.f.amount: 12}\n"))
    assert child.with_(base=None).input_hash == child.input_hash
    save(child, tmp_path / "entier")
    again = allocator.load(tmp_path / "entier")
    assert (again.input_hash, again.base) == (child.input_hash, "parent")
