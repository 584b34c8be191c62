"""A scenario that says only what differs from another: `base: propositions-2025`, or a path beside the file.

* A key given replaces the base's; a key left empty (`prior_aid:`) takes it away. `name`, `label` and
  `description` are each scenario's own: they are never inherited.
* `funds`, `measures` and `constraints` merge by `id`. An entry with a known id replaces the keys that it
  names (a key left empty goes back to its default: `amounts:` beside `amount: 1 M€`); a new id is added at
  the end; `{id: …, remove: true}` takes the entry out. A constraint without an id in the base answers to the
  one that it would be given: its kind and its rank among that kind (`ceiling-2`).
* `demands: {change: file.csv}` lays rows over the base's (`tables`); `changes: {funds.f.amount: +10 %}` come last (`folder`).
* Tables are relative to the file that names them, and every mistake is told with the file and line of the
  layer where it stands. A base may have a base, to any depth, or be a workbook.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from allocator import files
from allocator.files import YAML
from allocator.formats import tables, yaml_text
from allocator.problems import Problem, ScenarioError, did_you_mean, path_text
from allocator.scenario import Path as KeyPath
from allocator.texts import Text

MERGED = ("funds", "measures", "constraints")
OWN = ("name", "label", "description", "base", "changes")
WORKBOOKS = (".xlsx", ".xlsm", ".ods", ".xls", ".xlsb")


@dataclass(frozen=True)
class Layer:
    """One file: what it says, what the user calls it (`shown`), and where it is. `where`: of a workbook, its cells."""

    content: yaml_text.Content
    shown: Path
    at: Path
    where: Callable[[KeyPath], tuple[str, Text | str]] | None = None

    def place(self, path: KeyPath) -> tuple[str, Text | str]:
        """(file, place) of a key that stands here."""
        return self.where(path) if self.where else (str(self.shown), _place(self, path))


@dataclass
class Layers:
    """A scenario's keys, from its own file and from its bases, and the layer of each. `held`: tables that no key names a
    file of, because they are made of several, or stand in a workbook."""

    value: Any
    origin: dict[KeyPath, tuple[Layer, KeyPath]] = field(default_factory=dict)
    held: dict[str, tables.Rows] = field(default_factory=dict)

    def locate(self, path: KeyPath) -> tuple[Layer, KeyPath]:
        """The layer where a key stands, and the path that it has there."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.origin:
                layer, own = self.origin[path[:end]]
                return layer, (*own, *path[end:])
        raise AssertionError("a scenario has a file")

    def place(self, path: KeyPath) -> tuple[str, Text | str]:
        """(file, place) of a key, for a `Problem`."""
        layer, own = self.locate(path)
        return layer.place(own)

    def rows(self, name: str, problems: list[Problem]) -> tables.Rows | None:
        """A table, from its file if it must be read; None where it cannot."""
        if name in self.held:
            return self.held[name]
        layer = self.locate((name,))[0]
        read = tables.read(name, self.value[name], layer.at.parent, layer.shown.parent, self.place((name,)), problems)
        return read if read is not None and read.frame is not None else None


Change = Callable[[Layers, Layer, list[Problem]], None]


def read(content: yaml_text.Content, at: Path, shown: Path, problems: list[Problem], change: Change) -> Layers:
    """The keys of a file laid over those of its base, if it names one; `problems` receives what is wrong. `change` makes
    the `changes` of each layer once it is laid.

    Raises `ScenarioError` where a base cannot be read: what else is missing would follow from that.
    """
    chain = [Layer(content, shown, at)]
    while (below := _base_of(chain, problems)) is not None:
        chain.append(below)
    layers: Layers | None = None
    for layer in reversed(chain):
        layers = _bottom(layer) if layers is None else _over(layer, layers, problems)
        if isinstance(layer.content.value, dict) and layer.content.value.get("changes") is not None:
            change(layers, layer, problems)
    assert layers is not None
    return layers


def _bottom(layer: Layer) -> Layers:
    given = layer.content.value
    layers = Layers({k: v for k, v in given.items() if k != "changes"} if isinstance(given, dict) else given)
    layers.origin[()] = (layer, ())
    for name in tables.TABLES if layer.where else ():
        if isinstance(given.get(name), tables.Given):
            layers.held[name] = given[name]
    return layers


