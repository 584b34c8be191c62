"""What differs between the tables of two scenarios: rows added and removed, and columns changed, with their sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from allocator.changes import factor_of
from allocator.diff.words import both, euros, moved, number, percent, quoted
from allocator.formats.workbook import words
from allocator.money import euros as written_euros
from allocator.money import fraction
from allocator.scenario import Scenario
from allocator.selection import MONEY_COLUMNS
from allocator.texts import Text

NAMED = 3  # changed rows of a column that are told one by one
_ROWS = {
    "territories": Text("Territoires", "Territories"),
    "demands": Text("Dossiers", "Demands"),
}
_SUMMED = ("units", "min_units", "population")  # beside money and indicators, which count once per unit
Found = tuple[str, str, Text, Any, Any, dict[str, Any] | None]


def compared_tables(a: Scenario, b: Scenario) -> Iterator[Found]:
    """(path, what, sentence, before, after, changes) of each difference; changes None: none can say it."""
    yield from _table("territories", a, b)
    yield from _table("demands", a, b)
    asked = [_asked(each) for each in (a, b)]
    if asked[0] != asked[1]:
        said = both(*map(euros, asked))
        change = percent(*map(Fraction, asked))
        text = Text(f"Demandé en tout : {said.fr}{change.fr}.", f"Asked in all: {said.en}{change.en}.")
        yield "demands.*.asked", "changed", text, written_euros(asked[0]), written_euros(asked[1]), {}
    yield from _prior_aid(a, b)


def _table(name: str, a: Scenario, b: Scenario) -> Iterator[Found]:
    old, new = getattr(a, name), getattr(b, name)
    if old is new:
        return
    ids = [each["id"].astype(str).tolist() for each in (old, new)]
    at = [{key: k for k, key in enumerate(each)} for each in ids]
    for scenario, mine, other, what, done in (
        (a, 0, 1, "removed", Text("retirés", "removed")),
        (b, 1, 0, "added", Text("ajoutés", "added")),
    ):
        only = [key for key in ids[mine] if key not in at[other]]
        if only:
            rows = np.array([at[mine][key] for key in only])
            size = _size(name, scenario, rows)
            said = "; ".join(only[:NAMED]) + ("; …" if len(only) > NAMED else "")
            title, count = _ROWS[name], number(len(only))
            text = Text(f"{title.fr} {done.fr} : {count.fr} ({said}){size.fr}.",
                        f"{title.en} {done.en}: {count.en} ({said}){size.en}.")  # fmt: skip
            told = (only, None) if what == "removed" else (None, only)
            yield name, what, text, *told, None
    common = [key for key in ids[0] if key in at[1]]
    where = [np.array([each[key] for key in common], np.int64) for each in at]
    given = [_given(name, each) for each in (a, b)]
    for column in dict.fromkeys([*old.columns, *new.columns]):
        if column == "id" or not (column in given[0] or column in given[1]):
            continue
        if column not in old or column not in new:
            word = Text("ajoutée", "added") if column in new else Text("retirée", "removed")
            title = _ROWS[name]
            text = Text(f"{title.fr} : colonne « {column} » {word.fr}.", f"{title.en}: column “{column}” {word.en}.")
            yield f"{name}.*.{column}", word.en, text, None, None, None
            continue
        yield from _column(name, column, (a, b), common, where)
    yield from _kept(name, (a, b), common, where, given)


_FOLLOWS = {"cost": ("asked",), "own": ("asked", "cost", "other_public")}  # what a column is made of where nobody gave it


def _kept(
    name: str, sides: tuple[Scenario, Scenario], ids: Sequence[str], where: Sequence[np.ndarray], given: Sequence[Sequence[str]]
) -> Iterator[Found]:  # fmt: skip
    """Cells that are as they were, though what they followed from is not: given now, they follow no more."""
    for column, sources in _FOLLOWS.items() if name == "demands" else ():
        if column in given[0] or column not in given[1]:
            continue
        cents = {each: [side.cents(each)[at] for side, at in zip(sides, where, strict=True)] for each in (column, *sources)}
        shifted = np.logical_or.reduce([(cents[each][0] != cents[each][1]).astype(bool) for each in sources])
        stay = np.flatnonzero(shifted & (cents[column][0] == cents[column][1]).astype(bool))
        if len(stay):
            label, said = words.COLUMNS[name][column], [ids[k] for k in stay.tolist()]
            some = "; ".join(said[:NAMED]) + ("; …" if len(said) > NAMED else "")
            text = Text(f"Dossiers, {_small(label.fr)} : donné, ne suit plus le reste ({some}).",
                        f"Demands, {_small(label.en)}: given, follows the rest no more ({some}).")  # fmt: skip
            changes = {f"{name}.{ids[k]}.{column}": written_euros(int(cents[column][1][k])) for k in stay.tolist()}
            yield f"{name}.*.{column}", "changed", text, None, None, changes if "*" not in ids else None


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _column(
    name: str, column: str, sides: tuple[Scenario, Scenario], ids: Sequence[str], where: Sequence[np.ndarray]
) -> Iterator[Found]:
    money = column in MONEY_COLUMNS and name == "demands"
    read = [_values(name, column, each, money) for each in sides]
    old, new = ([values[k] for k in at] for values, at in zip(read, where, strict=True))
    if old == new:
        return
    differ = [k for k, (was, now) in enumerate(zip(old, new, strict=True)) if not _equal(was, now)]
    if not differ:
        return
    label = words.COLUMNS[name].get(column, Text(f"« {column} »", f"“{column}”"))
    label = Text(_small(label.fr), _small(label.en))
    changes: dict[str, Any] = {}
    alike = len(differ) == len(ids) == len(getattr(sides[1], name)) and all(
        _equal(new[differ[0]], new[k]) for k in differ
    )
    for k in differ[:1] if alike else differ:
        changes[f"{name}.{'*' if alike else ids[k]}.{column}"] = written_euros(new[k]) if money else _plain(new[k])
    sayable = all(factor_of(value) is None for value in changes.values()) and "*" not in ids
    title = _ROWS[name]
    shown = euros if money else _shown
    told: tuple[Any, Any] = (None, None)
    if len(differ) <= NAMED:
        parts = [_one(ids[k], old[k], new[k], shown) for k in differ]
        said = Text(" ; ".join(part.fr for part in parts), "; ".join(part.en for part in parts))
        text = Text(f"{title.fr}, {label.fr} : {said.fr}.", f"{title.en}, {label.en}: {said.en}.")
    else:
        count = number(len(differ))
        sums = _sums(name, column, sides, where, differ, old, new)
        tail = Text("", "")
        if sums is not None:
            total = moved(sums[0], sums[1], euros if money else None)
            told = _told(sums[0], money), _told(sums[1], money)
            tail = Text(f", en tout {total.fr}", f", in all {total.en}")
        text = Text(
            f"{title.fr}, {label.fr} : {count.fr} changent{tail.fr}.",
            f"{title.en}, {label.en}: {count.en} change{tail.en}.",
        )
    yield f"{name}.*.{column}", "changed", text, *told, changes if sayable else None


def _one(key: str, was: Any, now: Any, shown: Any) -> Text:
    name, said = quoted(key), both(shown(was), shown(now))
    change = percent(fraction(was), fraction(now)) if _number(was) and _number(now) else Text("", "")
    return Text(f"{name.fr} {said.fr}{change.fr}", f"{name.en} {said.en}{change.en}")


def _sums(
    name: str, column: str, sides: Sequence[Scenario], where: Sequence[np.ndarray], differ: Sequence[int], old: list[Any], new: list[Any]
) -> list[Fraction] | None:  # fmt: skip
    """What the changed rows come to, before and after: money and indicators for all their units. None for no numbers."""
    if column in ("first_year", "last_year") or not all(_number(each[k]) for each in (old, new) for k in differ):
        return None
    once = name == "territories" or column in _SUMMED
    if name == "territories" and column not in _SUMMED:
        return None
    found = []
    for side, at, values in zip(sides, where, (old, new), strict=True):
        units = [1] * len(values) if once else side.demands["units"].tolist()
        rows = range(len(values)) if once else at
        found.append(sum((fraction(values[k]) * fraction(units[rows[k]]) for k in differ), Fraction(0)))
    if column in MONEY_COLUMNS:
        found = [Fraction(round(each)) for each in found]
    return found


def _told(total: Fraction, money: bool) -> Any:
    return written_euros(int(total)) if money else float(total)


def _values(name: str, column: str, scenario: Scenario, money: bool) -> list[Any]:
    return scenario.cents(column).tolist() if money else getattr(scenario, name)[column].tolist()


def _given(name: str, scenario: Scenario) -> tuple[str, ...]:
    """Columns that were said; the others follow from them."""
    known = scenario._tables
    return known.territory_columns if name == "territories" else known.demand_columns


def _number(value: Any) -> bool:
    if isinstance(value, bool | np.bool_ | str) or value is None:
        return False
    return bool(value == value)


def _equal(was: Any, now: Any) -> bool:
    if _number(was) and _number(now):
        return bool(was == now) or fraction(was) == fraction(now)
    if isinstance(was, bool) != isinstance(now, bool):
        return False
    return bool(was == now) or bool(pd.isna(was) and pd.isna(now))


def _plain(value: Any) -> Any:
    """A cell as JSON can hold it."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if _number(value):
        return int(value) if value == int(value) else value if isinstance(value, float) else str(value)
    return str(value) if isinstance(value, str) else None


