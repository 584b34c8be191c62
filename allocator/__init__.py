"""Decide who gets public money: scenarios in, certified and explained plans out.

    import allocator

    scenario = allocator.load("propositions-2025")
    plan = allocator.solve(scenario)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOMES = {
    "Fund": "scenario",
    "Measure": "scenario",
    "Plan": "plan",
    "Scenario": "scenario",
    "ScenarioError": "problems",
    "Selection": "selection",
    "load": "formats",
    "solve": "solver",
}
__all__ = ["__version__", *_HOMES]

if TYPE_CHECKING:
    from allocator.formats import load
    from allocator.plan import Plan
    from allocator.problems import ScenarioError
    from allocator.scenario import Fund, Measure, Scenario
    from allocator.selection import Selection
    from allocator.solver import solve


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


def __dir__() -> list[str]:
    return sorted(__all__)
