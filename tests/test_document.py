"""The two pages for who decides: what they say is what the other files say, whatever the names, and everyone can read them."""

from __future__ import annotations

import csv
import datetime
import io
import itertools
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pypdf
import pytest

import allocator
from allocator.cli import main
from allocator.explain.limits import limits_on
from allocator.formats import workbook
from allocator.money import format_euros
from allocator.plan import Plan
from allocator.report import document, map
from allocator.report.console import number
from allocator.report.files import write_plan
from allocator.report.note import FIRST, SECOND, Note
from allocator.scenario import Scenario
from allocator.solver import solve
from allocator.texts import set_language

DAY = datetime.date(2026, 3, 1)
HARD = 'a #let x = 1 $y$ \\n *b* _c_ `d` [e] @f <g> "h" // i'


@pytest.fixture(autouse=True)
def _french() -> Iterator[None]:
    yield
    set_language("fr")


def three_places(**changes: Any) -> Scenario:
    """Three places in two real regions, two funds one inside the other, money that does not suffice."""
    places = ["amont", "milieu", "aval"]
    given: dict[str, Any] = {
        "name": "trois",
        "label": "Trois territoires",
        "years": [2026],
        "funds": [
            {"id": "tout", "amount": "1 000 000,07 €", "label": "Grand fonds"},
            {"id": "dont", "amount": "300 000 €", "label": "Fonds intérieur", "parent": "tout"},
        ],
        "measures": [{"id": "m", "label": HARD, "unit": "ha"}, {"id": "n", "label": "Écoles", "lumpy": True}],
        "territories": pd.DataFrame({
            "id": places, "name": ["Amont", HARD, "Aval"], "region": ["84", "84", "93"], "departement": ["01", "01", "13"],
            "population": [1000, 5000, 2000],
        }),
        "demands": pd.DataFrame({
            "id": ["a", "b", "c", "d"], "territory": [places[0], places[1], places[1], places[2]], "measure": ["m", "m", "n", "n"],
            "units": [4, 3, 1, 1], "asked": [100_000, 150_000, 400_000.03, 350_000], "jobs": [5, 9, 30, 1],
        }),
        "constraints": [{"kind": "ceiling", "id": "milieu", "label": "Milieu au plus", "on": {"territories": places[1]}, "amount": "600 000 €"}],
        "objective": {"maximise": {"jobs": 1}},
    }  # fmt: skip
    return Scenario(**given | changes)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return solve(three_places())


