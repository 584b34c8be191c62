"""What was saved, as it is read back: a plan, a decision. The id of each is the hash of all that it says."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from allocator.problems import ScenarioError
from allocator.store import content
from allocator.store.errors import refused
from allocator.texts import Text, language

if TYPE_CHECKING:
    from allocator.plan import Plan, Status
    from allocator.scenario import Scenario

PERSON = "ALLOCATOR_WHO"
_LONGEST = 10_000  # characters of what someone says
PACKAGE = Path(__file__).resolve().parents[1]
CODE = "code"  # in `versions`: a hash of our own source files; plans of before it was kept have none
_LIBRARIES = ("highspy", "ortools", "pulp", "numpy", "scipy", "pandas")  # that can change a plan


@dataclass(frozen=True, eq=False)
class SavedPlan:
    """A plan as it was saved. Money in cents; `objective`, `bound`, `levels` exact and as they are shown; `at` in UTC.

    A rule's `reference` may be one, as it may be a `Plan`: both have `grants`.
    """

    id: str
    at: str
    who: str
    words: str
    scenario: str
    input_hash: str
    status: Status
    objective: Fraction | None
    bound: Fraction | None
    gap: float | None
    levels: tuple[tuple[Fraction | None, Fraction | None], ...]
    certified: bool
    checks: tuple[Mapping[str, Any], ...] = field(repr=False)
    engine: str
    gap_allowed: float
    time_limit: float | None
    versions: Mapping[str, str] = field(repr=False)
    granted: int
    grants: pd.DataFrame = field(repr=False)
    moved: tuple[int, ...] = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Without the grants, for JSON."""
        return {
            "id": self.id, "at": self.at, "who": self.who, "words": self.words, "scenario": self.scenario,
            "input_hash": self.input_hash, "status": self.status, "objective": _float(self.objective),
            "bound": _float(self.bound), "gap": self.gap if self.gap != float("inf") else None,
            "certificate": {"ok": self.certified, "checks": [
                {"name": c["name"], "ok": c["ok"], "detail": str(Text(c["fr"], c["en"]))} for c in self.checks]},
            "engine": self.engine, "gap_allowed": self.gap_allowed, "time_limit": self.time_limit,
            "versions": dict(self.versions), "granted": self.granted,
        }  # fmt: skip


@dataclass(frozen=True)
class Decision:
    """Words about a plan: who said them, when (UTC)."""

    id: str
    at: str
    who: str
    words: str
    plan: str

    def as_dict(self) -> dict[str, str]:
        return {"id": self.id, "at": self.at, "who": self.who, "words": self.words, "plan": self.plan}


def plan_row(plan: Plan, who: str, words: str) -> tuple[dict[str, Any], bytes]:
    """The row of a plan, and its grants."""
    certificate, grants = plan.certificate, content.of_grants(plan.grants)
    checks = [{"name": c.name, "ok": c.ok, "fr": c.detail.fr, "en": c.detail.en} for c in certificate.checks]
    levels = [[exact(level.objective, level.aim.sign), exact(level.bound, level.aim.sign)] for level in plan.levels]
    row = {
        **_said(who, words),
        "scenario": clean(plan.scenario.name),
        "input_hash": plan.scenario.input_hash,
        "status": plan.status,
        "objective": exact(certificate.objective, certificate.sign),
        "bound": exact(certificate.bound, certificate.sign),
        "gap": certificate.gap,
        "levels": content.canonical(levels),
        "certified": certificate.ok,
        "certificate": content.canonical(checks),
        "engine": plan.engine.name,
        "gap_allowed": float(plan.engine.gap),
        "time_limit": None if plan.engine.time_limit is None else float(plan.engine.time_limit),
        "versions": content.canonical(versions(plan.engine.name, plan.engine.version)),
        "granted": int(plan.grants["cents"].sum()),
        "grants": content.sha256(grants),
        "moved": content.canonical([] if plan.reading is None else plan.reading.moved.tolist()),
    }
    return {"id": "p" + hashed(row), **row}, grants


def decision_row(plan: str, who: str, words: str) -> dict[str, Any]:
    """The row of a decision."""
    row = {**_said(who, words), "plan": plan}
    return {"id": "d" + hashed(row), **row}


def saved_plan(row: Mapping[str, Any], data: bytes) -> SavedPlan:
    """A plan from its row and its grants. `StoreError` where either is no longer what was saved."""
    _whole(row)
    if content.sha256(data) != row["grants"]:
        raise _altered(row["id"])
    kept = {key: row[key] for key in ("id", "at", "who", "words", "scenario", "input_hash", "status", "gap", "engine",
                                      "gap_allowed", "time_limit", "granted")}  # fmt: skip
    return SavedPlan(
        **kept,
        objective=_fraction(row["objective"]),
        bound=_fraction(row["bound"]),
        levels=tuple((_fraction(o), _fraction(b)) for o, b in json.loads(row["levels"])),
        certified=bool(row["certified"]),
        checks=tuple(json.loads(row["certificate"])),
        versions=json.loads(row["versions"]),
        grants=content.grants(data),
        moved=tuple(json.loads(row["moved"])),
    )


