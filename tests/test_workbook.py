"""Scenarios as workbooks: nothing is lost on the way, whatever was done to the file is read, every mistake has its cell."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xlsxwriter
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from strategies import random_scenario

from allocator import data, limits
from allocator.constraints import KINDS, Constraint
from allocator.formats import load, save, workbook
from allocator.formats.workbook import cells, layout, words
from allocator.formats.workbook.cells import Attributes, CellError, Shape
from allocator.formats.yaml_text import read as read_yaml
from allocator.money import Euros
from allocator.problems import ScenarioError
from allocator.scenario import Fund, Measure, Scenario
from allocator.selection import Selection
from allocator.texts import UNSEEN, Text, composed, language, set_language

SOME = settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def small(**changes: Any) -> Scenario:
    parts: dict[str, Any] = {
        "name": "essai",
        "years": [2026, 2027],
        "funds": [{"id": "f", "amount": "2 M€"}, {"id": "g", "amounts": {2026: "0,10 €", 2027: 1e5}}],
        "measures": [{"id": "friche"}, {"id": "ecole", "lumpy": True}],
        "territories": pd.DataFrame(
            {"id": ["01", "2"], "name": ["A", "B"], "region": ["11", "84"], "departement": ["75", "01"],
             "population": [10, 20], "zone": ["1", "2"], "dense": [True, False]}
        ),
        "demands": pd.DataFrame(
            {"id": ["d1", "d2"], "territory": ["01", "2"], "measure": ["friche", "ecole"], "units": [1.5, 2],
             "asked": [100.25, 3e5], "emplois": [0.1, 3]}
        ),
        "constraints": [],
        "objective": {"maximise": {"emplois": "1/3"}},
    }  # fmt: skip
    return Scenario(**parts | changes)


def again(scenario: Scenario, at: Path) -> Scenario:
    save(scenario, at)
    return load(at)


# Nothing is lost


@pytest.fixture(params=["fr", "en"])
def lang(request: pytest.FixtureRequest) -> Iterator[str]:
    before = language()
    set_language(request.param)
    yield request.param
    set_language(before)


@pytest.mark.parametrize(("lang", "name"), [*(("fr", name) for name in data.names()), ("en", "propositions-2025")], indirect=["lang"])
def test_built_in_scenarios_go_round(name: str, tmp_path: Path, lang: str) -> None:
    scenario = load(name)
    from_book = again(scenario, tmp_path / "a.xlsx")
    assert from_book.input_hash == scenario.input_hash
    from_folder = again(from_book, tmp_path / "folder")
    assert from_folder.input_hash == scenario.input_hash
    if name == "propositions-2025":
        assert again(from_folder, tmp_path / "b.xlsx").input_hash == scenario.input_hash
    assert from_folder.to_dict() == from_book.to_dict() == scenario.to_dict()


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_any_scenario_goes_round(tmp_path: Path, seed: int) -> None:
    scenario = random_scenario(seed)
    assert again(scenario, tmp_path / "s.xlsx").input_hash == scenario.input_hash
    assert again(scenario, tmp_path / "s").input_hash == scenario.input_hash


NASTY = st.one_of(
    st.sampled_from(
        ["=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-1", "01", "1e6", "oui", "vrai", "TRUE", "true", "null", "~", " a", "a ",
         '"x"', '"', "a;b", "a,b", "a : b", "{a: 1}", "[1]", "2 M€", "52 %", "#REF!", "# note", "l1\nl2", "l1\r\nl2", "tout",
         "min 3", "_x0041_", "é\u202f", "2026-2028", "'x", "http://a.b", "on", "*a", "&a", "|", ">-"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cn", "Cc"]), max_size=12)
    .map(composed).filter(lambda text: UNSEEN.search(text) is None),
)  # fmt: skip


@given(label=NASTY, comment=NASTY, attribute=NASTY, project=NASTY, unit=NASTY)
@SOME
def test_texts_come_back_as_they_were(
    tmp_path: Path, label: str, comment: str, attribute: str, project: str, unit: str
) -> None:
    scenario = small()
    scenario = scenario.with_(
        label=label,
        measures=[{"id": "friche", "unit": unit}, {"id": "ecole", "lumpy": True}],
        demands=scenario.demands.assign(note=[attribute, "b"], project=[project, "p2"]),
        constraints=[
            {"kind": "lock", "on": {"demands": "d1"}, "decision": "refuse", "comment": comment},
            {"kind": "ceiling", "on": {"where": {"note": attribute or "b", "project": project or "d1"}}, "amount": 3},
        ],
    )
    read = again(scenario, tmp_path / "s.xlsx")
    assert read.to_dict() == scenario.to_dict()
    assert read.input_hash == scenario.input_hash


@pytest.mark.parametrize(
    "name", ["Coût par unité", "cost (€)", "coût", "région ", "#x", "a (texte)", '"q"', "2026", "=A1", "Mesure"]
)
def test_columns_of_ones_own_keep_their_names(tmp_path: Path, name: str) -> None:
    scenario = small()
    frame = scenario.demands[["id", "territory", "measure", "units", "asked", "emplois"]].assign(**{name: ["x", "y"]})
    read = again(scenario.with_(demands=frame), tmp_path / "s.xlsx")
    assert name in read.attributes
    assert read.input_hash == scenario.with_(demands=frame).input_hash


def test_kinds_of_columns_are_kept(tmp_path: Path) -> None:
    scenario = small()
    assert scenario.territories["zone"].tolist() == ["1", "2"]
    read = again(scenario, tmp_path / "s.xlsx")
    assert read.territories["zone"].tolist() == ["1", "2"]
    assert read.territories["dense"].tolist() == [True, False]
    assert read.input_hash == scenario.input_hash
    with pytest.raises(ScenarioError, match=r"(?s)territories\.csv, colonne zone.*\.xlsx"):
        save(scenario, tmp_path / "folder")


def test_numbers_beyond_a_workbooks_fifteen_digits(tmp_path: Path) -> None:
    scenario = small()
    frame = scenario.demands.assign(emplois=[0.1234567890123456, 3.0], asked=["12 345 678 901 234,56 €", "1"])
    scenario = scenario.with_(demands=frame, objective={"maximise": {"emplois": 0.30000000000000004}})
    assert again(scenario, tmp_path / "s.xlsx").input_hash == scenario.input_hash
    scenario = scenario.with_(territories=scenario.territories.drop(columns="zone"))
    assert again(scenario, tmp_path / "s").input_hash == scenario.input_hash


def test_a_folder_reads_the_same_by_the_rules_of_yaml_1_1(tmp_path: Path) -> None:
    """There the key `on`, a fund `no`, a region `Y` are truth values where they are not quoted."""
    plain = small().territories.drop(columns="zone")
    scenario = small(
        territories=plain.assign(region=["11", "Y"]),
        funds=[{"id": "no", "amount": 5}, {"id": "y", "amount": 5, "label": "Off", "notified": {"Y": 1}}],
        constraints=[{"kind": "ceiling", "on": {"funds": ["no", "y"]}, "amount": 1, "label": "yes", "enabled": False}],
    )
    assert again(scenario, tmp_path / "s").input_hash == scenario.input_hash
    text = (tmp_path / "s" / "scenario.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == read_yaml(text.encode(), "s")[0].value
    assert '"Y": 1' in text and '"y"' in text  # few readers take these so, but YAML 1.1 does


FIELDS: list[dict[str, Any]] = [
    {"kind": "ceiling", "on": {"where": {"zone": ["1"], "population": {"min": 5, "max": 15.5}, "dense": True}}, "amount": 0.01},
    {"kind": "ceiling", "on": {"funds": ["f", "g"], "years": [2026]}, "per": "fund", "per_inhabitant": "1,50 €", "soft": 0.25},
    {"kind": "share", "on": {"territories": "01"}, "of": {"where": {"region": ["11", "84"]}}, "min": "1/3", "max": 1},
    {"kind": "count", "of": "demands", "per": "zone", "max": 1, "enabled": False, "label": "Compté"},
    {"kind": "indicator", "indicator": "emplois", "weights": {"zone": {"1": 0.5, "2": "1/7"}, "region": {"11": 2}}, "max": 9,
     "until": 2026, "source": "loi"},
    {"kind": "cofunding", "max_public_rate": "80 %", "base": "cost"},
    {"kind": "lock", "on": {"demands": ["d1", "d2"]}, "decision": "refuse", "comment": "vu le 3 mai"},
    {"kind": "ceiling", "on": {}, "amount": "15 Md€", "per": "year"},
]  # fmt: skip


def test_every_form_of_field_goes_round(tmp_path: Path) -> None:
    funds: list[Any] = [
        {
            "id": "f",
            "amount": "2 M€",
            "on": {},
            "max_rate": "52,5 %",
            "reserve": "1/7",
            "as_of": "2025-01-31",
            "hypothesis": "estimé",
        },
        {"id": "g", "amounts": {}, "parent": "f", "hypothesis": True, "carry_over": True},
        {"id": "h", "amounts": {2026: 0, 2027: "0,10 €"}, "on": {"measures": ["friche"], "where": {"region": "84"}}},
    ]
    measures: list[Any] = [
        {"id": "friche", "propositions": [6, "7 bis"], "payment_profile": ["1/3", "2/3"]},
        {"id": "ecole", "lumpy": True, "propositions": [3]},
    ]
    scenario = small(
        funds=funds, measures=measures, constraints=FIELDS, label={"fr": "Un", "en": "One"}, description="a : b"
    )
    for at in ("s.xlsx", "folder"):
        if at == "folder":
            scenario = scenario.with_(
                territories=scenario.territories.assign(zone=["z1", "z2"]), constraints=FIELDS[1:2]
            )
        read = again(scenario, tmp_path / at)
        assert read.to_dict() == scenario.to_dict()
        assert read.input_hash == scenario.input_hash


# The layout follows the schemas


def test_every_field_has_its_column() -> None:
    for noun, schemas in (("funds", [Fund]), ("measures", [Measure]), ("constraints", list(KINDS.values()))):
        paths = {column.path[0] for column in layout.columns(noun)}
        assert {name for schema in schemas for name in schema.model_fields} == paths


def test_headers_are_told_apart() -> None:
    for noun in ("scenario", "funds", "measures", "constraints"):
        for lang in ("fr", "en"):
            names = [words.fold(column.label.in_(lang)) for column in layout.columns(noun)]
            assert len(set(names)) == len(names), noun
            for column in layout.columns(noun):
                for header in (column.label.in_(lang), ".".join(column.path), column.label.in_(lang).upper()):
                    found = layout.column_named(header, noun)
                    assert found is not None and found.path == column.path


@pytest.mark.parametrize("key", ["overruns", "at_once", "tail", "draws", "futures"])
def test_fields_of_risk_have_words(key: str, lang: str) -> None:
    (column,) = (column for column in layout.columns("constraints") if column.path == (key,))
    assert column.label.in_(lang) != key


def test_a_new_kind_appears_by_itself(tmp_path: Path) -> None:
    class Part(BaseModel):
        where: dict[str, str]
        rate: Euros

    class Novelty(Constraint):
        title = Text("Nouveauté", "Novelty")
        kind: Literal["novelty"] = "novelty"
        on: Selection = Selection()
        oddity: Euros
        table: tuple[Part, ...] = ()
        mode: Literal["slow", "fast"] = "slow"

        def rows(self, space: Any) -> Any:
            return iter(())

        def check(self, reading: Any) -> Any:
            return iter(())

    caches = (layout.kinds_of_constraint, layout.columns, layout._called)
    try:
        for cache in caches:
            cache.cache_clear()
        rule = {"kind": "novelty", "oddity": "2 k€", "table": [{"where": {"zone": "1"}, "rate": 3}], "mode": "fast"}
        scenario = small(constraints=[rule])
        read = again(scenario, tmp_path / "s.xlsx")
        assert read.constraints == scenario.constraints
        sheet = openpyxl.load_workbook(tmp_path / "s.xlsx")["Règles"]
        headers = [cell.value for cell in sheet[4]]
        assert {"oddity (€)", "table", "mode"} <= set(headers)
        assert sheet["A5"].value == "Nouveauté"
    finally:
        del KINDS["novelty"]
        for cache in caches:
            cache.cache_clear()


# Cells

KNOWN = Attributes({"region": "text", "population": "number", "dense": "boolean"})


@pytest.mark.parametrize(
    ("cell", "form", "value"),
    [
        (3, "text", "3"),
        (date(2025, 1, 31), "text", "2025-01-31"),
        (' a\u00a0', "text", "a"),
        ('" a"', "text", " a"),
        ("VRAI", "truth", True),
        ("Non", "truth", False),
        (1, "truth", True),
        ("2\u202f026", "whole", 2026),
        ("a ; b, c\nd", "names", ["a", "b", "c", "d"]),
        (11, "names", ["11"]),
        ('["a,b"]', "names", ["a,b"]),
        ("2026-2028", "years", [2026, 2027, 2028]),
        ("2026, 2028", "years", [2026, 2028]),
        ("2026 à 2027 ; 2030", "years", [2026, 2027, 2030]),
        (2026, "years", [2026]),
        ("Région : 11, 24 ; Population : min 20 000 max 50 000,5", "where",
         {"region": ["11", "24"], "population": {"min": 20000, "max": 50000.5}}),
        ("dense = oui", "where", {"dense": [True]}),
        ("population : 12", "where", {"population": [12]}),
        ("emplois : 1 ; hectares : 0,1", "any", {"emplois": 1, "hectares": "0,1"}),
        ("euros", "any", "euros"),
        ("{of: euros, per: region}", "any", {"of": "euros", "per": "region"}),
        ("tout", "selection", {}),
        ("Fonds : f ; Années : 2026-2027 ; Où : {region: ['11']}", "selection",
         {"funds": ["f"], "years": [2026, 2027], "where": {"region": ["11"]}}),
        ("Année", "attribute", "year"),
        ("Région", "attribute", "region"),
    ],
)  # fmt: skip
def test_cells_as_people_write_them(cell: Any, form: str, value: Any) -> None:
    assert cells.read(cell, Shape(form), KNOWN) == value


@pytest.mark.parametrize(
    ("cell", "form"), [("emplois", "mapping"), ("a : 1 ; a : 2", "where"), ("peut-être", "truth"), ("{a: [}", "any")]
)
def test_cells_that_say_nothing(cell: str, form: str) -> None:
    with pytest.raises(CellError):
        cells.read(cell, Shape(form), KNOWN)


@given(st.text(max_size=30), st.sampled_from(sorted(cells._READERS)))
@settings(deadline=None)
def test_no_text_makes_a_cell_raise_anything_else(text: str, form: str) -> None:
    with suppress(CellError):
        cells.read(text, Shape(form, choices=("a",)), KNOWN)


def test_what_is_longer_than_a_cell_has_a_sheet_of_its_own(tmp_path: Path) -> None:
    past = [{"demand": f"x{k}", "cents": k, "fund": "f", "year": 2025} for k in range(3000)]
    scenario = small(
        description="é" * 40_000, constraints=[{"kind": "continuity", "reference": past, "max_change": "20 %"}]
    )
    assert again(scenario, tmp_path / "s.xlsx").input_hash == scenario.input_hash
    source = openpyxl.load_workbook(tmp_path / "s.xlsx")
    source.remove(source["Textes longs"])
    source.save(tmp_path / "s.xlsx")
    with pytest.raises(ScenarioError, match="Rétablissez la feuille « Textes longs »"):
        load(tmp_path / "s.xlsx")


def test_a_reference_is_told_from_the_workbook(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old/grants.csv").write_text("demand,cents\nd1,500\n", encoding="utf-8")
    save(small(constraints=[{"kind": "contains", "reference": []}]), tmp_path / "s.xlsx")
    source = openpyxl.load_workbook(tmp_path / "s.xlsx")
    sheet = source["Règles"]
    at = [cell.value for cell in sheet[4]].index("Référence") + 1
    sheet.cell(5, at).value = "old"
    source.save(tmp_path / "s.xlsx")
    assert [(past.demand, past.cents) for past in load(tmp_path / "s.xlsx").constraints[0].reference] == [("d1", 500)]


# Whatever was done to the file


def put(sheet: Any, at: int, *lines: list[Any]) -> None:
    for row, line in enumerate(lines, at):
        for column, value in enumerate(line):
            if isinstance(value, tuple):
                sheet.write_formula(row, column, "=1", None, value[0])
            elif value is not None:
                sheet.write(row, column, value)


def book(at: Path) -> Any:
    return xlsxwriter.Workbook(at, {"strings_to_formulas": False})


def dirty(at: Path) -> None:
    with book(at) as out:
        notes = out.add_worksheet("Notes de travail")
        put(notes, 0, ["Identifiant", "Montant"], ["n'importe", "quoi"])
        sheet = out.add_worksheet("SCENARIO ")
        put(
            sheet,
            2,
            ["", "", "nom", "", "sale"],
            [],
            ["", "", "Années :", 2026],
            ["", "", "objective.maximise", "EMPLOIS : 1".lower()],
        )
        sheet = out.add_worksheet("fonds")
        sheet.hide()
        sheet.merge_range(0, 0, 0, 4, "Les fonds de l'année, au 3 mai")
        put(sheet, 2, ["# vu", "MONTANT 2026 (k€)", None, "identifiant"], [], ["ok", 2000, None, "f"], [],
            ["", "1\u202f234,5", None, 7], [None, "2 M€", None, "h"])  # fmt: skip
        sheet = out.add_worksheet("Measures")
        put(sheet, 0, ["lumpy", "Id", "Unité"], [None, "friche", "ha"], ["x", "ecole", None])
        sheet = out.add_worksheet("Territoires")
        put(sheet, 0, ["Territoires de la région"], ["Population", "identifiant", "region", "Département", "Nom", "dense"],
            ["12\u202f000", "01", 11, "75", "A", "VRAI"], [12000.0, 2, 11, 1, "B", "FAUX"])  # fmt: skip
        sheet = out.add_worksheet("Dossiers")
        dated = out.add_format({"num_format": "dd/mm/yyyy"})
        put(sheet, 3, ["Demandé par unité (k€)", "emplois", "Mesure", "Territoire", "Unités demandées", "id", "code (texte)", "reçu"],
            [100, "12,5", "friche", "01", "4", "d1", "01", None], [], [("200",), "1\u00a0000", "ecole", 2, (3,), 12, 75, None])  # fmt: skip
        for row in (4, 6):
            sheet.write_datetime(row, 7, pd.Timestamp("2025-05-03").to_pydatetime(), dated)
        sheet = out.add_worksheet("Règles")
        put(sheet, 0, ["Maximum", "Règle", "Mesures choisies", "Où"], ["1 000", "nombre", "friche ; ecole", "Région : 11"], [],
            [None, "cofunding"])  # fmt: skip
        sheet = out.add_worksheet("Aides antérieures")
        put(sheet, 0, ["Date", "Bénéficiaire", "Montant (k€)"], ["03/05/2025", 2, "1,5"], ["2024", "b", 2])


def test_a_workbook_after_much_handling(tmp_path: Path) -> None:
    dirty(tmp_path / "sale.xlsx")
    scenario = load(tmp_path / "sale.xlsx")
    assert scenario.name == "sale" and scenario.years == [2026]
    assert {fund.id: fund.amounts for fund in scenario.funds} == {
        "f": {2026: 200_000_000}, "7": {2026: 123_450_000}, "h": {2026: 200_000_000},
    }  # fmt: skip
    assert [(m.id, m.lumpy) for m in scenario.measures] == [("friche", False), ("ecole", True)]
    assert scenario.territories["population"].tolist() == [12000, 12000]
    assert scenario.territories["dense"].tolist() == [True, False]
    demands = scenario.demands.set_index("id")
    assert scenario.cents("asked").tolist() == [20_000_000, 10_000_000]  # sorted by id: 12, d1
    assert demands["emplois"].tolist() == [1000, 12.5] and demands["code"].tolist() == ["75", "01"]
    assert demands["reçu"].tolist() == ["2025-05-03"] * 2
    assert scenario.constraints[0].max == 1000 and scenario.constraints[0].on.where == {"region": ("11",)}
    assert scenario.prior_aid is not None
    assert scenario.prior_aid.to_dict("list") == {
        "beneficiary": ["2", "b"], "date": ["2025-05-03", "2024"], "cents": [150_000, 200_000],
    }  # fmt: skip


def test_sheets_as_they_come(tmp_path: Path) -> None:
    """Rows and columns in any order make the same scenario."""
    save(load("rebond-urgence"), tmp_path / "a.xlsx")
    source = openpyxl.load_workbook(tmp_path / "a.xlsx")
    rng = np.random.default_rng(3)
    for sheet in source:
        if sheet.title not in ("Fonds", "Mesures", "Territoires", "Dossiers"):
            continue
        lines = [list(line) for line in sheet.iter_rows(min_row=4, values_only=True)]
        order = rng.permutation(len(lines[0]))
        moved = (
            [lines[0], *(lines[k] for k in 1 + rng.permutation(len(lines) - 1))] if sheet.title == "Dossiers" else lines
        )
        sheet.delete_rows(1, sheet.max_row)
        for row, line in enumerate(moved, 7):
            for column, at in enumerate(order, 3):
                sheet.cell(row, column, line[at])
    source.save(tmp_path / "b.xlsx")
    assert load(tmp_path / "b.xlsx").input_hash == load("rebond-urgence").input_hash


# Mistakes


def hostile(at: Path) -> None:
    with book(at) as out:
        put(out.add_worksheet("Scénario"), 0, ["Nom", "essai"], ["Années", "2026 ; 20277"],
            ["Objectif : maximiser", "emplois : 1 ; emplis : 2"], ["Objectfi", "x"])  # fmt: skip
        put(out.add_worksheet("Fonds"), 0, ["Les fonds"], [],
            ["Identifiant", "Montant (€)", "Report de crédits", "Taux maximal", "Mesures choisies", "Couleur"],
            ["f", "3 ME", "oui", "52 %", "friche"], ["g", ("#REF!",), "peut-être", 1.5, "frich", "bleu"], ["f", 5])  # fmt: skip
        put(out.add_worksheet("Mesures"), 0, ["Identifiant", "Unités entières", "Échéancier de paiement"],
            ["friche", None, "0,3 ; 0,6"], ["ecole", "oui"])  # fmt: skip
        put(out.add_worksheet("Territoires"), 0, ["Identifiant", "Nom", "Région", "Département", "Population"],
            ["t1", "A", "N", "1", "12 000"], ["t2", "B", "S", "2", "beaucoup"])  # fmt: skip
        put(out.add_worksheet("Dossiers"), 0,
            ["Identifiant", "Territoire", "Mesure", "Unités demandées", "Demandé par unité (€)", "emplois"],
            ["d1", "t1", "friche", 4, "500 k€", 12], ["d2", "t9", "friche", "cinq", "500 k€", "neuf"],
            ["d3", "t1", "ecole", 1.5, "-3", 3, "note"], ["d1", "t2", "ecole", ("#N/A",), 5, 2])  # fmt: skip
        put(out.add_worksheet("Règles"), 0,
            ["Règle", "Identifiant", "Fonds choisis", "Mesures choisies", "Où", "Montant (€)", "Maximum", "Décision"],
            ["Plafon", "a", None, None, None, "2 M€"], ["Plancher", "b", "ff", None, None, "2 M€", 7],
            ["Nombre", "c", None, None, "Région = N ; regio : S", None, "beaucoup"],
            ["Décision acquise", "e", None, "ecole", None, None, None, "ajourner"])  # fmt: skip
        put(out.add_worksheet("Aides anterieure"), 0, ["Bénéficiaire", "Date", "Montant"], ["x", "2024", 3])


HOSTILE = {
    "Scénario!B2": "20277 n'est pas une année", "Scénario!B3": "emplis", "Scénario!A4": "Objectfi",
    "Fonds!F3": "Couleur", "Fonds!B4": "3 ME", "Fonds!B5": "#REF!", "Fonds!C5": "oui ou non", "Fonds!D5": "taux entre 0 et 1",
    "Fonds!E5": "Vouliez-vous dire « friche »", "Fonds!A6": "déjà utilisé",
    "Mesures!C2": "payment_profile", "Territoires!E3": "« beaucoup » n'est pas un nombre",
    "Dossiers!B3": "territoire inconnu « t9 »", "Dossiers!D3": "cinq", "Dossiers!F3": "neuf", "Dossiers!D4": "entier",
    "Dossiers!E4": "positif", "Dossiers!G4": "sous aucun en-tête", "Dossiers!A5": "déjà utilisé", "Dossiers!D5": "#N/A",
    "Règles!A2": "Vouliez-vous dire « Plafond »", "Règles!C3": "fonds inconnu « ff »", "Règles!G3": "n'a pas de champ",
    "Règles!E4": "regio", "Règles!G4": "beaucoup", "Règles!H5": "ajourner", "feuille Aides antérieures": "Renommez",
}  # fmt: skip


def test_twenty_seven_mistakes_each_at_its_cell(tmp_path: Path) -> None:
    hostile(tmp_path / "h.xlsx")
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "h.xlsx")
    lines = [problem.text("fr") for problem in caught.value.problems]
    found = {str(problem.place): problem.text("fr") for problem in caught.value.problems}
    assert set(found) == set(HOSTILE)
    assert len(lines) == len(found), "one mistake is told once"
    for place, words_said in HOSTILE.items():
        assert words_said in found[place], place
    order = [list(HOSTILE).index(str(problem.place)) for problem in caught.value.problems]
    sheets = [place.split("!")[0] for place in np.array(list(HOSTILE))[order]]
    assert sheets == sorted(sheets, key=list(dict.fromkeys(p.split("!")[0] for p in HOSTILE)).index), "sheet by sheet"


def test_a_cell_that_cannot_be_read_is_the_one_thing_said_of_it(tmp_path: Path) -> None:
    """An amount that is an error of Excel is not missing; nor is a bound that is no number."""
    with book(tmp_path / "a.xlsx") as out:
        put(
            out.add_worksheet("Scénario"),
            0,
            ["Nom", "essai"],
            ["Années", 2026],
            ["Objectif : maximiser", "emplois : 1"],
        )
        put(out.add_worksheet("Fonds"), 0, ["Identifiant", "Montant (€)"], ["f", 5], ["g", ("#REF!",)])
        put(out.add_worksheet("Mesures"), 0, ["Identifiant"], ["friche"])
        put(
            out.add_worksheet("Territoires"),
            0,
            ["Identifiant", "Région", "Département", "Population"],
            ["t1", "N", "1", 12],
        )
        put(out.add_worksheet("Dossiers"), 0,
            ["Identifiant", "Territoire", "Mesure", "Unités demandées", "Demandé par unité (€)", "emplois"],
            ["d1", "t1", "friche", 4, 500, 12])  # fmt: skip
        put(out.add_worksheet("Règles"), 0, ["Règle", "Maximum"], ["Nombre", "beaucoup"])
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "a.xlsx")
    assert sorted(str(problem.place) for problem in caught.value.problems) == ["Fonds!B3", "Règles!B2"]


def test_the_command_says_all_of_them_and_exits_with_2(tmp_path: Path) -> None:
    hostile(tmp_path / "h.xlsx")
    done = subprocess.run(
        [sys.executable, "-m", "allocator.cli", "check", str(tmp_path / "h.xlsx")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    for place in HOSTILE:
        assert f"{place} : " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("change", "place", "said"),
    [
        (lambda b: b.remove(b["Règles"]), "feuille Règles", "absente"),
        (lambda b: setattr(b["Dossiers"], "title", "Dosiers"), "feuille Dossiers", "Renommez « Dosiers »"),
        (lambda b: b.create_sheet("Funds"), "Funds", "deux feuilles"),
        (lambda b: b["Fonds"].delete_rows(1, 99), "Fonds", "aucune ligne d'en-têtes"),
        (lambda b: b["Fonds"].cell(4, 30, "Montant"), "Fonds!AD4", "deux fois"),
        (lambda b: setattr(b["Fonds"]["F4"], "value", "Report de crédits (k€)"), "Fonds!F4", "pas un montant"),
        (lambda b: b["Dossiers"].cell(5, 30, 3), "Dossiers!AD5", "sous aucun en-tête"),
        (lambda b: b["Dossiers"].cell(5, 4, "=1+1"), "Dossiers!D5", "jamais calculée"),
        (lambda b: b["Règles"].cell(5, 10, "2 M€"), "Règles!J5", "n'a pas de champ"),
        (lambda b: setattr(b["Scénario"]["B4"], "value", None), "Scénario!B4", "un nom est attendu"),
        (lambda b: setattr(b["Règles"]["I5"], "value", "Sud"), "Règles!I5", "Écrivez par exemple region : Sud"),
        (lambda b: setattr(b["Dossiers"]["B5"], "value", None), "Dossiers!B5", "case vide : une valeur est attendue"),
    ],
)
def test_single_mistakes(tmp_path: Path, change: Any, place: str, said: str) -> None:
    save(small(constraints=[{"kind": "count", "max": 1}]), tmp_path / "s.xlsx")
    source = openpyxl.load_workbook(tmp_path / "s.xlsx")
    change(source)
    source.save(tmp_path / "s.xlsx")
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "s.xlsx")
    told = {str(p.place): p.text("fr") for p in caught.value.problems}
    assert said in told[place]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"id,name\n", b"\xd0\xcf\x11\xe0" + bytes(600)])
def test_files_that_are_no_workbooks(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.xlsx").write_bytes(content)
    with pytest.raises(ScenarioError, match="classeur"):
        load(tmp_path / "x.xlsx")


def test_a_workbook_that_is_no_scenario(tmp_path: Path) -> None:
    with book(tmp_path / "x.xlsx") as out:
        out.add_worksheet("Feuil1").write(0, 0, 1)
    with pytest.raises(ScenarioError, match="aucune des feuilles attendues"):
        load(tmp_path / "x.xlsx")


def test_sheets_without_end_are_refused_before_they_are_unfolded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with book(tmp_path / "x.xlsx") as out:
        sheet = out.add_worksheet("Fonds")
        sheet.write(0, 0, "Identifiant")
        sheet.write(1_048_575, 16_383, 1)
    with pytest.raises(ScenarioError, match="trop étendue : 1048576 lignes × 16384 colonnes"):
        load(tmp_path / "x.xlsx")
    monkeypatch.setattr(limits, "WORKBOOK_BYTES", 100)
    with pytest.raises(ScenarioError, match="trop grand"):
        load(tmp_path / "x.xlsx")


# OpenDocument

ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" office:version="1.3">
<office:body><office:spreadsheet>{}</office:spreadsheet></office:body></office:document-content>"""


