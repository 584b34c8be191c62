"""A scenario with something changed: assignments to dotted paths, said the same way wherever variants are.

    funds.friches.amount: 2 Md€            funds.*.amount: -30 %               funds.ti.amounts.2027: x1,2
    constraints.plafond-idf.enabled: false  objective.maximise.emplois: 2       demands.d12.units: 3

A path names a list of the scenario, an id in it (`*`: all), and a field. Values are what the field takes; `+10 %`, `-30 %`
and `x1.2` are relative to what is there, rounded to the cent where it is money.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pandas as pd
from pydantic import BaseModel

from allocator.money import euros, fraction, written
from allocator.problems import Problem, ScenarioError, did_you_mean, in_language
from allocator.scenario import Scenario
from allocator.scenario.entities import plain
from allocator.selection import MONEY_COLUMNS
from allocator.texts import Text

LISTS = ("funds", "measures", "constraints")
TABLES = ("demands", "territories")
PARTS = (*LISTS, *TABLES, "objective")
EVERY = "*"

_TIMES = re.compile(r"[x×]\s*([0-9][0-9 .,]*)")
_PERCENT = re.compile(r"([+\-−])\s*([0-9][0-9 .,]*)\s*%")


class _Wrong(ValueError):
    """What is wrong with one change, and a remedy."""

    def __init__(self, message: Text, remedy: Text | None = None) -> None:
        super().__init__(message)
        self.message, self.remedy = message, remedy


def changed(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """The scenario with every change made, in order; checked anew.

    Raises `ScenarioError` with all that is wrong: each problem's place is the path of the change, or of what it led to.
    """
    edit, problems = _Edit(scenario), []
    for path, value in changes.items():
        try:
            edit.make(path, value)
        except _Wrong as wrong:
            problems.append(Problem(str(path), wrong.message, wrong.remedy))
    if problems:
        raise ScenarioError(problems)
    try:
        return edit.scenario()
    except ScenarioError as error:
        raise ScenarioError([_named(problem, scenario) for problem in error.problems]) from None


def factor_of(value: object) -> Fraction | None:
    """What a relative value multiplies by; None where the value is absolute."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if found := _TIMES.fullmatch(text):
        return fraction(found[1])
    if found := _PERCENT.fullmatch(text):
        sign = 1 if found[1] == "+" else -1
        return 1 + sign * fraction(found[2]) / 100
    return None


def _named(problem: Problem, scenario: Scenario) -> Problem:
    """A place by ids where it counts: `funds[2].amount` is `funds.friches.amount`."""
    place = in_language(problem.place, "fr")
    found = re.match(r"(funds|measures|constraints)\[(\d+)\]", place)
    if found is None:
        return problem
    items = getattr(scenario, found[1])
    at = int(found[2])
    return replace(problem, place=f"{found[1]}.{items[at].id}{place[found.end() :]}") if at < len(items) else problem


class _Edit:
    """What is changed so far: parts of the scenario as they will be given to it."""

    def __init__(self, scenario: Scenario) -> None:
        self._from = scenario
        self._parts: dict[str, Any] = {}

    def scenario(self) -> Scenario:
        return self._from.with_(**self._parts) if self._parts else self._from

    def make(self, path: str, value: object) -> None:
        part, _, rest = str(path).partition(".")
        if part not in PARTS:
            raise _Wrong(
                Text(f"« {part} » ne peut pas être changé", f"“{part}” cannot be changed"), did_you_mean(part, PARTS)
            )
        if not rest:
            raise _Wrong(
                Text("le chemin s'arrête trop tôt", "the path ends too early"),
                Text("Écrivez par exemple funds.friches.amount.", "Write for example funds.friches.amount."),
            )
        if part in LISTS:
            self._set_in_list(part, rest, value)
        elif part in TABLES:
            self._set_in_table(part, rest, value)
        else:
            known = plain(self._parts.get("objective", self._from.objective))
            self._parts["objective"] = _assigned(known, rest.split("."), lambda was: _new(was, value))

    def _set_in_list(self, part: str, rest: str, value: object) -> None:
        items = list(self._parts.get(part, getattr(self._from, part)))
        ids = [item["id"] if isinstance(item, dict) else item.id for item in items]
        chosen, field = _chosen(ids, rest)
        for k, name in enumerate(ids):
            if name in chosen:
                items[k] = self._set_field(getattr(self._from, part)[k], items[k], field.split("."), value)
        self._parts[part] = items

    def _set_field(self, model: BaseModel, item: Any, keys: list[str], value: object) -> dict[str, Any]:
        """The item as keys and values, one of them new; `model`: the same, as it was read."""
        out: dict[str, Any] = dict(plain(item)) if isinstance(item, BaseModel) else dict(item)
        fields = [name for name in type(model).model_fields if name != "id"]
        if keys[0] not in fields:
            raise _Wrong(
                Text(f"le champ « {keys[0]} » n'existe pas ici", f"there is no field “{keys[0]}” here"),
                did_you_mean(keys[0], fields),
            )
        factor = factor_of(value)
        if keys == ["amount"] and "amounts" in out and "amount" not in out:
            if factor is None:
                raise _Wrong(
                    Text("ce fonds a des montants par année", "this fund has amounts by year"),
                    Text(
                        f"Changez amounts.{min(out['amounts'])}, ou donnez un changement relatif (+10 %).",
                        f"Change amounts.{min(out['amounts'])}, or give a relative change (+10 %).",
                    ),
                )
            keys = ["amounts"]
        money = _is_money(model, keys[0])
        if factor is not None and keys[0] not in out:
            known = getattr(model, keys[0])
            if known is None:
                raise _nothing_there()
            out[keys[0]] = euros(known) if money else known
        if len(keys) == 1 and factor is None:
            out[keys[0]] = value
            return out
        return dict(_assigned(out, keys, lambda was: _new(was, value, money=money)))

    def _set_in_table(self, part: str, rest: str, value: object) -> None:
        known: pd.DataFrame = getattr(self._from, part)
        tables = self._from._tables
        given = tables.demand_columns if part == "demands" else tables.territory_columns
        frame = self._parts.get(part)
        if frame is None:
            frame = known[[c for c in known.columns if c in given]].copy()
        ids = known["id"].astype(str).tolist()
        name, _, column = rest.rpartition(".")
        chosen, beyond = _chosen(ids, f"{name}.{column}") if name else ([], "")
        if not chosen or beyond != column or column == "id" or column not in known.columns:
            columns = [c for c in known.columns if c != "id"]
            raise _Wrong(
                Text(f"« {rest} » : un id et une colonne sont attendus", f"“{rest}”: an id and a column are expected"),
                did_you_mean(column, columns),
            )
        rows = pd.Series(ids, index=known.index).isin(chosen).to_numpy()
        values = frame[column].astype(object) if column in frame else known[column].astype(object)
        values = values.copy()
        factor = factor_of(value)
        if factor is None:
            values[rows] = value
        else:
            cents = column in MONEY_COLUMNS
            try:
                values[rows] = [_scaled(was, factor, cents) for was in values[rows]]
            except (ValueError, TypeError, ArithmeticError):
                raise _nothing_there() from None
        self._parts[part] = frame.assign(**{column: values})


