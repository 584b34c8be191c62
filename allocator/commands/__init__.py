"""The commands of `allocator`, one module each, found by themselves.

A command has a `NAME`, a `HELP`, `arguments(parser)` and `run(options)`, which gives the exit status.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from allocator.texts import Text


class Command(Protocol):
    NAME: str
    HELP: Text

    def arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, options: argparse.Namespace) -> int: ...


def commands() -> list[Command]:
    """Every command, by name."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return sorted((cast(Command, m) for m in modules if hasattr(m, "NAME")), key=lambda command: command.NAME)