def _base_of(chain: list[Layer], problems: list[Problem]) -> Layer | None:
    """The file that the last of a chain of bases is laid over; None where it names none."""
    layer = chain[-1]
    given = layer.content.value
    if not isinstance(given, dict) or not isinstance(given.get("base"), str) or layer.where:
        return None  # a base that is no text is told with the rest
    name = given["base"]
    found = _find(name, layer)
    if found is None:
        raise ScenarioError([*problems, _unknown(name, layer)])
    at, shown = found
    if at.resolve() in [each.at.resolve() for each in chain]:
        files = [each.at.parent.name if each.at.name == "scenario.yaml" else each.at.name for each in chain]
        circle = " → ".join(files)
        message = Text(
            f"les scénarios se renvoient l'un à l'autre : {circle} → {name}",
            f"scenarios that refer to each other: {circle} → {name}",
        )
        remedy = Text("Retirez l'un des `base`.", "Remove one of the `base`.")
        raise ScenarioError([*problems, Problem(_place(layer, ("base",)), message, remedy, str(layer.shown))])
    if at.suffix.lower() in WORKBOOKS:
        return _workbook(at, shown, problems)
    data, wrong_file = tables.read_bytes(at, str(shown), YAML)
    if data is None:
        assert wrong_file is not None
        message = Text(f"{name} : {wrong_file.message.fr}", f"{name}: {wrong_file.message.en}")
        problem = Problem(_place(layer, ("base",)), message, wrong_file.remedy, str(layer.shown))
        raise ScenarioError([*problems, problem])
    content, wrong = yaml_text.read(data, str(shown))
    problems.extend(wrong)
    if not isinstance(content.value, dict):
        if not wrong:
            message = Text("le fichier ne contient pas de clés", "the file holds no keys")
            problems.append(Problem(yaml_text.line_place(1), message, None, str(shown)))
        raise ScenarioError(problems)
    return Layer(content, shown, at)


def _workbook(at: Path, shown: Path, problems: list[Problem]) -> Layer:
    """A workbook as a layer: it must be right by itself."""
    from allocator.formats import workbook

    try:
        parts, places = workbook.parts(at, str(shown))
    except ScenarioError as error:
        raise ScenarioError([*problems, *error.problems]) from None
    for name in tables.TABLES:
        if parts.get(name) is not None:
            parts[name] = tables.Given.of(parts[name], partial(places.of_cell, name))
    return Layer(yaml_text.Content({k: v for k, v in parts.items() if v is not None}), shown, at, places.of_key)


def _find(name: str, layer: Layer) -> tuple[Path, Path] | None:
    """(path, shown path) of a base: a built-in name, a folder or a file beside the one that names it."""
    from allocator import data

    if name in data.names():
        path = data.path(name) / "scenario.yaml"
        return path, path
    for path, shown in (
        (layer.at.parent / name, layer.shown.parent / name),
        (layer.at.parent / name / "scenario.yaml", layer.shown.parent / name / "scenario.yaml"),
    ):
        try:
            files.permit(path)
            if path.is_file():
                return path, shown
        except (OSError, ValueError):  # a name that no file can have
            continue
        except files.Refused as error:
            raise ScenarioError(
                [Problem(_place(layer, ("base",)), error.message, error.remedy, str(layer.shown))]
            ) from None
    return None


def _unknown(name: str, layer: Layer) -> Problem:
    from allocator import data

    folder = layer.at.parent
    beside = [p.name for p in sorted([*folder.glob("*.y*ml"), *folder.glob("*.xlsx")])[:1000] if p != layer.at]
    beside += [f"../{p.parent.name}" for p in sorted(folder.parent.glob("*/scenario.yaml"))[:1000]]
    return Problem(
        _place(layer, ("base",)),
        Text(f"scénario de base inconnu « {name} »", f"unknown base scenario “{name}”"),
        did_you_mean(name, [*data.names(), *beside]),
        str(layer.shown),
    )


def _over(layer: Layer, base: Layers, problems: list[Problem]) -> Layers:
    """The layer's keys over its base's."""
    given: dict[Any, Any] = layer.content.value
    merged = Layers({k: v for k, v in base.value.items() if k not in OWN}, {(): (layer, ())})
    merged.held = dict(base.held)
    for path in list(base.origin):
        if path and path[0] in merged.value:
            merged.origin[path] = base.origin[path]
    for key in merged.value:
        merged.origin.setdefault((key,), base.locate((key,)))
    for key, value in given.items():
        if key in MERGED and isinstance(value, list) and isinstance(merged.value.get(key), list):
            _merge(str(key), value, layer, merged, problems)
            continue
        if key == "changes":
            continue
        change = tables.change_named(value) if key in tables.TABLES else None
        if change is not None and merged.value.get(key) is not None:
            _lay(str(key), change, layer, merged, problems)
            continue
        merged.held.pop(str(key), None)
        for path in [path for path in merged.origin if path[:1] == (key,)]:
            del merged.origin[path]
        merged.origin[(key,)] = (layer, (key,))
        if value is None:
            merged.value.pop(key, None)
        else:
            merged.value[key] = value
    # A plan of this scenario says what it was made from.
    merged.value["base"] = base.value.get("name") or given["base"]
    return merged


def _lay(key: str, file: str, layer: Layer, merged: Layers, problems: list[Problem]) -> None:
    """Rows of a table over the base's."""
    under = merged.rows(key, problems)
    place = layer.place((key, tables.CHANGE))
    over = tables.read(key, file, layer.at.parent, layer.shown.parent, place, problems)
    if under is None or over is None or over.frame is None:
        raise ScenarioError(problems)
    merged.held[key] = tables.lay(key, under, over, problems)
    merged.origin[(key,)] = (layer, (key,))


