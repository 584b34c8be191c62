"""One variant solved: a row of figures, and its grants. Small and plain, to be sent between machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.changes import changed
from allocator.plan import Plan
from allocator.scenario import Scenario
from allocator.solver import Session

GRANTS = ("variant", "demand", "fund", "year", "cents")


@dataclass(frozen=True)
class Options:
    """How each variant is solved."""

    engine: str = "auto"
    gap: float = 1e-4
    time_limit: float | None = None


@dataclass(frozen=True, eq=False)
class Solved:
    """Rows (k) and grants of some variants: what `solve_batch` hands back."""

    rows: list[dict[str, Any]]
    grants: pd.DataFrame


def solve_batch(scenario: Scenario, batch: Sequence[tuple[int, Mapping[str, Any]]], options: Options) -> Solved:
    """The variants of a batch one after another in a session of their own, so that nothing depends on who solves it."""
    session = Session(
        engine=options.engine, gap=options.gap, time_limit=options.time_limit, interruptible=False, conflicts=False
    )
    rows, grants = [], []
    for number, changes in batch:
        plan = session.solve(changed(scenario, changes))
        rows.append(row(number, changes, plan))
        grants.append(plan.grants[["demand", "fund", "year", "cents"]].assign(variant=np.int64(number)))
    return Solved(rows, pd.concat(grants, ignore_index=True)[list(GRANTS)])


def row(number: int, changes: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """One line of the table: what was changed, how it ended, and where the money goes in cents."""
    said = plan.summary()
    totals = said["totals"]
    found: dict[str, Any] = {"variant": number}
    found |= {path: shown(value) for path, value in changes.items()}
    found |= {key: said[key] for key in ("status", "objective", "bound", "gap", "input_hash")}
    found |= {key: totals[key] for key in ("asked", "granted", "left")}
    for kind in ("fund", "measure", "region"):
        found |= {f"{kind}.{name}": cents for name, cents in totals[f"by_{kind}"].items()}
    found |= {f"units.{name}": float(units) for name, units in said["units"].items()}
    found |= {f"indicator.{name}": value for name, value in said["indicators"].items()}
    return found | {"seconds": plan.seconds.total}


def shown(value: Any) -> str:
    """A value of a change as it stands in the table."""
    return str(value).lower() if isinstance(value, bool) else str(value)
