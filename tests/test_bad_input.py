"""What strangers may send: a sample of `fuzz_inputs.py`, and by hand the files that a scenario must not reach."""

from __future__ import annotations

import os
from pathlib import Path

import fuzz_inputs
import openpyxl
import pytest

import allocator
from allocator import files, limits
from allocator.formats import saving
from allocator.problems import ScenarioError

CASES = 30  # of each reader


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> dict[str, fuzz_inputs.Reader]:
    return fuzz_inputs.readers(tmp_path_factory.mktemp("readers"))


@pytest.mark.parametrize("name", ["yaml", "csv", "folder", "xlsx", "ods", "plan.xlsx", "grants.csv", "uncertainty", "pabulib", "json"])  # fmt: skip
def test_a_result_or_a_problem(every: dict[str, fuzz_inputs.Reader], name: str) -> None:
    report = fuzz_inputs.run(name, every[name], range(CASES), seed=7)
    assert report.failures == []
    assert report.accepted + report.refused == CASES and report.refused


def test_every_reader_is_sampled(every: dict[str, fuzz_inputs.Reader]) -> None:
    [names] = [mark.args[1] for mark in test_a_result_or_a_problem.pytestmark]  # type: ignore[attr-defined]
    assert set(every) == set(names)


def refused(folder: Path, yaml: str) -> str:
    """What is said of a scenario.yaml beside the example's tables, within the guard of time and memory."""
    tables = {"territories.csv": fuzz_inputs.TERRITORIES, "demands.csv": fuzz_inputs.DEMANDS,
              "aid.csv": fuzz_inputs.AID, "grants.csv": fuzz_inputs.GRANTS, "scenario.yaml": yaml}  # fmt: skip
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as error, fuzz_inputs.guarded():
        allocator.load(folder)
    return str(error.value)


NAMED = {
    "demands": lambda path: fuzz_inputs.YAML.replace("demands: demands.csv", f"demands: {path}"),
    "reference": lambda path: fuzz_inputs.YAML.replace("reference: grants.csv", f"reference: {path}"),
    "base": lambda path: f"name: x\nbase: {path}\n",
}


@pytest.mark.parametrize("key", NAMED)
@pytest.mark.parametrize("path", ["/proc/self/environ", "secret", "../{}/secret", "link.csv", "/dev/zero", "zero.csv", "pipe.csv",
                                  "huge.csv", "huge.yaml", '"a\\0b"', "x" * 5000, "circle.csv"])  # fmt: skip
def test_a_scenario_reaches_tables_only(tmp_path: Path, key: str, path: str) -> None:
    """Nothing is shown of another file, a device or a pipe is not waited for, and no file fills the memory."""
    (tmp_path / "secret").write_text("motdepasse,territory\nx,y\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "secret")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    (tmp_path / "circle.csv").symlink_to(tmp_path / "circle.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    for name in ("huge.csv", "huge.yaml"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(3 << 30)  # of no blocks
    said = refused(tmp_path, NAMED[key](path.format(tmp_path.name)))
    assert "motdepasse" not in said and os.environ["PATH"] not in said


def test_a_link_to_a_table_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("id\n1\n")
    (tmp_path / "here.csv").symlink_to(tmp_path / "there.csv")
    assert files.content(tmp_path / "here.csv", files.TABLES) == b"id\n1\n"


def test_files_too_large_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FILE_BYTES", 1 << 20)
    (tmp_path / "x.csv").write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(files.Refused, match="1 Mo au plus"):
        files.content(tmp_path / "x.csv")


@pytest.mark.parametrize("amount", ["1e99999999999999999999", "1e400", ".nan", ".inf", "9" * 400, "=1+1"])
def test_no_amount(tmp_path: Path, amount: str) -> None:
    assert "funds[0].amount" in refused(tmp_path, fuzz_inputs.YAML.replace("2 M€", amount))


def test_a_number_too_large_in_a_table_has_its_cell(tmp_path: Path) -> None:
    yaml = fuzz_inputs.YAML.replace("demands: demands.csv", "demands: many.csv")
    (tmp_path / "many.csv").write_text(fuzz_inputs.DEMANDS.replace("100000", "1" * 50), encoding="utf-8")
    assert "many.csv, ligne 2, colonne asked" in refused(tmp_path, yaml)


def sent(folder: Path, reference: str) -> Path:
    """A workbook whose rule looks back to a plan by a path."""
    scenario = allocator.load(folder / "given")
    rule = {"kind": "continuity", "id": "suite", "reference": [{"demand": "d1", "cents": 100}], "max_change": 0.5}
    at = folder / "sent" / "scenario.xlsx"
    at.parent.mkdir()
    saving.save(scenario.with_(constraints=[rule]), at)
    book = openpyxl.load_workbook(at)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if "d1" in str(cell.value)]
    [named] = [cell for cell in cells if "cents" in str(cell.value)]
    named.value = reference
    book.save(at)
    return at


@pytest.mark.parametrize("path", ["{}/plan", "{}/plan/grants.csv", "../plan", "link.csv", "{}/nothing", "/proc/1"])
def test_what_is_sent_names_no_file_of_the_server(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "given").mkdir()
    for name, text in (("territories.csv", fuzz_inputs.TERRITORIES), ("demands.csv", fuzz_inputs.DEMANDS),
                       ("aid.csv", fuzz_inputs.AID), ("grants.csv", fuzz_inputs.GRANTS), ("scenario.yaml", fuzz_inputs.YAML)):  # fmt: skip
        (tmp_path / "given" / name).write_text(text, encoding="utf-8")
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "grants.csv").write_text(fuzz_inputs.GRANTS)
    at = sent(tmp_path, path.format(tmp_path))
    (at.parent / "link.csv").symlink_to(tmp_path / "plan" / "grants.csv")
    if "nothing" not in path and "proc" not in path:  # at home it is read
        monkeypatch.chdir(at.parent)
        assert allocator.load(at).constraints
    with pytest.raises(ScenarioError) as error:
        allocator.load(at, confined=True)
    assert "ne nomme aucun fichier du serveur" in str(error.value)
    assert "introuvable" not in str(error.value)  # whether there is one is not told


