"""A plan as files in a folder: tables in CSV (euros and cents), the summary in JSON, all of it in a workbook, the essential
on two pages of PDF."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from allocator.formats.saving import replaced
from allocator.spreadsheet import csv_of

if TYPE_CHECKING:
    from allocator.explain import Explanation
    from allocator.plan import Plan

TABLES = ("grants", "payments", "units", "account")


def write_plan(
    plan: Plan, folder: str | os.PathLike[str], *, pdf: bool = False, reasons: Explanation | None = None
) -> list[Path]:
    """Write grants.csv, payments.csv, units.csv, account.csv, summary.json, plan.xlsx and, if wanted, note.pdf; each file
    is replaced whole or not at all.

    `reasons`: `explain(plan, about="costs")`, which the last three then tell. Raises OSError when the folder cannot be
    written, `ScenarioError` where the PDF cannot be made.
    """
    from allocator.report.workbook import write_workbook

    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    files = {f"{name}.csv": _csv(getattr(plan, name)) for name in TABLES}
    files["summary.json"] = json.dumps(summary(plan, reasons), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    written = [replace_file(root / name, text) for name, text in files.items()]
    written.append(replaced(root / "plan.xlsx", lambda at: write_workbook(plan, at, reasons)))
    if pdf:
        from allocator.report.document import write_document

        written.append(replaced(root / "note.pdf", lambda at: write_document(plan, at, reasons)))
    return written


def summary(plan: Plan, reasons: Explanation | None = None) -> dict[str, Any]:
    """`Plan.summary`, with the reasons where they are known."""
    return plan.summary() | ({"reasons": reasons.as_dict()} if reasons is not None else {})


def _csv(table: pd.DataFrame) -> str:
    if "cents" not in table:
        return csv_of(table)
    euros = [f"{cents // 100}.{cents % 100:02d}" for cents in table["cents"].tolist()]
    return csv_of(table.assign(euros=euros))


def replace_file(path: Path, text: str) -> Path:
    """Write a text beside `path`, then put it in its place."""
    return replaced(path, lambda at: Path(at).write_text(text, encoding="utf-8", newline=""))
