"""What strangers may send: a sample of `fuzz_inputs.py`, and by hand the files that a scenario must not reach."""

from __future__ import annotations

import os
from pathlib import Path

import fuzz_inputs
import pytest

import allocator
from allocator import files
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
    monkeypatch.setattr(files, "MOST_BYTES", 1 << 20)
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
