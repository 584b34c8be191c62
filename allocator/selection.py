"""Who and what a rule speaks of: funds, measures, territories, years, demands, and `where` their attributes
say so.

No expression language: names and values only, all of which must exist.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema, model_serializer

from allocator.money import cents_column
from allocator.problems import Finding, Problem, did_you_mean, in_language, listed, path_text
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.scenario import Scenario

MONEY_COLUMNS = ("asked", "cost", "other_public", "own")
Scalar = str | bool | int | float


class Pick(NamedTuple):
    """What a selection holds: boolean arrays in the scenario's own order. Not to be written into."""

    demands: np.ndarray  # (n,)
    funds: np.ndarray  # (F,)
    years: np.ndarray  # (Y,)
    territories: np.ndarray  # (T,)
    measures: np.ndarray  # (M,)


@dataclass(frozen=True)
class Range:
    """`{min:, max:}` on a numeric attribute, both ends included; one may be absent."""

    min: int | float | None = None
    max: int | float | None = None

    def __str__(self) -> str:
        return " … ".join("" if side is None else str(side) for side in (self.min, self.max)).strip()


class Column:
    """One column of a table, read once: its kind, its distinct values, and quick masks on them."""

    def __init__(self, series: pd.Series, money: bool = False) -> None:
        self._series = series
        self._money = money

    @cached_property
    def kind(self) -> Literal["number", "boolean", "text"]:
        """What its cells are: numbers, booleans or (anything else) texts."""
        series = self._series
        if pd.api.types.is_bool_dtype(series):
            return "boolean"
        if self._money or pd.api.types.is_numeric_dtype(series):
            return "number"
        if series.dtype == object:
            present = self.values
            if present and all(isinstance(v, (bool, np.bool_)) for v in present):
                return "boolean"
            if present and all(
                isinstance(v, (int, float, Decimal, np.number)) and not isinstance(v, bool) for v in present
            ):
                return "number"
        return "text"

    @cached_property
    def _factors(self) -> tuple[np.ndarray, list[Any]]:
        codes, values = pd.factorize(self._series)
        return codes, list(values)

    @property
    def codes(self) -> np.ndarray:
        """(rows,) positions in `values`; -1 where the cell is empty."""
        return self._factors[0]

    @property
    def values(self) -> list[Any]:
        """The distinct values, in order of appearance."""
        return self._factors[1]

    @cached_property
    def positions(self) -> dict[Any, int]:
        """Position in `values` of each distinct value."""
        return {value: k for k, value in enumerate(self.values)}

    @cached_property
    def numbers(self) -> np.ndarray:
        """(rows,) float: the cells of a numeric column (euros for money), NaN where empty."""
        if self._money:
            return cents_column(self._series)[0] / 100
        return pd.to_numeric(self._series, errors="coerce").astype(float).to_numpy(np.float64, na_value=np.nan)

    def fits(self, value: Scalar) -> bool:
        """Whether a value is of the column's kind: text, boolean or number."""
        if isinstance(value, bool):
            return self.kind == "boolean"
        return self.kind == ("text" if isinstance(value, str) else "number")

    def holds(self, value: Scalar) -> bool:
        """Whether some cell has this value."""
        if not self.fits(value):
            return False
        if self.kind == "number":
            return bool((self.numbers == float(value)).any())
        return value in self.positions

    def mask(self, wanted: tuple[Scalar, ...] | Range) -> np.ndarray:
        """(rows,) bool: cells with one of the values, or within the range. Empty cells never match."""
        if isinstance(wanted, Range):
            if self.kind != "number":
                return np.zeros(len(self._series), bool)
            low = -math.inf if wanted.min is None else wanted.min
            high = math.inf if wanted.max is None else wanted.max
            with np.errstate(invalid="ignore"):
                return (self.numbers >= low) & (self.numbers <= high)
        fitting = [value for value in wanted if self.fits(value)]
        if self.kind == "number":
            return np.isin(self.numbers, np.array(fitting, np.float64))
        chosen = np.zeros(len(self.values) + 1, bool)  # the last entry answers for code -1
        for value in fitting:
            if value in self.positions:
                chosen[self.positions[value]] = True
        return chosen[self.codes]


