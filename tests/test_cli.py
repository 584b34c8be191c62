"""The command as a script sees it: exit statuses, one JSON object and nothing else, every mistake at once."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from allocator.cli import main
from allocator.texts import language, set_language

SCENARIO = """
name: mini
years: [2026, 2027]
funds:
  - {id: f, amount: 1 M€}
measures:
  - {id: friche, unit: ha}
  - {id: ecole, lumpy: true}
territories: territories.csv
demands: demands.csv
constraints:
  - {kind: floor, id: bretagne, on: {where: {region: "53"}}, amount: FLOOR}
objective: {maximise: {emplois: 1}}
"""
TERRITORIES = "id,name,region,departement,population\na,A,11,75,1000\nb,B,53,35,2000\n"
DEMANDS = "id,territory,measure,units,asked,emplois\nd1,a,friche,2,400000,10\nd2,b,friche,3,300000,4\nd3,b,ecole,1,250000,12\n"


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "allocator.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
    )


@pytest.fixture
def within(capsys: pytest.CaptureFixture[str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`run` in this process, where a traceback is the test's own."""

    def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
        before = language()
        try:
            status = main(arguments)
        finally:
            set_language(before)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, status, said.out, said.err)

    return ran


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scenario.yaml").write_text(SCENARIO.replace("FLOOR", "300 k€"))
    (tmp_path / "territories.csv").write_text(TERRITORIES)
    (tmp_path / "demands.csv").write_text(DEMANDS)
    return tmp_path


KEYS = {
    "scenario", "status", "objective", "bound", "gap", "certificate", "totals", "units", "indicators", "input_hash",
    "engine", "seconds",
}  # fmt: skip


def test_solve_writes_one_json_object(folder):
    done = run("solve", str(folder), "--json", "--out", str(folder / "out"))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) >= KEYS
    assert report["status"] == "optimal"
    assert report["certificate"]["ok"] is True
    assert set(report["totals"]) == {
        "asked", "granted", "left", "by_fund", "by_measure", "by_region", "committed_by_year", "paid_by_year",
    }  # fmt: skip
    assert set(report["engine"]) >= {"name", "version", "claimed_status", "claimed_bound"}
    assert set(report["seconds"]) == {"compile", "solve", "settle", "certify", "total"}
    assert report["totals"]["granted"] + report["totals"]["left"] == 100_000_000
    files = {p.name for p in (folder / "out").iterdir()}
    assert files == {"grants.csv", "payments.csv", "units.csv", "account.csv", "summary.json", "plan.xlsx"}
    grants = (folder / "out" / "grants.csv").read_text().splitlines()
    assert grants[0] == "demand,territory,measure,fund,year,cents,euros"


@pytest.mark.parametrize("engine", ["highs", "glop", "cbc", "cp-sat"])
def test_tables_in_french(folder, engine):
    french = run("solve", str(folder), "--engine", engine)
    assert french.returncode == 0, french.stderr
    assert "reste à attribuer" in french.stdout
    assert "certificat valable" in french.stdout


def test_tables_in_english(folder):
    assert "certificate holds" in run("solve", str(folder), "--lang", "en").stdout


def test_the_version_is_that_of_the_project():
    root = Path(__file__).resolve().parents[1]
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"allocator {version}\n")


def test_infeasible_names_the_rules(folder, within):
    (folder / "scenario.yaml").write_text(SCENARIO.replace("FLOOR", "1.1 M€"))
    for command in ("solve", "check"):
        done = within(command, str(folder), "--json")
        assert done.returncode == 3
        conflict = json.loads(done.stdout)["conflict"]
        assert {rule["id"] for rule in conflict["rules"]} == {"bretagne", "f"}
        assert "1\u202f100\u202f000" in conflict["text"]
        plain = within(command, str(folder))
        assert plain.returncode == 3
        assert "bretagne" in plain.stdout + plain.stderr


def test_wrong_input_lists_everything_at_once(folder, within):
    (folder / "demands.csv").write_text(DEMANDS.replace("d2,b,friche,3", "d2,z,frich,-3"))
    for command in ("solve", "check"):
        done = within(command, str(folder), "--json")
        assert done.returncode == 2
        errors = json.loads(done.stdout)["errors"]
        assert len(errors) == 3
        assert all(error["file"].endswith("demands.csv") and "3" in error["place"] for error in errors)
        assert within(command, str(folder)).returncode == 2


def test_bad_command_lines_are_wrong_input(folder, within):
    for arguments in (["solv"], ["solve"], ["solve", str(folder), "--gap", "x"], ["solve", str(folder), "--gap=-1"],
                      ["solve", str(folder), "--engine", "pulp:NOBODY"], ["solve", str(folder), "--time-limit", "0"],
                      ["solve", "no-such-scenario"], ["solve", str(folder), "--out", str(folder / "scenario.yaml")]):  # fmt: skip
        done = within(*arguments)
        assert done.returncode == 2, arguments
        assert done.stderr.strip()


def test_no_time_is_no_plan(folder):
    done = run("solve", str(folder), "--time-limit", "1e-9", "--json")
    assert done.returncode in (0, 4)
    assert json.loads(done.stdout)["status"] in ("no_plan", "feasible", "optimal")


def test_list_and_version():
    engines = run("list", "--engines", "--json")
    found = {each["name"]: each for each in json.loads(engines.stdout)["engines"]}
    assert {"highs", "scip", "pulp:HiGHS"} <= set(found) and found["pdlp"]["whole_units"] is False
    done = run("list", "--json")
    assert done.returncode == 0
    assert "propositions-2025" in {s["id"] for s in json.loads(done.stdout)["scenarios"]}
    assert "propositions-2025" in run("list").stdout


def test_our_own_bugs_say_so_in_one_line(folder, monkeypatch, capsys):
    from allocator import cli, formats

    def broken(what):
        raise RuntimeError("boom\nbang")

    monkeypatch.setattr(formats, "load", broken)
    assert cli.main(["check", str(folder)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "boom" in error
    with pytest.raises(RuntimeError):
        cli.main(["check", str(folder), "--debug"])


@pytest.mark.parametrize("arguments", ["list --propositions", "list --propositions --json", "compare a b --json"])
def test_a_reader_who_stops_reading_is_no_bug(arguments):
    shell = f"{sys.executable} -m allocator.cli {arguments} | head -c 10 >/dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "french", "english"),
    [
        (["slove"], "'slove' est inconnu ; possibles : ", "invalid choice: 'slove'"),
        (["solve"], "il manque : scenario", "are required: scenario"),
        (["solve", "x", "--gap"], "--gap : une valeur est attendue", "expected one argument"),
        (["solve", "x", "--gap", "a"], "'a' n'est pas lisible", "invalid float value: 'a'"),
        (["solve", "x", "y"], "non reconnu : y", "unrecognized arguments: y"),
    ],
)
def test_a_wrong_command_line_is_told_in_the_language(arguments, french, english):
    for lang, said in (("fr", french), ("en", english)):
        done = run("--lang", lang, *arguments)
        assert done.returncode == 2 and said in done.stderr
