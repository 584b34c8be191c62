"""Which columns each sheet has, read off the schemas of funds, measures and every kind of constraint.

A column is a path into what it describes: `on.measures`, `amounts.2026`. A field of a schema is one column; a selection
under `on` is spread over one for each of its parts, and a mapping from years over one for each year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from allocator.constraints import KINDS
from allocator.formats.workbook import words
from allocator.formats.workbook.cells import ANY, TEXT, Shape, fold_in, shape_of
from allocator.objectives import OBJECTIVES
from allocator.scenario import Fund, Measure
from allocator.selection import Selection
from allocator.texts import Text

Path = tuple[str, ...]
_LAST = ("soft", "enabled", "comment", "source", "as_of", "hypothesis")  # what is said about, after what is said
_SPREAD = re.compile(r"(.*\S)[\s.]+([0-9]{1,4})")


@dataclass(frozen=True)
class Column:
    """One column: what it says (`path`), how (`shape`), its name, and the kinds of constraint that have it (None: all)."""

    path: Path
    shape: Shape
    label: Text
    kinds: frozenset[str] | None = None
    by_year: bool = False  # it may be spread over one column a year

    @property
    def header(self) -> str:
        """Its name and unit, in the current language."""
        return f"{self.label} ({self.shape.unit})" if self.shape.unit else str(self.label)

    def year(self, key: str) -> Column:
        """The column of one year of a mapping."""
        word = words.OF_A_YEAR.get(self.path[-1], self.label)
        assert self.shape.items is not None
        return Column((*self.path, key), self.shape.items, Text(f"{word.fr} {key}", f"{word.en} {key}"), self.kinds)


def _columns(name: str, schema: Mapping[str, Any], defs: Mapping[str, Any], by_year: bool) -> Iterator[Column]:
    """A field's column, after those of its parts where it is a selection."""
    shape = shape_of(schema, defs, name)
    if name == "on" and shape.form == "selection":
        for part, of_part in Selection.model_json_schema()["properties"].items():
            path = f"{name}.{part}"
            yield Column((name, part), shape_of(of_part, {}, part), _word(path))
    yield Column((name,), shape, _word(name), by_year=by_year)


def _word(path: str) -> Text:
    return words.FIELDS.get(path, Text(path, path))


def _fields(schema: type[BaseModel]) -> dict[Path, Column]:
    described = schema.model_json_schema()
    return {
        column.path: column
        for name, field in described["properties"].items()
        for column in _columns(name, field, described.get("$defs", {}), _by_year(schema.model_fields[name].annotation))
    }


def _by_year(annotation: Any) -> bool:
    """Whether a field maps years to something. (A JSON schema does not tell the type of keys.)"""
    if get_origin(annotation) is dict:
        return get_args(annotation)[0] is int
    return any(_by_year(part) for part in get_args(annotation))


@cache
def kinds_of_constraint() -> dict[str, dict[Path, Column]]:
    """The columns of each kind of constraint."""
    return {kind: _fields(schema) for kind, schema in KINDS.items() if isinstance(kind, str)}


def title(kind: str) -> Text:
    """What a kind of constraint is called."""
    return KINDS[kind].title


def kind_named(text: str) -> str | None:
    """The kind of constraint with this key or title."""
    return next((kind for kind in kinds_of_constraint() if fold_in(text, title(kind), kind)), None)


@cache
def columns(noun: str) -> tuple[Column, ...]:
    """All columns of the sheet of funds, measures or constraints, in the order in which they are written."""
    if noun == "scenario":
        return _scenario()
    if noun != "constraints":
        entities: dict[str, type[BaseModel]] = {"funds": Fund, "measures": Measure}
        found = _fields(entities[noun])
        refused = {("on", "funds"), ("on", "years")} if noun == "funds" else set()
        return tuple(sorted((c for p, c in found.items() if p not in refused), key=_rank))
    having: dict[Path, list[str]] = {}
    first: dict[Path, Column] = {}
    for kind, fields in kinds_of_constraint().items():
        for path, column in fields.items():
            having.setdefault(path, []).append(kind)
            known = first.setdefault(path, column)
            if known.shape != column.shape:  # not the same thing in each kind: each says what it takes
                first[path] = Column(path, ANY, known.label)
    whole = frozenset(kinds_of_constraint())
    merged = [
        Column(path, Shape("kind") if path == ("kind",) else column.shape, column.label,
               None if whole == set(having[path]) else frozenset(having[path]))
        for path, column in first.items()
    ]  # fmt: skip
    return tuple(sorted(merged, key=_rank))


def _rank(column: Column) -> int:
    """What it is first, then what it says, then what is said about it."""
    name = column.path[0]
    if name in ("kind", "id", "label"):
        return ("kind", "id", "label").index(name)
    return 10 + _LAST.index(name) if name in _LAST else 5


def _scenario() -> tuple[Column, ...]:
    texts = [Column((key,), TEXT, words.SCENARIO.get(key, _word(key))) for key in ("name", "base")]
    for key in ("label", "description"):
        texts += [Column(path, TEXT, _word(".".join(path))) for path in ((key,), (key, "fr"), (key, "en"))]
    goals = []
    for name, schema in OBJECTIVES.items():
        described = schema.model_json_schema()
        shape = shape_of(described["properties"][name], described.get("$defs", {}))
        goals.append(Column(("objective", name), shape, _word(f"objective.{name}")))
    labels = Column(("labels",), Shape("mapping", ANY), _word("labels"))
    return (*texts, labels, Column(("years",), Shape("years"), _word("years")), *goals)


def column_named(header: str, noun: str) -> Column | None:
    """The column that a header names: by its word in either language, or by its key."""
    name = words.parted(header)[0]
    called = _called(noun)
    found = called.get(words.fold(name)) or called.get(words.fold(header))
    if found is not None:
        return found
    if noun == "scenario" and name.startswith("objective."):
        return Column(tuple(name.split(".", 1)), ANY, Text(name, name))
    spread = _SPREAD.fullmatch(name.strip())
    if spread:
        for column in columns(noun):
            spellings = (words.OF_A_YEAR.get(column.path[-1], column.label), column.label)
            if column.by_year and any(fold_in(spread[1], word, column.path[-1]) for word in spellings):
                return column.year(str(int(spread[2])))
    return None


@cache
def _called(noun: str) -> dict[str, Column]:
    called: dict[str, Column] = {}
    for column in columns(noun):
        for name in (words.fold(".".join(column.path)), *words.both(column.label)):
            called.setdefault(name, column)
    if noun == "funds":  # refused where they stand, with their reason
        for part in ("funds", "years"):
            path = f"on.{part}"
            shape = Shape("names" if part == "funds" else "years")
            for name in (path, *words.both(_word(path))):
                called.setdefault(name, Column(("on", part), shape, _word(path)))
    return called


def table_column(header: str, table: str) -> str | None:
    """The contract's own column of a table that a header names."""
    name = words.parted(header)[0]
    for key, word in words.COLUMNS[table].items():
        if fold_in(name, word, key):
            return key
    return None


def table_header(key: str, table: str) -> str:
    """A table's header in the current language, with its unit; another column's own name as it must be written."""
    word = words.COLUMNS[table].get(key)
    if word is None:
        collides = table_column(key, table) is not None or key != key.strip() or key.startswith(("#", '"'))
        collides = collides or words.parted(key)[1] in words.AS_TEXT
        return words.quoted(key) if collides else key
    euros = key in ("asked", "cost", "other_public", "own", "cents")
    return f"{word} ({words.EUROS})" if euros else str(word)