class Columns:
    """The columns of one table, each read when first asked for."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._read: dict[str, Column] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._frame.columns

    def __len__(self) -> int:
        return len(self._frame)

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self._frame.columns]

    def __getitem__(self, name: str) -> Column:
        if name not in self._read:
            self._read[name] = Column(self._frame[name], money=name in MONEY_COLUMNS and "asked" in self)
        return self._read[name]


@dataclass(frozen=True)
class Known:
    """The names a selection may use. None where they could not be read: nothing is then said about them."""

    funds: Sequence[str] | None
    measures: Sequence[str] | None
    years: Sequence[int] | None
    territories: Columns | None
    demands: Columns | None

    @classmethod
    def of(cls, scenario: Scenario) -> Known:
        """The names of a scenario; its columns are read once and kept with it."""
        kept = scenario.__dict__.get("_known")
        if kept is None:
            kept = cls(
                [fund.id for fund in scenario.funds],
                [measure.id for measure in scenario.measures],
                list(scenario.years),
                Columns(scenario.territories),
                Columns(scenario.demands),
            )
            scenario.__dict__["_known"] = kept
        return kept

    @cached_property
    def territory_of(self) -> np.ndarray:
        """(n,) row of each demand's territory."""
        assert self.territories is not None and self.demands is not None
        rows = self.territories["id"].positions
        asking = self.demands["territory"]
        return np.array([rows.get(value, -1) for value in asking.values] + [-1])[asking.codes]

    @cached_property
    def measure_of(self) -> np.ndarray:
        """(n,) rank of each demand's measure."""
        assert self.measures is not None and self.demands is not None
        ranks = {name: k for k, name in enumerate(self.measures)}
        asking = self.demands["measure"]
        return np.array([ranks.get(value, -1) for value in asking.values] + [-1])[asking.codes]


def _one_or_many(value: object) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return [value]
    return list(value)


def _names(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    found: list[str] = []
    for one in _one_or_many(value):
        if isinstance(one, (int, np.integer)) and not isinstance(one, bool):
            one = str(one)  # codes made of digits are often left unquoted
        if not isinstance(one, str):
            raise ValueError(
                Text(
                    f"un identifiant ou une liste est attendu, et non {one!r}",
                    f"an id or a list is expected, not {one!r}",
                )
            )
        found.append(one)
    return _not_empty(found)


def _years(value: object) -> tuple[int, ...] | None:
    if value is None:
        return None
    found: list[int] = []
    for one in _one_or_many(value):
        if isinstance(one, bool) or not isinstance(one, (int, np.integer)):
            raise ValueError(
                Text(
                    f"une année ou une liste est attendue, et non {one!r}",
                    f"a year or a list is expected, not {one!r}",
                )
            )
        found.append(int(one))
    return _not_empty(found)


def _not_empty(found: list[Any]) -> tuple[Any, ...]:
    if not found:
        raise ValueError(
            Text(
                "sélection vide : pour tout prendre, retirez la clé",
                "empty selection: to take everything, remove the key",
            )
        )
    return tuple(dict.fromkeys(found))


def _where(value: object) -> dict[str, tuple[Scalar, ...] | Range] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ValueError(
            Text("des attributs et leurs valeurs sont attendus", "attributes and their values are expected"),
            Text('Écrivez par exemple {region: "11"}.', 'Write for example {region: "11"}.'),
        )
    found: dict[str, tuple[Scalar, ...] | Range] = {}
    wrong: list[Text] = []
    for attribute, wanted in value.items():
        if isinstance(wanted, Range):
            found[str(attribute)] = wanted
        elif isinstance(wanted, Mapping):
            text = _wrong_range(wanted)
            if text is None:
                found[str(attribute)] = Range(wanted.get("min"), wanted.get("max"))
            else:
                wrong.append(Text(f"{attribute} : {text.fr}", f"{attribute}: {text.en}"))
        else:
            values = [v.item() if isinstance(v, np.generic) else v for v in _one_or_many(wanted)]
            bad = [v for v in values if not _is_scalar(v)]
            if bad or not values:
                shown = repr(bad[0]) if bad else "[]"
                wrong.append(
                    Text(
                        f"{attribute} : un texte, un nombre ou true/false est attendu, et non {shown}",
                        f"{attribute}: a text, a number or true/false is expected, not {shown}",
                    )
                )
            else:
                found[str(attribute)] = tuple({(type(v), v): v for v in values}.values())
    if wrong:
        raise ValueError(Text(" ; ".join(t.fr for t in wrong), "; ".join(t.en for t in wrong)))
    return found


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        return False
    return abs(value) < 2**63 if isinstance(value, int) else math.isfinite(value)


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, bool)) or _is_number(value)


