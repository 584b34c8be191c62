"""A scenario with something changed: assignments to dotted paths, said the same way wherever variants are.

    funds.friches.amount: 2 Md€            funds.*.amount: -30 %               funds.ti.amounts.2027: x1,2
    constraints.plafond-idf.enabled: false  objective.maximise.emplois: 2       demands.d12.units: 3

A path names a list of the scenario, an id in it (`*`: all; of ids that hold dots the longest that fits), and a field;
`objective`, `years` and `labels` may also be given whole. Values are what the field takes; `+10 %`, `-30 %` and `x1.2` are
relative to what is there, money rounded to the nearest cent, half a cent up.
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
WHOLE = ("objective", "years", "labels")
PARTS = (*LISTS, *TABLES, *WHOLE)
EVERY = "*"

_NUMBER = r"([0-9]+(?:[ \u00a0\u202f][0-9]{3})*(?:[.,][0-9]+)?)"
_TIMES = re.compile(rf"[x×]\s*{_NUMBER}")
_PERCENT = re.compile(rf"([+\-−])\s*{_NUMBER}\s*%")


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
            problems.append(Problem(str(path) or "changes", wrong.message, wrong.remedy))
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
        self._tables: dict[str, _Edited] = {}

    def scenario(self) -> Scenario:
        known = self._from._tables
        given = {"demands": known.demand_columns, "territories": known.territory_columns}
        self._parts |= {part: table.whole(given[part]) for part, table in self._tables.items()}
        return self._from.with_(**self._parts) if self._parts else self._from

    def make(self, path: str, value: object) -> None:
        part, _, rest = str(path).partition(".")
        if part not in PARTS:
            raise _Wrong(
                Text(f"« {part} » ne peut pas être changé", f"“{part}” cannot be changed"), did_you_mean(part, PARTS)
            )
        if not rest and part in WHOLE:
            self._parts[part] = value
            return
        if not rest or (part in WHOLE and part != "objective"):
            raise (
                _Wrong(
                    Text("le chemin s'arrête trop tôt", "the path ends too early"),
                    Text("Écrivez par exemple funds.friches.amount.", "Write for example funds.friches.amount."),
                )
                if not rest
                else _Wrong(Text(f"« {part} » se donne en entier", f"“{part}” is given whole"))
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
        chosen, field = chosen_ids([item["id"] if isinstance(item, dict) else item.id for item in items], rest)
        for k, item in enumerate(getattr(self._from, part)):
            if item.id in chosen:
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
        if keys == ["amount"] and out.get("amounts") is not None and "amount" not in out:
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
        table = self._tables.setdefault(part, _Edited(getattr(self._from, part)))
        chosen, column = chosen_ids(table.ids, rest)
        if column == "id" or column not in table.frame.columns:
            known = [str(c) for c in table.frame.columns if c != "id"]
            raise _Wrong(
                Text(f"la colonne « {column} » n'existe pas", f"there is no column “{column}”"),
                did_you_mean(column, known),
            )
        values = table.values(column)
        rows = range(len(values)) if chosen is table.ids else [table.rows[chosen[0]]]
        factor = factor_of(value)
        try:
            new = [value if factor is None else _scaled(values[k], factor, column in MONEY_COLUMNS) for k in rows]
        except (ValueError, TypeError, ArithmeticError):
            raise _nothing_there() from None
        for k, each in zip(rows, new, strict=True):
            values[k] = each


class _Edited:
    """A table, and the columns of it that are changed."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.ids = frame["id"].astype(str).tolist()
        self.rows = {name: k for k, name in enumerate(self.ids)}
        self.columns: dict[str, list[Any]] = {}

    def values(self, column: str) -> list[Any]:
        return self.columns.setdefault(column, self.frame[column].astype(object).tolist())

    def whole(self, given: Iterable[str]) -> pd.DataFrame:
        """The columns that were given, and those changed: the others are completed again by themselves."""
        kept = set(given)
        frame = self.frame[[c for c in self.frame.columns if c in kept]]
        new = {name: pd.Series(values, index=frame.index).infer_objects() for name, values in self.columns.items()}
        return frame.assign(**new)


def chosen_ids(ids: list[str], rest: str) -> tuple[list[str], str]:
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
        return new(item)
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
    """The value; a relative one of what was there, or of each value of a mapping."""
    factor = factor_of(value)
    if factor is None:
        return value
    if isinstance(was, Mapping):
        return {key: _new(each, value, money=money) for key, each in was.items()}
    try:
        return _scaled(was, factor, money)
    except (ValueError, TypeError, ArithmeticError):
        raise _nothing_there() from None


def _scaled(was: object, factor: Fraction, money: bool) -> object:
    """`was` times a factor: exactly, or for money to the nearest cent, half a cent up."""
    exact = fraction(was) * factor
    return euros(int((exact * 100 + Fraction(1, 2)) // 1)) if money else written(exact)
