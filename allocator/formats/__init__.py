"""Ways in: a built-in name, a folder, a lone YAML file, a workbook."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from allocator import files
from allocator.problems import Problem, ScenarioError, did_you_mean, near
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.scenario import Scenario

__all__ = ["load", "save"]


def load(what: str | os.PathLike[str], *, confined: bool = False) -> Scenario:
    """The scenario with a built-in name, in a folder (its `scenario.yaml`), in a `.yaml` file or in a workbook.

    A built-in name comes before a folder of the same name (write `./name` for that). `ScenarioError` lists
    every problem with its file, line or cell. `confined`: what a stranger sent names no file but those of its own folder.
    """
    from allocator import data
    from allocator.formats import folder

    path = Path(os.fspath(what))
    if isinstance(what, str) and what in data.names():
        return folder.load(data.path(what))
    try:
        there = path.exists()
    except OSError as error:  # a name that no file can have, a folder that may not be looked into
        said = error.strerror or type(error).__name__
        wrong = Text(f"fichier illisible ({said})", f"unreadable file ({said})")
        raise ScenarioError([Problem("", wrong, None, os.fspath(what)[:200])]) from None
    with files.within(path if there and path.is_dir() else path.parent) if confined else nullcontext():
        return _load(path, os.fspath(what))


def _load(path: Path, name: str) -> Scenario:
    from allocator import data
    from allocator.formats import folder

    if path.is_dir() or path.suffix.lower() in (".yaml", ".yml"):
        return folder.load(path, shown=name)
    if path.suffix.lower() in (".xlsx", ".xlsm", ".ods", ".xls", ".xlsb"):
        from allocator.formats import workbook

        return workbook.load(path, shown=name)
    if path.is_file():
        raise ScenarioError(
            [
                Problem(
                    "",
                    Text("ce type de fichier n'est pas un scénario", "this type of file is not a scenario"),
                    Text(
                        "Donnez un dossier, un fichier .yaml ou un classeur (.xlsx, .ods).",
                        "Give a folder, a .yaml file or a workbook (.xlsx, .ods).",
                    ),
                    name,
                )
            ]
        )
    around = path.parent if path.parent.is_dir() else Path()
    beside = [str(path.parent / found.name) if path.parent != Path() else found.name for found in _scenarios_in(around)]
    names = [*data.names(), *beside]
    close = near(name, names)
    remedy = did_you_mean(name, [close] if close else data.names())
    raise ScenarioError([Problem("", Text(f"scénario inconnu « {name} »", f"unknown scenario “{name}”"), remedy, name)])


def save(scenario: Scenario, path: str | os.PathLike[str]) -> list[Path]:
    """Write a scenario to a `.xlsx` workbook or a folder; see `allocator.formats.saving`."""
    from allocator.formats import saving

    return saving.save(scenario, path)


def _scenarios_in(folder: Path) -> list[Path]:
    try:
        inside = sorted(folder.iterdir())[:1000]
    except OSError:
        return []
    return [p for p in inside if p.suffix in (".yaml", ".yml") or (p.is_dir() and (p / "scenario.yaml").is_file())]
