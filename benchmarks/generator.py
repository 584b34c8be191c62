"""Seeded scenarios of any size: n demands over F funds and Y years, with floors, ceilings, counts and a share."""

from __future__ import annotations

import numpy as np
import pandas as pd

import allocator

REGIONS, DEPARTEMENTS, TERRITORIES, MEASURES = 13, 96, 1255, 6


def scenario(n: int, funds: int, years: int, *, whole: float = 0.0, seed: int = 0) -> allocator.Scenario:
    """`whole`: the share of measures whose units are whole. Heavy-tailed prices; 40 % of what is asked can be paid."""
    rng = np.random.default_rng(seed)
    region_of, departement_of = (
        rng.integers(0, REGIONS, DEPARTEMENTS),
        rng.integers(0, DEPARTEMENTS, TERRITORIES),
    )
    territories = pd.DataFrame(
        {
            "id": [f"t{k:04d}" for k in range(TERRITORIES)],
            "name": [f"Territoire {k}" for k in range(TERRITORIES)],
            "region": [f"r{region_of[d]:02d}" for d in departement_of],
            "departement": [f"d{d:02d}" for d in departement_of],
            "population": rng.integers(1_000, 200_000, TERRITORIES),
        }
    )
    measure = rng.integers(0, MEASURES, n)
    lumpy = measure < MEASURES * whole
    asked = np.round(rng.lognormal(12, 0.8, n)).astype(np.int64)
    units = np.where(lumpy, rng.integers(1, 3, n), np.round(rng.uniform(0.5, 8, n), 1))
    demands = pd.DataFrame(
        {
            "id": [f"d{k:07d}" for k in range(n)],
            "territory": territories["id"].to_numpy()[rng.integers(0, TERRITORIES, n)],
            "measure": [f"m{k}" for k in measure],
            "units": units,
            "asked": asked,
            "emplois": np.round(rng.lognormal(2, 0.7, n), 2),
        }
    )
    held = float((asked * units).sum()) * 0.4
    span = list(range(2026, 2026 + years))
    purses = [
        {
            "id": f"f{f}",
            "amounts": {year: int(held / funds / years) for year in span},
            "on": None if f == 0 else {"measures": [f"m{k}" for k in range(MEASURES) if (k + f) % 3]},
        }
        for f in range(funds)
    ]
    rules = [
        {"kind": "floor", "per": "region", "amount": int(held / REGIONS * 0.5)},
        {"kind": "ceiling", "per": "region", "amount": int(held / REGIONS * 1.5)},
        {"kind": "ceiling", "per": "departement", "amount": int(held / DEPARTEMENTS * 2.5)},
        {"kind": "count", "per": "region", "on": {"measures": ["m0"]}, "max": int(n / MEASURES / REGIONS)},
        {"kind": "share", "on": {"measures": ["m1"], "funds": ["f0"]}, "of": {"funds": ["f0"]}, "max": 0.3},
    ]
    measures = [{"id": f"m{k}", "lumpy": k < MEASURES * whole} for k in range(MEASURES)]
    return allocator.Scenario(
        f"{n} x {funds} x {years}",
        span,
        purses,
        measures,
        territories,
        demands,
        rules,
        {"maximise": {"emplois": 1}},
    )
