"""A plan that a rule looks back to: a `Plan`, a folder written by `solve --out`, the id of a saved plan, or rows."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from allocator import files, saved
from allocator.problems import ScenarioError, did_you_mean, listed
from allocator.spreadsheet import unguarded
from allocator.texts import Text

FILE = "grants.csv"


class Past(NamedTuple):
    """What a demand was granted: `cents` of one fund in one year where these are told, "" and None where not."""

    demand: str
    cents: int
    territory: str = ""
    measure: str = ""
    fund: str = ""
    year: int | None = None


def read(value: object) -> tuple[Past, ...]:
    """The rows of a reference. Raises `ValueError` with a `Text` (and a remedy) for what is none."""
    if isinstance(value, str) and names_saved(value):
        value = _saved(value)
    if isinstance(value, (str, os.PathLike)):
        return _of_file(Path(value))
    grants = getattr(value, "grants", None)
    if grants is not None:
        return _rows(grants[[c for c in Past._fields if c in grants]].to_dict("records"), "grants")
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return _rows(list(value), "")
    raise ValueError(
        Text("une référence est attendue", "a reference is expected"),
        Text(
            "Donnez le dossier d'un plan (solve --out), l'identifiant d'un plan enregistré, un Plan, ou une liste de {demand, cents}.",
            "Give the folder of a plan (solve --out), the id of a saved plan, a Plan, or a list of {demand, cents}.",
        ),
    )


def names_saved(text: str, folder: str | os.PathLike[str] = "") -> bool:
    """Whether a text is the id of a saved plan: it looks like one, and no file of that name is in the folder."""
    return saved.is_id(text) and not (Path(folder) / text).exists()


def _saved(plan_id: str) -> Any:
    try:
        return saved.plan(plan_id)
    except ScenarioError as error:
        first = error.problems[0]
        where = f"{first.file} : " if first.file else ""
        message = Text(
            f"référence « {plan_id} » : {where}{first.message.fr}", f"reference “{plan_id}”: {where}{first.message.en}"
        )
        raise ValueError(message, first.remedy) from None


def _of_file(path: Path) -> tuple[Past, ...]:
    file = path
    try:
        files.permit(path)
        file = path / FILE if path.is_dir() else path
        lines = io.StringIO(files.content(file, files.TABLES).decode("utf-8-sig"), newline="")
        rows: list[Any] = [
            {k: v and unguarded(v) for k, v in row.items() if k in Past._fields} for row in csv.DictReader(lines)
        ]
    except (OSError, ValueError, files.Refused, csv.Error) as error:
        plain = str(getattr(error, "strerror", None) or type(error).__name__)
        said = Text("introuvable", "not found") if isinstance(error, FileNotFoundError) else Text(plain, plain)
        if isinstance(error, files.Refused):
            said = error.message
        raise ValueError(
            Text(f"référence illisible : {file} ({said.fr})", f"unreadable reference: {file} ({said.en})"),
            Text(
                f"Donnez le dossier d'un plan (solve --out), qui contient {FILE}.",
                f"Give the folder of a plan (solve --out), which holds {FILE}.",
            ),
        ) from None
    return _rows(rows, str(file), first=2)


def _rows(rows: list[Any], name: str, first: int = 1) -> tuple[Past, ...]:
    found: list[Past] = []
    wrong: list[Text] = []
    for rank, row in enumerate(rows, start=first):
        try:
            found.append(row if isinstance(row, Past) else _row(row))
        except ValueError as error:
            said: Text = error.args[0]
            wrong.append(Text(f"ligne {rank} : {said.fr}", f"row {rank}: {said.en}"))
    if wrong:
        at = f"{name}, " if name else ""
        raise ValueError(
            Text(at + listed([w.fr for w in wrong]), at + listed([w.en for w in wrong])),
            Text(
                "Chaque ligne dit demand et cents, et si l'on veut territory, measure, fund, year.",
                "Each row says demand and cents and, if wanted, territory, measure, fund, year.",
            ),
        )
    return tuple(found)


def _row(row: object) -> Past:
    if not isinstance(row, Mapping):
        raise ValueError(Text("des clés et des valeurs sont attendues", "keys and values are expected"))
    for key in row:
        if key not in Past._fields:
            near = did_you_mean(key, Past._fields) or Text("", "")
            raise ValueError(Text(f"clé inconnue « {key} ». {near.fr}", f"unknown key “{key}”. {near.en}"))
    for key in ("demand", "cents"):
        if row.get(key) in (None, ""):
            raise ValueError(Text(f"{key} manque", f"{key} is missing"))
    names = {key: str(row[key]) for key in ("demand", "territory", "measure", "fund") if row.get(key) is not None}
    cents = _whole(row["cents"], "cents")
    if cents < 0:
        raise ValueError(Text(f"cents est négatif ({cents})", f"cents is negative ({cents})"))
    year = row.get("year")
    return Past(cents=cents, year=None if year in (None, "") else _whole(year, "year"), **names)


def _whole(value: Any, name: str) -> int:
    try:
        number = int(str(value))
    except ValueError:
        message = Text(f"{name} : « {value} » n'est pas un entier", f"{name}: “{value}” is not a whole number")
        raise ValueError(message) from None
    if isinstance(value, bool):
        raise ValueError(Text(f"{name} : un entier est attendu", f"{name}: a whole number is expected"))
    return number


def written(reference: tuple[Past, ...]) -> list[dict[str, Any]]:
    """Rows for YAML and JSON, without what is not told; `read` takes them back."""
    return [{key: value for key, value in row._asdict().items() if value not in ("", None)} for row in reference]


_ROW_SCHEMA = {
    "type": "object",
    "properties": {name: {"type": ["string", "integer"]} for name in ("demand", "territory", "measure", "fund")}
    | {"cents": {"type": "integer", "minimum": 0}, "year": {"type": "integer"}},
    "required": ["demand", "cents"],
    "additionalProperties": False,
}

Reference = Annotated[
    tuple[Past, ...],
    PlainValidator(read),
    PlainSerializer(written, return_type=Any),
    WithJsonSchema({
        "anyOf": [{"type": "string"}, {"type": "array", "items": _ROW_SCHEMA}],
        "description": f"folder with {FILE}, id of a saved plan, or rows",
    }),
]  # fmt: skip
"""Field: a reference plan, kept as its rows; a path is read when the scenario is."""