def test_what_is_sent_may_stand_on_a_built_in_scenario(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text("name: x\nbase: rebond-urgence\n")
    assert allocator.load(tmp_path, confined=True).name == "x"


def test_the_front_end_reads_what_is_sent_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("streamlit", reason="the front-end is an extra: pip install '.[ui]'")
    from ui.building import importing
    from ui.work import Job, Workshop

    asked = []
    given = allocator.load("rebond-urgence")
    monkeypatch.setattr(allocator, "load", lambda path, **how: asked.append(how) or given)
    for what in importing.KINDS:
        importing._read(Job(("x",), lambda job: None, Workshop(0), asked=1e18), what, given, "x.xlsx", b"")
    assert asked == [{"confined": True}] * len(importing.KINDS)


HIDDEN = {"u202e": "\u202e", "u200b": "\u200b", "u001b": "\x1b", "ufeff": "\ufeff"}


@pytest.mark.parametrize("code", HIDDEN)
def test_what_nobody_sees_in_an_id_is_told_where_it_stands(tmp_path: Path, code: str) -> None:
    character = HIDDEN[code]
    spelled = character.encode("unicode_escape").decode()
    yaml = fuzz_inputs.YAML.replace("name: essai", f'name: "a{spelled}b"')
    assert f"name (ligne 1) : « a\\{code}b » contient un signe invisible" in refused(tmp_path, yaml)
    (tmp_path / "other.csv").write_text(fuzz_inputs.DEMANDS.replace("d2", f"d{character}2"), encoding="utf-8")
    yaml = fuzz_inputs.YAML.replace("demands: demands.csv", "demands: other.csv")
    assert f"other.csv, ligne 3, colonne id : « d\\{code}2 » contient un signe invisible" in refused(tmp_path, yaml)


def test_what_nobody_sees_is_told_in_a_workbook(tmp_path: Path) -> None:
    at = tmp_path / "classeur.xlsx"
    saving.save(allocator.load("rebond-urgence"), at)
    book = openpyxl.load_workbook(at)
    cell = next(
        cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value == "plafond-conversion"
    )
    cell.value = "plafond\u202e"
    book.save(at)
    with pytest.raises(ScenarioError, match=f"{cell.coordinate}.*u202e.*signe invisible"):
        allocator.load(at)


def test_a_letter_is_one_letter_however_it_is_written(tmp_path: Path) -> None:
    """« é » as one character, or as an e and an accent."""
    one, two = "d\u00e9pollution", "de\u0301pollution"
    for name, text in (("territories.csv", fuzz_inputs.TERRITORIES), ("aid.csv", fuzz_inputs.AID), ("grants.csv", fuzz_inputs.GRANTS),
                       ("demands.csv", fuzz_inputs.DEMANDS.replace("rebond", two).replace("emplois", one)),
                       ("scenario.yaml", fuzz_inputs.YAML.replace("rebond", one).replace("emplois", two))):  # fmt: skip
        (tmp_path / name).write_text(text, encoding="utf-8")
    scenario = allocator.load(tmp_path)
    assert one in scenario.demands["measure"].tolist() and one in scenario.demands


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    scenario = allocator.load("rebond-urgence").with_(label="e\u0301")
    for name in ("dossier", "classeur.xlsx"):
        with pytest.raises(ScenarioError, match=r"label : .*forme normale C"):
            saving.save(scenario, tmp_path / name)
        assert not (tmp_path / name).exists()