def _wrong_range(wanted: Mapping[Any, Any]) -> Text | None:
    unknown = [key for key in wanted if key not in ("min", "max")]
    if unknown:
        return Text(f"clé inconnue « {unknown[0]} » : min ou max", f"unknown key “{unknown[0]}”: min or max")
    sides = [wanted.get(key) for key in ("min", "max")]
    given = [side for side in sides if side is not None]
    if not given:
        return Text("il manque min ou max", "min or max is missing")
    for side in given:
        if not _is_number(side):
            return Text(f"un nombre est attendu, et non {side!r}", f"a number is expected, not {side!r}")
    if len(given) == 2 and given[0] > given[1]:
        return Text(f"min {given[0]} dépasse max {given[1]}", f"min {given[0]} exceeds max {given[1]}")
    return None


_NAME_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]}
_YEAR_SCHEMA = {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}, {"type": "null"}]}
Where = Annotated[Any, BeforeValidator(_where), WithJsonSchema({"type": "object"})]
Names = Annotated[tuple[str, ...] | None, BeforeValidator(_names), WithJsonSchema(_NAME_SCHEMA)]


class Selection(BaseModel):
    """Funds, measures, territories, years and demands by name, and `where` by attribute; `{}` is everything.

    All conditions hold together. A `where` on an attribute of territories narrows territories and demands;
    one on an attribute of demands, demands only; where both tables have the column, the demands' is meant.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    funds: Names = None
    measures: Names = None
    territories: Names = None
    years: Annotated[tuple[int, ...] | None, BeforeValidator(_years), WithJsonSchema(_YEAR_SCHEMA)] = None
    demands: Names = None
    where: Where = None

    @property
    def selects_funds(self) -> bool:
        """Whether it names funds."""
        return self.funds is not None

    @property
    def selects_years(self) -> bool:
        """Whether it names years."""
        return self.years is not None

    def __hash__(self) -> int:
        where = None if self.where is None else tuple(sorted((k, str(v)) for k, v in self.where.items()))
        return hash((self.funds, self.measures, self.territories, self.years, self.demands, where))

    @model_serializer
    def _written(self) -> dict[str, Any]:
        """Only what is said, lists of one as one."""
        out: dict[str, Any] = {}
        for name in ("funds", "measures", "territories", "years", "demands"):
            values = getattr(self, name)
            if values is not None:
                out[name] = list(values)
        if self.where is not None:
            out["where"] = {
                attribute: {side: getattr(wanted, side) for side in ("min", "max") if getattr(wanted, side) is not None}
                if isinstance(wanted, Range)
                else list(wanted)
                for attribute, wanted in self.where.items()
            }
        return out

    def findings(self, known: Known) -> list[Finding]:
        """Unknown names, attributes and values, and a selection that leaves nothing."""
        found: list[Finding] = []
        named: list[tuple[str, tuple[Any, ...] | None, Iterable[Any] | None, str, str]] = [
            ("funds", self.funds, known.funds, "fonds", "fund"),
            ("measures", self.measures, known.measures, "mesure", "measure"),
            ("years", self.years, known.years, "année", "year"),
            ("territories", self.territories, _ids(known.territories), "territoire", "territory"),
            ("demands", self.demands, _ids(known.demands), "dossier", "demand"),
        ]
        for field, wanted, names, fr, en in named:
            if wanted is None or names is None:
                continue
            unknown_fr = "inconnue" if fr in ("mesure", "année") else "inconnu"
            for rank, value in enumerate(wanted):
                if value not in names:
                    found.append(
                        Finding(
                            (field, rank),
                            Text(f"{fr} {unknown_fr} « {value} »", f"unknown {en} “{value}”"),
                            did_you_mean(value, names),
                        )
                    )
        for attribute, wanted in (self.where or {}).items():
            found.extend(self._attribute_findings(attribute, wanted, known))
        if not found and known.territories is not None and len(known.territories):
            kept = self._territories(known)
            if not kept.any():
                found.append(
                    Finding(
                        (),
                        Text(
                            "sélection vide : aucun territoire ne répond à ces conditions",
                            "empty selection: no territory meets these conditions",
                        ),
                        Text("Élargissez `territories` ou `where`.", "Widen `territories` or `where`."),
                    )
                )
        return found

    @staticmethod
    def _attribute_findings(attribute: str, wanted: tuple[Scalar, ...] | Range, known: Known) -> list[Finding]:
        if known.demands is None or known.territories is None:
            return []
        path = ("where", attribute)
        table = _table_of(attribute, known)
        if table is None:
            names = [*known.demands.names, *known.territories.names]
            return [
                Finding(
                    path,
                    Text(f"attribut inconnu « {attribute} »", f"unknown attribute “{attribute}”"),
                    did_you_mean(attribute, names),
                )
            ]
        column = table[attribute]
        if isinstance(wanted, Range):
            if column.kind == "number":
                return []
            return [
                Finding(
                    path,
                    Text(f"« {attribute} » n'est pas un nombre : min et max ne s'y appliquent pas",
                         f"“{attribute}” is not a number: min and max do not apply"),
                    _possible(column),
                )
            ]  # fmt: skip
        found = []
        for rank, value in enumerate(wanted):
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            at = (*path, rank) if len(wanted) > 1 else path
            if not column.fits(value):
                kinds = {"text": ("du texte", "text"), "number": ("des nombres", "numbers")}
                fr, en = kinds.get(column.kind, ("true ou false", "true or false"))
                remedy = _possible(column)
                if column.kind == "text" and str(value) in column.positions:
                    remedy = Text(f'Écrivez "{value}", entre guillemets.', f'Write "{value}", in quotes.')
                found.append(
                    Finding(
                        at,
                        Text(
                            f"« {attribute} » contient {fr}, et {shown} n'en est pas",
                            f"“{attribute}” holds {en}, which {shown} is not",
                        ),
                        remedy,
                    )
                )
            elif not column.holds(value) and len(table) and (column.kind != "boolean"):
                remedy = did_you_mean(shown, column.values) if column.kind == "text" else _possible(column)
                found.append(
                    Finding(
                        at,
                        Text(
                            f"aucune ligne n'a « {shown} » pour « {attribute} »",
                            f"no row has “{shown}” as “{attribute}”",
                        ),
                        remedy,
                    )
                )
        return found

    def problems(self, scenario: Scenario, place: str = "") -> list[Problem]:
        """The same as problems, below `place`."""
        return [
            Problem(_below(place, finding.path), finding.message, finding.remedy)
            for finding in self.findings(Known.of(scenario))
        ]

    def _territories(self, known: Known) -> np.ndarray:
        """(T,) bool."""
        assert known.territories is not None and known.demands is not None
        kept = np.ones(len(known.territories), bool)
        if self.territories is not None:
            kept &= known.territories["id"].mask(self.territories)
        for attribute, wanted in (self.where or {}).items():
            if attribute not in known.demands and attribute in known.territories:
                kept &= known.territories[attribute].mask(wanted)
        return kept

    def pick(self, scenario: Scenario) -> Pick:
        """What it holds in this scenario, whose names it must fit (see `problems`)."""
        known = Known.of(scenario)
        assert known.funds is not None and known.measures is not None and known.years is not None
        assert known.demands is not None and known.territories is not None
        territories = self._territories(known)
        measures = _among(self.measures, known.measures)
        demands = np.ones(len(known.demands), bool)
        if not territories.all():
            demands &= territories[known.territory_of]
        if not measures.all():
            demands &= measures[known.measure_of]
        if self.demands is not None:
            demands &= known.demands["id"].mask(self.demands)
        for attribute, wanted in (self.where or {}).items():
            if attribute in known.demands:
                demands &= known.demands[attribute].mask(wanted)
        return Pick(demands, _among(self.funds, known.funds), _among(self.years, known.years), territories, measures)


def _among(wanted: tuple[Any, ...] | None, names: Sequence[Any]) -> np.ndarray:
    if wanted is None:
        return np.ones(len(names), bool)
    return np.array([name in wanted for name in names], bool)


def _ids(columns: Columns | None) -> Mapping[Any, int] | None:
    return columns["id"].positions if columns is not None and "id" in columns else None


def _table_of(attribute: str, known: Known) -> Columns | None:
    for columns in (known.demands, known.territories):
        if columns is not None and attribute in columns:
            return columns
    return None


def _possible(column: Column) -> Text | None:
    if column.kind == "number":
        numbers = column.numbers[~np.isnan(column.numbers)]
        if len(numbers) == 0:
            return None
        low, high = f"{numbers.min():g}", f"{numbers.max():g}"
        return Text(f"Valeurs de {low} à {high}.", f"Values from {low} to {high}.")
    values = sorted({str(value).lower() if column.kind == "boolean" else str(value) for value in column.values})
    return Text(f"Possibles : {listed(values)}.", f"Possible: {listed(values)}.") if values else None


def _below(place: Text | str, path: tuple[str | int, ...]) -> str:
    below = path_text(path)
    above = in_language(place, "fr")
    return above + (below if below.startswith("[") else f".{below}" if above and below else below)
