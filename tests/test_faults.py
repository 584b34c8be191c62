"""A sample of `faults.py`: some commands, some moments; and what a disk's refusals are called."""

from __future__ import annotations

import errno
from pathlib import Path

import faults
import pytest

from allocator import files
from allocator.texts import LANGUAGES


@pytest.mark.parametrize(("name", "step"), [("export xlsx", 2), ("import", 15)])
def test_whole_or_not_at_all(tmp_path: Path, name: str, step: int) -> None:
    report = faults.tried(name, faults.commands(tmp_path)[name], tmp_path, step)
    assert report.failures == []
    assert report.moments > 1 and report.runs > 5


def test_a_fault_is_noticed(tmp_path: Path) -> None:
    """A command that writes in place leaves half of it, and the script says so."""
    command = faults.Command(lambda at: [str(at)], "f.csv")

    def written(arguments: list[str]) -> int:
        at = Path(arguments[0])
        at.write_text("a")
        at.write_text("ab")
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("allocator.cli.main", written)
        report = faults.tried("x", command, tmp_path, 1)
    assert any("neither the old nor the new" in failure for failure in report.failures)


def test_the_system_speaks_french_and_english() -> None:
    for number, text in files._SYSTEM.items():
        assert files.reason(OSError(number, "?")) == text
        assert all(text.in_(lang) for lang in LANGUAGES) and text.fr != text.en
    assert files.reason(OSError(errno.EXDEV, "Invalid cross-device link")).fr == "Invalid cross-device link"
    assert files.reason(ValueError("x")).fr == "x"
