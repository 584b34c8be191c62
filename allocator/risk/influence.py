"""Which uncertain things matter: Sobol indices of what a plan turns out to be, or Morris effects where there are many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from allocator.plan import Plan
from allocator.problems import Problem, ScenarioError
from allocator.risk.assess import turns_of
from allocator.risk.uncertainty import Uncertainty
from allocator.texts import Text

MANY = 40  # uncertain things: beyond, Morris
SOBOL, TRAJECTORIES, LEVELS = 1024, 50, 8
CELLS = 30_000_000
COLUMNS = ["outcome", "id", "method", "first", "first_error", "total", "total_error"]


def influence(plan: Plan, uncertainty: Uncertainty, samples: int = SOBOL, seed: int = 1) -> pd.DataFrame:
    """Each outcome that moves (`fund:ID`, `owners`, an indicator) × each uncertain thing, all its draws together.

    `method` sobol: `first` is the share of the variance that knowing it alone would take away, `total` the share that
    would be left knowing all but it; their errors are half 95 % intervals. `method` morris, beyond 40 things: `total` is
    μ*, the mean size of its elementary effects, `first` their spread σ, in the outcome's own unit.
    Sources: Saltelli et al. 2010; Morris 1991, Campolongo et al. 2007; computed by SALib.
    """
    try:
        from SALib.analyze import morris as morris_analysis
        from SALib.analyze import sobol as sobol_analysis
        from SALib.sample import morris as morris_sample
        from SALib.sample import sobol as sobol_sample
    except ImportError:
        missing = Text("la bibliothèque SALib manque", "the library SALib is missing")
        remedy = Text("pip install 'allocator-fonds-publics[risk]'", "pip install 'allocator-fonds-publics[risk]'")
        raise ScenarioError([Problem("", missing, remedy)]) from None
    turns = turns_of(plan, uncertainty)
    sources = turns.sources
    ends = np.cumsum([len(source.names) for source in sources])
    if not len(ends):
        return pd.DataFrame(columns=COLUMNS)
    names = [source.item.id for source in sources]
    problem: dict[str, Any] = {
        "num_vars": int(ends[-1]),
        "names": [f"{source.item.id} {name}" for source in sources for name in source.names],
        "groups": [source.item.id for source in sources for _ in source.names],
        "bounds": [[0.0, 1.0]] * int(ends[-1]),
    }
    many = len(sources) > MANY
    if many:
        points = morris_sample.sample(problem, TRAJECTORIES, num_levels=LEVELS, seed=seed)
    else:
        while samples > 64 and samples * (len(sources) + 2) * int(ends[-1]) > CELLS:
            samples //= 2
        points = sobol_sample.sample(problem, samples, calc_second_order=False, seed=seed)
    inside = np.clip(points, 1e-9, 1 - 1e-9)  # a lognormal has no end
    blocks = [
        turns.outcomes(np.split(block, ends[:-1], axis=1), len(block))
        for block in np.array_split(inside, 1 + len(inside) // 500)
    ]
    found = []
    for outcome in blocks[0]:
        values = np.concatenate([block[outcome] for block in blocks])
        if np.ptp(values) <= 1e-9 * max(1.0, float(np.abs(values).max())):
            continue
        if len(sources) == 1:  # SALib takes a group that is alone for its members; all the variance is its own
            columns = iter([(names[0], 1.0, 0.0, 1.0, 0.0)])
        elif many:
            of = morris_analysis.analyze(problem, points, values, num_levels=LEVELS, seed=seed)
            columns = zip(
                of["names"], of["sigma"], [np.nan] * len(names), of["mu_star"], of["mu_star_conf"], strict=True
            )
        else:
            scaled = (values - values.mean()) / values.std()
            of = sobol_analysis.analyze(problem, scaled, calc_second_order=False, seed=seed)
            columns = zip(names, of["S1"], of["S1_conf"], of["ST"], of["ST_conf"], strict=True)
        method = "morris" if many else "sobol"
        found += [(outcome, name, method, *map(float, figures)) for name, *figures in columns]
    return pd.DataFrame(found, columns=COLUMNS)