def _chosen(ids: list[str], rest: str) -> tuple[list[str], str]:
    """The ids that a path names, and what follows; an id may hold dots, the longest that fits is meant."""
    words = rest.split(".")
    if words[0] == EVERY and len(words) > 1:
        return ids, ".".join(words[1:])
    for k in range(len(words) - 1, 0, -1):
        name = ".".join(words[:k])
        if name in ids:
            return [name], ".".join(words[k:])
    raise _Wrong(
        Text(f"« {words[0]} » n'existe pas", f"there is no “{words[0]}”")
        if len(words) > 1
        else Text("il manque le champ à changer", "the field to change is missing"),
        did_you_mean(words[0], ids),
    )


def _is_money(model: BaseModel, field: str) -> bool:
    """Whether the field is kept in cents, alone or by year."""
    shown, kept = model.model_dump(include={field}).get(field), getattr(model, field)
    for pair in _pairs(shown, kept):
        if pair[0] != pair[1]:
            return isinstance(pair[1], int)
    return False


def _pairs(shown: Any, kept: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(kept, Mapping):
        for key in kept:
            yield from _pairs(shown[key], kept[key])
    else:
        yield shown, kept


def _assigned(item: Any, keys: list[str], new: Callable[[Any], Any]) -> Any:
    """A copy of nested keys and lists with the value at `keys` replaced by `new` of what it was."""
    if not keys:
        return {key: new(was) for key, was in item.items()} if isinstance(item, Mapping) else new(item)
    if isinstance(item, list | tuple):
        if not keys[0].isdigit() or int(keys[0]) >= len(item):
            raise _missing(keys[0], map(str, range(len(item))))
        at = int(keys[0])
        return [_assigned(each, keys[1:], new) if k == at else each for k, each in enumerate(item)]
    if not isinstance(item, Mapping):
        raise _missing(keys[0], ())
    key = next((known for known in item if str(known) == keys[0]), None)
    if key is None and len(keys) > 1:
        raise _missing(keys[0], map(str, item))
    if key is None:
        return {**item, (int(keys[0]) if keys[0].isdigit() else keys[0]): new(None)}
    return {**item, key: _assigned(item[key], keys[1:], new)}


def _missing(key: str, known: Iterable[str]) -> _Wrong:
    return _Wrong(Text(f"« {key} » n'y est pas", f"“{key}” is not there"), did_you_mean(key, list(known)))


def _nothing_there() -> _Wrong:
    return _Wrong(
        Text(
            "un changement relatif porte sur un nombre, et il n'y en a pas",
            "a relative change needs a number, none is there",
        ),
        Text("Donnez une valeur.", "Give a value."),
    )


def _new(was: object, value: object, *, money: bool = False) -> object:
    factor = factor_of(value)
    if factor is None:
        return value
    try:
        return _scaled(was, factor, money)
    except (ValueError, TypeError, ArithmeticError):
        raise _nothing_there() from None


def _scaled(was: object, factor: Fraction, money: bool) -> object:
    """`was` times a factor: exactly, or for money to the nearest cent, half a cent up."""
    exact = fraction(was) * factor
    return euros(int((exact * 100 + Fraction(1, 2)) // 1)) if money else written(exact)
