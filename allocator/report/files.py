"""A plan as files in a folder: tables in CSV (euros and cents), the summary in JSON."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from allocator.plan import Plan

TABLES = ("grants", "payments", "units", "account")


def write_plan(plan: Plan, folder: str | os.PathLike[str]) -> list[Path]:
    """Write grants.csv, payments.csv, units.csv, account.csv and summary.json; each file is replaced whole or not at all.

    Raises OSError when the folder cannot be written.
    """
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    files = {f"{name}.csv": _csv(getattr(plan, name)) for name in TABLES}
    files["summary.json"] = json.dumps(plan.summary(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    return [replace_file(root / name, text) for name, text in files.items()]


def _csv(table: pd.DataFrame) -> str:
    if "cents" not in table:
        return table.to_csv(index=False, lineterminator="\n")
    euros = [f"{cents // 100}.{cents % 100:02d}" for cents in table["cents"].tolist()]
    return table.assign(euros=euros).to_csv(index=False, lineterminator="\n")


def replace_file(path: Path, text: str) -> Path:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
