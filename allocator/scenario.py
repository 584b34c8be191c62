"""What the analyst says: funds, measures, territories, demands, constraints, an objective. No mathematics.

A scenario is checked whole when it is made: `ScenarioError` lists everything that is wrong, each with its
place.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any, Protocol

import numpy as np
import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from allocator.constraints import KINDS
from allocator.money import (
    MAX_CENTS,
    Euros,
    Exact,
    Rate,
    cents_column,
    decimals_column,
    format_euros,
)
from allocator.objectives import parse
from allocator.problems import Finding, Problem, ScenarioError, did_you_mean, findings, in_language
from allocator.selection import Columns, Known, Selection, path_text
from allocator.tables import (
    DEMAND_COLUMNS,
    TERRITORY_COLUMNS,
    CellFinding,
    Table,
    demands_table,
    prior_aid_table,
    sorted_table,
    territories_table,
)
from allocator.texts import Text

__all__ = ["Fund", "Measure", "Places", "Scenario", "ScenarioError"]

Path = tuple[str | int, ...]
PER = ("region", "departement", "territory", "measure", "fund", "year", "beneficiary")
OBJECTIVES = ("maximise", "lexicographic", "maximin", "minimise")


def _dated(value: object) -> object:
    """Years and dates are often left unquoted."""
    return (
        str(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else getattr(value, "isoformat", lambda: value)()
    )


def _as_id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[str, BeforeValidator(_as_id), Field(min_length=1)]
When = Annotated[str, BeforeValidator(_dated)]
EurosPerYear = dict[int, Annotated[Euros, Field(ge=0)]]


class _Named(BaseModel):
    """What funds and measures share. `label` is the id when none is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    label: str = ""
    source: str = ""
    as_of: When = ""
    hypothesis: bool | str = False

    @model_validator(mode="before")
    @classmethod
    def _label(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and not value.get("label") and value.get("id"):
            return {**value, "label": str(value["id"])}
        return value


class Fund(_Named):
    """Money and its rules. Amounts are stored in whole cents.

    Either `amount`, for the whole horizon, or `amounts` by year (a year not named holds 0).
    """

    amount: Annotated[Euros, Field(ge=0)] | None = None
    amounts: EurosPerYear | None = None
    carry_over: bool = False
    payments: EurosPerYear | None = None
    parent: Id | None = None
    reserve: Rate = Fraction(0)
    income: EurosPerYear | None = None
    returns: dict[int, Rate] | None = None
    on: Selection | None = None
    max_rate: Rate = Fraction(1)

    @model_validator(mode="after")
    def _checked(self) -> Fund:
        if (self.amount is None) == (self.amounts is None):
            raise ValueError(
                Text(
                    "donnez amount (tout l'horizon) ou amounts (par année), l'un des deux",
                    "give amount (whole horizon) or amounts (by year), one of the two",
                )
            )
        if self.reserve == 1:
            raise ValueError(Text("reserve doit être inférieure à 1", "reserve must be less than 1"))
        if self.max_rate == 0:
            raise ValueError(Text("max_rate doit être supérieur à 0", "max_rate must be more than 0"))
        return self


class Measure(_Named):
    """What is asked for, in units. `lumpy`: whole units only (a school), each committed in one year.

    `payment_profile`: shares of a grant paid in its year and the following ones.
    """

    unit: str = ""
    propositions: tuple[int | str, ...] = ()
    lumpy: bool = False
    payment_profile: tuple[Exact, ...] = (Fraction(1),)
    steps: Any = None

    @model_validator(mode="after")
    def _checked(self) -> Measure:
        if any(share < 0 for share in self.payment_profile):
            raise ValueError(
                Text("payment_profile a une part négative", "payment_profile has a negative share")
            )
        total = sum(self.payment_profile, Fraction(0))
        if total != 1:
            raise ValueError(
                Text(
                    f"les parts de payment_profile font {float(total):g}, et non 1",
                    f"the shares of payment_profile add up to {float(total):g}, not 1",
                ),
                Text(
                    'Écrivez par exemple [0.3, 0.7] ou ["1/3", "2/3"].',
                    'Write for example [0.3, 0.7] or ["1/3", "2/3"].',
                ),
            )
        return self


class Places(Protocol):
    """Where in the user's own files a key or a cell stands: (file, place)."""

    def of_key(self, path: Path) -> tuple[str, Text | str]: ...

    def of_cell(self, table: str, row: int | None, column: str | None) -> tuple[str, Text | str]: ...


class PythonPlaces:
    """Places in Python objects: rows count from 1."""

    def of_key(self, path: Path) -> tuple[str, Text | str]:
        return "", path_text(path)

    def of_cell(self, table: str, row: int | None, column: str | None) -> tuple[str, Text | str]:
        fr = [
            table,
            *([f"ligne {row + 1}"] if row is not None else []),
            *([f"colonne {column}"] if column else []),
        ]
        en = [
            table,
            *([f"row {row + 1}"] if row is not None else []),
            *([f"column {column}"] if column else []),
        ]
        return "", Text(", ".join(fr), ", ".join(en))


class Scenario:
    """A funding question, complete and checked.

    `funds`, `measures`, `constraints`: models or dicts. `territories` (id, name, region, departement,
    population, attributes …) and `demands` (id, territory, measure, units, asked …): DataFrames; afterwards
    sorted by id, completed with their defaults. Raises `ScenarioError` with every problem found.

    `indicators` are the numeric extra columns of demands, `attributes` the other ones; `warnings` are what
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
    _tables: _Tables
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
        places: Places | None = None,
        problems: Sequence[Problem] = (),
        _tables: _Tables | None = None,
    ) -> None:
        reader = _Reader(self, places or PythonPlaces(), list(problems))
        reader.texts(name, base, label, description)
        reader.years(years)
        reader.funds(funds)
        reader.measures(measures)
        reader.tables(territories, demands, prior_aid, _tables)
        reader.selections_of_funds()
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
        known = (
            "name",
            "years",
            "funds",
            "measures",
            "territories",
            "demands",
            "constraints",
            "objective",
            "base",
            "prior_aid",
            "label",
            "description",
        )
        for key in changes:
            if key not in known:
                raise TypeError(str(did_you_mean(key, known) or f"unknown part of a scenario: {key}"))
        tables = self._tables
        now: dict[str, Any] = {
            key: getattr(self, key) for key in known if key not in ("territories", "demands", "constraints")
        }
        now["territories"] = self.territories[
            [c for c in self.territories.columns if c in tables.territory_columns]
        ]
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
        for key in ("label", "description", "base"):
            if getattr(self, key):
                out[key] = getattr(self, key)
        out["years"] = list(self.years)
        out["funds"] = [_plain(fund) for fund in self.funds]
        out["measures"] = [_plain(measure) for measure in self.measures]
        out["constraints"] = [_plain(constraint) for constraint in self.constraints]
        out["objective"] = _plain(self.objective)
        return out

    @cached_property
    def input_hash(self) -> str:
        """SHA-256 of the content: the same for the same scenario, whatever the order of rows and columns."""
        digest = hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True, default=str).encode())
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
                if name == "demands" and column in ("asked", "cost", "other_public", "own"):
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
        return {
            key: value
            for key, value in self.__dict__.items()
            if key not in ("_known", "_exact", "input_hash")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _exact={})


def _plain(item: Any) -> Any:
    if not isinstance(item, BaseModel):
        return item
    out = item.model_dump(exclude_defaults=True)
    for key in ("kind", "id"):
        if key in type(item).model_fields:
            out = {key: getattr(item, key), **out}
    return out


class _Tables:
    """The tables of a checked scenario, for variants that share them."""

    def __init__(self, territory_columns: tuple[str, ...], demand_columns: tuple[str, ...]) -> None:
        self.territory_columns, self.demand_columns = territory_columns, demand_columns
        self.territories = self.demands = pd.DataFrame()
        self.prior_aid: pd.DataFrame | None = None
        self.columns: tuple[Columns, Columns] | None = None
        self.indicators: list[str] = []
        self.attributes: list[str] = []
        self.exact: dict[str, tuple[np.ndarray, int]] = {}
        self.warned: list[Problem] = []


class _Reader:
    """Fills a scenario part by part; goes on after a mistake, so that all are found."""

    def __init__(self, scenario: Scenario, places: Places, problems: list[Problem]) -> None:
        self.scenario, self.places, self.problems = scenario, places, problems
        self.warnings: list[Problem] = []
        self.fund_ids: list[str] | None = []
        self.measure_ids: list[str] | None = []
        self.selections_hold = True
        self.tables_complete = False
        self.refused: list[
            tuple[Path, Any]
        ] = []  # funds and constraints with mistakes: their selections are read too

    # Telling

    def tell(self, path: Path, message: Text, remedy: Text | None = None) -> None:
        file, place = self.places.of_key(path)
        self.problems.append(Problem(place, message, remedy, file))

    def tell_all(self, path: Path, found: Iterable[Finding]) -> None:
        for finding in found:
            self.tell((*path, *finding.path), finding.message, finding.remedy)

    def warn(self, path: Path, message: Text, remedy: Text | None = None) -> None:
        file, place = self.places.of_key(path)
        self.warnings.append(Problem(place, message, remedy, file))

    def cell(self, finding: CellFinding) -> Problem:
        file, place = self.places.of_cell(finding.table, finding.row, finding.column)
        return Problem(place, finding.message, finding.remedy, file)

    # Reading

    def texts(self, name: Any, base: Any, label: Any, description: Any) -> None:
        if not isinstance(name, str) or not name:
            self.tell(
                ("name",),
                Text("un nom est attendu", "a name is expected"),
                Text("Écrivez par exemple name: mon-scenario.", "Write for example name: my-scenario."),
            )
        if base is not None and not isinstance(base, str):
            self.tell(("base",), Text("un texte est attendu", "a text is expected"))
        for key, value in (("label", label), ("description", description)):
            pair = isinstance(value, Mapping) and set(value) == {"fr", "en"}
            if not isinstance(value, str) and not (pair and all(isinstance(v, str) for v in value.values())):
                self.tell(
                    (key,), Text("un texte, ou fr et en, sont attendus", "a text, or fr and en, are expected")
                )
            setattr(self.scenario, key, dict(value) if pair else value)
        self.scenario.name, self.scenario.base = name, base
        self.scenario._exact = {}

    def years(self, value: Any) -> None:
        remedy = Text(
            "Écrivez par exemple years: [2026, 2027, 2028].", "Write for example years: [2026, 2027, 2028]."
        )
        if isinstance(value, int) and not isinstance(value, bool):
            value = [value]
        given = list(value) if isinstance(value, Iterable) and not isinstance(value, (str, Mapping)) else []
        good: list[int] = []
        if not given:
            self.tell(
                ("years",),
                Text("les années de l'horizon sont attendues", "the years of the horizon are expected"),
                remedy,
            )
        for rank, year in enumerate(given):
            if (
                isinstance(year, bool)
                or not isinstance(year, (int, np.integer))
                or not 1900 <= int(year) <= 2200
            ):
                self.tell(
                    ("years", rank), Text(f"{year!r} n'est pas une année", f"{year!r} is not a year"), remedy
                )
            elif int(year) in good:
                self.tell(
                    ("years", rank), Text(f"année {year} donnée deux fois", f"year {year} is given twice")
                )
            else:
                good.append(int(year))
        self.scenario.years = sorted(good)

    def _models(
        self, key: str, value: Any, schema: type[Any]
    ) -> tuple[list[Any], list[int], list[str] | None]:
        """(the valid ones, their ranks, all ids as given)."""
        if value is None:
            self.tell((key,), Text("champ obligatoire absent", "required field is missing"))
            return [], [], None
        if not isinstance(value, Iterable) or isinstance(value, (str, Mapping)):
            self.tell((key,), Text("une liste est attendue", "a list is expected"))
            return [], [], None
        models, ranks, ids = [], [], []
        for rank, item in enumerate(value):
            raw_id = item.get("id") if isinstance(item, Mapping) else getattr(item, "id", None)
            if isinstance(raw_id, int) and not isinstance(raw_id, bool):
                raw_id = str(raw_id)
            if isinstance(raw_id, str) and raw_id:
                if raw_id in ids:
                    self.tell(
                        (key, rank, "id"),
                        Text(f"identifiant « {raw_id} » déjà utilisé", f"id “{raw_id}” is already used"),
                    )
                    continue
                ids.append(raw_id)
            try:
                models.append(item if isinstance(item, schema) else schema.model_validate(item))
                ranks.append(rank)
            except ValidationError as error:
                self.tell_all((key, rank), findings(error, schema))
                self.refused.append(((key, rank), item))
        return models, ranks, ids

    def funds(self, value: Any) -> None:
        funds, ranks, self.fund_ids = self._models("funds", value, Fund)
        self._fund_ranks = ranks
        self.scenario.funds = funds
        years = self.scenario.years
        total = 0
        for rank, fund in zip(ranks, funds, strict=True):
            for key in ("payments", "income", "returns"):
                if getattr(fund, key) is not None:
                    self._unhandled(("funds", rank, key), key)
            for key in ("amounts", "payments", "income"):
                for year in getattr(fund, key) or {}:
                    if years and year not in years:
                        self.tell(
                            ("funds", rank, key, year),
                            Text(f"année {year} hors de l'horizon", f"year {year} is outside the horizon"),
                            Text(
                                f"Années : {', '.join(map(str, years))}.",
                                f"Years: {', '.join(map(str, years))}.",
                            ),
                        )
            if fund.parent is not None and self.fund_ids is not None and fund.parent not in self.fund_ids:
                self.tell(
                    ("funds", rank, "parent"),
                    Text(f"fonds inconnu « {fund.parent} »", f"unknown fund “{fund.parent}”"),
                    did_you_mean(fund.parent, [i for i in self.fund_ids if i != fund.id]),
                )
            total += fund.amount if fund.amount is not None else sum((fund.amounts or {}).values())
        if total >= MAX_CENTS:
            self.tell(
                ("funds",),
                Text("le total des fonds est trop grand", "the total of the funds is too large"),
                Text(
                    f"Moins de {format_euros(MAX_CENTS, 'fr', True)}.",
                    f"Less than {format_euros(MAX_CENTS, 'en', True)}.",
                ),
            )
        self._no_cycle(funds, ranks)

    def _no_cycle(self, funds: list[Fund], ranks: list[int]) -> None:
        parent = {fund.id: fund.parent for fund in funds}
        told: set[str] = set()
        for rank, fund in zip(ranks, funds, strict=True):
            chain = [fund.id]
            while (above := parent.get(chain[-1])) is not None and above not in chain:
                chain.append(above)
            if above == fund.id and not told & set(chain):
                told |= set(chain)
                loop = " → ".join([*chain, fund.id])
                self.tell(
                    ("funds", rank, "parent"),
                    Text(
                        f"ces fonds se contiennent l'un l'autre : {loop}",
                        f"these funds contain each other: {loop}",
                    ),
                )

    def _unhandled(self, path: Path, key: str) -> None:
        self.tell(
            path,
            Text(
                f"« {key} » n'est pas pris en charge par cette version",
                f"“{key}” is not handled by this version",
            ),
            Text("Retirez cette clé.", "Remove this key."),
        )

    def measures(self, value: Any) -> None:
        measures, ranks, self.measure_ids = self._models("measures", value, Measure)
        self.scenario.measures = measures
        for rank, measure in zip(ranks, measures, strict=True):
            if measure.steps is not None:
                self._unhandled(("measures", rank, "steps"), "steps")

    def tables(self, territories: Any, demands: Any, prior_aid: Any, kept: _Tables | None) -> None:
        scenario = self.scenario
        if kept is None:
            kept = self._read_tables(territories, demands, prior_aid)
        else:
            self.tables_complete = True
            self.warnings.extend(kept.warned)
        scenario._tables = kept
        scenario.territories, scenario.demands = kept.territories, kept.demands
        scenario.prior_aid = kept.prior_aid
        scenario.indicators, scenario.attributes = kept.indicators, kept.attributes
        scenario._exact = kept.exact
        columns = kept.columns if self.tables_complete else None
        self.known = Known(
            self.fund_ids,
            self.measure_ids,
            scenario.years or None,
            columns[0] if columns else None,
            columns[1] if columns else None,
        )

    def _read_tables(self, territories: Any, demands: Any, prior_aid: Any) -> _Tables:
        years = self.scenario.years
        of_territories, whole = territories_table(territories)
        ids = (
            of_territories.frame["id"].tolist()
            if "id" in of_territories.frame.columns and territories is not None
            else None
        )
        lumpy = None if self.measure_ids is None else dict.fromkeys(self.measure_ids, False)
        for measure in self.scenario.measures:
            (lumpy or {})[measure.id] = measure.lumpy
        of_demands = demands_table(demands, years=years, territories=ids, measures=lumpy)
        of_prior = prior_aid_table(prior_aid)
        kept = _Tables(of_territories.given, of_demands.table.given)
        for table in (of_territories, of_demands.table, of_prior):
            if isinstance(table, Table):
                self.problems.extend(self.cell(finding) for finding in table.found)
                kept.warned.extend(self.cell(finding) for finding in table.warned)
        self.warnings.extend(kept.warned)
        kept.indicators, kept.attributes = of_demands.indicators, of_demands.attributes
        kept.prior_aid = None if of_prior is None else of_prior.frame
        self.demands_as_read = of_demands.table
        self.tables_complete = whole and of_demands.complete
        if self.tables_complete:
            kept.territories = sorted_table(of_territories, TERRITORY_COLUMNS)
            kept.demands = sorted_table(of_demands.table, DEMAND_COLUMNS)
            kept.columns = (Columns(kept.territories), Columns(kept.demands))
        return kept

    def selections_of_funds(self) -> None:
        for rank, fund in zip(self._fund_ranks, self.scenario.funds, strict=True):
            if fund.on is None:
                continue
            self._selection(fund.on, ("funds", rank, "on"))
            for key in ("funds", "years"):
                if getattr(fund.on, key) is not None:
                    fr, en = {"funds": ("de fonds", "funds")}.get(key, ("d'années", "years"))
                    self.tell(
                        ("funds", rank, "on", key),
                        Text(
                            f"on dit quels dossiers le fonds peut payer : pas de choix {fr}",
                            f"on says which demands the fund may pay: it selects no {en}",
                        ),
                        Text(f"Retirez « {key} ».", f"Remove “{key}”."),
                    )

    def _selection(self, selection: Selection, path: Path) -> None:
        found = selection.findings(self.known)
        if found:
            self.selections_hold = False
            self.tell_all(path, found)

    def constraints(self, value: Any) -> None:
        scenario = self.scenario
        scenario.constraints, scenario._constraints_as_given = [], []
        if value is None:
            value = []
        if not isinstance(value, Iterable) or isinstance(value, (str, Mapping)):
            self.tell(("constraints",), Text("une liste est attendue", "a list is expected"))
            return
        read: list[tuple[int, Any]] = []
        for rank, item in enumerate(value):
            constraint = self._constraint(rank, item, KINDS)
            if constraint is not None:
                read.append((rank, constraint))
        self._selections_of_refused()
        self._name(read)
        self._constraint_ranks = [rank for rank, _ in read]
        for (rank, _), constraint in zip(read, scenario.constraints, strict=True):
            held = self.selections_hold
            self.selections_hold = True
            for path, selection in _selections(constraint, ()):
                self._selection(selection, ("constraints", rank, *path))
            fine = self._per(constraint, rank) and self.selections_hold
            self.selections_hold = held and self.selections_hold
            if fine:
                self._own_problems(constraint, ("constraints", rank))

    def _selections_of_refused(self) -> None:
        """The names used by what its schema refused: their mistakes are told in the same list."""
        for path, item in self.refused:
            for key, value in item.items() if isinstance(item, Mapping) else ():
                if key in ("on", "of", "when", "then") and isinstance(value, Mapping):
                    try:
                        self._selection(Selection.model_validate(value), (*path, key))
                    except ValidationError:
                        continue  # told with the rest of its schema

    def _constraint(self, rank: int, item: Any, kinds: Mapping[str, type[Any]]) -> Any:
        path = ("constraints", rank)
        if isinstance(item, tuple(kinds.values())):
            return item
        if not isinstance(item, Mapping):
            self.tell(path, Text("des clés et des valeurs sont attendues", "keys and values are expected"))
            return None
        kind = item.get("kind")
        if kind is None:
            self.tell(
                (*path, "kind"),
                Text("champ obligatoire absent", "required field is missing"),
                Text(f"Possibles : {', '.join(kinds)}.", f"Possible: {', '.join(kinds)}."),
            )
            return None
        if not isinstance(kind, str) or kind not in kinds:
            self.tell(
                (*path, "kind"),
                Text(f"règle inconnue « {kind} »", f"unknown constraint “{kind}”"),
                did_you_mean(kind, kinds),
            )
            return None
        try:
            return kinds[kind].model_validate(dict(item))
        except ValidationError as error:
            self.tell_all(path, findings(error, kinds[kind]))
            self.refused.append((path, item))
            return None

    def _name(self, read: list[tuple[int, Any]]) -> None:
        """Give each constraint its id (kind and rank among its kind) and label."""
        given = {constraint.id for _, constraint in read if constraint.id}
        seen: set[str] = set()
        rank_of_kind: dict[str, int] = {}
        for rank, constraint in read:
            rank_of_kind[constraint.kind] = n = rank_of_kind.get(constraint.kind, 0) + 1
            name = constraint.id
            if not name:
                while f"{constraint.kind}-{n}" in given | seen:
                    n += 1
                name = f"{constraint.kind}-{n}"
            elif name in seen:
                self.tell(
                    ("constraints", rank, "id"),
                    Text(f"identifiant « {name} » déjà utilisé", f"id “{name}” is already used"),
                )
            seen.add(name)
            self.scenario._constraints_as_given.append(constraint)
            self.scenario.constraints.append(
                constraint.model_copy(update={"id": name, "label": getattr(constraint, "label", "") or name})
            )

    def _per(self, constraint: Any, rank: int) -> bool:
        fine = True
        for key in ("per", "within"):
            value = getattr(constraint, key, None)
            if not isinstance(value, str) or not self.tables_complete:
                continue
            scenario = self.scenario
            columns = [c for c in scenario.territories.columns if c not in ("id", "name", "population")]
            allowed = [*PER, "beneficiary_kind", "project", *scenario.attributes, *columns]
            if value not in allowed:
                fine = False
                remedy = did_you_mean(value, dict.fromkeys(allowed))
                if value in scenario.indicators:
                    remedy = Text(
                        "C'est une colonne de nombres : un attribut est un texte ou true/false.",
                        "It is a column of numbers: an attribute is a text or true/false.",
                    )
                self.tell(
                    ("constraints", rank, key),
                    Text(f"attribut inconnu « {value} »", f"unknown attribute “{value}”"),
                    remedy,
                )
        return fine

    def _own_problems(self, item: Any, path: Path) -> None:
        """What a constraint or objective finds wrong with itself in this scenario."""
        if not self.tables_complete:
            return
        self.scenario.__dict__["_known"] = self.known
        try:
            found = list(item.problems(self.scenario))
        except Exception:
            if not self.problems:
                raise
            return  # it met what was told already
        for problem in found:
            relative = in_language(problem.place, "fr")
            self.tell((*path, *_path_of(relative)), problem.message, problem.remedy)

    def objective(self, value: Any) -> None:
        path: Path = ("objective",)
        self.scenario.objective = None
        if value is None:
            self.tell(
                path,
                Text("champ obligatoire absent", "required field is missing"),
                Text(
                    "Écrivez par exemple objective: {maximise: {emplois: 1}}.",
                    "Write for example objective: {maximise: {jobs: 1}}.",
                ),
            )
            return
        if not isinstance(value, (Mapping, BaseModel)):
            self.tell(
                path,
                Text("des clés et des valeurs sont attendues", "keys and values are expected"),
                Text(f"Possibles : {', '.join(OBJECTIVES)}.", f"Possible: {', '.join(OBJECTIVES)}."),
            )
            return
        try:
            self.scenario.objective = objective = parse(value)
        except ValidationError as error:
            for finding in findings(error):
                remedy = finding.remedy
                if (
                    remedy is None
                    and finding.path
                    and len(finding.path) == 1
                    and finding.path[0] not in OBJECTIVES
                ):
                    remedy = did_you_mean(finding.path[0], OBJECTIVES)
                self.tell((*path, *finding.path), finding.message, remedy)
            return
        except ScenarioError as error:
            for problem in error.problems:
                self.tell(
                    (*path, *_path_of(in_language(problem.place, "fr"))), problem.message, problem.remedy
                )
            return
        except ValueError as error:
            said = (
                error.args[0]
                if error.args and isinstance(error.args[0], Text)
                else Text(str(error), str(error))
            )
            self.tell(path, said)
            return
        self._own_problems(objective, path)
        self._numbers_meant(objective)

    def _numbers_meant(self, objective: Any) -> None:
        """A column that a rule or the objective counts but that some cell made text: name the cells."""
        asked_for = _words(_plain(objective)) | {
            getattr(c, "indicator", None) for c in self.scenario.constraints
        }
        table = getattr(self, "demands_as_read", None)
        for name in self.scenario.attributes:
            if name not in asked_for or table is None or name not in table.frame.columns:
                continue
            _, _, refused = decimals_column(table.frame[name])
            if len(refused) < len(table.frame):
                table.found.clear()
                table.unreadable(name, refused)
                self.problems.extend(self.cell(finding) for finding in table.found)

    # Warnings

    def all_warnings(self) -> list[Problem]:
        """What looks wrong in a scenario that holds together."""
        scenario = self.scenario
        scenario.__dict__["_known"] = self.known
        payable = np.zeros(len(scenario.demands), bool)
        for fund in scenario.funds:
            if fund.amount or any((fund.amounts or {}).values()):
                payable |= True if fund.on is None else fund.on.pick(scenario).demands
        unpaid = scenario.demands["id"][~payable].tolist()
        if unpaid:
            shown = ", ".join(unpaid[:5]) + (" …" if len(unpaid) > 5 else "")
            file, place = self.places.of_cell("demands", None, None)
            self.warnings.append(
                Problem(
                    place,
                    Text(
                        f"{len(unpaid)} dossier(s) qu'aucun fonds ne peut payer : {shown}",
                        f"{len(unpaid)} demand(s) that no fund may pay: {shown}",
                    ),
                    Text("Vérifiez `on` des fonds.", "Check the funds' `on`."),
                    file,
                )
            )
        for rank, constraint in zip(self._constraint_ranks, scenario.constraints, strict=True):
            if not constraint.enabled:
                continue
            for path, selection in _selections(constraint, ()):
                if len(scenario.demands) and not selection.pick(scenario).demands.any():
                    self.warn(
                        ("constraints", rank, *path),
                        Text("aucun dossier dans cette sélection", "no demand in this selection"),
                    )
            per = getattr(constraint, "per", None)
            for frame in (scenario.demands, scenario.territories):
                if isinstance(per, str) and per in frame.columns:
                    empty = int((frame[per] == "").sum())
                    if empty:
                        self.warn(
                            ("constraints", rank, "per"),
                            Text(
                                f"{empty} ligne(s) sans « {per} » forment un groupe à part",
                                f"{empty} row(s) without “{per}” make a group of their own",
                            ),
                        )
                    break
        return self.warnings


def _selections(item: Any, path: Path) -> Iterable[tuple[Path, Selection]]:
    """Every selection within a constraint, with its path."""
    if isinstance(item, Selection):
        yield path, item
    elif isinstance(item, BaseModel):
        for key in type(item).model_fields:
            yield from _selections(getattr(item, key), (*path, key))
    elif isinstance(item, (list, tuple)):
        for rank, part in enumerate(item):
            yield from _selections(part, (*path, rank))


def _path_of(place: str) -> Path:
    """`on.funds[1]` → ("on", "funds", 1)."""
    parts = re.findall(r"\[(\d+)\]|([^.\[\]]+)", place)
    return tuple(int(number) if number else key for number, key in parts)


def _words(value: Any) -> set[Any]:
    """All keys and texts of a plain object."""
    if isinstance(value, Mapping):
        return set(value) | set().union(*(_words(v) for v in value.values()), set())
    if isinstance(value, (list, tuple)):
        return set().union(*(_words(v) for v in value), set())
    return {value} if isinstance(value, str) else set()
