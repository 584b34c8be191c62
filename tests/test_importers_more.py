"""Fonds vert, Flores and land take. No sample of them lies beside the repository: every file here is our own, written after
the layouts that their publishers document (see each importer)."""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import allocator
from allocator.cli import main
from allocator.texts import language, set_language

BONNEVILLE, MARIGNIER, AMBERIEU = "74042", "74164", "01004"
FAUCIGNY, PLAINE, PARIS, LYON, MARSEILLE = "200000172", "240100883", "200054781", "200046977", "200054807"
CITIES = {
    "75056": PARIS,
    "75101": PARIS,
    "75120": PARIS,
    "69123": LYON,
    "69381": LYON,
    "13055": MARSEILLE,
    "13216": MARSEILLE,
}

HEAD_2023 = (
    "nom_region,code_departement,nom_departement,code_commune,nom_commune,axe,numero_demarche_ds,nom_demarche_ds,"
    "numero_dossier_ds,nom_du_projet,nom_beneficiaire_principal,siren,montant_engage\n"
)
VERT_2023 = HEAD_2023 + (
    '"Aura","74","Haute-Savoie","74042","Bonneville","Axe 1","10","Rénovation énergétique","100","École, et\ncantine","Commune","217400423","1000.50"\n'
    '"Aura","74","Haute-Savoie","74042","Bonneville","Axe 1","10","Rénovation énergétique","100","École, et\ncantine","Commune","217400423","200"\n'
    '"Aura","74","Haute-Savoie","74042","Bonneville","Axe 1","10","Rénovation énergétique","100","École, et\ncantine","Commune","217400423","200"\n'
    '"Aura","01","Ain","01004","Ambérieu","Axe 2","11","RENOVATION ENERGETIQUE","101","Éclairage","NULL","NULL","50"\n'
    '"NULL","NULL","NULL","NULL","NULL","Axe 2","11","Friches","102","Dépôt","EPF","NULL","70"\n'
    '"Bretagne","29","Finistère","29155","Ouessant","Axe 2","11","Friches","103","Phare","Commune","NULL","30"\n'
    '"Aura","01","Ain","01004","Ambérieu","Axe 2","11","Friches","104","Rien","Commune","NULL","NULL"\n'
    '"Aura","01","Ain","01004","Ambérieu","Axe 2","11","Friches","105","Rendu","Commune","NULL","40"\n'
    '"Aura","01","Ain","01004","Ambérieu","Axe 2","11","Friches","105","Rendu","Commune","NULL","-40"\n'
    '"Aura","01","Ain","01004","Ambérieu","Axe 2","11","Friches","106","Illisible","Commune","NULL","dix"\n'
)
VERT_2024 = (
    "annee;demarche;nom_du_projet;resume_du_projet;numero_dossier;raison_sociale_beneficiaire;siret_beneficiaire;code_commune;montant_engage\n"
    "2024;Friches;Halle;Long texte ; avec point-virgule;200;EPF;48034901000013;69123;12 345,67\n".replace("Long texte ; avec point-virgule", '"Long texte ; avec point-virgule"')
    + "2024;Friches;Quai;x;201;Ville;;13216;1\n2024;Friches;Quai;x;201;Ville;;69381;2\n"
)  # fmt: skip
FLORES_HEAD = '"ACTIVITY";"FLORES_MEASURE";"GEO";"GEO_OBJECT";"LEGAL_FORM_WITH_PUBLIC";"NUMBER_EMPL";"OBS_STATUS";"TIME_PERIOD";"OBS_VALUE"\n'


def flores(*rows: str) -> str:
    return FLORES_HEAD + "".join(";".join(f'"{cell}"' for cell in row.split()) + "\n" for row in rows)