def saved_decision(row: Mapping[str, Any]) -> Decision:
    """A decision from its row. `StoreError` where it is no longer what was saved."""
    _whole(row)
    return Decision(*(row[key] for key in ("id", "at", "who", "words", "plan")))


def saved_scenario(row: Mapping[str, Any], kept: Mapping[str, bytes]) -> Scenario:
    """A scenario from its row and its tables. `StoreError` where these are no longer what was saved, `ScenarioError` where
    today's rules refuse it."""
    altered = _altered(str(row["input_hash"])[:16])
    said = content.sha256(row["parts"].encode())
    if row["parts_sha256"] not in (None, said) or any(content.sha256(data) != row[name] for name, data in kept.items()):
        raise altered
    try:
        return content.rebuilt(row["parts"], kept)
    except ScenarioError:
        raise
    except (ValueError, TypeError, RecursionError):  # no JSON, or not that of a scenario
        raise altered from None


def scenario_listed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A scenario's row for a list, without its tables: its label in the current language, or the other one, or its name."""
    try:
        parts = dict(json.loads(row["parts"]))
        label = parts.get("label") or ""
        if not isinstance(label, str):
            label = str(label.get(language()) or next(iter(label.values()), ""))
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise _altered(str(row["input_hash"])[:16]) from None
    known = {key: row[key] for key in ("input_hash", "at", "who", "name")}
    return known | {"label": label or row["name"], "base": parts.get("base")}


def hashed(row: Mapping[str, Any]) -> str:
    """What a row says, hashed; its place in the sequence is no part of it."""
    said = {key: value for key, value in row.items() if key not in ("seq", "id")}
    if "certified" in said:
        said["certified"] = bool(said["certified"])
    return content.sha256(content.canonical(said).encode())[:15]


def versions(engine: str, version: str) -> dict[str, str]:
    """Of what can change a plan, here and now."""
    found = {"allocator": _version("allocator-fonds-publics"), "python": platform.python_version()}
    found |= {CODE: known} if (known := source_hash()) else {}
    found |= {engine: version} if version else {}
    found |= {name: known for name in _LIBRARIES if (known := _version(name))}
    return found | {"machine": f"{platform.system()} {platform.machine()}"}


def exact(value: Fraction | None, sign: int = 1) -> str | None:
    return None if value is None else str(Fraction(value) * sign)


def person(who: str | None) -> str:
    """Who speaks: as told, else `ALLOCATOR_WHO`, else the name of this session. `StoreError` where nobody is known."""
    told = who if who is not None else os.environ.get(PERSON, "")
    if who is None and not told.strip():
        try:
            told = getpass.getuser()
        except (OSError, KeyError, ImportError):
            told = ""
    return spoken(told, "--who", Text("qui enregistre ?", "who is saving?"))


def spoken(words: str, place: str, missing: Text | None = None) -> str:
    """Words that a database can keep. `StoreError` where there are none (and `missing` says so), or far too many."""
    said = clean(words).strip()
    if missing is not None and not said:
        raise refused("", Text(f"{place} : {missing.fr}", f"{place}: {missing.en}"))
    if len(said) > _LONGEST:
        wrong = Text(f"{place} : {len(said)} caractères", f"{place}: {len(said)} characters")
        raise refused("", wrong, Text(f"{_LONGEST} au plus.", f"{_LONGEST} at most."))
    return said


def clean(text: str) -> str:
    """Without what no database keeps: NUL, halves of characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _said(who: str, words: str) -> dict[str, str]:
    return {"at": now(), "who": who, "words": words, "nonce": secrets.token_hex(16)}


@lru_cache(None)
def source_hash(root: Path = PACKAGE) -> str:
    """Of our own modules, whatever their line ends: a change within a version shows. Empty where they are no files."""
    found = hashlib.sha256()
    files = sorted(root.rglob("*.py"), key=lambda file: file.relative_to(root).as_posix())
    for file in files:
        content = file.read_bytes().replace(b"\r\n", b"\n")
        found.update(f"{file.relative_to(root).as_posix()}\0{len(content)}\0".encode() + content)
    return found.hexdigest()[:12] if files else ""


@lru_cache(None)
def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def number(text: str | None) -> float | None:
    """An exact number as a float."""
    return None if text is None else float(Fraction(text))


def _fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def _whole(row: Mapping[str, Any]) -> None:
    if hashed(row) != row["id"][1:]:
        raise _altered(row["id"])


def _altered(record: str) -> Exception:
    return refused("", Text(f"{record} n'est plus ce qui a été enregistré", f"{record} is no longer what was saved"),
                   Text("Reprenez une sauvegarde de la base.", "Take a backup of the database."))  # fmt: skip
