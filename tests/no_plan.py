"""Six scenarios that cannot be, each for another reason."""

from __future__ import annotations

from typing import Any

import pandas as pd

from allocator.scenario import Scenario

TERRITORIES = pd.DataFrame(
    {
        "id": ["t1", "t2", "t3"], "name": ["Vallée", "Littoral", "Plateau"], "region": ["84", "53", "53"],
        "region_name": ["Auvergne-Rhône-Alpes", "Bretagne", "Bretagne"], "departement": ["38", "29", "22"],
        "population": [42_000, 91_000, 17_000], "kind": ["CA", "CC", "CC"],
    }
)  # fmt: skip
PLACES = ["t1", "t2", "t3"]


def scenario(
    demands: pd.DataFrame, funds: list[dict[str, Any]], constraints: list[dict[str, Any]], **more: Any
) -> Scenario:
    said: dict[str, Any] = {
        "name": "impossible", "years": [2026], "funds": funds, "territories": TERRITORIES, "demands": demands,
        "measures": [{"id": "friche", "label": "Friche"}, {"id": "rebond", "label": "Rebond", "lumpy": True}],
        "constraints": constraints, "objective": {"maximise": {"emplois": 1}},
    }  # fmt: skip
    return Scenario(**(said | more))


def friches(asked: int = 100_000, units: float = 20) -> pd.DataFrame:
    """One reclaimed site a territory, 20 ha at 100 000 € each."""
    return pd.DataFrame(
        {
            "id": ["f1", "f2", "f3"],
            "territory": PLACES,
            "measure": "friche",
            "units": units,
            "asked": asked,
            "emplois": [8, 6, 7],
        }
    )


def floors_above_a_fund() -> Scenario:
    """Two regions are promised 1,4 M€ and 2 M€ of a fund of 3 M€."""
    return scenario(
        friches(),
        [{"id": "fonds-friches", "label": "Fonds friches", "amount": "3 M€"}],
        [
            {"kind": "floor", "id": "p-ara", "label": "Plancher Auvergne-Rhône-Alpes", "on": {"where": {"region": "84"}}, "amount": "1.4 M€"},
            {"kind": "floor", "id": "p-bzh", "label": "Plancher Bretagne", "on": {"where": {"region": "53"}}, "amount": "2 M€"},
            {"kind": "ceiling", "id": "autre", "label": "Plafond par dossier", "per": "territory", "amount": "1.9 M€"},
        ],
    )  # fmt: skip


def ten_rebonds_for_nine() -> Scenario:
    """Ten whole units, nine eligible demands."""
    places = [PLACES[k % 3] for k in range(9)]
    demands = pd.DataFrame(
        {
            "id": [f"r{k}" for k in range(9)],
            "territory": places,
            "measure": "rebond",
            "units": 1,
            "asked": 200_000,
            "emplois": 5,
        }
    )
    return scenario(
        demands,
        [{"id": "france-2030", "label": "France 2030", "amount": "5 M€"}],
        [{"kind": "count", "id": "dix", "label": "Dix Rebonds", "on": {"measures": ["rebond"]}, "min": 10}],
    )


def share_against_count() -> Scenario:
    """Half of the money to Brittany, which has two Rebonds, and six Rebonds in all, five of them elsewhere."""
    places = ["t1", "t1", "t1", "t1", "t1", "t2", "t3"]
    demands = pd.DataFrame(
        {
            "id": [f"r{k}" for k in range(7)],
            "territory": places,
            "measure": "rebond",
            "units": 1,
            "asked": 200_000,
            "emplois": 5,
        }
    )
    return scenario(
        demands,
        [{"id": "france-2030", "label": "France 2030", "amount": "5 M€"}],
        [
            {"kind": "share", "id": "moitie", "label": "Moitié en Bretagne", "on": {"where": {"region": "53"}}, "of": {}, "min": "50 %"},
            {"kind": "count", "id": "six", "label": "Six Rebonds", "on": {"measures": ["rebond"]}, "min": 6},
        ],
    )  # fmt: skip


def credits_against_commitments() -> Scenario:
    """3 M€ to be committed, half paid the same year and half the next: 1 M€ in 2026 at most by the commitments, and
    1,6 M€ in 2027 by the payments of 2028."""
    return scenario(
        friches(),
        [{
            "id": "fonds-vert", "label": "Fonds vert", "amounts": {2026: "1 M€", 2027: "3 M€"},
            "payments": {2026: "1 M€", 2027: "2 M€", 2028: "800 k€"},
        }],
        [{"kind": "floor", "id": "engager", "label": "Trois millions à engager", "amount": "3 M€"}],
        years=[2026, 2027],
        measures=[{"id": "friche", "label": "Friche", "payment_profile": [0.5, 0.5]}],
    )  # fmt: skip


def lock_against_no_stacking() -> Scenario:
    """A project promised 2 M€, two funds of which each could pay part, and one fund at most."""
    return scenario(
        friches(),
        [
            {"id": "fonds-friches", "label": "Fonds friches", "amount": "1.2 M€"},
            {"id": "ti", "label": "Fonds TI", "amount": "1 M€"},
        ],
        [
            {"kind": "lock", "id": "promis", "label": "Friche de la Vallée promise", "on": {"demands": ["f1"]}, "decision": "fund"},
            {"kind": "no_stacking", "id": "non-cumul", "label": "Un seul fonds par dossier", "max_funds": 1},
        ],
    )  # fmt: skip


def two_conflicts() -> Scenario:
    """Two contradictions that have nothing to do with each other."""
    return scenario(
        friches(),
        [{"id": "fonds-friches", "label": "Fonds friches", "amount": "3 M€"}],
        [
            {"kind": "floor", "id": "p-ara", "label": "Plancher Auvergne-Rhône-Alpes", "on": {"where": {"region": "84"}}, "amount": "1.4 M€"},
            {"kind": "ceiling", "id": "c-ara", "label": "Plafond Auvergne-Rhône-Alpes", "on": {"where": {"region": "84"}}, "amount": "1 M€"},
            {"kind": "lock", "id": "oui", "label": "Friche du Littoral promise", "on": {"demands": ["f2"]}, "decision": "fund"},
            {"kind": "lock", "id": "non", "label": "Rien en Bretagne", "on": {"where": {"region": "53"}}, "decision": "refuse"},
        ],
    )  # fmt: skip


CASES = {
    "floors above a fund": (floors_above_a_fund, {"p-ara", "p-bzh", "fonds-friches"}),
    "ten Rebonds for nine": (ten_rebonds_for_nine, {"dix"}),
    "share against count": (share_against_count, {"moitie", "six"}),
    "CP against AE": (credits_against_commitments, {"engager", "fonds-vert"}),
    "lock against no_stacking": (lock_against_no_stacking, {"promis", "non-cumul", "fonds-friches", "ti"}),
}
