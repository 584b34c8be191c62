"""The engines, by the names users give them.

To add one: write ``engines/<name>.py`` with a class and a constant ``ENGINE``, an instance of it. Nothing
else is touched; the conformance suite finds it here. A family of engines (``pulp:NAME``) has ``PREFIX``, ``names()``
and ``NAMED`` instead. Importing this package loads no solver library: each engine imports its own when it first solves.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from importlib import import_module

from allocator.texts import Text

from .base import Engine, OnProgress, Outcome, Program, Progress, Reason, Session, Stop
from .guard import ColdSession, heard

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
    "every",
    "heard",
]


_MODULES = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
ENGINES: dict[str, Engine] = {
    each.name: each for each in sorted((m.ENGINE for m in _MODULES if hasattr(m, "ENGINE")), key=lambda each: each.name)
}
_FAMILIES = {module.PREFIX: module for module in _MODULES if hasattr(module, "PREFIX")}


class UnknownEngine(KeyError):
    """No engine of that name; `text` says so, `known` are the names there are."""

    def __init__(self, name: str, known: Sequence[str], text: Text) -> None:
        super().__init__(name)
        self.known, self.text = list(known), text

    def __str__(self) -> str:  # KeyError would print the repr
        known = ", ".join(self.known)
        return str(Text(f"{self.text.fr} : {known}", f"{self.text.en}: {known}") if known else self.text)


def engine(name: str) -> Engine:
    """The engine of that name; :class:`UnknownEngine` (a KeyError) lists the names there are."""
    if name in ENGINES:
        return ENGINES[name]
    family = _FAMILIES.get(name.partition(":")[0]) if ":" in name else None
    if family is None:
        known = [*ENGINES, *(f"{prefix}:…" for prefix in _FAMILIES)]
        raise UnknownEngine(name, known, Text(f"moteur inconnu « {name} »", f"unknown engine “{name}”"))
    if name not in family.names():
        missing = Text(f"moteur introuvable ici « {name} »", f"engine not found here “{name}”")
        raise UnknownEngine(name, family.names(), missing)
    named: Engine = family.NAMED(name)
    return named


def every() -> list[Engine]:
    """Those of `ENGINES`, then those found here of the families."""
    return [*ENGINES.values(), *(family.NAMED(name) for family in _FAMILIES.values() for name in family.names())]