def ods(at: Path, sheets: dict[str, list[list[Any]]]) -> None:
    def cell(value: Any) -> str:
        if value is None:
            return '<table:table-cell table:number-columns-repeated="1"/>'
        if isinstance(value, tuple):
            return (f'<table:table-cell table:formula="of:=1" office:value-type="string" office:string-value="" '
                    f'calcext:value-type="error"><text:p>{value[0]}</text:p></table:table-cell>')  # fmt: skip
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'

    empty = '<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="1024"/></table:table-row>'
    tables = "".join(
        f'<table:table table:name="{name}">{empty}'
        + "".join(f"<table:table-row>{''.join(map(cell, line))}</table:table-row>" for line in lines)
        + "</table:table>"
        for name, lines in sheets.items()
    )
    with zipfile.ZipFile(at, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", ODS.format(tables))
        archive.writestr("META-INF/manifest.xml", '<?xml version="1.0"?><manifest:manifest '
                         'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>')  # fmt: skip


SHEETS: dict[str, list[list[Any]]] = {
    "Scénario": [["Nom", "libre"], ["Années", 2026], ["Objectif : maximiser", "emplois : 1"]],
    "Fonds": [["Identifiant", "Montant (€)"], ["f", "2 M€"]],
    "Mesures": [["Identifiant"], ["friche"]],
    "Territoires": [["Identifiant", "Région", "Département", "Population"], ["t", "11", "75", 10]],
    "Dossiers": [["Identifiant", None, "Territoire", "Mesure", "Unités demandées", "Demandé par unité (€)", "emplois"],
                 ["d", None, "t", "friche", 2, "1 234,50 €", 3]],
    "Règles": [],
}  # fmt: skip


def test_an_ods_is_read(tmp_path: Path) -> None:
    ods(tmp_path / "s.ods", SHEETS)
    scenario = load(tmp_path / "s.ods")
    assert scenario.name == "libre" and scenario.funds[0].amount == 200_000_000
    assert scenario.cents("asked").tolist() == [123_450]


def test_errors_in_an_ods_have_their_cells(tmp_path: Path) -> None:
    lines = [SHEETS["Dossiers"][0], ["d", None, "t", "friche", ("#REF!",), ("Err:502",), 3]]
    ods(tmp_path / "s.ods", SHEETS | {"Dossiers": lines})
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "s.ods")
    assert [str(p.place) for p in caught.value.problems] == ["Dossiers!E5", "Dossiers!F5"]
    assert "Err:502" in caught.value.text("fr")


