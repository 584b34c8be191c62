"""Public files in: each importer is one module here, found by itself.

An importer has a `FORMAT` (its name on the command line), a `HELP`, `READS` and `WRITES` (what the file is, what is
made of it), `FILES` (how many it takes: least, most), `arguments(parser)` for options of its own and
`run(files, options)`, which gives an `Import`. Its module is imported to build the command line: what brings pandas
(`allocator.money`, `allocator.tables`) is imported inside functions. Common ground: `reading` (tables), `placing` (codes on today's map),
`report` (the account), `writing` (what goes into the folder).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, cast

from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.importers.writing import Import


class Importer(Protocol):
    FORMAT: str
    HELP: Text
    READS: Text
    WRITES: Text
    FILES: tuple[int, int]

    def arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, files: Sequence[str], options: argparse.Namespace) -> Import: ...


def importers() -> list[Importer]:
    """Every importer, by name of format."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return sorted((cast(Importer, m) for m in modules if hasattr(m, "FORMAT")), key=lambda importer: importer.FORMAT)
