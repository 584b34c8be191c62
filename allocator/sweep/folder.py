"""A sweep on disk: what it is (`sweep.json`), each batch as it is done, and in the end one table and all grants.

Every file is put in its place whole. A batch is done when its rows are there; they are written after its grants. What was
interrupted, even by a power cut, goes on with the batches that are not done.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from allocator.formats.saving import replaced
from allocator.problems import Problem, ScenarioError
from allocator.sweep.variant import GRANTS, Solved
from allocator.texts import Text

ABOUT, TABLE, PLANS, PARTS = "sweep.json", "table.parquet", "grants.parquet", "parts"
WHAT = {
    "scenario": Text("le scénario", "the scenario"), "variants": Text("les variantes", "the variants"),
    "options": Text("les options du calcul", "the options of the solve"), "version": Text("la version", "the version"),
}  # fmt: skip
HASHES = "sha256"  # in `sweep.json`: of the two tables, once the sweep has ended
FLOATS = ("objective", "bound", "gap", "seconds")


class Folder:
    """The folder of one sweep. `about`: what must be the same for it to go on."""

    def __init__(self, path: str | os.PathLike[str], about: Mapping[str, Any]) -> None:
        """Made, or found again. Raises `ScenarioError` where another sweep is there, OSError where it cannot be written."""
        self.path = Path(path)
        self.parts = self.path / PARTS
        self.path.mkdir(parents=True, exist_ok=True)
        file, said = self.path / ABOUT, json.loads(json.dumps(about))
        self.about = said
        if file.exists():
            known = _read(file)
            different = [key for key in WHAT if known.get(key) != said[key]]
            if different:
                raise ScenarioError([_other(self.path, different)])
        else:
            _replace(file, _json(said))
        self.parts.mkdir(exist_ok=True)

    @property
    def finished(self) -> bool:
        return (self.path / TABLE).exists()

    def done(self) -> set[int]:
        """Numbers of the batches that need not be solved."""
        return {int(file.stem.removeprefix("rows-")) for file in self.parts.glob("rows-*.parquet")}

    def add(self, number: int, solved: Solved) -> None:
        """Keep a batch; once more changes nothing, nor where another run of this sweep has ended it meanwhile."""
        if self.finished:
            return
        self.parts.mkdir(exist_ok=True)
        _write(self.parts / f"grants-{number:06}.parquet", solved.grants)
        rows = pd.DataFrame(solved.rows)
        numbers = [c for c in rows if c in FLOATS or str(c).startswith(("units.", "indicator."))]
        _write(self.parts / f"rows-{number:06}.parquet", rows.astype(dict.fromkeys(numbers, "float64")))

    def close(self) -> None:
        """One table of all rows and one of all grants, by variant; then the parts go."""
        try:
            grants, rows = (
                joined([_read_table(f) for f in sorted(self.parts.glob(f"{kind}-*.parquet"))])
                for kind in ("grants", "rows")
            )
        except (OSError, ValueError):  # gone: another run of this sweep has ended it
            if self.finished:
                return
            raise
        varied = list(dict.fromkeys(path for changes in self.about["changes"] for path in changes))
        rows = rows[["variant", *varied, *(c for c in rows if c != "variant" and c not in varied)]]
        written = {PLANS: grants.to_parquet(index=False), TABLE: rows.to_parquet(index=False)}
        self.about[HASHES] = {name: _sha256(data) for name, data in written.items()}
        _replace(self.path / PLANS, written[PLANS])
        _replace(self.path / ABOUT, _json(self.about))
        _replace(self.path / TABLE, written[TABLE])  # last: the sweep has ended when it is there
        shutil.rmtree(self.parts, ignore_errors=True)


def joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Frames one below another, by variant; a whole number stays one."""
    return pd.concat(frames, ignore_index=True).sort_values("variant", kind="stable", ignore_index=True)


def opened(path: str | os.PathLike[str]) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """What a finished sweep is, its table and its grants. Raises `ScenarioError` for a folder that is none."""
    root = Path(path)
    if not (root / TABLE).exists():
        message = Text("ce dossier ne contient pas de balayage terminé", "this folder holds no finished sweep")
        raise ScenarioError(
            [Problem("", message, Text("allocator sweep … --out DOSSIER", "allocator sweep … --out FOLDER"), str(root))]
        )
    about = _read(root / ABOUT)
    table, plans = (_read_table(root / name, (about.get(HASHES) or {}).get(name)) for name in (TABLE, PLANS))
    if "variant" not in table or table.get("input_hash", pd.Series()).tolist() != about.get("variants"):
        raise _damaged(root / TABLE)
    if not set(GRANTS) <= set(plans.columns):
        raise _damaged(root / PLANS)
    return about, table, plans


def _read_table(file: Path, known: str | None = None) -> pd.DataFrame:
    """A table of a sweep's folder. `known`: its SHA-256 as it was written (None: written by an earlier version). Raises
    `ScenarioError` where it is none, or not that one, OSError where it is not there."""
    data = file.read_bytes()
    if known not in (None, _sha256(data)):
        raise _damaged(file)
    try:
        return pd.read_parquet(io.BytesIO(data))
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        NotImplementedError,
        pa.ArrowException,
    ):  # a library reads bytes
        raise _damaged(file) from None


def _damaged(file: Path) -> ScenarioError:
    message = Text("cette table est abîmée, ou d'un autre balayage", "this table is damaged, or of another sweep")
    remedy = Text("Supprimez le dossier, et recommencez le balayage.", "Remove the folder and sweep again.")
    return ScenarioError([Problem("", message, remedy, str(file))])


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        message = Text("ce fichier n'est pas celui d'un balayage", "this file is not that of a sweep")
        raise ScenarioError(
            [Problem("", message, Text("choisir un autre dossier", "choose another folder"), str(file))]
        )
    return found


def _write(file: Path, table: pd.DataFrame) -> None:
    _replace(file, table.to_parquet(index=False))


def _replace(file: Path, data: bytes) -> None:
    replaced(file, lambda at: Path(at).write_bytes(data))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _json(about: Mapping[str, Any]) -> bytes:
    return json.dumps(about, ensure_ascii=False, indent=1).encode()


def _other(path: Path, different: list[str]) -> Problem:
    named = [WHAT[key] for key in different]
    return Problem(
        "--out",
        Text(
            f"un autre balayage est dans ce dossier ; ce qui diffère : {', '.join(n.fr for n in named)}",
            f"another sweep is in this folder; what differs: {', '.join(n.en for n in named)}",
        ),
        Text("choisir un autre dossier, ou supprimer celui-ci", "choose another folder, or remove this one"),
        str(path),
    )
