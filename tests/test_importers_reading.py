"""Tables as people publish them, codes on today's map, and the account that loses nothing."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from allocator.importers import reading
from allocator.importers.placing import Unplaced, atlas
from allocator.importers.reading import Column, Row, source
from allocator.importers.report import Account, Quantity, grouped
from allocator.importers.writing import Table, cell_text, fund_lines
from allocator.problems import ScenarioError
from allocator.texts import Text

COLUMNS = (Column("code", ("code_insee", "codgeo")), Column("area", ("surface_m2",)), Column("note", required=False))
EXPECTED = [("01004", "1 234,5", "Évron – été"), ("2A004", "", "")]


def rows(path: Path) -> list[tuple[str, str, str]]:
    return [(row["code"], row["area"], row["note"]) for row in source(path, COLUMNS).rows()]


PLAIN = "Code INSEE;Surface (m²);Note\r\n01004;1 234,5;Évron – été\r\n2A004;NA;NULL\r\n"


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("cp1252"),
        PLAIN.encode("utf-16"),
        PLAIN.replace("\r\n", "\n").encode(),
        PLAIN.replace("–", "\x96").encode(),  # a byte of Windows that went through UTF-8
        PLAIN.replace(";", "\t").encode(),
        PLAIN.replace("1 234,5", '"1 234,5"').replace(";", ",").encode(),
        ("sep=;\n" + PLAIN).encode(),
        ("Communes de test;;\n;;\n" + PLAIN).encode(),  # a title above the headers
        PLAIN.replace("2A004;NA;NULL", " 2A004\t;n/a;NaN").encode(),
        PLAIN.replace("2A004;NA;NULL", "2A004").encode(),  # last cells left out, as workbooks do
        PLAIN.replace("NULL", "NULL;;").encode(),
        gzip.compress(PLAIN.encode()),
    ],
    ids=[
        "utf8",
        "bom",
        "cp1252",
        "utf16",
        "lf",
        "u0096",
        "tabs",
        "commas",
        "sep",
        "title",
        "missing",
        "short",
        "long",
        "gzip",
    ],
)
def test_a_table_reads_the_same_in_any_dress(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    assert rows(path) == EXPECTED


def test_a_zip_with_one_table_beside_its_notice(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data_t.csv", PLAIN)
        archive.writestr("metadata_t.csv", "x")
        archive.writestr("lisez-moi.pdf", "x")
    assert rows(path) == EXPECTED
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("data_u.csv", PLAIN)
    with pytest.raises(ScenarioError, match=r"data_t.csv, data_u.csv"):
        rows(path)


def test_a_workbook_the_right_sheet_under_a_title(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("Lisez-moi").write(0, 0, "Rien ici")
        sheet = book.add_worksheet("Données")
        sheet.write(0, 0, "Un titre")
        sheet.write_row(2, 0, ["CODGEO", "surface_m2", "note"])
        sheet.write_row(3, 0, [1004, 1234.5, "Évron"])
        sheet.write_row(5, 0, ["2A004", 12])
    read = list(source(path, COLUMNS).rows())
    assert [(row.line, row["code"], row["area"], row["note"]) for row in read] == [
        (4, "1004", "1234.5", "Évron"), (6, "2A004", "12", "")]  # fmt: skip
    assert atlas().commune(read[0]["code"]).code == "01004"


def test_lines_are_those_of_an_editor(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('codgeo,surface_m2,note\n\n01004,1,"deux\nlignes"\n2A004,2,x\n', encoding="utf-8")
    assert [row.line for row in source(path, COLUMNS).rows()] == [3, 5]


def test_missing_columns_are_all_named_with_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("code_inse;aire\n1;2\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as wrong:
        source(path, COLUMNS)
    first, second = (problem.text("fr") for problem in wrong.value.problems)
    assert "code_insee" in first and "« code_inse » est-ce elle ?" in first and "ligne 1" in first
    assert "surface_m2" in second and "aire" in second


@pytest.mark.parametrize(
    ("name", "data"), [("absent.csv", None), ("t.xlsx", b"no workbook"), ("t.csv", b""), ("t.zip", b"PK\x03\x04cut")]
)
def test_files_that_cannot_be_read_are_told(tmp_path: Path, name: str, data: bytes | None) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ScenarioError) as wrong:
        source(path, COLUMNS)
    assert wrong.value.problems[0].file == str(path)


def test_rows_that_cannot_be_cut_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('codgeo;surface_m2;note\n01004;1;a;b\n01005\n2A004;"2;x\n2A005;3;y\n2B001;5;z', encoding="utf-8")
    account = Account([Quantity("ha", ("area",), reading.hectares, Text("ha", "ha"), Text("ha", "ha"))])
    assert list(account.read(source(path, COLUMNS))) == []
    assert [refusal.row.line for refusal in account.refusals] == [2, 3, 4]
    assert "jusqu'à la ligne 6 : guillemet non fermé" in account.refusals[2].reason.fr
    account.close(0, {})


@given(st.fractions(), st.integers(0, 9))
def test_decimals_say_what_they_hold(value: Fraction, places: int) -> None:
    rounded = reading.decimal_text(value, places)
    assert abs(Fraction(rounded) - value) <= Fraction(1, 2 * 10**places)
    assert Fraction(reading.decimal_text(Fraction(rounded))) == Fraction(rounded)


def test_a_fraction_without_end_is_not_written_in_full() -> None:
    with pytest.raises(ValueError, match="no end"):
        reading.decimal_text(Fraction(1, 3))


def test_cells() -> None:
    assert reading.hectares("11 268") == Fraction(11268, 10_000)
    assert reading.number("-1\u202f234,50") == Fraction(-2469, 2)
    assert reading.euros("2,5 M€") == 2_500_000
    assert reading.day("19/01/2023") == reading.day("2023-01-19") == date(2023, 1, 19)
    assert reading.siren("200 067 023 00015") == "200067023" and reading.siren("20006702") == ""
    assert reading.items("ti-0101 ; ti-0102; ti-0101;") == ["ti-0101", "ti-0102"]
    assert reading.clean(" \u00a0N/A\t") == "" and reading.clean("e\u0301té") == "été"


@pytest.mark.parametrize(
    ("read", "text"), [(reading.day, "31/02/2023"), (reading.number, "douze"), (reading.euros, "1,234 €")]
)
def test_cells_that_say_something_else_are_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match=text) as wrong:
        read(text)
    assert isinstance(wrong.value.args[0], Text)


# --- Today's map


def test_communes_of_any_year_lie_on_todays_map() -> None:
    here = atlas()
    assert len(here.communes) == 34_969 and len(here.epci) == 1255
    assert (
        here.commune("13201").code == "13055"
        and here.commune("75120").code == "75056"
        and here.commune("69389").code == "69123"
    )
    assert here.commune("01340").code == "01015"  # merged into Arboys en Bugey
    assert here.commune("1004").code == here.commune("210100046").code == "01004"
    assert here.epci_of("75116") == here.epci_of("93066") == "200054781"  # Métropole du Grand Paris
    assert all(past not in here.communes and now in here.communes for past, now in here.past.items())


def test_members_make_up_their_epci() -> None:
    here = atlas()
    for siren, row in here.epci.items():
        assert sum(commune.population for commune in here.members[siren]) == int(row["population"])
        assert len(here.members[siren]) == int(row["members"])
    grand_paris = {commune.code for ept in here.epts for commune in here.members[ept.code]}
    assert {c.code for c in here.members["200054781"]} - grand_paris == {"75056"}


@pytest.mark.parametrize(
    ("code", "why"), [("99999", "inconnu"), ("29155", "sans EPCI"), ("", "inconnu"), ("97501", "sans EPCI")]
)
def test_communes_that_lie_in_no_epci_say_why(code: str, why: str) -> None:
    with pytest.raises(Unplaced) as unplaced:
        atlas().epci_of(code)
    assert why in unplaced.value.args[0].fr


def test_groups_by_siren_or_siret() -> None:
    assert atlas().group("200000172") == atlas().group("20000017200011") == "200000172"
    with pytest.raises(Unplaced):
        atlas().group("200057990")  # a Grand Paris territory


@pytest.mark.parametrize(
    ("text", "code"),
    [("Île-de-France", "11"), ("ILE DE FRANCE", "11"), ("11", "11"), ("1", "01"), ("Provence Alpes Cote d'Azur", "93"), ("PACA", "93"),
     ("La Réunion", "04"), ("Réunion", "04"), ("Région Bretagne", "53"), ("Centre - Val de Loire", "24"), ("Guyane", "03")],
)  # fmt: skip
def test_regions_by_code_or_name(text: str, code: str) -> None:
    assert atlas().region(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("Côtes-d'Armor", "22"), ("COTES D ARMOR", "22"), ("1", "01"), ("001", "01"), ("02a", "2A"), ("971", "971"), ("Hauts-de-Seine", "92"),
     ("la Réunion", "974"), ("l'Aude", "11"), ("LANDES", "40"), ("Département de l'Ain", "01")],
)  # fmt: skip
def test_departments_by_code_or_name(text: str, code: str) -> None:
    assert atlas().departement(text) == code


def test_every_region_and_department_is_found_by_its_own_name() -> None:
    for named in atlas().regions:
        assert atlas().region(named.name.upper()) == named.code
    for named in atlas().departements:
        assert atlas().departement(named.name.upper()) == named.code
    with pytest.raises(Unplaced):
        atlas().region("Picardie")


# --- The account


@pytest.fixture
def account(tmp_path: Path) -> Callable[[], tuple[Account, list[Row]]]:
    path = tmp_path / "t.csv"
    path.write_text("codgeo;surface_m2\n01004;10000\n01005;5000,5\n01006;dix\n99999;1\n", encoding="utf-8")

    def read() -> tuple[Account, list[Row]]:
        account = Account([Quantity("ha", ("area",), reading.hectares, Text("ha", "ha"), Text("surfaces", "areas"))])
        return account, list(account.read(source(path, COLUMNS)))

    return read


def test_what_is_read_is_placed_or_reported(account: Callable[[], tuple[Account, list[Row]]]) -> None:
    mine, read = account()
    mine.refuse(read[-1], Text("inconnu", "unknown"))
    mine.close(2, {"ha": Fraction(150_005, 100_000)})
    told = mine.as_dict()
    assert told["rows"] == {"read": 4, "placed": 2, "reported": 2}
    assert told["quantities"]["ha"] == {"unit": "ha", "read": "1.50015", "placed": "1.50005", "reported": "0.0001"}
    headers, lines = mine.not_placed()
    assert headers == ["fichier", "ligne", "raison", "ha", "contenu"]
    assert [line[1] for line in lines] == ["4", "5"] and lines[0][4] == "codgeo=01006 ; surface_m2=dix"
    assert "4 = 2 dans les tables + 2" in mine.lines()[0]


@pytest.mark.parametrize(("rows", "ha"), [(3, "1.50005"), (2, "1.5"), (1, "1.50005")])
def test_an_account_that_does_not_balance_is_refused(
    account: Callable[[], tuple[Account, list[Row]]], rows: int, ha: str
) -> None:
    mine, read = account()
    mine.refuse(read[-1], Text("inconnu", "unknown"))
    with pytest.raises(AssertionError):
        mine.close(rows, {"ha": Fraction(ha)})


def test_a_row_is_not_refused_twice(account: Callable[[], tuple[Account, list[Row]]]) -> None:
    mine, read = account()
    mine.refuse(read[0], Text("a", "a"))
    mine.refuse(read[0], Text("b", "b"))
    with pytest.raises(AssertionError, match="twice"):
        mine.close(1, {"ha": Fraction("0.50005")})


def test_figures_and_cells_are_written_in_full() -> None:
    assert grouped(Fraction(-12345675, 10)) == ("-1\u202f234\u202f567,5", "-1,234,567.5")
    assert grouped(Fraction(1, 10**8)).fr == "≈ 0"
    assert [cell_text(cell) for cell in (True, None, Fraction(5, 4), 3, "é")] == ["true", "", "1.25", "3", "é"]
    assert Table(["a", "b"], [["x, y", Fraction(1, 2)]]).text() == 'a,b\n"x, y",0.5\n'
    assert "0 €" in fund_lines(None, "f", "F") and "amount: 12.5 " in fund_lines(1250, "f", "F")
