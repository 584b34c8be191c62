"""Folders and files: what is read, and where every mistake is found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allocator import data
from allocator.formats import load
from allocator.formats.csv_text import read as read_csv
from allocator.formats.folder import KEYS
from allocator.formats.yaml_text import read as read_yaml
from allocator.problems import Problem, ScenarioError
from allocator.scenario.entities import Fund, Measure
from allocator.spreadsheet import unguarded
from allocator.tables import DEMAND_COLUMNS, PRIOR_AID_COLUMNS, TERRITORY_COLUMNS
from allocator.texts import composed

YAML = """\
name: essai
label: {fr: Un essai, en: A trial}
years: [2026, 2027]
funds:
  - id: ti
    amount: 2 M€
  - id: friches
    amounts: {2026: 500 k€, 2027: 1e5}
    on: {measures: friche}
    as_of: 2025-01-31
measures:
  - {id: rebond, lumpy: true, propositions: [23]}
  - id: friche
territories: territories.csv
demands: demands.csv
constraints:
  - kind: ceiling
    on: {where: {departement: "01"}}
    amount: "1 234,50 €"
  - kind: count
    on: {measures: rebond}
    max: 2
objective:
  maximise: {emplois: 1, hectares: 0.1}
"""
TERRITORIES = "id,name,region,departement,population,metropole\n010,A,84,01,100,true\n020,B,11,75,200,false\n"
DEMANDS = """\
id,territory,measure,units,asked,emplois,hectares,siren_ok,note
d1,010,rebond,2,100000,12,0,true,"première, la meilleure"
d2,020,friche,1.5,"1 234,50 €",0.5,"1,5",false,"sur
deux lignes"

d3,020,friche,3,10 k€,0,2,true,
"""


def folder(at: Path, yaml: str = YAML, territories: str | bytes = TERRITORIES, demands: str | bytes = DEMANDS) -> Path:
    at.mkdir(exist_ok=True)
    (at / "scenario.yaml").write_text(yaml, encoding="utf-8")
    for name, text in (("territories.csv", territories), ("demands.csv", demands)):
        (at / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return at


def problems_of(path: Path | str) -> list[Problem]:
    with pytest.raises(ScenarioError) as caught:
        load(path)
    return caught.value.problems


def lines(problems: list[Problem], root: Path) -> list[str]:
    return [problem.text("fr").replace(f"{root}/", "") for problem in problems]


def test_a_folder_is_read(tmp_path: Path) -> None:
    scenario = load(folder(tmp_path / "s"))
    assert scenario.territories["id"].tolist() == ["010", "020"]
    assert scenario.territories["departement"].tolist() == ["01", "75"]
    assert scenario.territories["metropole"].tolist() == [True, False]
    assert scenario.cents("asked").tolist() == [10_000_000, 123_450, 1_000_000]
    assert scenario.demands["units"].tolist() == [2.0, 1.5, 3.0]
    assert scenario.indicators == ["emplois", "hectares"]
    assert scenario.attributes == ["note", "siren_ok"]
    assert scenario.demands["note"].tolist() == ["première, la meilleure", "sur\ndeux lignes", ""]
    assert scenario.demands["hectares"].tolist() == [0, 1.5, 2]
    assert scenario.funds[1].amounts == {2026: 50_000_000, 2027: 10_000_000}
    assert scenario.funds[1].as_of == "2025-01-31"
    assert scenario.constraints[0].amount == 123_450
    assert scenario.warnings == []


def test_a_lone_yaml_a_byte_order_mark_and_windows_lines_are_the_same(tmp_path: Path) -> None:
    plain = load(folder(tmp_path / "s"))
    other = folder(tmp_path / "t", demands=b"\xef\xbb\xbf" + DEMANDS.replace("deux lignes", "DEUX").encode())
    same = folder(tmp_path / "u", territories=TERRITORIES.replace("\n", "\r\n"))
    assert load(other / "scenario.yaml").input_hash != plain.input_hash
    assert load(str(same / "scenario.yaml")).input_hash == plain.input_hash


def test_more_than_ten_mistakes_of_a_folder_come_in_one_list(tmp_path: Path) -> None:
    yaml = """\
