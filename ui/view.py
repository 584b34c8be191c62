"""What screens are given: the comparison, and how its plans are called and coloured on a screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import streamlit as st

from allocator import Comparison, data
from allocator.compare import change_of
from allocator.texts import Text
from ui.collection import label
from ui.texts import plain, quoted

# Told apart by colour-blind people, and at least 3:1 on white and on the dark background.
COLOURS = ("#7a8794", "#1f7fa3", "#cc6a1f", "#8a6bb8", "#5c8f3a")
MOST = len(COLOURS)

LEVELS = {
    "territory": Text("Intercommunalité", "EPCI"),
    "ti": Text("Territoire d'industrie", "Territoire d'industrie"),
    "departement": Text("Département", "Département"),
    "region": Text("Région", "Région"),
}
BREAKDOWNS = {
    "measure": Text("Mesure", "Measure"),
    "fund": Text("Fonds", "Fund"),
    "region": Text("Région", "Région"),
    "year": Text("Année", "Year"),
}


def placed(territories: pd.DataFrame) -> pd.DataFrame:
    """Territories of a scenario with a column for each of `LEVELS` and its name: a Territoire d'industrie is none of the
    scenario's, but of all intercommunalités of France."""
    table = territories.copy(deep=False)
    for column in ("region", "departement"):
        called = f"{column}_name"
        table[called] = table[called].fillna(table[column]) if called in table else table[column]
    industry = data.industry()
    table["ti"] = table["id"].map({epci: ti for epci, (ti, _) in industry.items()})
    table["ti_name"] = table["id"].map({epci: name for epci, (_, name) in industry.items()})
    return table


def members(territories: pd.DataFrame, level: str, key: str) -> pd.DataFrame:
    """Of territories as `placed`, those of a place."""
    return territories[territories["id" if level == "territory" else level] == key]


@dataclass(frozen=True)
class View:
    """Screens know plans by their names in the comparison; `label` is what people read, `refs` are those of the visit."""

    comparison: Comparison
    refs: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.comparison.names

    @property
    def later(self) -> tuple[str, ...]:
        return self.comparison.names[1:]

    def label(self, name: str) -> str:
        """In the current language; two plans of one label are told apart as their names are."""
        labels = dict(zip(self.names, (label(plan.scenario) for plan in self.comparison.plans), strict=True))
        if list(labels.values()).count(labels[name]) > 1:
            return f"{labels[name]} [{name}]"
        return labels[name]

    @cached_property
    def territories(self) -> pd.DataFrame:
        """Every territory of any plan, by id, as `placed`."""
        tables = [plan.scenario.territories for plan in self.comparison.plans]
        return placed(pd.concat(tables).drop_duplicates("id").sort_values("id", ignore_index=True))

    @cached_property
    def population(self) -> dict[str, pd.Series]:
        """People by key, for each of `LEVELS`."""
        people = self.territories
        return {level: people.groupby("id" if level == "territory" else level)["population"].sum() for level in LEVELS}

    def people(self, level: str, key: str) -> int:
        """Inhabitants of a place; 0 where unknown."""
        known = self.population[level]
        return int(known.loc[key]) if key in known.index else 0

    def members(self, level: str, key: str) -> pd.DataFrame:
        """The territories of a place."""
        return members(self.territories, level, key)

    def granted(self, level: str, key: str) -> list[int]:
        """Cents granted in a place by each plan."""
        table = self.comparison.by("territory")
        inside = table[table["key"].isin(self.members(level, key)["id"])]
        return [int(inside[name].sum()) for name in self.names]

    def within(self, per: str, territories: Iterable[str]) -> pd.DataFrame:
        """`Comparison.by(per)` of these territories alone; rows that no plan pays are left out."""
        inside = set(territories)
        table = self.comparison.by(per)
        for name, plan in zip(self.names, self.comparison.plans, strict=True):
            grants = plan.grants[plan.grants["territory"].isin(inside)]
            keys = grants[per].astype(str).to_numpy()
            sums = grants["cents"].groupby(keys).sum() if len(grants) else pd.Series(dtype=np.int64)
            table[name] = table["key"].map(sums).fillna(0).astype(np.int64)
        for name in self.later:
            table[change_of(name)] = table[name] - table[self.names[0]]
        return table[(table[list(self.names)] != 0).any(axis=1)].reset_index(drop=True)

    def which(self, key: str) -> str:
        """The later plan that the reader looks at: asked only where there are several."""
        if len(self.later) == 1:
            return self.later[0]
        label = Text(
            f"Comparer {quoted(self.label(self.names[0]))} avec", f"Compare {quoted(self.label(self.names[0]))} with"
        )
        return st.radio(
            plain(str(label)),
            self.later,
            format_func=lambda name: plain(self.label(name)),
            key=key,
            persist_state="session",
        )
