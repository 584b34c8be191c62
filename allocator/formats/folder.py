"""A scenario folder: `scenario.yaml` and the CSV files that it names. A lone YAML file is the same."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allocator.formats import base, csv_text, yaml_text
from allocator.problems import Problem, ScenarioError, did_you_mean
from allocator.references import names_saved
from allocator.scenario import Path as KeyPath
from allocator.scenario import Scenario
from allocator.tables import TEXT_COLUMNS
from allocator.texts import Text

KEYS = (
    "name",
    "label",
    "description",
    "years",
    "funds",
    "measures",
    "territories",
    "demands",
    "constraints",
    "objective",
    "base",
    "prior_aid",
    "labels",
)
TABLES = ("territories", "demands", "prior_aid")
_DEMAND_TEXTS = TEXT_COLUMNS
_TERRITORY_TEXTS = frozenset(("id", "name", "region", "departement"))
_PRIOR_TEXTS = frozenset(("beneficiary", "date"))


@dataclass
class FilePlaces:
    """Lines of the YAML and of the CSV files for the keys and cells of a scenario."""

    file: str
    content: base.Layers
    tables: dict[str, csv_text.CsvTable] = field(default_factory=dict)

    def of_key(self, path: KeyPath) -> tuple[str, Text | str]:
        return self.content.place(path)

    def of_cell(self, table: str, row: int | None, column: str | None) -> tuple[str, Text | str]:
        read = self.tables.get(table)
        if read is None:
            return self.of_key((table,))
        line = 1 if row is None else read.lines[row]
        fr, en = ([f"ligne {line}"], [f"line {line}"]) if row is not None or column is not None else ([], [])
        if column is not None:
            fr.append(f"colonne {column}")
            en.append(f"column {column}")
        return read.file, Text(", ".join(fr), ", ".join(en))


def load(path: str | os.PathLike[str], shown: str | None = None) -> Scenario:
    """Read a folder or a YAML file. `ScenarioError` holds the mistakes of form and of meaning, in one list.

    `shown` is how the user named it; file names in problems are made from it.
    """
    at = Path(path)
    shown_as = Path(shown if shown is not None else at)
    if at.is_dir():
        at, shown_as = at / "scenario.yaml", shown_as / "scenario.yaml"
    file = str(shown_as)
    data, problem = read_bytes(at, file)
    if data is None:
        raise ScenarioError([problem] if problem else [])
    own, problems = yaml_text.read(data, file)
    content = base.read(own, at, shown_as, problems)
    places = FilePlaces(file, content)
    if not isinstance(content.value, dict):
        if not problems:
            message = Text("le fichier ne contient pas de clés", "the file holds no keys")
            remedy = Text(f"Clés d'un scénario : {', '.join(KEYS)}.", f"Keys of a scenario: {', '.join(KEYS)}.")
            problems.append(Problem(yaml_text.line_place(1), message, remedy, file))
        raise ScenarioError(problems)
    given: dict[str, Any] = {}
    for key, value in content.value.items():
        if key in KEYS:
            given[str(key)] = value
            continue
        where = places.of_key((key,))
        problems.append(
            Problem(
                where[1],
                Text(f"clé inconnue « {key} »", f"unknown key “{key}”"),
                did_you_mean(key, KEYS),
                where[0],
            )
        )
    frames: dict[str, Any] = dict.fromkeys(TABLES)
    silent: set[str] = set()  # tables about which enough was said
    for name in TABLES:
        if given.get(name) is None:
            continue
        layer = content.locate((name,))[0]
        read = _table(name, given[name], layer.at.parent, layer.shown.parent, places, problems)
        if read is None or read.frame is None:
            silent.add(name)
        else:
            frames[name] = read.frame
    given["constraints"] = _references_found(given.get("constraints"), content)
    return _scenario(given, frames, silent, places, problems)


def _references_found(constraints: Any, content: base.Layers) -> Any:
    """Constraints with the path of their `reference`, told from the file that names it."""
    if not isinstance(constraints, list):
        return constraints
    found = []
    for rank, one in enumerate(constraints):
        if isinstance(one, dict) and isinstance(one.get("reference"), str):
            folder = content.locate(("constraints", rank, "reference"))[0].at.parent
            if not names_saved(one["reference"], folder):
                one = {**one, "reference": os.path.normpath(folder / one["reference"])}
        found.append(one)
    return found


def _scenario(
    given: dict[str, Any],
    frames: dict[str, Any],
    silent: set[str],
    places: FilePlaces,
    problems: list[Problem],
) -> Scenario:
    keys = ("name", "years", "funds", "measures", "constraints", "objective", "base")
    parts: dict[str, Any] = {key: given.get(key) for key in keys} | frames
    parts |= {key: given[key] for key in ("label", "description", "labels") if given.get(key) is not None}
    try:
        return Scenario(**parts, places=places, problems=problems)
    except ScenarioError as error:
        # Of a table that could not be opened, that is the one thing to say.
        heads = {places.of_key((name,)) for name in silent}
        told = [p for p in error.problems[len(problems) :] if (p.file, p.place) not in heads]
        raise ScenarioError([*problems, *told]) from None


def read_bytes(path: Path, file: str) -> tuple[bytes | None, Problem | None]:
    """A regular file's bytes, or why there are none."""
    if path.exists() and not path.is_file():  # a folder, or a device without an end
        wrong = Text("fichier illisible (pas un fichier ordinaire)", "unreadable file (not a regular file)")
        return None, Problem("", wrong, Text("donner un fichier CSV ou YAML", "give a CSV or YAML file"), file)
    try:
        return path.read_bytes(), None
    except FileNotFoundError:
        message = Text("fichier introuvable", "file not found")
        beside = sorted(path.parent.glob(f"*{path.suffix}"))[:1000] if path.parent.is_dir() else []
        return None, Problem("", message, did_you_mean(path.name, [found.name for found in beside]), file)
    except OSError as error:
        said = error.strerror or type(error).__name__
        return None, Problem("", Text(f"fichier illisible ({said})", f"unreadable file ({said})"), None, file)


def _table(
    name: str, value: Any, folder: Path, shown_in: Path, places: FilePlaces, problems: list[Problem]
) -> csv_text.CsvTable | None:
    key_file, key_place = places.of_key((name,))
    if not isinstance(value, str):
        problems.append(
            Problem(
                key_place,
                Text("un nom de fichier CSV est attendu", "the name of a CSV file is expected"),
                Text(f"Écrivez {name}: {name}.csv.", f"Write {name}: {name}.csv."),
                key_file,
            )
        )
        return None
    data, problem = read_bytes(folder / value, str(shown_in / value))
    if data is None:
        assert problem is not None
        problems.append(
            Problem(
                key_place,
                Text(f"{value} : {problem.message.fr}", f"{value}: {problem.message.en}"),
                problem.remedy,
                key_file,
            )
        )
        return None
    texts = {"territories": _TERRITORY_TEXTS, "prior_aid": _PRIOR_TEXTS}.get(name, _DEMAND_TEXTS)
    read = csv_text.read(data, str(shown_in / value), texts)
    problems.extend(read.problems)
    if read.frame is not None:
        places.tables[name] = read
    return read