# The template


def test_the_template_is_a_scenario_that_solves(tmp_path: Path, lang: str) -> None:
    from allocator.solver import solve

    workbook.save(workbook.example(), tmp_path / "t.xlsx")
    scenario = load(tmp_path / "t.xlsx")
    assert scenario.input_hash == workbook.example().input_hash
    assert solve(scenario).status == "optimal"
    source = openpyxl.load_workbook(tmp_path / "t.xlsx")
    names = [words.README, *words.SHEETS.values()]
    assert source.sheetnames[:-1] == [name.in_(lang) for name in names]
    assert source.active is not None and source.active.title == words.README.in_(lang)
    rules = source[words.SHEETS["constraints"].in_(lang)]
    lists = {str(v.sqref): v.formula1 for v in rules.data_validations.dataValidation}
    column = [f"A5:A{4 + 3 + 200}"]
    assert any(name in lists for name in column), "kinds are chosen from a list"
    hidden = source[words.LISTS.in_(lang)]
    assert {cell.value for cell in hidden["B"]} - {None} == {title.title.in_(lang) for title in KINDS.values()}
    assert rules.conditional_formatting, "fields that a kind lacks are grey"


def test_rows_of_the_example_that_were_typed_over_are_told(tmp_path: Path) -> None:
    workbook.save(workbook.example(), tmp_path / "t.xlsx")
    source = openpyxl.load_workbook(tmp_path / "t.xlsx")
    for sheet, column in (("Fonds", "U"), ("Mesures", "I")):
        for row in (5, 6):
            source[sheet][f"{column}{row}"] = "délibération du 3 mars"
    source["Règles"]["A7"], source["Règles"]["C7"] = "Plafond", "Au plus 2 M€ par territoire"
    source["Règles"]["J7"], source["Règles"]["P7"] = 2_000_000, None  # F7 still says t1
    source.save(tmp_path / "t.xlsx")
    (warning,) = load(tmp_path / "t.xlsx").warnings
    assert str(warning.place) == "Règles!AT5" and "Règles!AT7" in warning.text("fr")
    for row in (5, 6, 7):
        source["Règles"][f"AT{row}"] = None
    source.save(tmp_path / "t.xlsx")
    assert not load(tmp_path / "t.xlsx").warnings
