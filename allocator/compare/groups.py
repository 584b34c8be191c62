"""How the grants of one plan fall apart along a margin: funds, measures, places, years, attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.plan import Plan
from allocator.texts import Text

MARGINS = ("fund", "measure", "region", "departement", "territory", "year")
DEMAND_ATTRIBUTES = ("beneficiary", "beneficiary_kind", "project")
NOT_GIVEN = Text("non renseigné", "not given")
YES, NO = Text("oui", "yes"), Text("non", "no")


def change_of(name: str) -> str:
    """The column that holds a plan's difference from the reference."""
    return f"Δ {name}"


@dataclass(frozen=True, eq=False)
class Groups:
    """How the grants of one plan fall apart: a key and `cents` per grant (g,); the label of every key that
    the scenario knows; the people of those that are places. `ordered`: by key, not as they come; `numeric`:
    keys are numbers.
    """

    key: np.ndarray
    cents: np.ndarray
    labels: dict[str, str]
    people: dict[str, int]
    ordered: bool
    numeric: bool = False

    def sums(self, keys: Sequence[str]) -> np.ndarray:
        """(len(keys),) int64 cents. Whole numbers all the way: no float is ever added."""
        at = pd.Index(np.array(keys, object)).get_indexer(pd.Index(self.key))
        assert (at >= 0).all(), "a grant outside its scenario"
        total = np.zeros(len(keys), np.int64)
        np.add.at(total, at, self.cents)
        return total


def groups_of(plan: Plan, per: str) -> Groups:
    scenario, grants = plan.scenario, plan.grants
    cents = grants["cents"].to_numpy(np.int64)
    if per in ("fund", "measure"):
        items: Sequence[Any] = scenario.funds if per == "fund" else scenario.measures
        return Groups(
            grants[per].to_numpy(object), cents, {item.id: item.label or item.id for item in items}, {}, False
        )
    if per == "year":
        years = {str(year): str(year) for year in scenario.years}
        return Groups(grants["year"].astype(str).to_numpy(object), cents, years, {}, True, True)
    territories = scenario.territories
    of_demand = per in DEMAND_ATTRIBUTES or per in scenario.attributes
    table, owner = (scenario.demands, "demand") if of_demand else (territories, "territory")
    column = "id" if per == "territory" else per
    if column not in table:
        lacking = {"": str(NOT_GIVEN)} if len(grants) else {}
        return Groups(np.full(len(grants), "", object), cents, lacking, {}, True, True)
    keys = _texts(table[column])
    called = table["name"] if per == "territory" else table.get(f"{per}_name")
    names = keys if called is None else _texts(called)
    labels = dict(zip(keys[::-1], names[::-1], strict=True))  # of several names, the first one
    boolean = pd.api.types.is_bool_dtype(table[column])
    if boolean:
        labels = {key: str(YES if key == "true" else NO) for key in labels}
    labels = {key: label or key or str(NOT_GIVEN) for key, label in labels.items()}
    people: dict[Any, int] = {} if of_demand else territories["population"].groupby(keys).sum().to_dict()
    where = pd.Index(table["id"]).get_indexer(pd.Index(grants[owner]))
    numeric = pd.api.types.is_numeric_dtype(table[column]) and not boolean
    return Groups(keys[where], cents, labels, people, True, numeric)


def _texts(column: pd.Series) -> np.ndarray:
    """(rows,) keys as scenarios write them: true and false in small letters, "" for what is missing."""
    values = [
        "" if gone else str(value).lower() if isinstance(value, (bool, np.bool_)) else str(value)
        for value, gone in zip(column.tolist(), column.isna(), strict=True)
    ]
    return np.array(values, object)


def labels_of(groups: Sequence[Groups]) -> dict[str, str]:
    """Every key in the order met, under the first label that says more than the key."""
    labels: dict[str, str] = {}
    for each in groups:
        labels |= {key: label for key, label in each.labels.items() if labels.get(key, key) == key}
    return labels
