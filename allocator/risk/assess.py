"""What a plan risks: how likely each fund is to fall short, and between what its costs and benefits will lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.plan import Plan
from allocator.problems import Problem, ScenarioError
from allocator.risk.draws import OWNERS, Turns
from allocator.risk.uncertainty import Uncertainty
from allocator.texts import Text

SAMPLES, TAIL = 10_000, 0.05
QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


@dataclass(frozen=True, eq=False)
class Risk:
    """Tables of one row a fund, one an indicator.

    `funds`: fund, envelope, granted, need_p10, need_p50, need_p90, mean, mean_error, worst (mean of the worst 5 %),
    expected_overrun, all int64 cents; probability of an overrun with its 95 % interval `low`, `high`, which is the error of
    drawing so few. An envelope is what the fund may commit over the horizon; its need counts the funds inside it.
    `indicators`: indicator, planned, p10, p50, p90, mean, mean_error. `owners`: what owners pay more than planned, the
    same figures in cents, one row. Errors of means are standard errors.
    """

    plan: Plan
    uncertainty: Uncertainty
    samples: int
    seed: int
    funds: pd.DataFrame
    indicators: pd.DataFrame
    owners: pd.DataFrame

    def as_dict(self) -> dict[str, Any]:
        return {
            "samples": self.samples,
            "seed": self.seed,
            **{name: getattr(self, name).to_dict("records") for name in ("funds", "indicators", "owners")},
        }


def assess(plan: Plan, uncertainty: Uncertainty, samples: int = SAMPLES, seed: int = 1) -> Risk:
    """What a plan risks, from so many draws; the same draws for the same seed, whatever the plan.

    Raises `ScenarioError` where there is no plan, or where what is uncertain does not fit its scenario.
    """
    turns = turns_of(plan, uncertainty)
    drawn = turns.drawn(samples, seed)
    held = plan.held_cents()
    funds = []
    for name, committed in zip(turns.funds, turns.committed, strict=True):
        need = np.round(100 * drawn[f"fund:{name}"])
        over = need - held[name]
        low, high = _interval(int((over > 0).sum()), samples)
        worst = np.sort(need)[-max(1, round(TAIL * samples)) :]
        funds.append(
            {
                "fund": name, "envelope": held[name], "granted": round(100 * committed),
                **{f"need_{key}": _cents(value) for key, value in _quantiles(need).items()},
                "mean": _cents(need.mean()), "mean_error": _cents(_error(need)), "worst": _cents(worst.mean()),
                "expected_overrun": _cents(np.maximum(over, 0).mean()),
                "probability": float((over > 0).mean()), "low": low, "high": high,
            }
        )  # fmt: skip
    planned = plan.summary()["indicators"]
    indicators = [
        {"indicator": name, "planned": planned[name], **_summed(drawn[name])} for name in plan.scenario.indicators
    ]
    owners = {name: _cents(100 * value) for name, value in _summed(drawn[OWNERS]).items()}
    columns = ["indicator", "planned", *QUANTILES, "mean", "mean_error"]
    return Risk(
        plan, uncertainty, samples, seed, pd.DataFrame(funds), pd.DataFrame(indicators, columns=columns),
        pd.DataFrame([owners]),
    )  # fmt: skip


def turns_of(plan: Plan, uncertainty: Uncertainty) -> Turns:
    """The plan with what is uncertain, once it is known that they fit."""
    if plan.reading is None:
        missing = Text("il n'y a pas de plan dont mesurer le risque", "there is no plan to assess")
        raise ScenarioError([Problem("", missing, Text("voir `allocator explain`", "see `allocator explain`"))])
    return Turns(plan, uncertainty.checked(plan.scenario))


def _summed(values: np.ndarray) -> dict[str, float]:
    return {**_quantiles(values), "mean": float(values.mean()), "mean_error": _error(values)}


def _quantiles(values: np.ndarray) -> dict[str, float]:
    found = np.quantile(values, list(QUANTILES.values()))
    return dict(zip(QUANTILES, map(float, found), strict=True))


def _error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if np.ptp(values) else 0.0


def _cents(value: float) -> int:
    return round(float(value))


def _interval(hits: int, samples: int) -> tuple[float, float]:
    """95 %, after Wilson: right for probabilities near 0 and 1 too."""
    from scipy.stats import binomtest

    found = binomtest(hits, samples).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