JOBS = flores(
    f"BE EMPL3112 {FAUCIGNY} EPCI 1T9X7 _T A 2024 5000",
    f"BE EMPL3112 {PLAINE} EPCI 1T9X7 _T A 2024 700",
    f"BE EMPL3112 {PLAINE} EPCI 1T9X7 _T A 2024 1",
    "BE EMPL3112 123456789 EPCI 1T9X7 _T A 2024 30",
    f"BE EMPL3112 {LYON} EPCI 1T9X7 _T A 2024 NA",
    f"BE EMPL3112 {MARSEILLE} EPCI 1T9X7 _T A 2024 beaucoup",
    f"BE EMPL3112 {FAUCIGNY} EPCI 1T9X7 _T A 2023 4000",
    f"BE EMPL3112 {FAUCIGNY} EPCI 1T9X7 10T19 A 2024 11",
    f"BE EMPL3112 {FAUCIGNY} EPCI 7 _T A 2024 12",
    f"BE UNIT {FAUCIGNY} EPCI 1T9X7 _T A 2024 13",
    f"GI EMPL3112 {FAUCIGNY} EPCI 1T9X7 _T A 2024 14",
    "BE EMPL3112 74 DEP 1T9X7 _T A 2024 15",
)
YEARS = [f"{year:02d}" for year in range(9, 26)]
ENAF_COLUMNS = [f"{head}{a}{middle}{b}" for a, b in pairwise(YEARS)
                for head, middle in (("naf", "art"), ("art", "act"))]  # fmt: skip


def enaf(*rows: tuple[str, str]) -> str:
    """idcom, and the same m² in every column."""
    return "\n".join([",".join(["idcom", "idcomtxt", "epci25", *ENAF_COLUMNS]),
                      *(",".join([code, "x", "y", *[value] * len(ENAF_COLUMNS)]) for code, value in rows), ""])  # fmt: skip


LAND = enaf((BONNEVILLE, "1000"), (MARIGNIER, "2000.5"), ("1004", "30"), (BONNEVILLE, "9"), ("99999", "70"), ("29155", "5"),
            ("01007", ""), ("01008", "x"), *((code, "10") for code in CITIES))  # fmt: skip


