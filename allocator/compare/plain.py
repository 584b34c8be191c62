"""A comparison as plain values: cents as whole numbers, what does not exist as None."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from allocator.compare.groups import MARGINS, change_of

if TYPE_CHECKING:
    from allocator.compare import Comparison


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """See `Comparison.as_dict`."""
    plans = []
    for row, plan in zip(_records(comparison.totals), comparison.plans, strict=True):
        row |= {"scenario": plan.scenario.name, "input_hash": plan.scenario.input_hash}
        row["certificate"] = {"ok": plan.certificate.ok}
        if plan.status == "infeasible":
            row["conflict"] = plan.conflict.as_dict() if plan.conflict else None
        plans.append(row)
    notes = [str(note) for note in comparison.notes]
    report: dict[str, Any] = {"reference": comparison.reference, "plans": plans, "notes": notes}
    for per in MARGINS:
        table = comparison.by(per)
        if per == "territory":
            table = table[(table[list(comparison.names)] != 0).any(axis=1)]
        report[f"by_{per}"] = _nested(comparison, table, "cents")
    report["units"] = _nested(comparison, comparison.units, "units")
    report["indicators"] = _nested(comparison, comparison.indicators, "total")
    report["demands"] = _nested_fates(comparison)
    report["gainers"] = _apart(comparison.gainers(), comparison.names[1:])
    report["losers"] = _apart(comparison.losers(), comparison.names[1:])
    report["inequality"] = _records(comparison.inequality)
    report["checks"] = dict(comparison.checks)
    report["scarce"] = _apart(comparison.scarce, comparison.names)
    report["binding"] = _apart(comparison.binding, comparison.names)
    return report


def _nested_fates(comparison: Comparison) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {name: {} for name in comparison.names[1:]}
    for row in _records(comparison.fates()):
        nested[row["plan"]][row["fate"]] = {"count": row["count"], "change": row["change"]}
    return nested


def _nested(comparison: Comparison, table: pd.DataFrame, of: str) -> list[dict[str, Any]]:
    """Rows with the plans' columns under one key, their differences under "change"."""
    rows = []
    for row in _records(table):
        values = {name: row.pop(name) for name in comparison.names}
        changes = {name: row.pop(change_of(name)) for name in comparison.names[1:]}
        rows.append({**row, of: values, "change": changes})
    return rows


def _apart(table: pd.DataFrame, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    apart: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for row in _records(table):
        apart[row.pop("plan")].append(row)
    return apart


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain Python values; None for what is not a number or not finite."""
    columns = {
        str(name): [None if isinstance(v, float) and not np.isfinite(v) else v for v in column.tolist()]
        for name, column in table.items()
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
