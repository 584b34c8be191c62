"""The small scenario that every kind's example speaks of: three territories, five demands, two funds, two years."""

from __future__ import annotations

from typing import Any

YEARS = [2026, 2027]
FUNDS: list[dict[str, Any]] = [
    {"id": "f", "amount": 1000},
    {"id": "g", "amounts": {2026: 100, 2027: 200}, "carry_over": True},
]
MEASURES: list[dict[str, Any]] = [{"id": "ecole", "lumpy": True}, {"id": "friche"}]
TERRITORIES: dict[str, list[Any]] = {
    "id": ["a", "b", "c"],
    "name": ["A", "B", "C"],
    "region": ["11", "11", "53"],
    "departement": ["75", "77", "35"],
    "population": [1000, 2000, 3000],
}
DEMANDS: dict[str, list[Any]] = {
    "id": ["a-ecole", "a-friche", "b-friche", "c-ecole", "c-friche"],
    "territory": ["a", "a", "b", "c", "c"],
    "measure": ["ecole", "friche", "friche", "ecole", "friche"],
    "units": [2, 3.5, 2, 3, 4],
    "asked": [100, 30, 50, 80, 20],
    "cost": [150, 30, 100, 80, 60],
    "emplois": [7, 1, 2.5, 6, 0.3],
    "sol": ["bâti", "vert", "bâti", "vert", "vert"],
}
PRIOR_AID: dict[str, list[Any]] = {"beneficiary": ["a"], "date": ["2025-03-01"], "cents": [5000]}
OBJECTIVE: dict[str, Any] = {"maximise": {"emplois": 1}}
