"""Values and their differences in words, as they are read aloud."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pydantic import BaseModel

from allocator.formats.workbook import layout, words
from allocator.formats.workbook.cells import Shape
from allocator.money import format_euros, fraction, parse_cents
from allocator.scenario import Fund
from allocator.selection import Selection
from allocator.texts import Text, figure

NOTHING = Text("rien", "nothing")
LONG = 80  # characters of a value that is shown


def quoted(name: str) -> Text:
    return Text(f"« {name} »", f"“{name}”")


def called(item: Any) -> Text:
    """« Fonds friches » (friches): its label, and its id where that is not the same."""
    label, name = item.label or item.id, quoted(item.label or item.id)
    beside = "" if label == item.id else f" ({item.id})"
    return Text(f"{name.fr}{beside}", f"{name.en}{beside}")


def both(was: Text, now: Text) -> Text:
    return Text(f"de {was.fr} à {now.fr}", f"from {was.en} to {now.en}")


def euros(cents: int) -> Text:
    """65 M€ where that is all of it, else every digit."""
    short = format_euros(cents, "fr", compact=True)
    exact = parse_cents(short) == cents
    return Text(*(format_euros(cents, lang, compact=exact) for lang in ("fr", "en")))


def percent(was: Fraction, now: Fraction) -> Text:
    """(−35 %), to a tenth; nothing from nothing."""
    if was <= 0 or was == now:
        return Text("", "")
    tenths = round(1000 * (now - was) / was)
    if not tenths:
        return Text("", "")
    size = figure(abs(tenths) / 10)
    near = "" if 1000 * (now - was) / was == tenths else "≈ "
    sign = "+" if now > was else "−"
    return Text(f" ({near}{sign}{size.fr} %)", f" ({near}{sign}{size.en}%)")


def moved(was: Any, now: Any, show: Callable[[Any], Text] | None = None) -> Text:
    """« de 100 M€ à 65 M€ (−35 %) », for numbers; cents where `show` is `euros`."""
    said = [(show or number)(each) for each in (was, now)]
    text, change = both(*said), percent(fraction(was), fraction(now))
    return Text(f"{text.fr}{change.fr}", f"{text.en}{change.en}")


def number(value: Any) -> Text:
    exact = fraction(value)
    shown = figure(float(exact))
    if fraction(shown.en) == exact:
        return Text(f"{float(exact):,.10g}".replace(",", "\u202f").replace(".", ","), f"{float(exact):,.10g}")
    return Text(str(value), str(value))


def rate(value: Any) -> Text:
    percent = fraction(value) * 100
    shown = figure(float(percent))
    return Text(f"{shown.fr} %", f"{shown.en}%") if fraction(shown.en) == percent else Text(str(value), str(value))


@dataclass(frozen=True)
class Shown:
    """A field: what it is called, and how its values are said."""

    label: Text
    shape: Shape

    @classmethod
    def of(cls, item: BaseModel, field: str) -> Shown:
        kind = getattr(item, "kind", None)
        if kind is not None:
            columns = list(layout.kinds_of_constraint()[kind].values())
        else:
            columns = list(layout.columns("funds" if isinstance(item, Fund) else "measures"))
        column = next((c for c in columns if c.path == (field,)), None)
        if column is None:
            word = words.FIELDS.get(field, Text(field, field))
            return cls(_lower(word), Shape("any"))
        return cls(_lower(column.label), column.shape)

    def value(self, value: Any, shape: Shape | None = None) -> Text:
        """A value of the field, as it is kept (money in cents), in words."""
        shape = shape or self.shape
        if value is None or value in ("", (), {}):
            return NOTHING
        if isinstance(value, bool):
            return words.YES if value else words.NO
        if shape.unit == words.EUROS and isinstance(value, int):
            return euros(value)
        if shape.unit == words.RATE and isinstance(value, int | Fraction):
            return rate(value)
        if isinstance(value, int | float | Fraction):
            return number(value)
        if isinstance(value, Mapping):
            parts = [self.value(each, shape.items) for each in value.values()]
            said = [Text(f"{k} {part.fr}", f"{k} {part.en}") for k, part in zip(value, parts, strict=True)]
            return _short(Text(" ; ".join(t.fr for t in said), "; ".join(t.en for t in said)))
        if isinstance(value, Selection):
            return _short(_chosen(value.model_dump()))
        if isinstance(value, list | tuple):
            said = [self.value(each, shape.items) for each in value]
            return _short(Text(", ".join(t.fr for t in said), ", ".join(t.en for t in said)))
        if isinstance(value, BaseModel):
            return _short(_chosen(value.model_dump()))
        return _short(quoted(str(value)))

    def changed(self, was: Any, now: Any, key: Any = None) -> Text:
        """« montant 2027, de 100 M€ à 65 M€ (−35 %) »; `key` of a field that maps keys to values."""
        shape = self.shape.items if key is not None and self.shape.items else self.shape
        at = "" if key is None else f" {key}"
        label = Text(f"{self.label.fr}{at}", f"{self.label.en}{at}")
        if isinstance(was, Selection) and isinstance(now, Selection):
            return _chosen_otherwise(was.model_dump(), now.model_dump(), label)
        one, two = self.value(was, shape), self.value(now, shape)
        if one == NOTHING:
            return Text(f"{label.fr} : {two.fr}, rien avant", f"{label.en}: {two.en}, nothing before")
        if two == NOTHING:
            return Text(f"{label.fr} : plus rien, {one.fr} avant", f"{label.en}: nothing more, {one.en} before")
        change = Text("", "")
        if shape.unit != words.RATE and all(
            isinstance(each, int | float | Fraction) and not isinstance(each, bool) for each in (was, now)
        ):
            change = percent(fraction(was), fraction(now))
        said = both(one, two)
        return Text(f"{label.fr}, {said.fr}{change.fr}", f"{label.en}, {said.en}{change.en}")

    def every(self, was: Any, now: Any) -> Text:
        """A field that maps keys to values, all of which go from one to the other."""
        text = self.changed(was, now, "")
        return Text(text.fr.replace(f"{self.label.fr} ", f"{self.label.fr}", 1) + ", chaque fois",
                    text.en.replace(f"{self.label.en} ", f"{self.label.en}", 1) + ", each time")  # fmt: skip


def _chosen_otherwise(was: Mapping[str, Any], now: Mapping[str, Any], label: Text) -> Text:
    """« mesures choisies : sans rebond », where lists of names differ; else both selections."""
    lists = [key for key in {**was, **now} if was.get(key) != now.get(key)]
    if any(not isinstance(side.get(key), list) for key in lists for side in (was, now)):
        said = both(_short(_chosen(was)), _short(_chosen(now)))
        return Text(f"{label.fr}, {said.fr}", f"{label.en}, {said.en}")
    parts = []
    for key in lists:
        more = ", ".join(str(each) for each in now[key] if each not in was[key])
        less = ", ".join(str(each) for each in was[key] if each not in now[key])
        word = _lower(words.FIELDS.get(f"on.{key}", Text(key, key)))
        fr = ", ".join([f"avec {more}"] * bool(more) + [f"sans {less}"] * bool(less)) or "un autre ordre"
        en = ", ".join([f"with {more}"] * bool(more) + [f"without {less}"] * bool(less)) or "another order"
        parts.append(Text(f"{word.fr} : {fr}", f"{word.en}: {en}"))
    return Text(" ; ".join(part.fr for part in parts), "; ".join(part.en for part in parts))


def _chosen(keys: Mapping[str, Any]) -> Text:
    said = ", ".join(f"{key} {_flat(value)}" for key, value in keys.items())
    return quoted(said) if said else Text("tout", "everything")


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key} {_flat(each)}" for key, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _lower(label: Text) -> Text:
    return Text(*(text[:1].lower() + text[1:] for text in label))


def _short(text: Text) -> Text:
    return Text(*(each if len(each) <= LONG else f"{each[: LONG - 1]}…" for each in text))
