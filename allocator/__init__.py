"""Decide who gets public money: scenarios in, certified and explained plans out.

import allocator

scenario = allocator.load("propositions-2025")
plan = allocator.solve(scenario)
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from allocator import saved

_HOMES = {
    "Comparison": "compare",
    "Frontier": "frontier",
    "Fund": "scenario",
    "Measure": "scenario",
    "Plan": "plan",
    "Scenario": "scenario",
    "ScenarioError": "problems",
    "Selection": "selection",
    "Session": "solver",
    "Store": "store",
    "Sweep": "sweep",
    "assess": "risk.assess",
    "changed": "changes",
    "compare": "compare",
    "diff": "diff",
    "explain": "explain",
    "frontier": "frontier",
    "load": "formats",
    "solve": "solver",
    "sweep": "sweep",
}
__all__ = ["__version__", *_HOMES]

if TYPE_CHECKING:
    from allocator.changes import changed as changed
    from allocator.compare import Comparison as Comparison
    from allocator.compare import compare as compare
    from allocator.diff import diff as diff
    from allocator.explain import explain as explain
    from allocator.formats import load as load
    from allocator.frontier import Frontier as Frontier
    from allocator.frontier import frontier as frontier
    from allocator.plan import Plan as Plan
    from allocator.problems import ScenarioError as ScenarioError
    from allocator.risk.assess import assess as assess
    from allocator.scenario import Fund as Fund
    from allocator.scenario import Measure as Measure
    from allocator.scenario import Scenario as Scenario
    from allocator.selection import Selection as Selection
    from allocator.solver import Session as Session
    from allocator.solver import solve as solve
    from allocator.store import Store as Store
    from allocator.sweep import Sweep as Sweep
    from allocator.sweep import sweep as sweep


def __getattr__(name: str) -> Any:
    """Import the public names on first use: bare `import allocator` loads no engine and no pandas."""
    if name == "__version__":
        from importlib.metadata import version

        return version("allocator-fonds-publics")
    if name in _HOMES:
        from importlib import import_module

        value = getattr(import_module(f"allocator.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'allocator' has no attribute {name!r}")


def _saved_plan(plan_id: str) -> Any:
    """A plan in this user's store: what a rule may look back to by its id."""
    from allocator.store import Store

    with Store(create=False) as store:
        return store.plan(plan_id)


saved.kept_by(_saved_plan)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """`allocator.compare` stays the function even once the module of that name has been imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