@pytest.fixture(scope="module")
def folder(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every file of the plan, with what its rule costs."""
    at = tmp_path_factory.mktemp("plan")
    write_plan(plan, at, pdf=True, reasons=allocator.explain(plan, about="costs"))
    return at


def read(pdf: bytes | Path) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf) if isinstance(pdf, bytes) else pdf)


def words(reader: pypdf.PdfReader) -> str:
    """All text, without spaces: where lines break says nothing."""
    return re.sub(r"\s", "", "".join(page.extract_text() for page in reader.pages))


def said(text: str) -> str:
    return re.sub(r"\s", "", text)


def elements(reader: pypdf.PdfReader) -> list[Any]:
    """The structure elements of the document, in reading order."""
    found: list[Any] = []

    def walk(node: Any) -> None:
        node = node.get_object()
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict) and "/S" in node:
            found.append(node)
            walk(node.get("/K", []))

    walk(reader.trailer["/Root"]["/StructTreeRoot"]["/K"])
    return found


def below(node: Any) -> set[str]:
    """The kinds of element inside one."""
    kinds: set[str] = set()
    children = node.get("/K", [])
    for child in children if isinstance(children, list) else [children]:
        child = child.get_object() if hasattr(child, "get_object") else child
        if isinstance(child, dict) and "/S" in child:
            kinds |= {str(child["/S"])} | below(child)
    return kinds


# The figures


def test_pdf_workbook_csv_and_json_say_the_same_figures(plan: Plan, folder: Path) -> None:
    text = words(read(folder / "note.pdf"))
    totals = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["totals"]
    with (folder / "grants.csv").open(encoding="utf-8") as file:
        grants = list(csv.DictReader(file))
    book = openpyxl.load_workbook(folder / "plan.xlsx")
    summary = {a: b for a, b, *_ in book["Synthèse"].iter_rows(values_only=True) if a}
    margins = [row for row in book["Marges"].iter_rows(values_only=True) if row[0]]

    assert totals["granted"] == sum(int(g["cents"]) for g in grants) == round(100 * summary["Accordé (€)"])
    for key, sheet in (("asked", "Demandé (€)"), ("granted", "Accordé (€)"), ("left", "Reste à attribuer (€)")):
        assert round(100 * summary[sheet]) == totals[key]
        assert said(format_euros(totals[key])) in text, key
    by_fund = {row[0]: row for row in margins}
    for fund, label in (("tout", "Grand fonds"), ("dont", "Fonds intérieur")):
        inside = totals["by_fund"][fund] + (totals["by_fund"]["dont"] if fund == "tout" else 0)
        assert round(100 * by_fund[label][3]) == inside
        assert said(label + format_euros(plan.held_cents()[fund])) in text
        assert said(format_euros(inside)) in text
    for measure, label in (("m", HARD), ("n", "Écoles")):
        mine = totals["by_measure"][measure]
        assert mine == sum(int(g["cents"]) for g in grants if g["measure"] == measure)
        assert round(100 * by_fund[label][2]) == mine
        assert said(format_euros(mine)) in text
    for region, name, people in (("84", "Auvergne-Rhône-Alpes", 6000), ("93", "Provence-Alpes-Côte d'Azur", 2000)):
        cents = totals["by_region"][region]
        assert said(f"{name}{format_euros(cents)}{number(cents / 100 / people, 2)} €") in text
    served = {row[1] for row in book["À notifier"].iter_rows(min_row=5, values_only=True)}
    assert served == {g["demand"] for g in grants}


def test_the_cost_of_a_rule_is_the_same_everywhere(folder: Path) -> None:
    (cost,) = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["reasons"]["costs"]
    assert cost["measurable"]
    rows = list(openpyxl.load_workbook(folder / "plan.xlsx")["Tenue des règles"].iter_rows(min_row=4, values_only=True))
    (told,) = [dict(zip(rows[0], row, strict=True)) for row in rows[1:] if row[1] == "milieu"]
    assert told["Coût, au moins"] == pytest.approx(cost["regained"]["least"], rel=1e-12)
    assert told["Coût, au plus"] == pytest.approx(cost["regained"]["most"], rel=1e-12)
    assert said(told["Coût"]) in words(read(folder / "note.pdf"))
    assert said(f"{cost['regained']['found']:.3g} jobs".replace(".", ",")) == said(told["Coût"])


def test_without_costs_it_says_how_to_get_them(plan: Plan) -> None:
    text = words(read(document.render(plan)))
    assert "--costs" in text and said("Milieu au plus") in text


def test_provenance(plan: Plan) -> None:
    reader = read(document.render(plan, day=DAY))
    for page in reader.pages:
        text = said(page.extract_text())
        for part in ("Seuls les montants officiels font foi.", plan.scenario.input_hash, "allocator 0.", plan.engine.version, "1er mars 2026"):  # fmt: skip
            assert said(part) in text
    assert document.render(plan, day=DAY) == document.render(plan, day=DAY)


# Everyone can read it


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_structure_that_accessible_readers_need(plan: Plan, lang: str) -> None:
    set_language(lang)
    reader = read(document.render(plan))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == lang and root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata and reader.metadata.title == "Trois territoires"
    meta = root["/Metadata"].get_data().decode()
    assert re.search(r"pdfuaid:part(>|=\")1", meta)
    found = elements(reader)
    kinds = [str(each["/S"]) for each in found]
    headings = [kind for kind in kinds if re.fullmatch("/H[1-6]", kind)]
    assert headings[0] == "/H1" and headings.count("/H1") == 1 and {"/H2", "/H3"} <= set(headings)
    levels = [int(kind[-1]) for kind in headings]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), "no level of headings is skipped"
    figures = [each for each in found if each["/S"] == "/Figure"]
    assert len(figures) == 1 and all(len(str(each["/Alt"])) > 80 for each in figures)
    tables = [each for each in found if each["/S"] == "/Table"]
    assert len(tables) == 5 and all({"/TH", "/TR", "/TD"} <= below(each) for each in tables)
    assert all(each["/A"].get_object() for each in found if each["/S"] == "/TH")
    for page in reader.pages:
        assert page["/Tabs"] == "/S" if "/Annots" in page else True
        assert "/StructParents" in page
        for font in page["/Resources"]["/Font"].values():
            for part in font.get_object()["/DescendantFonts"]:
                descriptor = part.get_object()["/FontDescriptor"]
                assert {"/FontFile2", "/FontFile3"} & set(descriptor), "a font is not embedded"


def test_demands_of_one_measure_in_one_place_are_told_apart() -> None:
    alike = three_places().demands.assign(territory="aval", measure="n")
    largest = Note(solve(three_places(demands=alike, constraints=[])), None, DAY).content(FIRST[0], SECOND[0])[0]["largest"]
    assert sorted(row[0] for row in largest["rows"]) == ["Écoles, Aval (a)", "Écoles, Aval (b)", "Écoles, Aval (c)"]


def test_the_question_says_what_the_plan_is_best_at(plan: Plan) -> None:
    points: dict[str, Any] = {"maximise": {"jobs": 1}}
    aims = (points, {"lexicographic": [points, {"minimise": "euros"}]})
    plans = [solve(plan.scenario.with_(objective=aim), gap=0) for aim in aims]
    said = [Note(each, None, DAY).content(FIRST[0], SECOND[0])[0]["question"][-1] for each in plans]
    assert said[0].startswith("Le meilleur plan est celui qui a le plus de points (")
    assert said[1].startswith("Le meilleur plan vise : le plus de points (") and ", puis " in said[1]


def test_english(plan: Plan) -> None:
    set_language("en")
    text = words(read(document.render(plan)))
    for heading in ("The question", "Who gets what", "What is not known", "Only official amounts are authoritative."):
        assert said(heading) in text
    assert "Lesfonds" not in text and format_euros(plan.summary()["totals"]["granted"], "en") in text


def test_map_shades_each_place_by_its_amount_a_head() -> None:
    values = {"a": 0.0, "b": 3.0, "c": 40.0, "d": 900.0}
    shading = map.shading(values)
    assert shading.colours["a"] == map.NOTHING
    steps = [map.SHADES.index(shading.colours[name]) for name in "bcd"]
    assert steps == sorted(set(steps)), "more money is never lighter"
    assert {colour for colour, _ in shading.legend} >= set(shading.colours.values())
    (place, *_) = sorted(map.places("epci"))
    root = ElementTree.fromstring(map.svg("epci", {place: "#123456"}))
    paths = list(root.iter("{http://www.w3.org/2000/svg}path"))
    assert [path.get("d") for path in paths if path.get("fill") == "#123456"] == [
        dict(map.outlines("epci").places)[place]
    ]
    assert not list(root.iter("{http://www.w3.org/2000/svg}text"))
    assert len(map.places("epci")) == 1255 and len(map.places("regions")) == 18


def test_equal_amounts_a_head_are_one_class() -> None:
    assert len(map.shading({"a": 5.0, "b": 5.0}).legend) == 1
    assert map.shading({"a": 0.0}).legend == [(map.NOTHING, "rien")]


# Whatever the scenario


def test_names_come_out_as_they_are(plan: Plan) -> None:
    text = words(read(document.render(plan)))
    assert text.count(said(HARD)) >= 2
    assert words(read(document.render(solve(three_places(label=HARD + "\nfin")))))[:900].count(said(HARD + "fin")) == 1


def test_characters_without_a_glyph() -> None:
    label = "x une \u200fשלום\u200f 中 fin"
    reader = read(document.render(solve(three_places(label=label))))
    assert reader.metadata and reader.metadata.title == "x une \u200fשלום\u200f � fin"
    assert len(reader.pages) == 2


LONG = "Communauté d'agglomération " + "interminable " * 20


def crowded(funds: int, measures: int, rules: int, places: int) -> Scenario:
    demands = range(2 * places)
    return Scenario(
        name=LONG, label=LONG, description=LONG * 5, years=[2026, 2027],
        funds=[{"id": f"f{k}", "label": f"{k} {LONG}", "amount": f"{k + 1} M€"} for k in range(funds)],
        measures=[{"id": f"m{k}", "label": f"{k} {LONG}", "unit": LONG} for k in range(measures)],
        territories=pd.DataFrame([{"id": f"t{k}", "name": f"{k} {LONG}", "region": f"r{k % 40} {LONG}", "departement": "01", "population": 100 * k}
                                  for k in range(places)]),
        demands=pd.DataFrame([{"id": f"d{k} {LONG}", "territory": f"t{k % places}", "measure": f"m{k % measures}", "units": 1 + k % 7,
                               "asked": 123_456.78 + k, "jobs": k % 11} for k in demands]),
        constraints=[{"kind": "ceiling", "id": f"c{k}", "label": f"{k} {LONG}", "on": {"territories": f"t{k % places}"}, "amount": "100 k€"}
                     for k in range(rules)],
        objective={"maximise": {"jobs": 1}},
    )  # fmt: skip


@pytest.mark.parametrize(
    "scenario",
    [
        crowded(30, 40, 120, 183),
        three_places(demands=three_places().demands[["id", "territory", "measure", "units", "asked", "jobs"]].head(1)),
        three_places(constraints=[{"kind": "ceiling", "id": "rien", "amount": 0}]),
        three_places(territories=three_places().territories.assign(region="ici", population=0)),
        three_places(objective={"lexicographic": [{"maximise": {"jobs": 1}}, {"minimise": "euros"}]}),
    ],
    ids=["crowded", "one demand", "nothing granted", "no inhabitants", "two levels"],
)
def test_two_pages_whatever_the_scenario(scenario: Scenario) -> None:
    plan = solve(scenario, gap=1e-3)
    reader = read(document.render(plan))
    assert len(reader.pages) == 2
    assert said(format_euros(plan.summary()["totals"]["asked"])) in words(reader)
    ends = [said(page.extract_text())[-200:] for page in reader.pages]
    assert all(scenario.input_hash in end for end in ends)


@pytest.mark.parametrize("explained", [False, True])
def test_a_plan_that_cannot_be_says_what_conflicts(explained: bool) -> None:
    rules = [
        {"kind": "floor", "id": "haut", "label": "Un plancher", "amount": "900 000 €"},
        {"kind": "ceiling", "id": "bas", "label": "Un plafond", "amount": "100 000 €"},
    ]
    plan = solve(three_places(constraints=rules))
    assert plan.status == "infeasible"
    reader = read(document.render(plan, allocator.explain(plan) if explained else None))
    text = words(reader)
    assert len(reader.pages) == 2
    for part in ("Aucun plan n'est possible", "Un plancher", "Un plafond"):
        assert said(part) in text
    assert (said("Il suffit de l'un de ces changements") in text) == explained
    assert "Accordé" not in text


# The command, the workbook


def test_command_refuses_before_it_solves(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("allocator.commands.solve.solved", lambda *_: pytest.fail("solved"))
    for option in ("--pdf", "--costs"):
        assert main(["solve", "propositions-2025", option]) == 2
        assert f"{option} va avec --out" in capsys.readouterr().err
    monkeypatch.setattr(document, "find_spec", lambda name: None)
    assert main(["solve", "propositions-2025", "--pdf", "--out", "x"]) == 2
    assert "pip install 'allocator-fonds-publics[pdf]'" in capsys.readouterr().err


def test_a_scenario_is_not_a_pdf(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["export", "statu-quo", "--out", str(tmp_path / "x.pdf")]) == 2
    assert "--pdf" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_command_writes_the_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workbook.save(workbook.example(), tmp_path / "s.xlsx")
    out = tmp_path / "out"
    assert main(["solve", str(tmp_path / "s.xlsx"), "--out", str(out), "--pdf", "--costs", "--json"]) == 0
    assert len(read(out / "note.pdf").pages) == 2
    assert json.loads(capsys.readouterr().out) == json.loads((out / "summary.json").read_text(encoding="utf-8"))


def test_limits_are_the_full_envelopes_and_rules_that_stand_against_a_demand() -> None:
    scenario = three_places(
        constraints=[
            {"kind": "count", "id": "une", "label": "Une école", "on": {"measures": "n"}, "max": 1},
            {"kind": "floor", "id": "plancher", "label": "Plancher", "on": {"measures": "m"}, "amount": "1 000 €"},
        ],
        funds=[{"id": "f", "label": "Fonds", "amount": "5 M€", "on": {"demands": ["a", "b", "c", "d"]}}],
    )
    plan = solve(scenario, gap=0)
    refused = plan.units["demand"][plan.units["cents"] == 0].tolist()
    assert refused == ["d"] and limits_on(plan, refused) == {"d": ("Une école",)}
    short = solve(scenario.with_(constraints=[], funds=[{"id": "f", "label": "Fonds", "amount": "400 001 €", "on": {"demands": ["a", "b", "c"]}}]), gap=0)  # fmt: skip
    limits = limits_on(short, ["a", "d"])
    assert limits == {"a": ("Fonds",), "d": ("aucun fonds ne peut le payer",)}
