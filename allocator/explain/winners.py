"""Who wins and who loses from one plan to another: territories, regions, kinds of territory, and how unequal it leaves them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from allocator.compare import FATES, Comparison, change_of, compare
from allocator.explain.explanation import Explanation, money, number
from allocator.inequality import Inequality
from allocator.money import format_euros
from allocator.plan import Plan
from allocator.texts import Text

PLACES: dict[str, tuple[Text, Text]] = {
    "territory": (Text("territoire", "territory"), Text("territoires", "territories")),
    "departement": (Text("département", "department"), Text("départements", "departments")),
    "region": (Text("région", "region"), Text("régions", "regions")),
    "kind": (Text("type de territoire", "kind of territory"), Text("types de territoire", "kinds of territory")),
}
"""What people are told apart by, one and several; `kind` where territories have one."""
SHOWN = 5  # winners and losers named


@dataclass(frozen=True, eq=False)
class Breakdown:
    """One way of telling people apart: `table` has key, label, population, before, after, change (cents), and euros per
    inhabitant before, after and of change (NaN without people); `before` and `after` how unequal it is."""

    per: str
    table: pd.DataFrame
    before: Inequality
    after: Inequality

    @property
    def winners(self) -> pd.DataFrame:
        """The largest gains first."""
        return self.table[self.table["change"] > 0].sort_values(["change", "key"], ascending=[False, True])

    @property
    def losers(self) -> pd.DataFrame:
        return self.table[self.table["change"] < 0].sort_values(["change", "key"])

    def text(self) -> list[Text]:
        what = _named(self.per)[0]
        win, lose, same = (
            number(n) for n in (len(self.winners), len(self.losers), int((self.table["change"] == 0).sum()))
        )
        lines = [Text(
            f"Par {what.fr} : gagnent {win.fr}, perdent {lose.fr}, sans changement {same.fr}.",
            f"By {what.en}: winners {win.en}, losers {lose.en}, unchanged {same.en}.",
        )]  # fmt: skip
        for rows, said in (
            (self.winners, Text("Gagnent le plus", "Win most")),
            (self.losers, Text("Perdent le plus", "Lose most")),
        ):
            if len(rows):
                named = [_moved(row) for row in rows.head(SHOWN).to_dict("records")]
                lines.append(
                    Text(
                        f"  {said.fr} : " + " ; ".join(n.fr for n in named),
                        f"  {said.en}: " + "; ".join(n.en for n in named),
                    )
                )
        old, new = self.before, self.after
        g, h, t, u = (number(round(v, 3)) for v in (old.gini, new.gini, old.theil, new.theil))
        a, b, c, d = (_per_head(v) for v in (old.least, new.least, old.most, new.most))
        lines.append(Text(
            f"  Inégalité par habitant : Gini {g.fr} → {h.fr}, Theil {t.fr} → {u.fr}, le moins doté {a.fr} → {b.fr}, le mieux doté {c.fr} → {d.fr}",
            f"  Inequality per inhabitant: Gini {g.en} → {h.en}, Theil {t.en} → {u.en}, lowest {a.en} → {b.en}, highest {c.en} → {d.en}",
        ))  # fmt: skip
        return lines

    def as_dict(self) -> dict[str, Any]:
        rows = [
            {key: None if isinstance(value, float) and np.isnan(value) else value for key, value in row.items()}
            for row in self.table.to_dict("records")
        ]
        return {"rows": rows, "before": self.before.as_dict(), "after": self.after.as_dict()}


@dataclass(frozen=True, eq=False)
class Winners(Explanation):
    """The plan explained (`after`) against a reference (`before`). `fates`: demands, and cents of change, by what becomes
    of them (see `compare.FATES`)."""

    about: ClassVar[str] = "winners"
    names: tuple[str, str]
    totals: tuple[int, int]
    fates: dict[str, tuple[int, int]]
    breakdowns: tuple[Breakdown, ...]
    notes: tuple[Text, ...]

    @property
    def answer(self) -> Text:
        first = self.breakdowns[0]
        what, (before, after) = _named(first.per)[1], self.names
        win, lose = number(len(first.winners)), number(len(first.losers))
        new, gone = (number(self.fates[fate][0]) for fate in ("new", "gone"))
        old, now = money(self.totals[0]), money(self.totals[1])
        return Text(
            f"De « {before} » à « {after} » : {what.fr} qui gagnent : {win.fr}, qui perdent : {lose.fr} ; dossiers nouvellement "
            f"financés : {new.fr}, qui ne le sont plus : {gone.fr} ; accordé : {old.fr} avant, {now.fr} après.",
            f"From “{before}” to “{after}”: {what.en} that win: {win.en}, that lose: {lose.en}; demands newly funded: {new.en}, "
            f"no longer funded: {gone.en}; granted: {old.en} before, {now.en} after.",
        )

    @property
    def details(self) -> list[Text]:
        lines = []
        for fate, (count, cents) in self.fates.items():
            if count:
                said, shown, size = FATES[fate], number(count), _signed(cents)
                who = "Dossiers qui" if fate == "gone" else "Dossiers"
                lines.append(
                    Text(f"{who} {said.fr} : {shown.fr}{size.fr}.", f"Demands {said.en}: {shown.en}{size.en}.")
                )
        for each in self.breakdowns:
            lines += each.text()
        return [*lines, *self.notes]

    def facts(self) -> dict[str, Any]:
        return {
            "before": self.names[0], "after": self.names[1], "granted": list(self.totals),
            "demands": {fate: {"count": n, "change": cents} for fate, (n, cents) in self.fates.items()},
            "by": {each.per: each.as_dict() for each in self.breakdowns},
            "notes": [str(note) for note in self.notes],
        }  # fmt: skip


def winners(plan: Plan, reference: Plan, per: Sequence[str] | None = None) -> Winners:
    """What changes for people from `reference` to `plan`: by territory, region and kind, or by each of `per` (attributes
    of territories). Grants of a scenario without plan count as zero, and `notes` say so."""
    comparison = compare([reference, plan])
    known = comparison.margins
    wanted = [each for each in PLACES if each in known] if per is None else list(per)
    fates = {row["fate"]: (int(row["count"]), int(row["change"])) for row in comparison.fates().to_dict("records")}
    before, after = (int(cents) for cents in comparison.totals["granted"])
    return Winners(
        (comparison.names[0], comparison.names[1]), (before, after), fates,
        tuple(_breakdown(comparison, each) for each in wanted), tuple(comparison.notes),
    )  # fmt: skip


def _breakdown(comparison: Comparison, per: str) -> Breakdown:
    old, new = comparison.names
    table = comparison.by(per).rename(columns={old: "before", new: "after", change_of(new): "change"})
    people = comparison.people(per)
    population = np.array([people.get(key, 0) for key in table["key"]], np.int64)
    table.insert(2, "population", population)
    inhabited = population > 0
    for name in ("before", "after", "change"):
        each = table[name].to_numpy(np.float64) / 100 / np.where(inhabited, population, 1)
        table[f"{name}_per_inhabitant"] = np.where(inhabited, each, np.nan)
    told = [
        Inequality.of(table[name].to_numpy(np.float64)[inhabited], population[inhabited])
        for name in ("before", "after")
    ]
    return Breakdown(per, table, *told)


def _named(per: str) -> tuple[Text, Text]:
    return PLACES.get(per, (Text(per, per), Text(per, per)))


def _per_head(euros: float) -> Text:
    shown = number(round(euros, 2))
    return Text(f"{shown.fr} €/hab.", f"€{shown.en} per inhabitant")


def _signed(cents: int) -> Text:
    if not cents:
        return Text("", "")
    sign, size = "+" if cents > 0 else "−", money(abs(cents))
    return Text(f" ({sign}{size.fr})", f" ({sign}{size.en})")


def _moved(row: Mapping[Hashable, Any]) -> Text:
    cents, each = int(row["change"]), row["change_per_inhabitant"]
    sign = "+" if cents > 0 else "−"
    size = Text(*(f" ({sign}{format_euros(abs(cents), lang, compact=True)})" for lang in ("fr", "en")))
    if np.isnan(each):
        return Text(f"{row['label']}{size.fr}", f"{row['label']}{size.en}")
    head = _per_head(abs(each))
    return Text(f"{row['label']}{size.fr[:-1]}, {sign}{head.fr})", f"{row['label']}{size.en[:-1]}, {sign}{head.en})")
