"""The engines, by the names users give them.

To add one: write ``engines/<name>.py`` with a class and a constant ``ENGINE``, an instance of it. Nothing
else is touched; the conformance suite finds it here. Importing this package loads no solver library: each
engine imports its own when it first solves.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from .base import Engine, OnProgress, Outcome, Program, Progress, Reason, Session, Stop
from .guard import ColdSession

__all__ = [
    "ENGINES",
    "ColdSession",
    "Engine",
    "OnProgress",
    "Outcome",
    "Program",
    "Progress",
    "Reason",
    "Session",
    "Stop",
    "UnknownEngine",
    "engine",
]


def _found() -> dict[str, Engine]:
    modules = (import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    engines = [module.ENGINE for module in modules if hasattr(module, "ENGINE")]
    return {each.name: each for each in sorted(engines, key=lambda each: each.name)}


ENGINES: dict[str, Engine] = _found()


class UnknownEngine(KeyError):
    """No engine of that name."""

    def __str__(self) -> str:  # KeyError would print the repr
        return str(self.args[0])


def engine(name: str) -> Engine:
    """The engine of that name; :class:`UnknownEngine` (a KeyError) lists the names there are."""
    try:
        return ENGINES[name]
    except KeyError:
        raise UnknownEngine(f"no engine {name!r}; there are: {', '.join(ENGINES)}") from None
