"""What differs between two scenarios, in words and as changes, before any solving.

    found = allocator.diff(a, b)
    print(found.text("fr"))
    allocator.changed(a, found.changes)  # is b, where `found.whole`

`name`, `label` and `description` are each scenario's own and are not compared; nor is `base`, which is how it was said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from allocator.changes import chosen_ids, factor_of
from allocator.diff.rows import compared_tables
from allocator.diff.words import Shown, both, called, moved, number, quoted
from allocator.formats.workbook import layout
from allocator.scenario import Scenario
from allocator.scenario.entities import plain
from allocator.texts import Text

__all__ = ["Diff", "Difference", "diff"]

NOUNS = {
    "funds": (Text("Fonds", "Fund"), Text("ajouté", "added"), Text("retiré", "removed")),
    "measures": (Text("Mesure", "Measure"), Text("ajoutée", "added"), Text("retirée", "removed")),
    "constraints": (Text("Règle", "Rule"), Text("ajoutée", "added"), Text("retirée", "removed")),
}
ABOUT = ("label", "source", "as_of", "hypothesis")
_ORDER = {
    "funds": Text("L'ordre des fonds change : entre plans égaux, le premier sert d'abord.",
                  "The order of funds changes: among equal plans, the first is used first."),
    "measures": Text("L'ordre des mesures change.", "The order of measures changes."),
    "constraints": Text("L'ordre des règles change.", "The order of rules changes."),
}  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """One thing: its dotted path, `what` (added, removed, changed), a sentence, and what it was and is (as YAML says it).

    `said`: of what is only said about an entry (its label, its source), the entry and the field: told together."""

    path: str
    what: str
    text: Text
    before: Any = None
    after: Any = None
    said: tuple[Text, Text] | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "what": self.what,
            "before": self.before,
            "after": self.after,
            "text": str(self.text),
        }


@dataclass(frozen=True)
class Diff:
    """`changes`: what `changed` takes to make `b` of `a`; `beyond`: the paths of what no change can say (entries added or
    removed, rows of tables). `differences` is empty for two that ask the same question."""

    a: Scenario
    b: Scenario
    differences: tuple[Difference, ...]
    changes: dict[str, Any] = field(default_factory=dict)
    beyond: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        return not self.differences

    @property
    def whole(self) -> bool:
        """Whether `changes` say everything."""
        return not self.beyond

    def lines(self) -> list[Text]:
        """A heading, and a sentence for each difference."""
        one, two = quoted(self.a.name), quoted(self.b.name)
        if self.same:
            return [Text(f"De {one.fr} à {two.fr}, rien ne diffère.", f"From {one.en} to {two.en}, nothing differs.")]
        told = list(self._told())
        count = len(told)
        head = Text(
            f"De {one.fr} à {two.fr}, {count} différence{'s' if count > 1 else ''} :",
            f"From {one.en} to {two.en}, {count} difference{'s' if count > 1 else ''}:",
        )
        return [head, *told]

    def _told(self) -> Iterator[Text]:
        """A sentence each; what is only said about an entry in one."""
        about: dict[Text, list[Text]] = {}
        for each in self.differences:
            if each.said is None:
                yield each.text
            else:
                about.setdefault(each.said[0], []).append(each.said[1])
        for head, fields in about.items():
            fr, en = (", ".join(field.in_(lang) for field in fields) for lang in ("fr", "en"))
            yield Text(f"{head.fr} : autrement dit ({fr}).", f"{head.en}: told otherwise ({en}).")

    def text(self, lang: str | None = None) -> str:
        first, *rest = (line.in_(lang) for line in self.lines())
        return "\n".join([first, *(f"  {line}" for line in rest)])

    def as_dict(self) -> dict[str, Any]:
        """The JSON of ``allocator diff --json``."""
        return {
            "a": {"name": self.a.name, "input_hash": self.a.input_hash},
            "b": {"name": self.b.name, "input_hash": self.b.input_hash},
            "same": self.same,
            "differences": [each.as_dict() for each in self.differences],
            "changes": self.changes,
            "beyond": list(self.beyond),
        }


def diff(a: Scenario, b: Scenario) -> Diff:
    """What differs from `a` to `b`. Nothing is solved."""
    found = _Found()
    _years(a, b, found)
    for part in NOUNS:
        _lists(part, getattr(a, part), getattr(b, part), found)
    _objectives(a.objective, b.objective, found)
    if a.labels != b.labels:
        text = Text("Les noms des indicateurs changent.", "The names of indicators change.")
        found.tell("labels", "changed", text, dict(a.labels), dict(b.labels))
        found.assign("labels", dict(b.labels))
    for path, what, text, before, after, changes in compared_tables(a, b):
        found.tell(path, what, text, before, after)
        for at, value in (changes or {}).items():
            found.assign(at, value)
        if changes is None:
            found.beyond.append(path)
    return Diff(a, b, tuple(found.differences), found.changes, tuple(found.beyond))


class _Found:
    def __init__(self) -> None:
        self.differences: list[Difference] = []
        self.changes: dict[str, Any] = {}
        self.beyond: list[str] = []

    def tell(
        self,
        path: str,
        what: str,
        text: Text,
        before: Any = None,
        after: Any = None,
        said: tuple[Text, Text] | None = None,
    ) -> None:
        self.differences.append(Difference(path, what, text, before, after, said))

    def assign(self, path: str, value: Any) -> None:
        """A change, unless what it says would be read as a relative one."""
        if factor_of(value) is None:
            self.changes[path] = value
        else:
            self.beyond.append(path)


def _years(a: Scenario, b: Scenario, found: _Found) -> None:
    if a.years == b.years:
        return
    spans = both(*(Text(*[" ".join(map(str, each.years))] * 2) for each in (a, b)))
    found.tell("years", "changed", Text(f"Années : {spans.fr}.", f"Years: {spans.en}."), list(a.years), list(b.years))
    found.assign("years", list(b.years))


def _lists(part: str, old: Sequence[Any], new: Sequence[Any], found: _Found) -> None:
    """Entries of a list by id: removed, added, changed field by field."""
    noun, added, removed = NOUNS[part]
    before, after = ({item.id: item for item in each} for each in (old, new))
    for name, item in before.items():
        other = after.get(name)
        if other is None or type(other) is not type(item):
            text = _sentence(part, noun, removed, item)
            found.tell(f"{part}.{name}", "removed", text, plain(item))
            found.beyond.append(f"{part}.{name}")
        elif item != other:
            _fields(part, item, other, list(after), found)
    for name, item in after.items():
        if name not in before or type(before[name]) is not type(item):
            found.tell(f"{part}.{name}", "added", _sentence(part, noun, added, item), None, plain(item))
            found.beyond.append(f"{part}.{name}")
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:
        found.tell(part, "changed", _ORDER[part], list(before), list(after))
        found.beyond.append(part)


def _sentence(part: str, noun: Text, verb: Text, item: Any) -> Text:
    """« Règle ajoutée : « Au plus 40 % » (plafond). »"""
    title = Text("", "")
    if part == "constraints":
        title = Text(f", {type(item).title.fr.lower()}", f", {type(item).title.en.lower()}")
    said = called(item)
    money = getattr(item, "amount", None)
    shown = Shown.of(item, "amount").value(money) if money is not None else None
    size = Text(f", {shown.fr}", f", {shown.en}") if shown else Text("", "")
    return Text(
        f"{noun.fr} {verb.fr} : {said.fr}{title.fr}{size.fr}.", f"{noun.en} {verb.en}: {said.en}{title.en}{size.en}."
    )


def _fields(part: str, old: BaseModel, new: BaseModel, ids: Sequence[str], found: _Found) -> None:
    noun, entry, name = NOUNS[part][0], called(new), str(getattr(new, "id", ""))
    head = Text(f"{noun.fr} {entry.fr}", f"{noun.en} {entry.en}")
    before, after, whole = plain(old), plain(new), new.model_dump()
    fields = [f for f in type(new).model_fields if getattr(old, f) != getattr(new, f) or before.get(f) != after.get(f)]
    fields.sort(key=lambda f: getattr(new, f) is not None)  # `amount` goes before `amounts` comes
    for key in fields:
        shown, kept, here = Shown.of(new, key), getattr(old, key), getattr(new, key)
        value = after.get(key, None if here is None else whole[key])
        below = {key: value}
        if key == "enabled":
            text = Text("remise en vigueur", "in force again") if value else Text("suspendue", "suspended")
        elif _alike(kept, here):
            moved = [each for each in here if kept[each] != here[each]]
            below = {f"{key}.{each}": value[each] for each in moved}
            every = len(moved) == len(here) > 1 and len(set(kept.values())) == len(set(here.values())) == 1
            texts = (
                [shown.every(kept[moved[0]], here[moved[0]])]
                if every
                else [shown.changed(kept[k], here[k], k) for k in moved]
            )
            text = Text(" ; ".join(t.fr for t in texts), "; ".join(t.en for t in texts))
        elif key == "reference":
            text = Text("autre plan de référence", "another plan to refer to")
        else:
            text = shown.changed(kept, here)
        found.tell(f"{part}.{name}.{key}", "changed", Text(f"{head.fr} : {text.fr}.", f"{head.en}: {text.en}."),
                   before.get(key), value, (head, shown.label) if key in ABOUT else None)  # fmt: skip
        for field_path, new_value in below.items():
            path = f"{name}.{field_path}"
            if name != "*" and chosen_ids(list(ids), path) == ([name], field_path):
                found.assign(f"{part}.{path}", new_value)
            else:
                found.beyond.append(f"{part}.{path}")


def _alike(old: Any, new: Any) -> bool:
    """Maps of the same keys, to single values."""
    if not (isinstance(old, dict) and isinstance(new, dict) and list(old) == list(new)):
        return False
    return not any("." in str(key) or isinstance(value, dict | list | tuple) for key, value in new.items())


def _objectives(a: BaseModel, b: BaseModel, found: _Found) -> None:
    old, new = plain(a), plain(b)
    if old == new:
        return
    if list(old) != ["maximise"] or list(new) != ["maximise"]:
        was, now = (_aim(each.model_dump()) for each in (a, b))
        text = both(was, now)
        found.tell("objective", "changed", Text(f"Objectif : {text.fr}.", f"Objective: {text.en}."), old, new)
        found.assign("objective", new)
        return
    before, after = old["maximise"], new["maximise"]
    by_path = list(before) == list(after)[: len(before)] and not any("." in name for name in after)
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) == after.get(name):
            continue
        path = f"objective.maximise.{name}"
        if name not in after:
            text = Text(f"Objectif : ne compte plus « {name} ».", f"Objective: no longer counts “{name}”.")
            found.tell(path, "removed", text, before[name])
        elif name not in before:
            weight = number(after[name])
            text = Text(f"Objectif : compte aussi « {name} », poids {weight.fr}.",
                        f"Objective: counts “{name}” too, weight {weight.en}.")  # fmt: skip
            found.tell(path, "added", text, None, after[name])
        else:
            said = moved(before[name], after[name])
            text = Text(f"Objectif : poids de « {name} », {said.fr}.", f"Objective: weight of “{name}”, {said.en}.")
            found.tell(path, "changed", text, before[name], after[name])
        if by_path:
            found.assign(path, after[name])
    if not by_path:
        found.assign("objective", new)
        if set(before.items()) == set(after.items()):
            text = Text("L'ordre des poids de l'objectif change.", "The order of the objective's weights changes.")
            found.tell("objective", "changed", text, old, new)


def _aim(objective: dict[str, Any]) -> Text:
    key, value = next(iter(objective.items()))
    word = next((c.label for c in layout.columns("scenario") if c.path == ("objective", key)), Text(key, key))
    shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
    cut = [label.rpartition(": ")[2].rpartition(" : ")[2] for label in word]
    return Text(*(f"« {label} {shown} »" if k == 0 else f"“{label} {shown}”" for k, label in enumerate(cut)))
