"""Petersen's seven R&D problems (OR-Library, mknap1) as scenarios: each project one whole unit, each budget an indicator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

# open data that lie beside the repository, if at all
MKNAP = Path(__file__).resolve().parents[2] / "shared/data/benchmarks/mknap1.txt"


def problems() -> list[tuple[float, dict[str, Any]]]:
    """The best value of each, and the arguments of its `allocator.Scenario`."""
    numbers = iter(MKNAP.read_text().split())
    found = []
    for k in range(int(next(numbers))):
        n, m, best = int(next(numbers)), int(next(numbers)), float(next(numbers))
        value = [float(next(numbers)) for _ in range(n)]
        uses = {f"use{i}": [float(next(numbers)) for _ in range(n)] for i in range(m)}
        limits = [float(next(numbers)) for _ in range(m)]
        columns = {"id": [f"p{j:02d}" for j in range(n)], "territory": "t", "measure": "p", "units": 1, "asked": 1}
        place = {"id": ["t"], "name": "t", "region": "r", "departement": "d", "population": 1}
        arguments = {
            "name": f"petersen-{k + 1}",
            "years": [2026],
            "funds": [{"id": "f", "amount": n}],
            "measures": [{"id": "p", "lumpy": True}],
            "territories": pd.DataFrame(place),
            "demands": pd.DataFrame(columns | {"value": value} | uses),
            "constraints": [
                {"kind": "indicator", "indicator": f"use{i}", "max": side} for i, side in enumerate(limits)
            ],
            "objective": {"maximise": {"value": 1}},
        }
        found.append((best, arguments))
    return found