name: essai
years: [2026, 2027]
funds:
  - id: ti
    amount: 2 M€
    amout: 3
  - id: friches
    amounts: {2026: 1 zz, 2031: 5}
measures:
  - {id: rebond, lumpy: true}
  - {id: rebond}
territories: territories.csv
demands: demands.csv
constraint: []
constraints:
  - kind: ceiling
    on: {where: {regin: "11"}}
    amount: 1 M€
  - kind: flor
    amount: 1
  - kind: ceiling
    on: {territories: ["021"]}
    amount: 10
    amount: 20
objective:
  maximise: {emplois: 1}
"""
    territories = "id,name,region,departement,population\n010,A,11,75,100\n020,B,11,77,-5\n"
    demands = """\
id,territory,measure,units,asked,emplois
d1,010,rebond,1.5,100,1
d2,030,rebond,2,"12,345",1
d3,010,rebond,x,100,1

d3,010,rebnd,1,100,2O
d5,010,rebond,1
"""
    found = lines(problems_of(folder(tmp_path / "s", yaml, territories, demands)), tmp_path / "s")
    expected = [
        "scenario.yaml, constraints[2].amount (ligne 24) : clé « amount » donnée deux fois (déjà ligne 23)",
        "scenario.yaml, constraint (ligne 14) : clé inconnue « constraint ». Vouliez-vous dire « constraints » ?",
        "scenario.yaml, funds[0].amout (ligne 6) : clé inconnue « amout ». Vouliez-vous dire « amount » ?",
        "scenario.yaml, funds[1].amounts[2026] (ligne 8) : « 1 zz » n'est pas un montant",
        "scenario.yaml, funds[1].amounts[2031] (ligne 8) : année 2031 hors de l'horizon",
        "scenario.yaml, measures[1].id (ligne 11) : identifiant « rebond » déjà utilisé",
        "scenario.yaml, constraints[1].kind (ligne 19) : règle inconnue « flor ». Vouliez-vous dire « floor » ?",
        "scenario.yaml, constraints[0].on.where.regin (ligne 17) : attribut inconnu « regin »."
        " Vouliez-vous dire « region » ?",
        "scenario.yaml, constraints[2].on.territories[0] (ligne 22) : territoire inconnu « 021 »."
        " Vouliez-vous dire « 020 » ?",
        "territories.csv, ligne 3, colonne population : population négative : -5",
        "demands.csv, ligne 7 : 4 champs au lieu de 6",
        "demands.csv, ligne 2, colonne units : units doit être entier",
        "demands.csv, ligne 3, colonne territory : territoire inconnu « 030 ». Vouliez-vous dire « 020 » ?",
        "demands.csv, ligne 3, colonne asked : « 12.345 » n'est pas un nombre entier de centimes",
        "demands.csv, ligne 4, colonne units : « x » n'est pas un nombre",
        "demands.csv, ligne 6, colonne id : identifiant « d3 » déjà utilisé",
        "demands.csv, ligne 6, colonne measure : mesure inconnue « rebnd ». Vouliez-vous dire « rebond » ?",
        "demands.csv, ligne 6, colonne emplois : « 2O » n'est pas un nombre",
    ]
    for start in expected:
        assert any(line.startswith(start) for line in found), (start, found)
    assert len(found) == len(
        expected
    )  # the objective counts emplois: one cell that is no number leaves it an indicator


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("name: essai", "name: [essai"), "YAML illisible"),
        (("  - id: ti", "\t- id: ti"), "tabulation"),
        (("name: essai", "name: &a essai\nbase: *a"), "ligne 2 : renvoi « *a »"),
        (("name: essai", "name: !!python/name:os.system essai"), "étiquette"),
        (("name: essai", "name: \x07"), "caractère interdit"),
        (
            ("territories: territories.csv", "territories: territoires.csv"),
            "territories (ligne 14) : territoires.csv",
        ),
        (("territories: territories.csv", "territories: [1]"), "un nom de fichier CSV est attendu"),
        (("demands: demands.csv", "demands: ."), "fichier illisible"),
        (("demands: demands.csv\n", ""), "demands (ligne 1) : table absente"),
        (("name: essai\n", ""), "name (ligne 1) : un nom est attendu"),
        (("funds:", "fonds:"), "clé inconnue « fonds ». Vouliez-vous dire « funds » ?"),
        (("2026: 500 k€", "2026: 0x10"), "n'est pas un montant"),
        (("2026: 500 k€", "2026: .nan"), "valeur absente"),
        (("amount: 2 M€", "amount: yes"), "n'est pas un montant"),
        (("amount: 2 M€", "amount: true"), "booléen"),
        (('departement: "01"', "departement: 75"), 'Écrivez "75", entre guillemets.'),
        (("label: {fr: Un essai, en: A trial}", "label: [1]"), "label (ligne 2)"),
    ],
)
def test_yaml_mistakes(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    assert change[0] in YAML
    found = lines(problems_of(folder(tmp_path / "s", YAML.replace(*change))), tmp_path / "s")
    assert any(expected in line for line in found), found
    assert all(line.startswith("scenario.yaml") for line in found)


def test_codes_and_words_of_yaml_stay_what_they_look_like(tmp_path: Path) -> None:
    content, problems = read_yaml(
        b"on: no\ncode: 01\nday: 2025-01-31\nmillion: 1e6\nbig: 12345678901234567.89\nquoted: '7'\nnone: ~\n"
        b"time: 12:30\nminus: -3\nflag: True\nlong: 1" + b"0" * 5000 + b"\nempty:\n",
        "x.yaml",
    )
    assert problems == []
    value = content.value
    assert value.pop("long") == "1" + "0" * 5000
    assert value == {
        "on": "no",
        "code": "01",
        "day": "2025-01-31",
        "million": 1e6,
        "big": "12345678901234567.89",
        "quoted": "7",
        "none": None,
        "time": "12:30",
        "minus": -3,
        "flag": True,
        "empty": None,
    }
    assert read_yaml(b"[" * 5000, "x")[1]
    assert (
        read_yaml("é: 1".encode("latin-1"), "x")[1][0]
        .text("fr")
        .startswith("x, ligne 1 : le fichier n'est pas en UTF-8")
    )
    assert read_yaml(b"? [a]\n: 1\n", "x")[1][0].message.fr == "clé illisible"


@pytest.mark.parametrize(
    ("demands", "expected"),
    [
        ("", "demands.csv, ligne 1 : fichier vide"),
        (DEMANDS.replace(",", ";"), "points-virgules"),
        (DEMANDS.replace(",", "\t").replace('"', ""), "tabulations"),
        (
            DEMANDS.replace("première", "première").encode("latin-1", "replace"),
            "demands.csv, ligne 2 : le fichier n'est pas en UTF-8",
        ),
        (DEMANDS.replace("d1,", 'd1,"', 1), "CSV illisible"),
        (
            DEMANDS.replace("siren_ok", "emplois"),
            "ligne 1, colonne emplois : colonne « emplois » donnée deux fois",
        ),
        (DEMANDS.replace("siren_ok", ""), "la colonne 8 n'a pas de nom"),
        (
            DEMANDS.replace(",asked,", ",demande,"),
            "ligne 1, colonne asked : colonne obligatoire « asked » absente",
        ),
        (DEMANDS.replace("d3,020,friche,3", "d3,020,friche,"), "ligne 6, colonne units : valeur absente"),
        (DEMANDS.replace("d3,020,friche,3", "d3,020,friche,-3"), "ligne 6, colonne units : units négatif"),
        (DEMANDS.replace("10 k€,0,2", "10 k€,,2"), "ligne 6, colonne emplois : valeur absente"),
        (DEMANDS.replace("d3,020", "d3,20"), "ligne 6, colonne territory : territoire inconnu « 20 »"),
    ],
)
def test_csv_mistakes(tmp_path: Path, demands: str | bytes, expected: str) -> None:
    found = lines(problems_of(folder(tmp_path / "s", demands=demands)), tmp_path / "s")
    assert any(expected in line for line in found), found


def test_a_table_that_cannot_be_opened_is_told_once(tmp_path: Path) -> None:
    at = folder(tmp_path / "s")
    (at / "demands.csv").rename(at / "demandes.csv")
    (problem,) = problems_of(at)
    assert "demands.csv : fichier introuvable. Vouliez-vous dire « demandes.csv » ?" in problem.text("fr")


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6).map(composed),
            min_size=3,
            max_size=3,
        ),
        max_size=6,
    )
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_csv_cells_come_back(rows: list[list[str]]) -> None:
    text = "a,b,c\n" + "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    table = read_csv(text.encode(), "x.csv", ["a", "b", "c"])
    assert table.problems == []
    assert table.frame is not None
    assert table.frame.to_numpy().tolist() == [[unguarded(cell) for cell in row] for row in rows]
    assert table.lines == list(range(2, 2 + len(rows)))


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2"], "i"),
        (["1.5", ""], "f"),
        (["1 000", "2,5"], "f"),
        (["01", "2"], "O"),
        (["true", "False"], "b"),
        (["true", ""], "O"),
        (["12345678901234567.89", "1"], "O"),
        (["nan", "1"], "O"),
        (["1_000", "1"], "O"),
        (["", ""], "O"),
    ],
)
def test_csv_columns_take_the_kind_that_all_cells_have(cells: list[str], kind: str) -> None:
    frame = read_csv(("a,b\n" + "".join(f'"{c}",x\n' for c in cells)).encode(), "x.csv", []).frame
    assert frame is not None
    assert frame["a"].dtype.kind == kind


@given(st.binary(max_size=300))
def test_no_bytes_make_a_reader_raise(noise: bytes) -> None:
    read_csv(noise, "x", ["id"])
    read_yaml(noise, "x")


@given(st.text("{}[]:,-#&*!|>'\"%@`ab01 \n\t.é?", max_size=60))
def test_no_text_makes_the_yaml_reader_raise(text: str) -> None:
    read_yaml(text.encode(), "x")


# Names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("classeur.xlsx", "introuvable"),
        ("rien.yaml", "introuvable"),
        ("zzzzzz", "scénario inconnu"),
        ("notes.txt", "scénario"),
    ],
)
def test_unknown_names(tmp_path: Path, name: str, expected: str) -> None:
    (problem,) = problems_of(str(tmp_path / name))
    assert expected in problem.text("fr")


def test_near_names_are_offered(tmp_path: Path) -> None:
    folder(tmp_path / "budget-2026")
    assert f"{tmp_path / 'budget-2026'}" in problems_of(str(tmp_path / "budget-2025"))[0].text("fr")
    if data.names():
        name = data.names()[0]
        assert f"« {name} »" in problems_of(name[:-1])[0].text("fr")


def test_a_folder_without_scenario_says_what_is_missing(tmp_path: Path) -> None:
    assert "scenario.yaml : fichier introuvable" in problems_of(tmp_path)[0].text("fr")


def test_builtin_scenarios_are_listed_and_load() -> None:
    for name, label in data.builtin():
        assert label.fr
        scenario = load(name)
        assert scenario.name == name
        assert scenario.input_hash == load(name).input_hash
    with pytest.raises(KeyError):
        data.path("..")


def test_a_device_is_not_a_table(tmp_path):
    """A file without an end must be refused, not read."""
    (tmp_path / "scenario.yaml").write_text("name: s\nterritories: /dev/zero\ndemands: /dev/zero\n")
    with pytest.raises(ScenarioError) as caught:
        load(str(tmp_path))
    assert sum("fichier ordinaire" in problem.message.fr for problem in caught.value.problems) == 2


def test_the_reference_of_scenarios_names_every_key() -> None:
    text = (Path(__file__).parents[1] / "docs" / "scenario.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", text))
    own = [*Fund.model_fields, *Measure.model_fields, *DEMAND_COLUMNS, *TERRITORY_COLUMNS, *PRIOR_AID_COLUMNS, *KEYS]
    assert set(own) <= named, set(own) - named
