"""The reserve list (liste complémentaire): who is next if money comes, nobody already funded losing anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from allocator.explain.explanation import Explanation, money
from allocator.explain.limits import unserved
from allocator.explain.points import Counted, Gain, counted
from allocator.explain.variants import Variants, called, enclosed, granted, quoted
from allocator.plan import Plan
from allocator.texts import Text

TRANCHE = 100_000_000  # cents
TRANCHES, NAMES = 10, 10


@dataclass(frozen=True)
class Next:
    """A demand that more money reaches: with `extra` cents more in the fund, it is granted `cents` more."""

    demand: str
    name: str
    extra: int
    cents: int
    units: float
    completed: bool  # it has all it asks for

    def as_dict(self) -> dict[str, Any]:
        return {
            "demand": self.demand, "name": self.name, "extra_cents": self.extra, "cents": self.cents,
            "units": self.units, "completed": self.completed,
        }  # fmt: skip


@dataclass(frozen=True)
class Reserve(Explanation):
    """Who is next, in order of the money it takes. `plans`: the plan explained, then one for each tranche, each granting
    every demand at least what the one before it grants. `nesting`: what the best plan with the same money, free to take
    from anybody, has more than the last of them."""

    about: ClassVar[str] = "reserve"
    fund: str
    label: str
    counted: Counted
    waiting: tuple[Next, ...]
    extra: int
    nesting: Gain | None
    plans: tuple[Plan, ...]
    around: tuple[str, ...] = ()  # envelopes around the fund, where they pay some of these demands in its place

    @property
    def answer(self) -> Text:
        extra = money(self.extra)
        if not self.waiting:
            return Text(
                f"Liste complémentaire : {extra.fr} de plus dans « {self.label} » ne servirait à aucun autre dossier.",
                f"Reserve list: {extra.en} more in “{self.label}” would serve no other demand.",
            )
        first = self.waiting[0]
        return Text(
            f"Liste complémentaire, si de l'argent vient dans « {self.label} » : d'abord {first.name}.",
            f"Reserve list, if money comes to “{self.label}”: first {first.name}.",
        )

    @property
    def details(self) -> list[Text]:
        lines = []
        for rank, demand in enumerate(dict.fromkeys(each.demand for each in self.waiting), 1):
            times = [each for each in self.waiting if each.demand == demand]
            first, last = times[0], times[-1]
            extra, cents = money(first.extra), money(sum(each.cents for each in times))
            part = Text("", "") if last.completed else Text(" (en partie)", " (in part)")
            until = Text("", "")
            if last.extra > first.extra:
                end, start = money(last.extra), money(first.cents)
                until = Text(
                    f", dont {start.fr} d'abord, le reste jusqu'à {end.fr} de plus",
                    f", of which {start.en} first, the rest up to {end.en} more",
                )
            lines.append(Text(
                f"{rank}. avec {extra.fr} de plus : {first.name}, {cents.fr}{part.fr}{until.fr}",
                f"{rank}. with {extra.en} more: {first.name}, {cents.en}{part.en}{until.en}",
            ))  # fmt: skip
        if self.around:
            names = quoted(self.around)
            lines.append(Text(
                f"L'argent ajouté compte aussi dans {names.fr} : des dossiers que le fonds ne peut pas payer en profitent.",
                f"What is added counts in {names.en} too: demands that the fund may not pay benefit from it.",
            ))  # fmt: skip
        if self.nesting is not None and self.waiting:
            extra = money(self.extra)
            if self.nesting.least > 0:
                size = self.counted.of(self.nesting)
                lines.append(Text(
                    f"Ne rien reprendre à personne coûte {size.fr}, une fois venus {extra.fr}.",
                    f"Taking from nobody costs {size.en}, once {extra.en} have come.",
                ))  # fmt: skip
            elif self.nesting.nothing:
                lines.append(Text("Ne rien reprendre à personne ne coûte rien.", "Taking from nobody costs nothing."))
            else:
                lines.append(Text(
                    "Ne rien reprendre à personne n'a pas de coût mesurable.", "Taking from nobody has no measurable cost."
                ))  # fmt: skip
        return lines

    def facts(self) -> dict[str, Any]:
        return {
            "fund": self.fund, "extra_cents": self.extra, "list": [each.as_dict() for each in self.waiting],
            "nesting": self.nesting.as_dict() if self.nesting else None,
        }  # fmt: skip


def reserve(variants: Variants, fund: str, tranche: int = TRANCHE, most: int = TRANCHES, names: int = NAMES) -> Reserve:
    """Who is next as a fund is given one tranche (cents) after another, until `names` demands have come or `most`
    tranches are spent. Within a tranche, the larger grant first."""
    scenario = variants.scenario
    label = next(f.label for f in scenario.funds if f.id == fund)
    plans, extra = [variants.plan], 0
    found: list[Next] = []
    completed = dict(zip(scenario.demands["id"], variants.plan.asked_cents(), strict=True))
    while len(plans) <= most and len({each.demand for each in found}) < names:
        richer = variants.with_money(fund, extra + tranche, *keeping(plans[-1]))
        if richer.reading is None:
            break
        extra += tranche
        before, after = granted(plans[-1]), granted(richer)
        units = dict(zip(richer.units["demand"], richer.units["units"], strict=True))
        more = sorted((d for d in after if after[d] > before[d]), key=lambda d: (before[d] - after[d], d))
        found += [
            Next(d, called(scenario, d), extra, after[d] - before[d], float(units[d]), bool(after[d] == completed[d]))
            for d in more
        ]
        plans.append(richer)
    free = variants.with_money(fund, extra) if extra else variants.plan
    nesting = None
    if free.reading is not None:
        nesting = variants.gain(free, plans[-1]).never_below_zero
    shown = list(dict.fromkeys(each.demand for each in found))[:names]
    waiting = tuple(each for each in found if each.demand in shown)
    mine = set(scenario.demands["id"][unserved(variants.plan, fund)])
    others = any(each.demand not in mine for each in waiting)
    around = tuple(f.label for f in enclosed(scenario, fund)) if others else ()
    return Reserve(fund, label, counted(variants.plan), waiting, extra, nesting, tuple(plans), around)


def keeping(plan: Plan, besides: str = "") -> list[dict[str, Any]]:
    """Rules under which no demand, but one, is granted less than in a plan."""
    cents, asked = granted(plan), dict(zip(plan.scenario.demands["id"], plan.asked_cents(), strict=True))
    cents.pop(besides, None)
    whole = [d for d, c in cents.items() if c and c == asked[d]]
    label = "ne rien reprendre"
    rules: list[dict[str, Any]] = []
    if whole:
        rules.append({"kind": "lock", "label": label, "on": {"demands": whole}, "decision": "fund"})
    rules += [
        {"kind": "floor", "label": label, "on": {"demands": [d]}, "amount": c / 100}
        for d, c in cents.items()
        if c and c < asked[d]
    ]
    return rules
