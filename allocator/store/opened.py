"""A saved plan as a `Plan` again, without solving: its grants counted today, its bound as it was proved then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from allocator.certify import Certificate, Check, certify
from allocator.plan import EngineReport, LevelReport, Plan, Seconds
from allocator.reading import Reading
from allocator.space import Space
from allocator.store.errors import refused
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.scenario import Scenario
    from allocator.store.records import SavedPlan


def opened(saved: SavedPlan, scenario: Scenario) -> Plan:
    """The plan; its checks are those that were saved. `StoreError` where its grants no longer keep every rule, or are not
    worth what they were: `replay` says why.

    `binding` holds the rules that the plan meets to the last cent or unit: what the proof leaned on is not kept.
    """
    space = Space.of(scenario)
    sign = space.aim.sign
    engine = EngineReport(
        saved.engine, saved.versions.get(saved.engine, ""), saved.status, None, Text("enregistré", "saved"),
        saved.gap_allowed, saved.time_limit,
    )  # fmt: skip
    checks = tuple(Check(check["name"], check["ok"], Text(check["fr"], check["en"])) for check in saved.checks)
    if saved.objective is None:
        return Plan(scenario, saved.status, Certificate(checks, sign=sign), engine, Seconds())
    broken: list[str] = []
    try:
        reading = read(saved, space)
        today = certify(reading, None)
        broken = [check.name for check in today.checks if not check.ok]
    except KeyError as error:
        broken = [str(error.args[0])]
    if broken or today.objective is None or today.objective * sign != saved.objective:
        why = ", ".join(broken) or "objective"
        raise refused("", Text(f"le plan {saved.id} ne se compte plus comme il a été enregistré : {why}",
                               f"plan {saved.id} does not count any more as it was saved: {why}"),
                      Text(f"allocator replay {saved.id}", f"allocator replay {saved.id}"))  # fmt: skip
    bound = None if saved.bound is None else saved.bound * sign
    certificate = Certificate(checks, today.objective, bound, today.levels, sign)
    binding = tuple(
        rule.id for rule, levels in today.levels if any(level.tight for level in levels) or rule.holds_back(reading)
    )
    levels = tuple(
        LevelReport(aim, *(None if value is None else value * aim.sign for value in level))
        for aim, level in zip(space.aims, saved.levels, strict=False)
    )
    return Plan(
        scenario,
        saved.status,
        certificate,
        engine,
        Seconds(),
        reading,
        binding=binding,
        levels=levels,
    )


def read(saved: SavedPlan, space: Space) -> Reading:
    """The saved grants in a space. `KeyError` for a demand, fund or year that the scenario does not have."""
    grants, scenario = saved.grants, space.scenario
    demand = _places(grants["demand"], scenario.demands["id"].tolist())
    fund = _places(grants["fund"], [fund.id for fund in scenario.funds])
    year = _places(grants["year"], list(scenario.years))
    moved = np.array(saved.moved, np.int64)
    return Reading(space, demand, fund, year, grants["cents"].to_numpy(np.int64), moved)


def _places(column: pd.Series, names: Sequence[Any]) -> np.ndarray:
    at = {name: place for place, name in enumerate(names)}
    return np.array([at[name] for name in column.tolist()], np.int64)