def _shown(value: Any) -> Text:
    if isinstance(value, bool | np.bool_):
        return words.YES if value else words.NO
    return number(value) if _number(value) else quoted(str(value))


def _asked(scenario: Scenario, rows: np.ndarray | None = None) -> int:
    """Cents that demands ask for in all, to the nearest."""
    cents, (units, scale) = scenario.cents("asked"), scenario.decimals("units")
    at = range(len(cents)) if rows is None else rows
    return round(Fraction(sum(int(cents[k]) * int(units[k]) for k in at), scale))


def _size(name: str, scenario: Scenario, rows: np.ndarray) -> Text:
    if name == "demands":
        size = euros(_asked(scenario, rows))
        return Text(f", qui demandent {size.fr}", f", which ask for {size.en}")
    people = number(int(scenario.territories["population"].to_numpy()[rows].sum()))
    return Text(f", {people.fr} habitants", f", {people.en} inhabitants")


def _prior_aid(a: Scenario, b: Scenario) -> Iterator[Found]:
    sizes = []
    keys = []
    for scenario in (a, b):
        frame = scenario.prior_aid
        rows = [] if frame is None else sorted(map(str, frame.itertuples(index=False, name=None)))
        keys.append((frame is None, rows))
        sizes.append((len(rows), 0 if frame is None else int(frame["cents"].sum())))
    if keys[0] == keys[1]:
        return
    counts, sums = both(*(number(n) for n, _ in sizes)), both(*(euros(cents) for _, cents in sizes))
    text = Text(f"Aides passées : {counts.fr} lignes, {sums.fr}.", f"Earlier aid: {counts.en} rows, {sums.en}.")
    yield "prior_aid", "changed", text, sizes[0][0], sizes[1][0], None
