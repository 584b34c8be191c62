"""What is measured: each case says how to come by its tables, and what they are (its size, its structure)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import petersen
from generator import STRUCTURES, tables

import allocator

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared/data/benchmarks"  # open data that lie beside the repository, if at all
TOULOUSE = ("France_Toulouse_2019.pb", "France_Toulouse_2022.pb", "toulouse-2022-districts")
BUILT_IN = (
    "equite-territoriale", "hectares-2030", "leviers", "propositions-2025", "rebond-urgence", "region-la-moins-servie",
    "statu-quo", "statu-quo-lfi",
)  # fmt: skip
WHOLE, NATIONAL = (60, 200, 600, 2_700), 30_000

Read = Callable[[], allocator.Scenario]


@dataclass(frozen=True)
class Case:
    """`prepared` finds the tables and hands back what is timed: reading and checking them.

    `n`: demands, 0 where the files say. `limit`: seconds, unless others are asked for. `engines`: whether all of ours
    are tried. `needs`: a file without which it cannot be run.
    """

    group: str
    name: str
    prepared: Callable[[], Read]
    n: int = 0
    structure: str = ""
    limit: float = 600
    engines: bool = False
    needs: Path | None = None

    @property
    def id(self) -> str:
        return f"{self.group}/{self.name}"


def _generated(group: str, structure: str, n: int, funds: int, years: int, whole: float, limit: float = 600) -> Case:
    def prepared() -> Read:
        held = tables(n, funds, years, structure, whole=whole)
        return lambda: allocator.Scenario(**held)

    every = n == WHOLE[1] or (n == 3_000 and structure == "open")
    return Case(group, f"{structure}-{n}", prepared, n, structure, limit, every and structure == "open")


def _built_in(name: str) -> Case:
    return Case("built-in", name, lambda: lambda: allocator.load(name), limit=60, engines=name == "propositions-2025")


def _petersen_read(k: int) -> Read:
    _, arguments = petersen.problems()[k - 1]
    return lambda: allocator.Scenario(**arguments)


def _toulouse(file: str) -> Case:
    def prepared() -> Read:
        from allocator.cli import main

        out = Path(tempfile.mkdtemp(prefix="allocator-bench-")) / "out"
        main(["import", "pabulib", str(SHARED / file), "--out", str(out)])
        return lambda: allocator.load(str(out))

    name = file.removesuffix(".pb").removeprefix("France_").lower()
    return Case("public", name, prepared, limit=60, needs=SHARED / file)


def _petersen(k: int) -> Case:
    return Case("public", f"petersen-{k}", lambda: _petersen_read(k), limit=60, needs=petersen.MKNAP)


CASES = {
    case.id: case
    for case in (
        *(_built_in(name) for name in BUILT_IN),
        *(_generated("whole", structure, n, 5, 3, 1.0, limit=60) for n in WHOLE for structure in STRUCTURES),
        *(_petersen(k) for k in range(1, 8)),
        *(_toulouse(file) for file in TOULOUSE),
        *(
            _generated("divisible", structure, n, funds, years, 0.0)
            for n, funds, years in ((3_000, 5, 3), (NATIONAL, 5, 3), (300_000, 6, 6), (1_000_000, 6, 6))
            for structure in STRUCTURES
        ),
        *(_generated("half", structure, NATIONAL, 5, 3, 0.5) for structure in STRUCTURES),
    )
}
