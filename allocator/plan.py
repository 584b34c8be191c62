"""The result: who gets what, from which fund, in which year, and how far it is proved."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from allocator.account import account
from allocator.certify import Certificate, relative_gap
from allocator.conflict import Conflict
from allocator.payments import Payments
from allocator.reading import Reading, weighted_units
from allocator.space import Aim, Space
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.scenario import Scenario
    from allocator.selection import Selection

Status = Literal["optimal", "feasible", "infeasible", "no_plan"]
_GRANTS = ["demand", "territory", "measure", "fund", "year", "cents"]
_PAYMENTS = ["demand", "fund", "year_committed", "year_paid", "cents"]


@dataclass(frozen=True)
class EngineReport:
    """Who searched, and what it claims; claims are not believed."""

    name: str
    version: str
    claimed_status: str
    claimed_bound: float | None
    why: Text = Text("", "")
    gap: float = 1e-4  # what was asked for: allowed, and in how many seconds
    time_limit: float | None = None


@dataclass(frozen=True)
class LevelReport:
    """One level of the objective: what the plan reaches of it, and what no plan exceeds."""

    aim: Aim
    objective: Fraction | None
    bound: Fraction | None

    def as_dict(self) -> dict[str, Any]:
        def shown(value: Fraction | None) -> float | None:
            return None if value is None else float(value) * self.aim.sign

        found = relative_gap(self.objective, self.bound)
        gap = None if found is None or found == float("inf") else float(found)
        return {
            "title": str(self.aim.title), "unit": str(self.aim.unit),
            "objective": shown(self.objective), "bound": shown(self.bound), "gap": gap,
        }  # fmt: skip


@dataclass(frozen=True)
class Seconds:
    """Where the time went."""

    compile: float = 0.0
    solve: float = 0.0
    settle: float = 0.0
    certify: float = 0.0

    @property
    def total(self) -> float:
        return self.compile + self.solve + self.settle + self.certify

    def as_dict(self) -> dict[str, float]:
        names = ("compile", "solve", "settle", "certify", "total")
        return {name: round(getattr(self, name), 6) for name in names}


@dataclass(frozen=True, eq=False)
class Plan:
    """A plan and its certificate. Frames are empty where there is no plan.

    `binding`: ids of the rules that the bound leans on, hence whose change could change the plan.
    """

    scenario: Scenario
    status: Status
    certificate: Certificate
    engine: EngineReport
    seconds: Seconds
    reading: Reading | None = field(default=None, repr=False)
    conflict: Conflict | None = None
    binding: tuple[str, ...] = ()
    size: tuple[int, int] = (0, 0)  # columns, rows of the program
    message: Text = Text("", "")
    levels: tuple[LevelReport, ...] = ()

    @property
    def objective(self) -> float | None:
        """Points (euros under `minimise`) of the objective's first level, net of what soft rules take; None without a plan."""
        value = self.certificate.objective
        return None if value is None else float(value) * self.certificate.sign

    @property
    def bound(self) -> float | None:
        """Points that no plan exceeds (euros that none goes below), by our own proof."""
        value = self.certificate.bound
        return None if value is None else float(value) * self.certificate.sign

    @property
    def gap(self) -> float | None:
        """|bound − objective| / |objective|; 0 where equal, inf where the objective is 0."""
        return self.certificate.gap

    @cached_property
    def grants(self) -> pd.DataFrame:
        """Commitments: demand, territory, measure, fund, year, cents (int64); one row per non-zero grant."""
        if self.reading is None:
            return _empty(_GRANTS)
        demands, reading = self.scenario.demands, self.reading
        row = demands.iloc[reading.demand]
        return pd.DataFrame(
            {
                "demand": row["id"].to_numpy(),
                "territory": row["territory"].to_numpy(),
                "measure": row["measure"].to_numpy(),
                "fund": np.array([f.id for f in self.scenario.funds], object)[reading.fund],
                "year": np.array(self.scenario.years, np.int64)[reading.year],
                "cents": reading.cents,
            },
            columns=_GRANTS,
        )

    @cached_property
    def payments(self) -> pd.DataFrame:
        """Payments by the measures' profiles: demand, fund, year_committed, year_paid, cents (int64)."""
        if self.reading is None:
            return _empty(_PAYMENTS)
        reading, paid = self.reading, Payments.of(self.reading)
        grants = self.grants.iloc[paid.grant]
        table = pd.DataFrame(
            {
                "demand": grants["demand"].to_numpy(),
                "fund": grants["fund"].to_numpy(),
                "year_committed": grants["year"].to_numpy(),
                "year_paid": paid.year_paid(reading),
                "cents": paid.cents,
            },
            columns=_PAYMENTS,
        )
        return table.sort_values(["demand", "fund", "year_committed", "year_paid"], kind="stable", ignore_index=True)

    @cached_property
    def units(self) -> pd.DataFrame:
        """Every demand: demand, territory, measure, asked_units, units, cents (int64)."""
        demands = self.scenario.demands
        granted = self.reading.granted if self.reading else np.zeros(len(demands), np.int64)
        asked = self.reading.space.asked if self.reading else np.ones(len(demands), np.int64)
        return pd.DataFrame(
            {
                "demand": demands["id"],
                "territory": demands["territory"],
                "measure": demands["measure"],
                "asked_units": pd.to_numeric(demands["units"]),
                "units": granted / asked,
                "cents": granted,
            }
        )

    def asked_cents(self) -> np.ndarray:
        """(n,) whole cents that each demand asks for."""
        space = self.reading.space if self.reading else Space.of(self.scenario)
        return space.most * space.step

    def asked_by_fund(self) -> dict[str, int]:
        """Cents asked by the demands that each fund, or a fund inside it, may pay; demands of several funds count in each."""
        asked = self.asked_cents()
        may = {f.id: _all_or(f.on, self.scenario) for f in self.scenario.funds}
        for _ in self.scenario.funds:
            for fund in self.scenario.funds:
                if fund.parent is not None:
                    may[fund.parent] = may[fund.parent] | may[fund.id]
        return {name: int(asked[mask].sum()) for name, mask in may.items()}

    @cached_property
    def account(self) -> pd.DataFrame:
        """What each fund opens, commits and pays, by year and after the horizon, in cents; see `account.account`."""
        return account(self.reading or Reading.nothing(Space.of(self.scenario)))

    def held_cents(self) -> dict[str, int]:
        """Cents that each fund may commit over the horizon: its reserve taken off, with income, repaid and moved money."""
        within = self.account[self.account["year"] <= self.scenario.years[-1]].groupby("fund", sort=False)
        sums = within[["opened", "frozen", "income", "returned", "moved"]].sum()
        held = sums["opened"] - sums["frozen"] + sums["income"] + sums["returned"] + sums["moved"]
        return {str(fund): int(cents) for fund, cents in held.items()}

    def summary(self) -> dict[str, Any]:
        """The JSON of ``allocator solve --json``, as a plain dict."""
        scenario = self.scenario
        report = {
            "scenario": scenario.name,
            "status": self.status,
            "objective": self.objective,
            "bound": self.bound,
            "gap": self.gap if self.gap is not None and np.isfinite(self.gap) else None,
            "certificate": {
                "ok": self.certificate.ok,
                "checks": [c.as_dict() for c in self.certificate.checks],
            },
            "totals": self._totals(),
            "account": _records(self.account),
            "units": self._units_by_measure(),
            "indicators": self._indicators(),
            "binding": list(self.binding),
            "levels": [level.as_dict() for level in self.levels],
            "input_hash": scenario.input_hash,
            "engine": {
                "name": self.engine.name,
                "version": self.engine.version,
                "claimed_status": self.engine.claimed_status,
                "claimed_bound": self.engine.claimed_bound,
                "why": str(self.engine.why),
            },
            "program": {"columns": self.size[0], "rows": self.size[1]},
            "seconds": self.seconds.as_dict(),
        }
        if self.conflict is not None or self.status == "infeasible":
            report["conflict"] = self.conflict.as_dict() if self.conflict else None
        return report

    def _totals(self) -> dict[str, Any]:
        grants, asked = self.grants, int(self.asked_cents().sum())
        granted = int(grants["cents"].sum())
        territories = self.scenario.territories.set_index("id")["region"]
        held = self.held_cents()
        roots = sum(held[f.id] for f in self.scenario.funds if f.parent is None)

        def by(keys: pd.Series, names: Any) -> dict[str, int]:
            sums: Any = grants["cents"].groupby(keys.to_numpy()).sum() if len(grants) else {}
            return {str(name): int(sums.get(name, 0)) for name in names}

        return {
            "asked": asked,
            "granted": granted,
            "left": roots - granted,
            "by_fund": by(grants["fund"], [f.id for f in self.scenario.funds]),
            "by_measure": by(grants["measure"], [m.id for m in self.scenario.measures]),
            "by_region": by(grants["territory"].map(territories), sorted(territories.unique())),
            "committed_by_year": by(grants["year"], self.scenario.years),
            "paid_by_year": {
                str(year): int(cents) for year, cents in self.payments.groupby("year_paid")["cents"].sum().items()
            },
        }

    def _units_by_measure(self) -> dict[str, float]:
        sums = self.units.groupby("measure")["units"].sum()
        lumpy = {m.id: m.lumpy for m in self.scenario.measures}
        totals = {m: round(float(sums.get(m, 0)), 6) for m in lumpy}
        return {m: round(t) if lumpy[m] else t for m, t in totals.items()}

    def _indicators(self) -> dict[str, float]:
        if self.reading is None:
            return dict.fromkeys(self.scenario.indicators, 0.0)
        found = {}
        space, reading = self.reading.space, self.reading
        for name in self.scenario.indicators:
            numerators, scale = space.units(name)
            total = weighted_units(numerators[reading.demand], reading.cents, space.asked[reading.demand])
            found[name] = round(float(total) / scale, 6)
        return found


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(key): int(v) if isinstance(v, np.integer) else v for key, v in row.items()} for row in rows]


def _all_or(on: Selection | None, scenario: Scenario) -> np.ndarray:
    return np.ones(len(scenario.demands), bool) if on is None else on.pick(scenario).demands


def _empty(columns: list[str]) -> pd.DataFrame:
    whole = {"year", "year_committed", "year_paid", "cents"}
    return pd.DataFrame({c: pd.Series([], dtype=np.int64 if c in whole else object) for c in columns})
