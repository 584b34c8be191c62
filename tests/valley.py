"""A scenario small enough to solve by hand: two funds, three towns, brownfields by the hectare and a school."""

from __future__ import annotations

from typing import Any

import pandas as pd

import allocator

FLOOR = {
    "kind": "floor", "id": "plancher-sud", "label": "Plancher du Sud", "on": {"where": {"region": "Sud"}},
    "amount": "2 M€",
}  # fmt: skip
SCHOOLS = {"kind": "count", "id": "ecoles", "label": "Aucune école", "on": {"measures": "ecole"}, "max": 0}


def valley(
    rules: tuple[dict[str, Any], ...] = (FLOOR, SCHOOLS), *, lumpy: bool = False, **changes: Any
) -> allocator.Scenario:
    """3.8 M€ for brownfields at 12, 9 and 5 jobs a hectare of 500 k€, and a school at 10 jobs for 700 k€."""
    territories = pd.DataFrame(
        {
            "id": ["t1", "t2", "t3"], "name": ["Vallée", "Littoral", "Plateau"], "region": ["Nord", "Sud", "Sud"],
            "departement": ["59", "13", "13"], "population": [42000, 91000, 1000],
        }
    )  # fmt: skip
    demands = pd.DataFrame(
        {
            "id": ["d1", "d2", "d3", "d4"], "territory": ["t1", "t2", "t3", "t1"],
            "measure": ["friche", "friche", "friche", "ecole"], "units": [4, 5, 2, 1],
            "asked": [500_000, 500_000, 500_000, 700_000], "cost": [780_000, 780_000, 780_000, 1_000_000],
            "emplois": [12, 9, 5, 10],
        }
    )  # fmt: skip
    parts: dict[str, Any] = {
        "name": "vallee",
        "years": [2026, 2027],
        "funds": [
            {"id": "friches", "label": "Fonds friches", "amount": "3 M€"},
            {"id": "region", "label": "Fonds régional", "amounts": {2026: 400_000, 2027: 400_000}, "carry_over": True},
        ],
        "measures": [
            {"id": "friche", "label": "Friches", "unit": "ha", "lumpy": lumpy},
            {"id": "ecole", "label": "École", "unit": "école", "lumpy": lumpy},
        ],
        "territories": territories,
        "demands": demands,
        "constraints": list(rules),
        "objective": {"maximise": {"emplois": 1}},
    }
    return allocator.Scenario(**{**parts, **changes})
