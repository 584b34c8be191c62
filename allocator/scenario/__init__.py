"""What the analyst says: funds, measures, territories, demands, constraints, an objective. No mathematics.

A scenario is checked whole when it is made: `ScenarioError` lists everything that is wrong, each with its
place. `entities` holds funds and measures, `reader` the checks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from allocator.envelopes import Envelope
from allocator.money import cents_column, decimals_column
from allocator.problems import Problem, ScenarioError, did_you_mean
from allocator.scenario.entities import Fund, Measure, plain
from allocator.scenario.reader import Path, Places, PythonPlaces, Reader, Tables, counted
from allocator.selection import MONEY_COLUMNS, Columns
from allocator.space import Rule

__all__ = ["PARTS", "Fund", "Measure", "Path", "Places", "PythonPlaces", "Scenario", "ScenarioError"]

# What a scenario is made of, as a file gives it
PARTS = (
    "name", "label", "description", "years", "funds", "measures", "territories", "demands", "constraints", "objective", "base",
    "prior_aid", "labels",
)  # fmt: skip


class Scenario:
    """A funding question, complete and checked.

    `funds`, `measures`, `constraints`: models or dicts. `territories` (id, name, region, departement,
    population, attributes …) and `demands` (id, territory, measure, units, asked …): DataFrames; afterwards
    sorted by id, completed with their defaults. Raises `ScenarioError` with every problem found.

    `indicators` are the numeric extra columns of demands (`labels`: what some of them are called in sentences, a text
    or one in `fr` and `en`), `attributes` the other ones; `warnings` are what
    looks wrong but can be computed. `places` and `problems` are for readers of files: where things stand, and
    what was already wrong with the file.
    """

    name: str
    years: list[int]
    funds: list[Fund]
    measures: list[Measure]
    territories: pd.DataFrame
    demands: pd.DataFrame
    prior_aid: pd.DataFrame | None
    constraints: list[Any]
    objective: Any
    base: str | None
    indicators: list[str]
    attributes: list[str]
    warnings: list[Problem]
    label: str | Mapping[str, str]
    description: str | Mapping[str, str]
    labels: dict[str, str | Mapping[str, str]]
    _tables: Tables
    _exact: dict[str, tuple[np.ndarray, int]]
    _constraints_as_given: list[Any]

    def __init__(
        self,
        name: str,
        years: Iterable[int],
        funds: Iterable[Fund | Mapping[str, Any]],
        measures: Iterable[Measure | Mapping[str, Any]],
        territories: pd.DataFrame,
        demands: pd.DataFrame,
        constraints: Iterable[Any],
        objective: Any,
        base: str | None = None,
        prior_aid: pd.DataFrame | None = None,
        *,
        label: str | Mapping[str, str] = "",
        description: str | Mapping[str, str] = "",
        labels: Mapping[str, str | Mapping[str, str]] | None = None,
        places: Places | None = None,
        problems: Sequence[Problem] = (),
        _tables: Tables | None = None,
    ) -> None:
        reader = Reader(self, places or PythonPlaces(), list(problems))
        reader.texts(name, base, label, description)
        reader.years(years)
        reader.funds(funds)
        reader.measures(measures)
        reader.tables(territories, demands, prior_aid, counted(objective, constraints), _tables)
        reader.selections_of_funds()
        reader.labels(labels)
        reader.constraints(constraints)
        reader.objective(objective)
        if reader.problems:
            raise ScenarioError(reader.problems)
        self.warnings = reader.all_warnings()

    def __repr__(self) -> str:
        return (
            f"<Scenario {self.name}: {len(self.funds)} funds, {len(self.demands)} demands, "
            f"{len(self.constraints)} constraints>"
        )

    def with_(self, **changes: Any) -> Scenario:
        """The same scenario but for `changes` (arguments of `Scenario`), checked anew.

        Defaults that depend on what changes (a demand's years, its cost) are computed anew too.
        """
        for key in changes:
            if key not in PARTS:
                raise TypeError(str(did_you_mean(key, PARTS) or f"unknown part of a scenario: {key}"))
        tables = self._tables
        now: dict[str, Any] = {
            key: getattr(self, key) for key in PARTS if key not in ("territories", "demands", "constraints")
        }
        now["territories"] = self.territories[[c for c in self.territories.columns if c in tables.territory_columns]]
        now["demands"] = self.demands[[c for c in self.demands.columns if c in tables.demand_columns]]
        now["constraints"] = self._constraints_as_given
        same_tables = not {"years", "measures", "territories", "demands", "prior_aid"} & set(changes)
        return Scenario(**{**now, **changes}, _tables=tables if same_tables else None)

    def cents(self, column: str) -> np.ndarray:
        """A money column of the demands in whole cents (n,) int64; read once. Not to be written into."""
        kept = self._exact.get(column)
        if kept is None:
            kept = self._exact[column] = cents_column(self.demands[column])[0], 100
        return kept[0]

    def decimals(self, column: str) -> tuple[np.ndarray, int]:
        """A numeric column of the demands as exact numerators (n,) and their scale; read once."""
        kept = self._exact.get(column)
        if kept is None:
            numerators, scale, _ = decimals_column(self.demands[column])
            kept = self._exact[column] = numerators, scale
        return kept

    def to_dict(self) -> dict[str, Any]:
        """Everything but the tables, plain enough for YAML and JSON."""
        out: dict[str, Any] = {"name": self.name}
        for key in ("label", "description", "labels", "base"):
            if getattr(self, key):
                out[key] = getattr(self, key)
        out["years"] = list(self.years)
        out["funds"] = [plain(fund) for fund in self.funds]
        out["measures"] = [plain(measure) for measure in self.measures]
        out["constraints"] = [plain(constraint) for constraint in self.constraints]
        out["objective"] = plain(self.objective)
        return out

    @cached_property
    def rules(self) -> list[Rule]:
        """What a plan must respect: every fund's envelope, then every enabled constraint, in order."""
        return [*(Envelope(fund) for fund in self.funds), *(c for c in self.constraints if c.enabled)]

    @cached_property
    def input_hash(self) -> str:
        """SHA-256 of the content: the same for the same scenario, whatever the order of rows and columns, and whether it was
        said whole or from a base."""
        said = {key: value for key, value in self.to_dict().items() if key != "base"}
        digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode())
        for name, frame in (
            ("territories", self.territories),
            ("demands", self.demands),
            ("prior_aid", self.prior_aid),
        ):
            digest.update(f"\n{name}\n".encode())
            if frame is None:
                continue
            columns = Columns(frame)
            for column in sorted(columns.names):
                digest.update(f"\n{column}\n".encode())
                if name == "demands" and column in MONEY_COLUMNS:
                    digest.update(self.cents(column).astype("<i8").tobytes())
                elif columns[column].kind == "number":
                    numerators, scale = decimals_column(frame[column])[:2]
                    digest.update(str(scale).encode())
                    exact = (
                        numerators.astype("<i8").tobytes()
                        if numerators.dtype != object
                        else repr(numerators.tolist()).encode()
                    )
                    digest.update(exact)
                else:
                    digest.update(json.dumps([str(value) for value in columns[column].values]).encode())
                    digest.update(columns[column].codes.astype("<i8").tobytes())
        return digest.hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_known", "_exact", "input_hash")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _exact={})
