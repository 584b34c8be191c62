"""`allocator import`: each format on small files of our own, and on the public files where they lie beside the repository."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

import allocator
from allocator.cli import main
from allocator.importers import importers

SHARED = Path(__file__).resolve().parents[1].parent / "shared/data"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the open-data files are not in {SHARED}")

TI = """\
id_ti,lib_ti,siren_groupement,lib_groupement
ti-8422,Vallée de l'Arve,200000172,CC Faucigny - Glières
ti-1101,Boucle Nord de Seine,200057990,EPT Boucle Nord de Seine
ti-2707,Nevers Val de Loire,215800467,Cercy-la-Tour
ti-2707,Nevers Val de Loire,246700000,CC disparue
,,200000438,CC sans territoire
"""
APPLICATIONS = """\
libreg,num_demarche,laureat_fv,num_dossier,loc_abc,logique_intervention,intervention,mo_requal,bilan,deficit,nat_friche,site_area,friche_area
Bretagne,1,Oui,11,Zone C,0,x,Collectivité locale\t,,100000,"Friche portuaire, aéroportuaire, routière, ou ferroviaire,Friche commerciale\t\t",1,1.5
Île-de-France,1,Non,12,Zone B1,Immobilier,x,Etablissement public foncier (EPF),,200000,Friche urbaine \x96 îlots anciens dégradés,1,0.25
,1,Non,13,,,x,0,,50000.5,0,1,2
Bretagne,1,Oui,14,,,,,,0,,1,1
Bretagne,1,Oui,15,,,,,,-3,,1,1
Bretagne,1,Oui,16,,,,,,,,1,1
Bretagne,1,Oui,17,,,,,,5,,1,25081
Bretagne,1,Oui,18,,,,,,5,,1,-1
Bretagne,1,Oui,19,,,,,,5,,1,0
Bretagne,1,Oui,20,,,,,,5,,1,
Bretagne,1,Oui,11,,,,,,7,,1,1
Picardie,1,Non,21,,,,,,9,,1,1
Bretagne,1,Peut-être,22,,,,,,9,,1,1
Bretagne,1,Oui,23,,,,,,beaucoup,,1,1
"""
SITES = """\
site_id;site_nom;site_type;site_identif_date;site_statut;comm_nom;comm_insee;sol_pollution_existe;unite_fonciere_surface
A;Usine;friche industrielle;19/01/2023;friche sans projet;AMBERIEU;1004;inconnu;11268
B;Dépôt;friche loisir tourisme hôtellerie;2023-01-19;friche potentielle;MARSEILLE;13201;pollution avérée;5000
C;Hôtel;friche loisir tourisme hotellerie;hier;friche avec projet;BONNEVILLE;74042;NA;2500
D;Ancien;autre;NA;friche reconvertie;AMBERIEU;01004;NA;100
E;Île;autre;NA;friche sans projet;OUESSANT;29155;NA;300
F;Vide;autre;NA;friche sans projet;AMBERIEU;01004;NA;NA
A;Usine;autre;NA;friche sans projet;AMBERIEU;01004;NA;7
G;Faux;autre;NA;friche sans projet;AMBERIEU;01004;NA;grand
H;Nul;autre;NA;friche sans projet;AMBERIEU;01004;NA;0
I;Loin;autre;NA;friche sans projet;;NA;NA;11
"""


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """(exit status, stdout, stderr) of an import; texts among `files` are written to files first."""

    def run(form: str, *files: str, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
        paths = []
        for rank, text in enumerate(files):
            path = Path(text) if "\n" not in text and Path(text).exists() else tmp_path / f"in{rank}.csv"
            if path.parent == tmp_path and "\n" in text:
                path.write_text(text, encoding="utf-8")
            paths.append(str(path))
        status = main(["import", form, "--out", str(tmp_path / "out"), *options, *paths])
        out = capsys.readouterr()
        return status, out.out, out.err

    return run


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def by_id(path: Path) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in table(path)}


def balanced(folder: Path) -> dict[str, Any]:
    """The account, after checking it against the file of rows that were not placed."""
    account: dict[str, Any] = json.loads((folder / "import.json").read_text(encoding="utf-8"))
    refused = table(folder / "non-places.csv")
    rows = account["rows"]
    assert rows["read"] == rows["placed"] + rows["reported"] == sum(file["rows"] for file in account["files"])
    assert rows["reported"] == len(refused) == sum(reason["rows"] for reason in account["reasons"])
    for name, of in account["quantities"].items():
        assert Fraction(of["read"]) == Fraction(of["placed"]) + Fraction(of["reported"])
        assert Fraction(of["reported"]) == sum(Fraction(row[name]) for row in refused)
    return account


def test_every_importer_says_what_it_reads_and_writes(capsys: pytest.CaptureFixture[str]) -> None:
    formats = [importer.FORMAT for importer in importers()]
    assert {"ti", "cartofriches", "fonds-friches", "chomage", "indicators"} <= set(formats)
    for importer in importers():
        with pytest.raises(SystemExit):
            main(["import", importer.FORMAT, "--help"])
        shown = re.sub(r"\s+", " ", capsys.readouterr().out)
        assert re.sub(r"\s+", " ", str(importer.READS)) in shown and re.sub(r"\s+", " ", str(importer.WRITES)) in shown


def test_the_command_line_loads_no_table_library() -> None:
    code = "import sys, allocator.cli as c; c._parser(); sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- Territoires d'industrie


def test_ti_as_attributes_of_epci(run: Callable[..., Any], tmp_path: Path) -> None:
    status, out, _ = run("ti", TI)
    assert status == 0 and "5 = 3 dans les tables + 2 dans non-places.csv" in out
    account = balanced(tmp_path / "out")
    assert [reason["rows"] for reason in account["reasons"]] == [1, 1]
    rows = by_id(tmp_path / "out/territories.csv")
    assert len(rows) == 1255
    assert (rows["200000172"]["territoire_industrie"], rows["200000172"]["ti"]) == ("true", "ti-8422")
    assert rows["200000172"]["ti_population"] == rows["200000172"]["population"]
    part = rows["200054781"]  # the Métropole du Grand Paris holds the EPT, and is not wholly in
    assert part["territoire_industrie"] == "false" and part["ti_name"] == "Boucle Nord de Seine"
    assert 0 < int(part["ti_population"]) < int(part["population"])
    assert rows["200000438"]["territoire_industrie"] == "false" and rows["200000438"]["ti"] == ""
    scenario = allocator.load(tmp_path / "out")
    share = next(
        rule for rule in scenario.constraints if rule.id == "part-operateurs"
    )  # proposition 22, on the list itself
    assert share.on.where.keys() == {"territoire_industrie"}
    assert scenario.territories["ti_population"].sum() == sum(int(row["ti_population"]) for row in rows.values())


def test_ti_as_perimeters(run: Callable[..., Any], tmp_path: Path) -> None:
    assert run("ti", TI, options=("--as", "perimeters"))[0] == 0
    rows = by_id(tmp_path / "out/territories.csv")
    assert set(rows) == {"ti-8422", "ti-1101", "ti-2707"}
    assert (rows["ti-8422"]["population"], rows["ti-8422"]["region"], rows["ti-8422"]["departement"]) == (
        "28363",
        "84",
        "74",
    )
    assert rows["ti-2707"]["members"] == "1"
    assert {"territory": "ti-2707", "commune": "58046"} in table(tmp_path / "out/members.csv")


def test_ti_by_communes_with_several_ids(run: Callable[..., Any], tmp_path: Path) -> None:
    communes = "insee_com,lib_com,id_ti,lib_ti\n74042,Bonneville,ti-1 ; ti-2,Un ; Deux\n74164,Marignier,ti-2,Deux\n01004,Ambérieu,NR,NR\n"
    assert run("ti", communes)[0] == 0
    row = by_id(tmp_path / "out/territories.csv")["200000172"]
    assert (row["territoire_industrie"], row["ti"], row["ti_name"], row["ti_population"]) == (
        "false",
        "ti-1 ; ti-2",
        "Un ; Deux",
        "19752",
    )


# --- Fonds friches


def test_fonds_friches_makes_a_scenario(run: Callable[..., Any], tmp_path: Path) -> None:
    status, out, _ = run("fonds-friches", APPLICATIONS, options=("--fund", "0,2 M€"))
    assert status == 0
    account = balanced(tmp_path / "out")
    assert account["rows"] == {"read": 14, "placed": 3, "reported": 11}
    assert (
        account["quantities"]["deficits"]["placed"] == "350000.5"
        and account["quantities"]["hectares"]["placed"] == "3.75"
    )
    assert account["quantities"]["deficits"]["reported"] == "42"  # the unreadable one counts nothing on either side
    rows = by_id(tmp_path / "out/demands.csv")
    assert rows["11"]["nature"] == "commerciale ; transports" and rows["11"]["beneficiary_kind"] == "collectivité"
    assert rows["12"]["nature"] == "îlots anciens dégradés" and rows["12"]["beneficiary_kind"] == "EPF"
    assert rows["13"]["territory"] == "sans-region" and rows["13"]["nature"] == rows["13"]["beneficiary_kind"] == ""
    assert [rows[ident]["laureat"] for ident in ("11", "12", "13")] == ["true", "false", "false"]
    assert "pas une subvention" in out
    plan = allocator.solve(allocator.load(tmp_path / "out"), gap=0)
    assert (plan.status, plan.objective) == ("optimal", 3.5)  # 1.5 + 2 ha for 150 000.50 €
    assert sorted(plan.grants["demand"]) == ["11", "13"]


def test_fonds_friches_with_spending(run: Callable[..., Any], tmp_path: Path) -> None:
    headings = ",".join(f"da{x}_ht" for x in ("a", "b", "c", "d", "f", "g1", "g2", "g3", "g4", "g5", "g6", "g7"))
    spending = f"num_dossier,{headings}\n11,1.25,2{',0' * 10}\n14,5{',0' * 11}\n99,7{',0' * 11}\n11,9{',0' * 11}\n"
    assert run("fonds-friches", APPLICATIONS, spending)[0] == 0
    account = balanced(tmp_path / "out")
    assert account["quantities"]["depenses"] == {"unit": "€", "read": "24.25", "placed": "3.25", "reported": "21"}
    assert by_id(tmp_path / "out/demands.csv")["11"]["depenses"] == "3.25"
    written = yaml.safe_load((tmp_path / "out/scenario.yaml").read_text(encoding="utf-8"))
    assert written["funds"][0]["amount"] == "0 €"  # no amount is made up


# --- Cartofriches


def test_cartofriches_makes_a_scenario(run: Callable[..., Any], tmp_path: Path) -> None:
    status, out, _ = run("cartofriches", SITES, options=("--fund", "300 k€"))
    assert status == 0
    account = balanced(tmp_path / "out")
    assert account["rows"] == {"read": 10, "placed": 3, "reported": 7}
    assert account["quantities"]["hectares"] == {
        "unit": "ha",
        "read": "1.9186",
        "placed": "1.8768",
        "reported": "0.0418",
    }
    rows = by_id(tmp_path / "out/demands.csv")
    assert (rows["A"]["units"], rows["A"]["territory"], rows["A"]["industrielle"]) == ("1.1268", "240100883", "true")
    assert rows["B"]["territory"] == "200054807" and rows["C"]["territory"] == "200000172"
    assert rows["B"]["type"] == rows["C"]["type"] == "friche loisir tourisme hôtellerie"
    assert [rows[ident]["identifie_le"] for ident in "ABC"] == ["2023-01-19", "2023-01-19", ""]
    assert (rows["A"]["asked"], rows["A"]["cost"]) == ("500000", "780000")
    scenario = allocator.load(tmp_path / "out")
    assert scenario.measures[0].hypothesis and "proposition 6" in scenario.measures[0].source
    assert "Dates illisibles, laissées vides : 1." in out


def test_cartofriches_with_amounts_of_the_users_own(run: Callable[..., Any], tmp_path: Path) -> None:
    assert run("cartofriches", SITES, options=("--asked", "100 k€", "--cost", "405 k€"))[0] == 0
    scenario = allocator.load(tmp_path / "out")
    assert set(scenario.demands["asked"]) == {100_000} and not scenario.measures[0].hypothesis
    status, _, err = run("cartofriches", SITES, options=("--asked", "900 k€"))
    assert status == 2 and "dépasse le coût" in err
    status, _, err = run("cartofriches", SITES, options=("--asked", "x", "--cost", "-1", "--fund", "dix"))
    assert status == 2 and all(option in err for option in ("--fund", "--asked", "--cost"))
    status, _, err = run("cartofriches", RATES, options=("--asked", "x"))
    assert status == 2 and "--asked" in err and "site_id" in err and "unite_fonciere_surface" in err


def test_cartofriches_on_perimeters(run: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "ti"
    (tmp_path / "ti.csv").write_text(TI, encoding="utf-8")
    main(["import", "ti", str(tmp_path / "ti.csv"), "--as", "perimeters", "--out", str(folder)])
    assert run("cartofriches", SITES, options=("--perimeters", str(folder)))[0] == 0
    rows = by_id(tmp_path / "out/demands.csv")
    assert {ident: row["territory"] for ident, row in rows.items()} == {"C": "ti-8422"}
    assert any("hors des périmètres" in row["raison"] for row in table(tmp_path / "out/non-places.csv"))
    assert len(allocator.load(tmp_path / "out").territories) == 3


@pytest.mark.parametrize(("form", "text"), [("fonds-friches", APPLICATIONS), ("cartofriches", SITES)])
def test_the_rules_to_try_can_be_read(run: Callable[..., Any], tmp_path: Path, form: str, text: str) -> None:
    run(form, text, options=("--fund", "1 M€"))
    path = tmp_path / "out/scenario.yaml"
    said = path.read_text(encoding="utf-8")
    rules = re.findall(r"^#  - (.*)$", said, re.MULTILINE)
    assert len(rules) == 3
    path.write_text(
        said.replace("constraints: []", "constraints:\n" + "".join(f"  - {rule}\n" for rule in rules)), encoding="utf-8"
    )
    assert len(allocator.load(tmp_path / "out").constraints) == 3


# --- Unemployment


RATES = "ze2020,libze2020,taux_2025T4\n51,Nord,7.2\n0052,Sud,9.8\n0053,Vide,5\n0054,Illisible,x\n0052,Sud,1\n"
ZONES = "codgeo,ze2020\n74042,0051\n74164,0052\n1004,0052\n29155,0051\n97601,0601\n"


@pytest.mark.parametrize("order", [(RATES, ZONES), (ZONES, RATES)])
def test_chomage_weighs_by_people(run: Callable[..., Any], tmp_path: Path, order: tuple[str, str]) -> None:
    assert run("chomage", *order)[0] == 0
    assert balanced(tmp_path / "out")["rows"] == {"read": 10, "placed": 5, "reported": 5}
    rows = by_id(tmp_path / "out/territories.csv")
    # Bonneville 13 320 people at 7.2, Marignier 6 432 at 9.8
    assert Fraction(rows["200000172"]["chomage"]) == round(Fraction(13_320 * 72 + 6_432 * 98, 19_752 * 10), 6)
    assert rows["200000172"]["zone_emploi"] == "Nord" and rows["240100883"]["chomage"] == "9.8"
    assert (rows["200000438"]["chomage"], rows["200000438"]["chomage_connu"], rows["200000438"]["zone_emploi"]) == (
        "0",
        "false",
        "",
    )
    assert allocator.load(tmp_path / "out").territories["chomage"].max() == 9.8


def test_chomage_onto_earlier_columns(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "ti.csv").write_text(TI, encoding="utf-8")
    main(["import", "ti", str(tmp_path / "ti.csv"), "--out", str(tmp_path / "ti")])
    earlier = ("--onto", str(tmp_path / "ti/territories.csv"))
    assert run("chomage", RATES, ZONES, options=earlier)[0] == 0
    row = by_id(tmp_path / "out/territories.csv")["200000172"]
    assert row["ti"] == "ti-8422" and row["chomage"] != "0"
    status, _, err = run("chomage", RATES, ZONES, options=("--onto", str(tmp_path / "out/non-places.csv")))
    assert status == 2 and "colonne absente : id" in err


def test_chomage_wants_one_file_of_each(run: Callable[..., Any]) -> None:
    status, _, err = run("chomage", RATES, RATES)
    assert status == 2 and "un fichier de taux par zone" in err
    status, _, err = run("chomage", RATES, ZONES, options=("--rate", "taux_2025"))
    assert status == 2 and "taux_2025T4" in err
    status, _, err = run("chomage", RATES)
    assert status == 2 and "2 fichier(s)" in err


# --- Indicators

COMMUNES = "Code commune;Sites;Surface m²;Taux;Genre;année\n74042;2;10000;10;urbain;2024\n74164;3;5000;20;rural;2024\n99999;7;1;1;x;2024\n1004;;;;;2024\n74042;5;1;1;urbain;2023\n"


def test_indicators_by_commune(run: Callable[..., Any], tmp_path: Path) -> None:
    options = (
        "--sum",
        "sites",
        "--hectares",
        "friches=surface m2",
        "--mean",
        "taux",
        "--text",
        "genre",
        "--where",
        "annee=2024",
    )
    assert run("indicators", COMMUNES, options=options)[0] == 0
    account = balanced(tmp_path / "out")
    assert account["rows"] == {"read": 5, "placed": 2, "reported": 3}
    assert account["quantities"]["friches"]["placed"] == "1.5" and account["quantities"]["Sites"]["reported"] == "12"
    row = by_id(tmp_path / "out/territories.csv")["200000172"]
    assert (row["Sites"], row["friches"], row["Genre"]) == ("5", "1.5", "urbain")
    assert Fraction(row["Taux"]) == round(Fraction(13_320 * 10 + 6_432 * 20, 19_752), 6) and row["Taux_connu"] == "true"
    assert allocator.load(tmp_path / "out").territories["friches"].sum() == 1.5


def test_indicators_the_same_code_twice_has_no_mean(run: Callable[..., Any], tmp_path: Path) -> None:
    assert run("indicators", COMMUNES, options=("--mean", "taux"))[0] == 0
    assert any("donné deux fois" in row["raison"] for row in table(tmp_path / "out/non-places.csv"))


def test_indicators_a_city_and_its_arrondissements_are_told(run: Callable[..., Any], tmp_path: Path) -> None:
    status, out, _ = run("indicators", "codgeo;n\n13055;5\n13201;2\n", options=("--sum", "n"))
    assert status == 0 and "ne compte pas deux fois" in out
    assert by_id(tmp_path / "out/territories.csv")["200054807"]["n"] == "7"


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("siren;taux\n200000172;3,5\n", "200000172", "3.5"),
        ("siret;taux\n20000017200011;3,5\n", "200000172", "3.5"),
        ("siren;taux\n217400423;3,5\n", "200000172", "3.5"),  # Bonneville: the commune's own SIREN
        ("dep;taux\n74;3,5\n", "200000172", "3.5"),
        ("nom_region;taux\nauvergne rhone alpes;3,5\n", "200000172", "3.5"),
        ("region;taux\n84;3,5\n", "240100883", "3.5"),
    ],
)
def test_indicators_by_other_codes(run: Callable[..., Any], tmp_path: Path, text: str, code: str, value: str) -> None:
    assert run("indicators", text, options=("--mean", "taux"))[0] == 0
    rows = by_id(tmp_path / "out/territories.csv")
    assert (rows[code]["taux"], rows["200000438"]["taux_connu"]) == (value, "false")


def test_indicators_onto_demands(run: Callable[..., Any], tmp_path: Path) -> None:
    demands = tmp_path / "demands.csv"
    demands.write_text(
        'id,territory,measure,units,asked\n01,200000172,friche,1,5\n2,240100883,"a, b",1,5\n', encoding="utf-8"
    )
    assert run("indicators", COMMUNES, options=("--sum", "sites", "--demands", str(demands)))[0] == 0
    rows = by_id(tmp_path / "out/demands.csv")
    assert rows["01"]["Sites"] == "10" and rows["2"]["Sites"] == "0" and rows["2"]["measure"] == "a, b"
    demands.write_text("id,territory\n1,ailleurs\n", encoding="utf-8")
    status, _, err = run("indicators", COMMUNES, options=("--sum", "sites", "--demands", str(demands)))
    assert status == 2 and "demands.csv, ligne 2, colonne territory" in err


def test_indicators_mistakes_are_all_told(run: Callable[..., Any]) -> None:
    options = ("--sum", "site,population=taux", "--mean", "taux", "--mean", "taux", "--where", "annee", "--key", "cle")
    status, out, err = run("indicators", COMMUNES, options=options)
    assert (status, out) == (2, "")
    for said in (
        "Vouliez-vous dire « Sites »",
        "« population » est une colonne",
        "demandée deux fois",
        "COLONNE=VALEUR",
        "« cle » absente",
        "--level",
    ):
        assert said in err
    status, _, err = run("indicators", "dep;n\n74;1\n", options=("--sum", "n"))
    assert status == 2 and "ne se répartit pas" in err
    status, _, err = run("indicators", COMMUNES)
    assert status == 2 and "--sum, --mean ou --text" in err
    status, _, err = run("indicators", "codgeo;n\n99999;1\n", options=("--sum", "n"))
    assert status == 2 and "aucune ligne ne peut être placée" in err


# --- The command


def test_json_is_one_object_and_nothing_else(run: Callable[..., Any], tmp_path: Path) -> None:
    status, out, err = run("ti", TI, options=("--json",))
    assert (status, err) == (0, "")
    report = json.loads(out)
    assert report["format"] == "ti" and report["rows"]["read"] == 5
    assert [Path(name).name for name in report["written"]] == [
        "territories.csv",
        "scenario.yaml",
        "non-places.csv",
        "import.json",
    ]
    status, out, _ = run("ti", "a,b\n1,2\n", options=("--json",))
    assert status == 2 and len(json.loads(out)["errors"]) == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ti.csv").write_text(TI, encoding="utf-8")
    assert main(["import", "ti", str(tmp_path / "ti.csv"), "--out", str(tmp_path / "ti.csv")]) == 2
    assert "impossible d'écrire" in capsys.readouterr().err
    assert main(["import", "ti", str(tmp_path / "none.csv"), "--out", str(tmp_path / "o")]) == 2
    assert "introuvable" in capsys.readouterr().err and not (tmp_path / "o").exists()


def test_an_import_replaces_the_one_before_it(run: Callable[..., Any], tmp_path: Path) -> None:
    run("cartofriches", SITES)
    mine = tmp_path / "out/mine.yaml"
    mine.write_text("name: mine\n", encoding="utf-8")
    run("ti", TI, options=("--as", "perimeters"))
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {"territories.csv", "members.csv", "non-places.csv", "import.json", "mine.yaml"}


def test_the_same_files_give_the_same_bytes(run: Callable[..., Any], tmp_path: Path) -> None:
    run("cartofriches", SITES)
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    run("cartofriches", SITES)
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}


# --- The public files, where they are


@shared
def test_real_ti(run: Callable[..., Any], tmp_path: Path) -> None:
    assert (
        run("ti", str(SHARED / "territoires-industrie/ti_groupements_183.csv"), options=("--as", "perimeters"))[0] == 0
    )
    assert balanced(tmp_path / "out")["rows"] == {"read": 641, "placed": 641, "reported": 0}
    perimeters = table(tmp_path / "out/territories.csv")
    assert len(perimeters) == 183
    assert run("ti", str(SHARED / "territoires-industrie/ti_groupements_183.csv"))[0] == 0
    epci = table(tmp_path / "out/territories.csv")
    assert sum(row["territoire_industrie"] == "true" for row in epci) == 626
    assert sum(int(row["ti_population"]) for row in epci) == sum(int(row["population"]) for row in perimeters)


@shared
def test_real_fonds_friches(run: Callable[..., Any], tmp_path: Path) -> None:
    folder = SHARED / "fonds-friches"
    assert (
        run("fonds-friches", str(folder / "fr_g_fdfriche_r.csv"), str(folder / "depense_t_amenagement_r.csv"))[0] == 0
    )
    account = balanced(tmp_path / "out")
    assert [file["rows"] for file in account["files"]] == [4446, 4444]
    demands = table(tmp_path / "out/demands.csv")
    funded = [row for row in demands if row["laureat"] == "true"]
    assert (len(demands), len(funded)) == (3885, 1489)
    assert round(sum(Fraction(row["hectares"]) for row in funded), 2) == Fraction("2911.67")
    assert round(sum(Fraction(row["asked"]) for row in funded) / 10**6, 2) == Fraction("3053.04")
    assert sum(row["territory"] == "sans-region" for row in demands) == 10
    assert allocator.load(tmp_path / "out").indicators == ["depenses", "hectares"]


@shared
def test_real_cartofriches(run: Callable[..., Any], tmp_path: Path) -> None:
    assert run("cartofriches", str(SHARED / "cartofriches/friches_standard_test.csv"))[0] == 0
    assert balanced(tmp_path / "out")["rows"] == {"read": 2594, "placed": 2572, "reported": 22}
    allocator.load(tmp_path / "out")
    assert run("cartofriches", str(SHARED / "cartofriches/fichier-valide_240322.csv"))[0] == 0
    assert balanced(tmp_path / "out")["quantities"]["hectares"]["placed"] == "1.675"


@shared
def test_real_cartofriches_by_commune(run: Callable[..., Any], tmp_path: Path) -> None:
    path = str(SHARED / "cartofriches/cartofriches_communes.csv")
    assert (
        run(
            "indicators",
            path,
            options=("--sum", "nb_sites, nb_friche_industrielle", "--hectares", "friches=surface_m2"),
        )[0]
        == 0
    )
    account = balanced(tmp_path / "out")
    assert account["rows"] == {"read": 9138, "placed": 9134, "reported": 4}  # islands without an EPCI
    assert account["quantities"]["nb_sites"]["read"] == "27983"


@shared
def test_real_chomage(run: Callable[..., Any], tmp_path: Path) -> None:
    folder = SHARED / "insee"
    assert run("chomage", str(folder / "chomage_ze2020_2025T4.csv"), str(folder / "commune_ze2020.csv"))[0] == 0
    assert balanced(tmp_path / "out")["rows"] == {"read": 35_177, "placed": 35_134, "reported": 43}
    unknown = [row for row in table(tmp_path / "out/territories.csv") if row["chomage_connu"] == "false"]
    assert {row["region"] for row in unknown} == {"03", "06"}  # Guyane, Mayotte
