"""A scenario folder: `scenario.yaml` and the CSV files that it names. A lone YAML file is the same."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from allocator.changes import changed
from allocator.formats import base, tables, yaml_text
from allocator.formats.saving import given_columns
from allocator.formats.tables import read_bytes
from allocator.problems import Problem, ScenarioError, did_you_mean, in_language
from allocator.references import names_saved
from allocator.scenario import PARTS, Scenario
from allocator.scenario import Path as KeyPath
from allocator.scenario.entities import plain
from allocator.texts import Text

KEYS = (*PARTS, "changes")


@dataclass
class FilePlaces:
    """Lines of the YAML and of the CSV files for the keys and cells of a scenario."""

    file: str
    content: base.Layers
    tables: dict[str, tables.Rows] = field(default_factory=dict)

    def of_key(self, path: KeyPath) -> tuple[str, Text | str]:
        return self.content.place(path)

    def of_cell(self, table: str, row: int | None, column: str | None) -> tuple[str, Text | str]:
        read = self.tables.get(table)
        return self.of_key((table,)) if read is None else read.place(row, column)


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
    content = base.read(own, at, shown_as, problems, _change)
    return _scenario(content, file, problems)


def _scenario(content: base.Layers, file: str, problems: list[Problem]) -> Scenario:
    """What the layers say together; `file`: the one that was asked for."""
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
        message = Text(f"clé inconnue « {key} »", f"unknown key “{key}”")
        problems.append(Problem(where[1], message, did_you_mean(key, KEYS), where[0]))
    parts: dict[str, Any] = {
        key: given.get(key) for key in KEYS if key not in ("label", "description", "labels", "changes")
    }
    parts |= {key: given[key] for key in ("label", "description", "labels") if given.get(key) is not None}
    silent: set[str] = set()  # tables about which enough was said
    for name in tables.TABLES:
        if given.get(name) is None:
            continue
        read = content.rows(name, problems)
        if read is None:
            silent.add(name)
            parts[name] = None
        else:
            places.tables[name], parts[name] = read, read.typed()
    parts["constraints"] = _references_found(given.get("constraints"), content)
    try:
        return Scenario(**parts, places=places, problems=problems)
    except ScenarioError as error:
        # Of a table that could not be opened, that is the one thing to say.
        heads = {places.of_key((name,)) for name in silent}
        told = [p for p in error.problems[len(problems) :] if (p.file, p.place) not in heads]
        raise ScenarioError([*problems, *told]) from None


def _change(layers: base.Layers, layer: base.Layer, problems: list[Problem]) -> None:
    """The `changes` of a layer, made on the whole that it and its bases say: only what they touch is replaced."""
    given = layer.content.value["changes"]
    if not isinstance(given, dict):
        message = Text("des chemins et des valeurs sont attendus", "paths and values are expected")
        remedy = Text(
            "Écrivez par exemple funds.friches.amount: +10 %.", "Write for example funds.friches.amount: +10 %."
        )
        problems.append(Problem(layer.place(("changes",))[1], message, remedy, str(layer.shown)))
        return
    paths = {str(path): value for path, value in given.items()}
    whole = _scenario(layers, str(layer.shown), problems)
    try:
        now = changed(whole, paths)
    except ScenarioError as error:
        raise ScenarioError([*problems, *(_at_change(problem, layer, paths) for problem in error.problems)]) from None
    for part in dict.fromkeys(path.partition(".")[0] for path in paths):
        _keep(layers, layer, part, whole, now)


def _at_change(problem: Problem, layer: base.Layer, paths: Iterable[str]) -> Problem:
    """What is wrong with a change, told where it stands."""
    said = in_language(problem.place, "fr")
    path = next((path for path in paths if f"{said}.".startswith(f"{path}.")), None)
    if path is not None:
        return replace(problem, place=layer.place(("changes", path))[1], file=str(layer.shown))
    message = Text(f"{said} : {problem.message.fr}", f"{in_language(problem.place, 'en')}: {problem.message.en}")
    return replace(problem, place=layer.place(("changes",))[1], message=message, file=str(layer.shown))


def _keep(layers: base.Layers, layer: base.Layer, part: str, whole: Scenario, now: Scenario) -> None:
    """What the changes of a part led to, in place of what the layers said there."""
    here = (layer, ("changes",))
    if part in tables.TABLES:
        place = layer.place(("changes",))
        layers.held[part] = tables.Given.of(getattr(now, part)[given_columns(now, part)], lambda row, column: place)
        layers.origin[(part,)] = here
    elif part not in base.MERGED:
        layers.value[part] = now.to_dict().get(part)
        layers.origin = {path: at for path, at in layers.origin.items() if path[:1] != (part,)} | {(part,): here}
    else:
        before, after = ({item.id: plain(item) for item in getattr(each, part)} for each in (whole, now))
        items = layers.value[part] = [dict(item) for item in layers.value[part]]
        base.name_constraints(part, items)
        for rank, item in enumerate(items):
            old, new = before[str(item["id"])], after[str(item["id"])]
            for field in [f for f in {**old, **new} if old.get(f) != new.get(f)]:
                item.pop(field, None)
                item |= {field: new[field]} if field in new else {}
                layers.origin[part, rank, field] = here


def _references_found(constraints: Any, content: base.Layers) -> Any:
    """Constraints with the path of their `reference`, told from the file that names it."""
    if not isinstance(constraints, list):
        return constraints
    found = []
    for rank, one in enumerate(constraints):
        if isinstance(one, dict) and isinstance(one.get("reference"), str):
            layer = content.locate(("constraints", rank, "reference"))[0]
            told = layer.where or names_saved(one["reference"], layer.at.parent)  # a workbook has told its own
            if not told:
                one = {**one, "reference": os.path.normpath(layer.at.parent / one["reference"])}
        found.append(one)
    return found
