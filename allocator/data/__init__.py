"""The built-in scenarios and the note's catalogue. Every figure has a source or is a marked hypothesis."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.data.catalogue import Figure, Proposition

_SCENARIOS = Path(__file__).parent / "scenarios"


def names() -> list[str]:
    """The names of the built-in scenarios."""
    if not _SCENARIOS.is_dir():
        return []
    return sorted(folder.name for folder in _SCENARIOS.iterdir() if (folder / "scenario.yaml").is_file())


def path(name: str) -> Path:
    """The folder of a built-in scenario; `KeyError` for another name."""
    if name not in names():
        raise KeyError(name)
    return _SCENARIOS / name


def regions() -> dict[str, str]:
    """The name of each region of France, by its code."""
    text = (Path(__file__).parent / "territories" / "regions.csv").read_text(encoding="utf-8")
    return {row["code"]: row["name"] for row in csv.DictReader(text.splitlines())}


def industry() -> dict[str, tuple[str, str]]:
    """The Territoire d'industrie, (id, name), of each EPCI that is in one, by its SIREN."""
    text = (Path(__file__).parent / "industrie" / "ti.csv").read_text(encoding="utf-8")
    return {row["territory"]: (row["ti"], row["name"]) for row in csv.DictReader(text.splitlines())}


def builtin() -> list[tuple[str, Text]]:
    """(name, label) of each; the label is the scenario's own (a text, or fr and en), else its name."""
    from allocator.formats.yaml_text import read

    found = []
    for name in names():
        whole = (path(name) / "scenario.yaml").read_bytes()
        # Of a long file, the one key that is wanted: a list of names should not wait for all the rest.
        block = re.search(rb"^label:.*\n(?:[ #].*\n|\n)*", whole, re.MULTILINE)
        content, _ = read(block[0] if block else b"", name)
        label = content.value.get("label") if isinstance(content.value, dict) else None
        if isinstance(label, dict) and {"fr", "en"} <= set(label):
            found.append((name, Text(str(label["fr"]), str(label["en"]))))
        else:
            found.append((name, Text(str(label or name), str(label or name))))
    return found


def propositions() -> list[Proposition]:
    """The 28 propositions of the note, in order."""
    from allocator.data.catalogue import catalogue

    return list(catalogue().propositions)


def other_figures() -> list[Figure]:
    """The figures of the note that belong to no proposition, both readings where it disagrees with itself."""
    from allocator.data.catalogue import catalogue

    return list(catalogue().figures)