def imported(
    form: str, text: str | bytes, folder: Path, *options: str, name: str = "in2023.csv"
) -> tuple[int, dict[str, Any]]:
    """(exit status, account), the account checked against the tables and non-places.csv."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    status = main(["import", form, str(path), "--out", str(folder / "out"), *options])
    if status:
        return status, {}
    account = json.loads((folder / "out/import.json").read_text(encoding="utf-8"))
    refused, rows = rows_of(folder / "out/non-places.csv"), account["rows"]
    assert rows["read"] == rows["placed"] + rows["reported"] + rows.get("aside", 0)
    assert rows["reported"] == len(refused)
    for name, of in account["quantities"].items():
        assert Fraction(of["read"]) == Fraction(of["placed"]) + Fraction(of["reported"])
        assert Fraction(of["reported"]) == sum(Fraction(row[name]) for row in refused)
    return status, account


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def by_id(folder: Path, table: str) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in rows_of(folder / "out" / table)}


# --- Fonds vert


def test_fonds_vert_2023(tmp_path: Path) -> None:
    _, account = imported("fonds-vert", VERT_2023, tmp_path)
    assert account["rows"] == {"read": 10, "placed": 3, "reported": 7}
    assert account["quantities"]["engage"] == {"unit": "€", "read": "1550.5", "placed": "1250.5", "reported": "300"}
    rows = by_id(tmp_path, "demands.csv")
    assert (rows["100"]["asked"], rows["100"]["territory"], rows["100"]["beneficiary"]) == (
        "1200.5",
        FAUCIGNY,
        "217400423",
    )
    assert rows["101"]["beneficiary"] == rows["101"]["beneficiaire"] == ""  # NULL is no name
    assert rows["100"]["measure"] == rows["101"]["measure"] == "renovation-energetique"  # spelt in two ways
    reasons = {reason["reason"]: reason["rows"] for reason in account["reasons"]}
    assert (
        reasons["ligne répétée à l'identique"] == 1
        and reasons["montant absent"] == 1
        and reasons["commune absente"] == 1
    )
    assert reasons["montant total du dossier nul ou négatif"] == 2
    scenario = allocator.load(tmp_path / "out")
    assert scenario.years == (2023,) or list(scenario.years) == [2023]
    plan = allocator.solve(scenario, gap=0)
    assert (plan.status, plan.objective, int(plan.grants["cents"].sum())) == ("optimal", 2, 1_250_50)


def test_fonds_vert_2024_and_a_dossier_in_two_cities(tmp_path: Path) -> None:
    _, account = imported("fonds-vert", VERT_2024, tmp_path, "--fund", "10 k€", name="fonds-vert-2024-export.csv")
    assert account["rows"] == {"read": 3, "placed": 3, "reported": 0}
    rows = by_id(tmp_path, "demands.csv")
    assert (rows["200"]["asked"], rows["200"]["beneficiary"]) == (
        "12345.67",
        "480349010",
    )  # a SIRET begins with its SIREN
    assert rows[f"201@{MARSEILLE}"]["project"] == rows[f"201@{LYON}"]["project"] == "201"
    assert allocator.solve(allocator.load(tmp_path / "out"), gap=0).objective == 2  # 12 345.67 € is more than the fund


def test_fonds_vert_needs_its_year(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported("fonds-vert", VERT_2024, tmp_path, name="liste.csv")[0] == 2
    assert "--year 2023" in capsys.readouterr().err
    assert imported("fonds-vert", VERT_2024, tmp_path, "--year", "2024", name="liste.csv")[0] == 0


# --- Flores


def test_flores(tmp_path: Path) -> None:
    _, account = imported("flores", JOBS, tmp_path)
    assert account["rows"] == {"read": 12, "placed": 2, "reported": 4, "aside": 6}
    assert account["quantities"]["emplois"] == {"unit": "", "read": "5731", "placed": "5700", "reported": "31"}
    rows = by_id(tmp_path, "territories.csv")
    assert len(rows) == 1255 and rows[FAUCIGNY]["emplois_industriels"] == "5000"
    assert (rows[LYON]["emplois_industriels"], rows[LYON]["emplois_industriels_connu"]) == ("0", "false")
    assert allocator.load(tmp_path / "out").territories["emplois_industriels"].sum() == 5700


def test_flores_another_year_and_activity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported("flores", JOBS, tmp_path, "--year", "2023")[1]["quantities"]["emplois"]["placed"] == "4000"
    imported("flores", JOBS, tmp_path, "--activity", "GI", "--name", "commerce")
    assert by_id(tmp_path, "territories.csv")[FAUCIGNY]["commerce"] == "14"
    for options, said in ((("--year", "1999"), "2024, 2023"), (("--activity", "ZZ"), "BE, GI")):
        capsys.readouterr()
        assert imported("flores", JOBS, tmp_path, *options)[0] == 2
        assert said in capsys.readouterr().err


# --- Land take


def test_enaf(tmp_path: Path) -> None:
    _, account = imported("enaf", LAND, tmp_path)
    assert account["rows"] == {"read": 8 + len(CITIES), "placed": 3 + len(CITIES), "reported": 5}
    rows = by_id(tmp_path, "territories.csv")
    assert rows[FAUCIGNY]["enaf_2011_2021"] == "3.0005" and rows[FAUCIGNY]["enaf_activite_2021_2025"] == "1.2002"
    assert rows[PLAINE]["enaf_2011_2021"] == "0.03"
    for epci in (PARIS, LYON, MARSEILLE):  # 10 m² a year for each commune or arrondissement
        assert Fraction(rows[epci]["enaf_2011_2021"]) == Fraction(sum(of == epci for of in CITIES.values()), 100)
    assert allocator.load(tmp_path / "out").territories["enaf_2011_2021"].sum() == pytest.approx(3.1005)


def test_enaf_periods(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported("enaf", LAND, tmp_path, "--period", "2009-2011")
    assert by_id(tmp_path, "territories.csv")[PLAINE]["enaf_2009_2011"] == "0.006"
    capsys.readouterr()
    assert imported("enaf", LAND, tmp_path, "--period", "2021-2030")[0] == 2
    assert "Le fichier couvre 2009-2025" in capsys.readouterr().err
    assert imported("enaf", LAND, tmp_path, "--period", "dix", "--period", "2021-2011")[0] == 2
    err = capsys.readouterr().err
    assert "« dix »" in err and "« 2021-2011 »" in err


# --- All of them

FILES = {"fonds-vert": VERT_2023, "flores": JOBS, "enaf": LAND}
ODD = {
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "bom": lambda text: text.encode("utf-8-sig"),
    "utf16": lambda text: text.encode("utf-16"),
    "windows": lambda text: text.encode("cp1252"),
    "titled": lambda text: ("Liste publiée\n\n" + text).encode(),
}


@pytest.mark.parametrize("dress", ODD)
@pytest.mark.parametrize("form", FILES)
def test_the_dress_of_a_file_does_not_matter(form: str, dress: str, tmp_path: Path) -> None:
    plain, other = tmp_path / "plain", tmp_path / "other"
    plain.mkdir(), other.mkdir()
    first, second = imported(form, FILES[form], plain)[1], imported(form, ODD[dress](FILES[form]), other)[1]
    assert first["rows"] == second["rows"] and first["quantities"] == second["quantities"]


@pytest.mark.parametrize("other", [*FILES, "nothing", "binary", "huge"])
@pytest.mark.parametrize("form", [*FILES, "pabulib"])
def test_a_file_of_another_format_is_told(
    form: str, other: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if form == other:
        other = "nothing"
    text = FILES.get(other) or {"nothing": "", "binary": bytes(range(256)) * 20, "huge": "9" * 200_000 + "\n"}[other]
    assert imported(form, text, tmp_path)[0] == 2
    err = capsys.readouterr().err
    assert str(tmp_path / "in2023.csv") in err and "Traceback" not in err and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "amount", ["1e400", "9" * 400, "1e-400", "inf", "-inf", "1/0", "0x10", "١٢", "1" * 5000, "--1", "1,2,3"]
)
@pytest.mark.parametrize("form", FILES)
def test_strange_numbers_are_reported_or_exact(form: str, amount: str, tmp_path: Path) -> None:
    text = {
        "fonds-vert": VERT_2023 + f'"","","","{BONNEVILLE}","","","","x","900","","","","{amount}"\n',
        "flores": JOBS + flores(f"BE EMPL3112 {LYON} EPCI 1T9X7 _T A 2024 {amount}").removeprefix(FLORES_HEAD),
        "enaf": LAND + ",".join(["69381", "x", "y", *[f'"{amount}"'] * len(ENAF_COLUMNS)]) + "\n",
    }[form]
    assert imported(form, text, tmp_path)[0] == 0  # the sums of read, placed and reported are checked there


cells = st.sampled_from(["", "NULL", "1", "-3", "12,5", "1 000,01", "0.001", "x", "2 M€", "NA"])
codes = st.sampled_from(
    [BONNEVILLE, MARIGNIER, "1004", "75056", "69381", "13216", "29155", "99999", "", "0", "217400423"]
)
SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def joined(rows: list[list[str]], delimiter: str) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue()


@SLOW
@given(rows=st.lists(st.tuples(st.sampled_from(["1", "2", "3", ""]), codes, cells), max_size=8))
def test_nothing_is_lost_fonds_vert(rows: list[tuple[str, str, str]], tmp_path: Path) -> None:
    head = ["numero_dossier_ds", "code_commune", "montant_engage"]
    imported("fonds-vert", joined([head, *map(list, rows)], ","), tmp_path)


@SLOW
@given(rows=st.lists(st.tuples(st.sampled_from([FAUCIGNY, PLAINE, LYON, "1", f"2025-EPCI-{PARIS}"]), cells,
                               st.sampled_from(["BE", "GI"]), st.sampled_from(["_T", "10T19"])), max_size=8))  # fmt: skip
def test_nothing_is_lost_flores(rows: list[tuple[str, str, str, str]], tmp_path: Path) -> None:
    head = [name.strip('"') for name in FLORES_HEAD.strip().split(";")]
    body = [[activity, "EMPL3112", geo, "EPCI", "_T", size, "A", "2024", value] for geo, value, activity, size in rows]
    imported("flores", joined([head, *body], ";"), tmp_path)


@SLOW
@given(rows=st.lists(st.tuples(codes, cells, cells), max_size=8))
def test_nothing_is_lost_enaf(rows: list[tuple[str, str, str]], tmp_path: Path) -> None:
    imported(
        "enaf",
        joined([["idcom", "naf21art22", "art21act22"], *map(list, rows)], ";"),
        tmp_path,
        "--period",
        "2021-2022",
    )


def test_where_nothing_can_be_placed_both_languages_say_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "conso.csv"
    path.write_text("idcom,naf11art12,art11act12\nZZZZZ,1,1\n", encoding="utf-8")
    before = language()
    try:
        for lang, why in (("fr", "commune sans EPCI"), ("en", "commune without an EPCI")):
            arguments = ["import", "enaf", str(path), "--out", str(tmp_path / "out"), "--period", "2011-2012"]
            assert main(["--lang", lang, *arguments]) == 2 and why in capsys.readouterr().err
    finally:
        set_language(before)
