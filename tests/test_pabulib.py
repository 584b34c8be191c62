"""Participatory budgets in the Pabulib format: small files of our own, and Toulouse's where they lie beside the repository."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import allocator
from allocator.cli import main

SHARED = Path(__file__).resolve().parents[1].parent / "shared/data/benchmarks"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the benchmark files are not in {SHARED}")

PB = """\
META
key;value
unit;Ville
instance;2024
num_projects;{count}
budget;{budget}
currency;EUR
PROJECTS
project_id;cost;votes;name;category;district
{projects}VOTES
voter_id;vote
1;a,b
2;a
"""
NORTH = 'a;60.5;10;"Bancs; nord\nsuite";Nature;Nord\nb;50;9;Lampes;Énergie;Nord\nc;40;8;Jeux;;Nord\n'
SOUTH = "a;70;6;Piste;;Sud\nd;30;5;Haie;;Sud\n"


def pb(path: Path, projects: str = NORTH, budget: str = "100", count: int = 3, encoding: str = "utf-8") -> str:
    path.write_bytes(PB.format(projects=projects, budget=budget, count=count).encode(encoding))
    return str(path)


def imported(out: Path, *arguments: str) -> dict[str, object]:
    assert main(["import", "pabulib", *arguments, "--out", str(out)]) == 0
    account: dict[str, object] = json.loads((out / "import.json").read_text(encoding="utf-8"))
    return account


def solved(folder: Path) -> tuple[str, bool, float, int]:
    """(status, certificate, votes, euros in cents) of the best plan."""
    plan = allocator.solve(allocator.load(folder), gap=0)
    return plan.status, plan.certificate.ok, plan.objective, int(plan.grants["cents"].sum())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_whole_projects_with_most_votes(tmp_path: Path, encoding: str, ends: str) -> None:
    path = tmp_path / "v.pb"
    path.write_bytes(PB.format(projects=NORTH, budget="100", count=3).replace("\n", ends).encode(encoding))
    account = imported(tmp_path / "out", str(path))
    assert account["rows"] == {"read": 3, "placed": 3, "reported": 0}
    assert account["quantities"]["couts"]["placed"] == "150.5"  # type: ignore[index]
    rows = list(csv.DictReader((tmp_path / "out/demands.csv").open(encoding="utf-8", newline="")))
    assert rows[1]["category"] == "Énergie" and rows[1]["district"] == "Nord" and rows[0]["asked"] == "60.5"
    assert solved(tmp_path / "out") == ("optimal", True, 17, 90_00)  # b and c; a leaves room for neither


def test_a_fund_a_file_and_a_ceiling_a_district(tmp_path: Path) -> None:
    (tmp_path / "towns").mkdir()
    pb(tmp_path / "towns/n.pb")
    pb(tmp_path / "towns/s.pb", SOUTH, "70", 2)
    account = imported(tmp_path / "out", str(tmp_path / "towns"))
    assert account["rows"] == {"read": 5, "placed": 5, "reported": 0}
    assert len(allocator.load(tmp_path / "out").funds) == 2
    assert solved(tmp_path / "out") == ("optimal", True, 23, 160_00)  # no project is paid by the other file's fund
    whole = pb(tmp_path / "whole.pb", NORTH + SOUTH.replace("a;", "e;"), "200", 5)
    imported(tmp_path / "one", whole)
    assert solved(tmp_path / "one")[2] == 32  # a, b, c, d: 180.50 €
    imported(tmp_path / "ceiling", whole, "--per-district", "95 €")
    assert solved(tmp_path / "ceiling") == ("optimal", True, 23, 160_00)


def test_what_cannot_be_placed_is_reported(tmp_path: Path) -> None:
    broken = NORTH + "a;5;1;;;\n;5;1;;;\ng;0;1;;;\nh;;1;;;\ni;5;-1;;;\nj;cher;1;;;\nk;1 000,00 €;1;;;\n"
    account = imported(tmp_path / "out", pb(tmp_path / "v.pb", broken, "100", 12))
    assert account["rows"] == {"read": 10, "placed": 4, "reported": 6}
    assert account["quantities"]["couts"]["reported"] == "15"  # type: ignore[index]
    assert any("META annonce 12 projets" in str(remark) for remark in account["remarks"])  # type: ignore[attr-defined]


def test_votes_are_counted_where_the_file_does_not_say_them(tmp_path: Path) -> None:
    path = tmp_path / "v.pb"
    path.write_text("META\nkey;value\nunit;V\ninstance;2024\nbudget;1\nPROJECTS\nproject_id;cost\na;1\nb;1\nVOTES\n"
                    "voter_id;vote\n1;a,b\n2;a\n", encoding="utf-8")  # fmt: skip
    imported(tmp_path / "out", str(path))
    assert solved(tmp_path / "out") == ("optimal", True, 2, 100)


@pytest.mark.parametrize(("text", "options", "said"), [
    ("a;b\n1;2\n", (), "section absente : META, PROJECTS"),
    ("", (), "section absente"),
    ("META\nkey;value\nPROJECTS\nproject_id;price\n", (), "colonne absente : cost"),
    ("META\nkey;value\nPROJECTS\nproject_id;price\n", (), "META ne dit pas l'année"),  # all of it at once
    ("META\nkey;value\nPROJECTS\nproject_id;price\n", (), "budget absent"),
    (PB.format(projects="", budget="1", count=0), (), "aucun projet"),
    (PB.format(projects=NORTH, budget="beaucoup", count=3), (), "--fund"),
    (PB.format(projects=NORTH, budget="1", count=3), ("--per-district", "x"), "--per-district"),
    (PB.format(projects="a;1;1;;;\n", budget="1", count=1), ("--per-district", "5 €"), "ne nomment pas leur quartier"),
])  # fmt: skip
def test_a_file_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, options: tuple[str, ...], said: str
) -> None:
    (tmp_path / "v.pb").write_text(text, encoding="utf-8")
    status = main(["import", "pabulib", str(tmp_path / "v.pb"), "--out", str(tmp_path / "out"), *options])
    err = capsys.readouterr().err
    assert status == 2 and said in err and "Traceback" not in err and not (tmp_path / "out").exists()


def test_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "pabulib", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "aucun fichier .pb" in capsys.readouterr().err


@shared
@pytest.mark.parametrize(("file", "options", "votes", "cents"), [
    ("France_Toulouse_2022.pb", (), 9_984, None),
    ("France_Toulouse_2022.pb", ("--per-district", "400 k€"), 9_072, 7_614_220_00),
    ("toulouse-2022-districts", (), 9_072, None),  # plans with as many votes spend differently
    ("France_Toulouse_2019.pb", (), 3_266, None),
])  # fmt: skip
def test_toulouse(tmp_path: Path, file: str, options: tuple[str, ...], votes: int, cents: int | None) -> None:
    account = imported(tmp_path / "out", str(SHARED / file), *options)
    assert account["rows"]["reported"] == 0  # type: ignore[index]
    status, ok, found, spent = solved(tmp_path / "out")
    assert (status, ok, found) == ("optimal", True, votes)
    assert cents is None or spent == cents
