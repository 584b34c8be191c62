"""Why money is left over, for each fund and year: nobody left to pay, units that do not fit, rules, or points lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from allocator.explain.conflicts import Conflicts
from allocator.explain.explanation import Explanation, money
from allocator.explain.limits import unserved
from allocator.explain.points import Gain, counted
from allocator.explain.variants import Variants, listing, within
from allocator.plan import Plan
from allocator.texts import Text

EURO = 100
SUPPOSED = "dépenser davantage"  # the label of a floor that is not the scenario's
ROUNDING = Text(
    "Moins d'un euro, que l'arrondi au centime ne permet pas de placer", "Less than a euro, for want of whole cents"
)
SHORT = {
    "rounding": Text("l'arrondi au centime", "whole cents"),
    "around": Text("l'enveloppe qui le contient est tout entière engagée", "the envelope around it is fully committed"),
    "nobody": Text("aucun dossier à payer n'attend plus", "no demand that it may pay is waiting"),
    "units": Text("moins qu'une unité", "less than a unit"),
    "unknown": Text("sans raison établie", "for no settled reason"),
}
"""Causes in a few words, where they need no figure."""


@dataclass(frozen=True)
class Left:
    """What a fund does not commit by the end of `year` ("": over the horizon), in cents, and why.

    `cause`: "around" (the envelope around it is spent), "nobody" (no demand left to pay), "units" (less than the smallest unit left), "rounding", "rules" (no plan
    spends more; `rules` conflict), "loss" (spending more would lose points), "indifferent" (it would lose nothing that
    can be measured), or "unknown" (not settled within the limits). `short`: `reason` in a few words.
    """

    fund: str
    label: str
    year: str
    cents: int
    cause: str
    reason: Text
    short: Text
    rules: tuple[str, ...] = ()
    lost: Gain | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "fund": self.fund, "label": self.label, "year": self.year or None, "cents": self.cents, "cause": self.cause,
            "reason": str(self.reason), "rules": list(self.rules), "lost": self.lost.as_dict() if self.lost else None,
        }  # fmt: skip


@dataclass(frozen=True)
class LeftOver(Explanation):
    """What every fund leaves; a fund with envelopes inside it counts what they spend."""

    about: ClassVar[str] = "left"
    places: tuple[Left, ...]

    @property
    def answer(self) -> Text:
        """With what each fund leaves and why it cannot be used; no sum: an envelope counts what those inside it leave."""
        if not self.places:
            return Text("Il ne reste rien à attribuer, dans aucun fonds.", "Nothing is left in any fund.")
        said, unused = [], []
        for label in dict.fromkeys(place.label for place in self.places):
            mine = [place for place in self.places if place.label == label]
            cents, why = money(sum(place.cents for place in mine)), dict.fromkeys(place.short for place in mine)
            unused.append(Text(f"« {label} » n'engage pas {cents.fr}", f"“{label}” does not commit {cents.en}"))
            said.append(Text(
                f"{label}, {cents.fr} ({', ou '.join(t.fr for t in why)})", f"{label}, {cents.en} ({', or '.join(t.en for t in why)})"
            ))  # fmt: skip
        if all(place.cause == "around" for place in self.places):
            french, english = listing(t.fr for t in unused).fr, listing(t.en for t in unused).en
            return Text(
                f"Il ne reste rien à attribuer ; {french}, mais l'enveloppe qui le contient est tout entière engagée.",
                f"Nothing is left; {english}, but the envelope around it is fully committed.",
            )
        french, english = listing(t.fr for t in said).fr, listing(t.en for t in said).en
        return Text(f"Il reste de l'argent à attribuer : {french}.", f"Money is left: {english}.")

    @property
    def details(self) -> list[Text]:
        """A line for each reason of each fund, with the years it holds for."""
        told: dict[tuple[str, Text], list[Left]] = {}
        for place in self.places:
            told.setdefault((place.label, place.reason), []).append(place)
        return [_line(label, reason, places) for (label, reason), places in told.items()]

    def facts(self) -> dict[str, Any]:
        return {"left": [place.as_dict() for place in self.places]}


def _line(label: str, reason: Text, places: list[Left]) -> Text:
    """ "Fonds : 100 000 € en 2027, 500 000 € en 2028. Pourquoi."."""
    said = [(f" {place.year}" if place.year else "", money(place.cents)) for place in places]
    french = ", ".join(f"{cents.fr} en{year}" if year else cents.fr for year, cents in said)
    english = ", ".join(f"{cents.en} in{year}" if year else cents.en for year, cents in said)
    return Text(f"{label} : {french}. {reason.fr}.", f"{label}: {english}. {reason.en}.")


def left(variants: Variants, fund: str | None = None) -> LeftOver:
    """Why each fund (or one) leaves what it leaves. Credits carried over are counted where the carrying ends."""
    plan, scenario, found = variants.plan, variants.scenario, []
    account = plan.account[plan.account["year"] <= scenario.years[-1]]
    for each in scenario.funds:
        if fund is not None and each.id != fund:
            continue
        years = account[account["fund"] == each.id]
        keeps = each.amount is not None or each.carry_over
        if keeps:
            places = [("", int(years["left"].iloc[-1]), int(years["committed"].sum()))]
        else:
            columns = (years["year"], years["left"], years["committed"])
            places = [(str(year), int(rest), int(spent)) for year, rest, spent in zip(*columns, strict=True)]
        found += [_why(variants, each.id, each.label, year, rest, spent) for year, rest, spent in places if rest > 0]
    return LeftOver(tuple(found))


def _why(variants: Variants, fund: str, label: str, year: str, rest: int, spent: int) -> Left:
    if rest < EURO:
        return Left(fund, label, year, rest, "rounding", ROUNDING, SHORT["rounding"])
    plan, scenario = variants.plan, variants.scenario
    around = _exhausted(variants, fund, year)
    if around:
        full = Text(
            f"L'enveloppe qui le contient, « {around} », est tout entière engagée : pour que cet argent serve, il faudrait l'augmenter aussi",
            f"The envelope that holds it, “{around}”, is fully committed: for this money to serve, it would have to grow",
        )
        return Left(fund, label, year, rest, "around", full, SHORT["around"])
    assert plan.reading is not None
    space, family = plan.reading.space, within(scenario, fund)
    waiting = unserved(plan, fund)
    if year:
        waiting &= (scenario.demands["first_year"].to_numpy() <= int(year)) & (
            scenario.demands["last_year"].to_numpy() >= int(year)
        )
    if not waiting.any():
        everyone = Text(
            "Tous les dossiers qu'il peut payer ont ce qu'ils demandent",
            "Every demand that it may pay has all it asks for",
        )
        return Left(fund, label, year, rest, "nobody", everyone, SHORT["nobody"])
    smallest = int(space.step[waiting].min())
    capped = bool((space.capped & waiting).any())
    if rest < smallest and not capped:
        unit = money(smallest)
        small = Text(
            f"C'est moins que la plus petite unité encore demandée ({unit.fr})",
            f"That is less than the smallest unit still asked for ({unit.en})",
        )
        return Left(fund, label, year, rest, "units", small, SHORT["units"])
    more = min(rest, max(smallest, rest // 2))
    inside: dict[str, Any] = {"funds": family, **({"years": [int(year)]} if year else {})}
    other = _spending(variants, label, spent + more, inside)
    anywhere = False
    total = int(plan.grants["cents"].sum())
    if other.reading is not None and int(other.grants["cents"].sum()) <= total and variants.gain(other).loss.least <= 0:
        # it would only stand in for another fund's money: is there a plan that spends more in all?
        anywhere = True
        other = _spending(variants, label, total + more, {})
    cause, reason, rules = _verdict(variants, other, more, rest, label, anywhere, bool((space.lumpy & waiting).any()))
    lost = variants.gain(other).loss if other.reading is not None else None
    return Left(fund, label, year, rest, cause, reason, _shortly(cause, money(more)), rules, lost)


def _shortly(cause: str, step: Text) -> Text:
    if cause == "rules":
        return Text(f"aucun plan ne peut en dépenser {step.fr} de plus", f"no plan can spend {step.en} more")
    if cause == "loss":
        return Text("le dépenser ferait perdre au plan", "spending it would make the plan lose")
    if cause == "indifferent":
        return Text("le dépenser n'apporterait rien de mesurable", "spending it would bring nothing measurable")
    return SHORT[cause]


def _exhausted(variants: Variants, fund: str, year: str) -> str:
    """The label of an envelope around a fund that has nothing left when the fund has; "" where there is none."""
    scenario, account = variants.scenario, variants.plan.account
    funds = {f.id: f for f in scenario.funds}
    above = funds[fund].parent
    while above is not None:
        mine, keeps = account[account["fund"] == above], funds[above].amount is not None or funds[above].carry_over
        years = [scenario.years[-1]] if keeps else [int(year)] if year else scenario.years
        if int(mine["left"][mine["year"].isin(years)].sum()) < EURO:
            return funds[above].label
        above = funds[above].parent
    return ""


def _spending(variants: Variants, label: str, cents: int, on: dict[str, Any]) -> Plan:
    floor = {"kind": "floor", "amount": cents / 100, "on": on, "label": SUPPOSED}
    return variants.obeying(floor, what=Text(f"dépenser davantage : {label}", f"spend more: {label}"))


def _verdict(
    variants: Variants, other: Plan, more: int, rest: int, label: str, anywhere: bool, lumpy: bool
) -> tuple[str, Text, tuple[str, ...]]:
    """Cause, reason and rules that the best plan which spends `more` of the `rest` (`anywhere`: in all funds together) shows."""
    step, half = money(more), more == rest // 2
    where = Text(", la moitié,", ", half of it,") if half else Text("", "")
    if anywhere:
        where = Text(", tous fonds confondus,", ", all funds together,")
    if other.reading is not None:
        lost = variants.gain(other).loss
        if lost.least > 0:
            said = counted(variants.plan).lost(lost)
            dear = Text(
                f"En dépenser {step.fr} de plus{where.fr} {said.fr}",
                f"Spending {step.en} more{where.en} {said.en}",
            )
            return "loss", dear, ()
        same = Text(
            f"En dépenser {step.fr} de plus{where.fr} est possible, sans gain ni perte mesurable",
            f"Spending {step.en} more{where.en} is possible, with no measurable gain or loss",
        )
        return "indifferent", same, ()
    if other.status != "infeasible":
        unsure = Text(
            f"Aucun plan qui en dépense {step.fr} de plus{where.fr} n'a été trouvé, sans preuve qu'il n'y en ait pas",
            f"No plan was found that spends {step.en} more{where.en}, without proof that there is none",
        )
        return "unknown", unsure, ()
    named = [p for p in other.conflict.parties if p.rule.label != SUPPOSED] if other.conflict else []
    rules = tuple(dict.fromkeys(party.rule.id for party in named))
    groups = [(p.rule.label or p.rule.id) + (f" ({p.group})" if p.group else "") for p in named]
    if not rules:
        # the proof names none: a smallest conflict does
        search = Conflicts(variants.at(variants.gap, plan=other))
        if search.impossible(search.scenario):
            found = [r for r in search.smallest(search.scenario) if r.label != SUPPOSED]
            rules, groups = tuple(dict.fromkeys(r.key[1] for r in found)), [r.label for r in found]
    if rules:
        names = listing(dict.fromkeys(groups))
        because = Text(
            f"{'' if where.fr else ','} à cause de : {names.fr}", f"{'' if where.en else ','} because of: {names.en}"
        )
    elif lumpy:
        because = Text(" : les unités entières ne tombent pas juste", ": whole units do not fit")
        where = Text(where.fr.rstrip(","), where.en.rstrip(","))
    else:
        where = Text(where.fr.rstrip(","), where.en.rstrip(","))
        because = Text(
            " : ce que demandent encore les dossiers qu'il peut payer n'y suffit pas",
            ": what the demands that it may pay still ask for is not enough",
        )
    held = Text(
        f"Aucun plan ne peut en dépenser {step.fr} de plus{where.fr}{because.fr}",
        f"No plan can spend {step.en} more{where.en}{because.en}",
    )
    return "rules", held, rules