def _merge(key: str, given: list[Any], layer: Layer, merged: Layers, problems: list[Problem]) -> None:
    """One list, by id: `merged` holds the base's and receives the result, with the origin of each key."""
    entries: list[dict[Any, Any] | Any] = []
    origins: list[dict[KeyPath, tuple[Layer, KeyPath]]] = []
    for rank, item in enumerate(merged.value[key]):
        here: KeyPath = (key, rank)
        mine = {path[2:]: at for path, at in merged.origin.items() if path[:2] == here}
        mine.setdefault((), merged.locate(here))
        entries.append(dict(item) if isinstance(item, dict) else item)
        origins.append(mine)
    name_constraints(key, entries)
    named = [(k, item) for k, item in enumerate(entries) if isinstance(item, dict)]
    positions = {str(item["id"]): k for k, item in named if item.get("id") is not None}
    inherited, seen, gone = list(positions), set(), set()
    for rank, item in enumerate(given):
        own: KeyPath = (key, rank)
        name = str(item["id"]) if isinstance(item, dict) and item.get("id") is not None else None
        if name is not None and name in seen:
            message = Text(f"identifiant « {name} » donné deux fois", f"id “{name}” is given twice")
            problems.append(Problem(_place(layer, (*own, "id")), message, None, str(layer.shown)))
            continue
        seen |= {name} - {None}
        if isinstance(item, dict) and "remove" in item:
            told = _removal(item, name, inherited)
            if told is None:
                gone.add(positions[name or ""])
            else:
                problems.append(Problem(_place(layer, own), *told, str(layer.shown)))
            continue
        at = positions.get(name) if name is not None else None
        if at is None and name is not None and _incomplete(key, item):
            message = Text(f"« {name} » n'est pas dans la base", f"“{name}” is not in the base")
            whole = Text("Donnez l'entrée entière.", "Give the whole entry.")
            remedy = did_you_mean(name, inherited) or whole
            problems.append(Problem(_place(layer, (*own, "id")), message, remedy, str(layer.shown)))
            continue
        if at is None:
            entries.append(item)
            origins.append({(): (layer, own)})
            continue
        # What is wrong with the whole is told where it was last touched.
        kept = origins[at] | {(k,): origins[at].get((k,), _below(origins[at][()], k)) for k in entries[at]}
        origins[at] = kept | {(): (layer, own)}
        for k, value in item.items():
            origins[at] = {path: o for path, o in origins[at].items() if path[:1] != (k,)} | {(k,): (layer, (*own, k))}
            if value is None:
                entries[at].pop(k, None)
            else:
                entries[at][k] = value
    for path in [path for path in merged.origin if path[:1] == (key,)]:
        del merged.origin[path]
    merged.origin[(key,)] = (layer, (key,))
    left = [k for k in range(len(entries)) if k not in gone]
    merged.value[key] = [entries[k] for k in left]
    for rank, k in enumerate(left):
        for path, origin in origins[k].items():
            merged.origin[(key, rank, *path)] = origin


def _incomplete(key: str, item: Mapping[Any, Any]) -> bool:
    """Whether an entry cannot stand alone: it was meant to change one of the base."""
    if key == "constraints":
        return "kind" not in item
    return key == "funds" and not {"amount", "amounts"} & set(item)


def _removal(item: Mapping[Any, Any], name: str | None, known: list[str]) -> tuple[Text, Text | None] | None:
    """What is wrong with an entry that takes another out, if anything."""
    if item["remove"] is not True or set(item) != {"id", "remove"}:
        return (
            Text("une entrée à retirer n'a que id et remove", "an entry to take out has only id and remove"),
            Text("Écrivez {id: …, remove: true}.", "Write {id: …, remove: true}."),
        )
    if name not in known:
        return (
            Text(f"« {name} » n'est pas dans la base", f"“{name}” is not in the base"),
            did_you_mean(name, known),
        )
    return None


def name_constraints(key: str, entries: list[Any]) -> None:
    """Give each constraint of the base the id that a reader would give it: taking one out renames none."""
    if key != "constraints":
        return
    given = {str(item["id"]) for item in entries if isinstance(item, dict) and item.get("id") is not None}
    ranks: dict[Any, int] = {}
    for item in entries:
        if not isinstance(item, dict) or not isinstance(item.get("kind"), str):
            continue
        kind = item["kind"]
        ranks[kind] = n = ranks.get(kind, 0) + 1
        if item.get("id") is None:
            while f"{kind}-{n}" in given:
                n += 1
            item["id"] = f"{kind}-{n}"
            given.add(item["id"])


def _below(origin: tuple[Layer, KeyPath], key: Any) -> tuple[Layer, KeyPath]:
    return origin[0], (*origin[1], key)


def _place(layer: Layer, path: KeyPath) -> Text | str:
    line, name = layer.content.line(path), path_text(path)
    if line is None:
        return name
    if not name:
        return yaml_text.line_place(line)
    return Text(f"{name} (ligne {line})", f"{name} (line {line})")
