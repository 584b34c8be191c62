"""The JSON Schema of scenario files, made from the classes that read them: a new kind or field is in it by itself."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from allocator.constraints import KINDS
from allocator.formats.folder import KEYS
from allocator.formats.tables import CHANGE, TABLES
from allocator.objectives import OBJECTIVES
from allocator.scenario import Fund, Measure
from allocator.texts import Text, language

_BOTH = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"fr": {"type": "string"}, "en": {"type": "string"}},
            "required": ["fr", "en"],
            "additionalProperties": False,
        },
    ]
}
_SAYS: dict[str, Text] = {
    "name": Text("nom du scénario", "name of the scenario"),
    "labels": Text("noms des indicateurs dans les phrases", "names of indicators in sentences"),
    "years": Text("années de l'horizon", "years of the horizon"),
    "funds": Text("fonds : l'argent offert", "funds: the money there is"),
    "measures": Text("mesures : ce qui est demandé", "measures: what is asked for"),
    "territories": Text("fichier CSV des territoires", "CSV file of territories"),
    "demands": Text("fichier CSV des dossiers", "CSV file of demands"),
    "prior_aid": Text("fichier CSV des aides passées", "CSV file of earlier aid"),
    "constraints": Text("règles que le plan doit tenir", "rules that the plan must keep"),
    "objective": Text("ce qui rend un plan meilleur", "what makes a plan better"),
    "base": Text("scénario dont celui-ci ne dit que les différences", "scenario from which this one differs"),
    "changes": Text("chemins et valeurs, appliqués en dernier", "paths and values, made last"),
}


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of `scenario.yaml`.

    Where there is a `base`, entries may say only what changes, so that nothing is required of them but an `id`.
    """
    models: list[type[BaseModel]] = [Fund, Measure, *KINDS.values(), *OBJECTIVES.values()]
    named, shared = models_json_schema([(model, "validation") for model in models])
    definitions: dict[str, Any] = shared["$defs"]
    at = {model: named[model, "validation"] for model in models}
    for kind, model in KINDS.items():
        own = definitions[at[model]["$ref"].rsplit("/", 1)[1]]
        own["properties"]["kind"] = {"const": kind}
        own["required"] = ["kind", *(name for name in own.get("required", []) if name != "kind")]
        own["title"], own["description"] = model.title.in_(language()), model.says.in_(language())
    entries = {
        "funds": at[Fund],
        "measures": at[Measure],
        "constraints": {
            "type": "object",
            "properties": {"kind": {"enum": list(KINDS)}},
            "required": ["kind"],
            "allOf": [
                {"if": {"properties": {"kind": {"const": kind}}}, "then": at[model]} for kind, model in KINDS.items()
            ],
        },
    }
    shape: dict[str, Any] = {
        "name": {"type": "string", "minLength": 1},
        "label": _BOTH,
        "description": _BOTH,
        "labels": {"type": ["object", "null"], "additionalProperties": _BOTH},
        "years": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}, "minItems": 1}]},
        "base": {"type": ["string", "null"]},
        "objective": {"anyOf": [at[model] for model in OBJECTIVES.values()]},
    }
    change = {
        "type": "object",
        "properties": {CHANGE: {"type": "string"}},
        "required": [CHANGE],
        "additionalProperties": False,
    }
    shape |= {table: {"anyOf": [{"type": ["string", "null"]}, change]} for table in TABLES}
    shape["changes"] = {"type": ["object", "null"]}
    shape |= {name: {"type": "array"} for name in entries}
    for name, said in _SAYS.items():
        shape[name] = {**shape[name], "description": said.in_(language())}
    whole = {name: {"items": entry} for name, entry in entries.items()}
    changes = {name: {"items": _change(name)} for name in entries}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": str(Text("Scénario d'allocation", "Allocation scenario")),
        "type": "object",
        "properties": {key: shape[key] for key in KEYS},
        "required": ["name"],
        "additionalProperties": False,
        "if": {"required": ["base"]},
        "then": {"properties": changes},
        "else": {
            "properties": whole,
            "required": ["years", "funds", "measures", "territories", "demands", "objective"],
        },
        "$defs": definitions,
    }


def _change(name: str) -> dict[str, Any]:
    """An entry laid over the base's: its keys are known, none but `id` or `kind` is required."""
    of: dict[str, list[type[BaseModel]]] = {"funds": [Fund], "measures": [Measure], "constraints": [*KINDS.values()]}
    keys = sorted({field for model in of[name] for field in model.model_fields} | {"remove"})
    anything: dict[str, Any] = {
        "type": "object",
        "properties": dict.fromkeys(keys, True),
        "additionalProperties": False,
    }
    if name == "constraints":
        anything["properties"]["kind"] = {"enum": list(KINDS)}
        return {**anything, "anyOf": [{"required": ["id"]}, {"required": ["kind"]}]}
    return {**anything, "required": ["id"]}
