"""Many variants of a scenario, each solved and certified, in one tidy table.

    swept = allocator.sweep(scenario, {"funds.*.amount": ["-30 %", "+0 %", "+30 %"], "constraints.idf.enabled": [True, False]})
    swept.table      # one row per variant
    swept.plan(3)    # the plan of a variant, solved again and compared with what was kept

`design` says which variants, `variant` solves them, `runners` who solves them, `folder` what is kept.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import pandas as pd

from allocator.changes import changed
from allocator.plan import Plan
from allocator.problems import Problem, ScenarioError
from allocator.scenario import Scenario
from allocator.solver import Session, solve
from allocator.sweep.design import DESIGNS, Design, Range, checked, variants
from allocator.sweep.folder import Folder, opened
from allocator.sweep.runners import runner
from allocator.sweep.variant import GRANTS, Options
from allocator.texts import Text

__all__ = ["Progress", "Range", "Sweep", "sweep"]

BATCH = 8  # variants that share a session: the same whoever solves them


@dataclass(frozen=True)
class Progress:
    """Variants done (those found done already too) of all, seconds since the start, variants per second, seconds left."""

    done: int
    total: int
    seconds: float
    rate: float
    left: float


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, eq=False)
class Sweep:
    """`table`: one row per variant: `variant`, a column of texts for each path that varies, status, objective, bound, gap,
    input_hash; asked, granted, left, `fund.…`, `measure.…`, `region.…` in cents (int64); `units.…`, `indicator.…`;
    `seconds`, the one column that is not the same each time. `all_grants`: variant, demand, fund, year, cents.
    """

    scenario: Scenario
    variants: tuple[Mapping[str, Any], ...]
    options: Options
    table: pd.DataFrame
    all_grants: pd.DataFrame = field(repr=False)

    def __repr__(self) -> str:
        return f"<Sweep of {self.scenario.name}: {len(self.variants)} variants>"

    def variant(self, number: int) -> Scenario:
        """The scenario of a variant."""
        return changed(self.scenario, self.variants[number])

    def grants(self, number: int) -> pd.DataFrame:
        """The grants of a variant's plan as they were kept: demand, fund, year, cents."""
        mine = self.all_grants[self.all_grants["variant"] == number]
        return mine.drop(columns="variant").reset_index(drop=True)

    def plan(self, number: int) -> Plan:
        """The plan of a variant: solved again, certified, and compared with what was kept.

        Raises ValueError where it is not the same: another version of a library, or a solve that the clock ended.
        """
        options = self.options
        plan = solve(self.variant(number), engine=options.engine, gap=options.gap, time_limit=options.time_limit)
        if plan.grants[list(GRANTS[1:])].to_dict("records") != self.grants(number).to_dict("records"):
            raise ValueError(f"variant {number}: solved again, the plan differs from the one that was kept")
        return plan

    def as_dict(self) -> dict[str, Any]:
        """The table for JSON, and how the variants ended."""
        rows = self.table.astype(object).where(self.table.notna(), None).to_dict("records")
        statuses = {str(k): int(n) for k, n in self.table["status"].value_counts().sort_index().items()}
        return {"scenario": self.scenario.name, "variants": len(rows), "statuses": statuses, "table": rows}


def sweep(
    scenario: Scenario,
    vary: Mapping[str, Sequence[Any] | Range] | Sequence[Mapping[str, Any]],
    *,
    design: Design = "grid",
    count: int = 100,
    seed: int = 0,
    engine: str = "auto",
    gap: float = 1e-4,
    time_limit: float | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    out: str | os.PathLike[str] | None = None,
    on_progress: OnProgress | None = None,
) -> Sweep:
    """Solve every variant.

    `vary`: {path: values}, combined as `design` says ("grid", "one" at a time, "random": `count` draws by `seed`); or a
    list of variants, each {path: value}. See `allocator.changed` for paths and values. `jobs`: processes on this machine
    (0: one a core); `scheduler`: the address of a Dask scheduler instead. `out`: a folder that keeps every batch as it is
    done; called again with the same arguments, the sweep goes on from there. The table is the same whoever solves.
    Raises `ScenarioError` with every mistake before anything is solved, as `solve` for the rest.
    """
    if design not in DESIGNS:
        raise ValueError(f"design: {design!r} is none of {', '.join(DESIGNS)}")
    wanted = variants(vary, design, count=count, seed=seed) if isinstance(vary, Mapping) else [dict(v) for v in vary]
    if not wanted:
        raise ScenarioError([Problem("", Text("aucune variante à calculer", "no variant to solve"))])
    Session(engine=engine, gap=gap, time_limit=time_limit)  # raises what each variant would
    options = Options(engine, gap, time_limit)
    hashes = checked(scenario, wanted)
    about = {
        "scenario": scenario.input_hash,
        "variants": hashes,
        "changes": [{path: str(value) for path, value in changes.items()} for changes in wanted],
        "options": {"engine": engine, "gap": gap, "time_limit": time_limit},
        "version": version("allocator-fonds-publics"),
    }
    with tempfile.TemporaryDirectory(prefix="allocator-sweep-") as scratch:
        folder = Folder(scratch if out is None else out, about)
        if not folder.finished:
            _solve_all(scenario, wanted, options, folder, runner(jobs, scheduler), on_progress)
        _, table, grants = opened(folder.path)
    return Sweep(scenario, tuple(wanted), options, table, grants)


def _solve_all(
    scenario: Scenario,
    wanted: Sequence[Mapping[str, Any]],
    options: Options,
    folder: Folder,
    run: Callable[..., Any],
    on_progress: OnProgress | None,
) -> None:
    """Every batch that is not done, kept as it comes back."""
    batches = {k: list(enumerate(wanted))[k * BATCH : (k + 1) * BATCH] for k in range(-(-len(wanted) // BATCH))}
    known = folder.done()
    before = done = sum(len(batches[k]) for k in known if k in batches)
    start = time.monotonic()
    missing = {k: batch for k, batch in batches.items() if k not in known}
    for number, solved in run(scenario, missing, options) if missing else ():
        folder.add(number, solved)
        done += len(solved.rows)
        if on_progress is not None:
            seconds = time.monotonic() - start
            rate = (done - before) / max(seconds, 1e-9)
            on_progress(Progress(done, len(wanted), seconds, rate, (len(wanted) - done) / rate))
    folder.close()
