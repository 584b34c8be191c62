"""A plan as files in a folder: tables in CSV (euros and cents), the summary in JSON, all of it in a workbook."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from allocator.formats.saving import replaced

if TYPE_CHECKING:
    from allocator.plan import Plan

TABLES = ("grants", "payments", "units", "account")


def write_plan(plan: Plan, folder: str | os.PathLike[str]) -> list[Path]:
    """Write grants.csv, payments.csv, units.csv, account.csv, summary.json and plan.xlsx; each file is replaced whole or
    not at all.

    Raises OSError when the folder cannot be written.
    """
    from allocator.report.workbook import write_workbook

    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    files = {f"{name}.csv": _csv(getattr(plan, name)) for name in TABLES}
    files["summary.json"] = json.dumps(plan.summary(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    written = [replace_file(root / name, text) for name, text in files.items()]
    return [*written, replaced(root / "plan.xlsx", lambda at: write_workbook(plan, at))]


def _csv(table: pd.DataFrame) -> str:
    if "cents" not in table:
        return table.to_csv(index=False, lineterminator="\n")
    euros = [f"{cents // 100}.{cents % 100:02d}" for cents in table["cents"].tolist()]
    return table.assign(euros=euros).to_csv(index=False, lineterminator="\n")


def replace_file(path: Path, text: str) -> Path:
    """Write a text beside `path`, then put it in its place."""
    return replaced(path, lambda at: Path(at).write_text(text, encoding="utf-8", newline=""))
