"""What money is worth: a million more in each fund, and everything that more money in one fund buys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from allocator.explain.curve import Point, curve
from allocator.explain.explanation import Explanation, money, number
from allocator.explain.left import LeftOver, left
from allocator.explain.limits import left_in, limits_beside, units_in_reach, unserved
from allocator.explain.points import Counted, Gain, counted
from allocator.explain.reserve import Reserve, reserve
from allocator.explain.variants import Variants, changes, enclosed, enclosing, quoted, raised, total
from allocator.texts import Text

MILLION = 100_000_000  # cents
DEARER = 3  # prices of a unit that are tried at most


@dataclass(frozen=True)
class Dearer:
    """A unit that money alone is missing for, and more than a million of it: `unit` cents; `tried`: what `cents` more buy,
    the least sum tried that buys anything, else the last one."""

    unit: int
    cents: int
    tried: Gain
    indicators: dict[str, float]

    def text(self, counted: Counted) -> Text:
        unit, more = money(self.unit), money(self.cents)
        first = Text(
            f"la moins chère des unités que les règles permettent encore coûte {unit.fr}",
            f"the cheapest unit that the rules still allow costs {unit.en}",
        )
        if self.tried.least <= 0:
            return Text(
                f"{first.fr}, et {more.fr} de plus n'achètent rien de mesurable non plus",
                f"{first.en}, and {more.en} more buy nothing measurable either",
            )
        size = counted.of(self.tried)
        return Text(
            f"{first.fr} ; avec {more.fr} de plus, ce serait {size.fr}",
            f"{first.en}; with {more.en} more, it would be {size.en}",
        )

    def as_dict(self) -> dict[str, Any]:
        return {"unit_cents": self.unit, "more_cents": self.cents, **self.tried.as_dict()}


@dataclass(frozen=True)
class Bought:
    """What a million more in a fund buys."""

    fund: str
    label: str
    gain: Gain | None
    indicators: dict[str, float]
    around: tuple[str, ...] = ()  # labels of the envelopes around it, given as much
    dearer: Dearer | None = None
    served: bool = False  # whether all that it may pay has been granted all it asks for
    beside: tuple[str, ...] = ()  # labels of other rules and funds that limit all that waits for it

    @property
    def measurable(self) -> bool:
        return self.gain is not None and self.gain.least > 0

    def why(self, counted: Counted) -> Text:
        """Why a million buys nothing, and from which sum on it buys something; "" where nothing is known."""
        if self.served:
            return Text(
                "tous les dossiers qu'il peut payer ont ce qu'ils demandent",
                "every demand that it may pay has all it asks for",
            )
        if self.dearer is not None:
            return self.dearer.text(counted)
        if not self.beside:
            return Text("", "")
        names = quoted(self.beside)
        return Text(
            f"ce qui attend encore est limité aussi par {names.fr}",
            f"what is still waiting is also limited by {names.en}",
        )

    def as_dict(self) -> dict[str, Any]:
        gain = self.gain.as_dict() if self.gain else None
        return {
            "fund": self.fund, "label": self.label, "gain": gain, "indicators": self.indicators,
            "dearer": self.dearer.as_dict() if self.dearer else None,
        }  # fmt: skip


@dataclass(frozen=True)
class NextMillion(Explanation):
    """Every fund, the one where a million more buys most first. The money comes from outside: envelopes around the fund
    grow as much."""

    about: ClassVar[str] = "money"
    counted: Counted
    ranked: tuple[Bought, ...]

    @property
    def answer(self) -> Text:
        best = [each for each in self.ranked if each.gain is not None and each.gain.least > 0]
        if not best:
            return Text(
                "Un million d'euros de plus n'achète rien de mesurable, dans aucun fonds.",
                "A million euros more buys nothing measurable in any fund.",
            )
        assert best[0].gain is not None
        size = self.counted.of(best[0].gain)
        return Text(
            f"C'est dans « {best[0].label} » qu'un million d'euros de plus achète le plus : {size.fr}.",
            f"A million euros more buys most in “{best[0].label}”: {size.en}.",
        )

    @property
    def details(self) -> list[Text]:
        lines = []
        for each in self.ranked:
            if each.gain is None:
                lines.append(Text(f"{each.label} : aucun plan trouvé", f"{each.label}: no plan found"))
            elif not each.measurable:
                why = each.why(self.counted)
                said = Text(f" ({why.fr})", f" ({why.en})") if why.fr else why
                lines.append(Text(
                    f"{each.label} : rien de mesurable{said.fr}", f"{each.label}: nothing measurable{said.en}"
                ))  # fmt: skip
            else:
                size, said = self.counted.of(each.gain), self.counted.changes(each.indicators)
                lines.append(Text(
                    f"{each.label} : {size.fr} (dans le plan recalculé : {said.fr})",
                    f"{each.label}: {size.en} (in the plan solved again: {said.en})",
                ))  # fmt: skip
        if any(each.around for each in self.ranked):
            lines.append(Text(
                "Ce million s'ajoute du dehors ; un fonds contenu dans une enveloppe l'augmente d'autant.",
                "This million comes on top, from outside; a fund inside an envelope makes it grow as much.",
            ))  # fmt: skip
        return [*lines, *self.counted.notes(*_told(self.ranked))]

    def facts(self) -> dict[str, Any]:
        return {"more_cents": MILLION, "funds": [each.as_dict() for each in self.ranked]}


def next_million(variants: Variants) -> NextMillion:
    """What +1 M€ buys in each fund, one solve each."""
    found = [_bought(variants, f.id, f.label) for f in variants.scenario.funds]
    found.sort(key=lambda each: -(each.gain.found if each.gain and each.gain.least > 0 else 0.0))
    return NextMillion(counted(variants.plan), tuple(found))


def _told(bought: Iterable[Bought]) -> Iterator[Gain]:
    """The gains that are told as figures."""
    for each in bought:
        gain = each.dearer.tried if each.dearer else each.gain
        if gain is not None and gain.least > 0:
            yield gain


def _bought(variants: Variants, fund: str, label: str) -> Bought:
    other = variants.with_money(fund, MILLION)
    around = tuple(f.label for f in enclosed(variants.scenario, fund))
    if other.reading is None:
        return Bought(fund, label, None, {}, around)
    gain = variants.gain(other).never_below_zero  # money that comes on top can stay where it is
    bought = Bought(fund, label, gain, changes(variants.plan, other), around)
    if bought.measurable:
        return bought
    plan = variants.plan
    return replace(
        bought,
        dearer=_dearer(variants, fund),
        served=not unserved(plan, fund).any(),
        beside=tuple(limits_beside(plan, fund)),
    )


def _dearer(variants: Variants, fund: str) -> Dearer | None:
    """Where a million buys nothing and the next unit costs more: what the least sum that pays for one buys. Of the next
    dearer ones too, a few solves at most, where that is nothing (another unit may be worth less than it costs others)."""
    plan = variants.plan
    units, found = units_in_reach(plan, fund), None
    if not units or units[0] - left_in(plan, fund) <= MILLION:
        return None
    for unit in units[:DEARER]:
        cents = unit - left_in(plan, fund)
        other = variants.with_money(fund, cents)
        if other.reading is None:
            continue
        gain = variants.gain(other).never_below_zero
        found = Dearer(units[0], cents, gain, changes(plan, other))
        if gain.least > 0:
            break
    return found


@dataclass(frozen=True)
class Response(Explanation):
    """What a fund buys, from little money to where more buys nothing.

    `points`: in the order of money; where `exact`, the breakpoints of the curve, which is straight between them (each
    found as the crossing of two lines and solved there). Otherwise plans at some amounts, each certified. None when brief.
    `enough`: cents beyond which more buys nothing that can be measured; None where that was not found.
    """

    about: ClassVar[str] = "fund"
    fund: str
    label: str
    counted: Counted
    now: int
    million: Bought
    points: tuple[Point, ...]
    exact: bool
    enough: int | None
    added: tuple[Text, ...]
    rest: LeftOver
    reserve: Reserve | None

    @property
    def answer(self) -> Text:
        gain = self.million.gain
        if self.enough is not None and self.enough <= self.now:
            return Text(
                f"Plus d'argent dans « {self.label} » n'achète rien de mesurable.",
                f"More money in “{self.label}” buys nothing measurable.",
            )
        if gain is None or gain.least <= 0:
            why = self.million.why(self.counted)
            said = Text(f" : {why.fr}", f": {why.en}") if why.fr else why
            first = Text(
                f"n'achète, à lui seul, rien de mesurable{said.fr}", f"buys, by itself, nothing measurable{said.en}"
            )
        else:
            size = self.counted.of(gain)
            first = Text(f"achèterait {size.fr}", f"would buy {size.en}")
        until, around = Text("", ""), enclosing(self.million.around)
        if self.enough is not None:
            more, enough = money(self.enough - self.now), money(self.enough)
            top = next((point.gain for point in self.points if point.cents == self.enough), None)
            said = Text(f"il en faut {more.fr} de plus", f"it takes {more.en} more")
            if top is not None and top.least > 0:
                size = self.counted.of(top)
                said = Text(f"{more.fr} de plus achèteraient {size.fr}", f"{more.en} more would buy {size.en}")
            until = Text(
                f" ; {said.fr}, et au-delà ({enough.fr} en tout) plus rien de mesurable",
                f"; {said.en}, and beyond ({enough.en} in all) nothing measurable",
            )
            dearer = self.million.dearer
            if dearer is not None and dearer.tried.least > 0 and dearer.cents == self.enough - self.now:  # told already
                until = Text(
                    f" ; au-delà ({enough.fr} en tout), plus rien de mesurable",
                    f"; beyond ({enough.en} in all), nothing measurable",
                )
        return Text(
            f"Un million d'euros de plus dans « {self.label} »{around.fr} {first.fr}{until.fr}.",
            f"A million euros more in “{self.label}”{around.en} {first.en}{until.en}.",
        )

    @property
    def details(self) -> list[Text]:
        kind = (
            Text("points de rupture exacts", "exact breakpoints")
            if self.exact
            else Text("plans calculés ; entre eux, rien n'est dit", "plans solved; nothing is said between them")
        )
        now = money(self.now)
        lines = [*self._idle(), *self.added]
        if self.points:
            lines.append(Text(
                f"Ce qu'achète le fonds, par rapport aux {now.fr} d'aujourd'hui ({kind.fr}) :",
                f"What the fund buys, against today's {now.en} ({kind.en}):",
            ))  # fmt: skip
        for before, point in zip((None, *self.points), self.points, strict=False):
            amount, size = money(point.cents), self.counted.of(point.gain, signed=True)
            if point.cents == self.now:
                size = Text("aujourd'hui", "today")
            each = Text("", "")
            if before is not None and self.exact:
                slope = number(
                    (point.gain.found - before.gain.found) / (point.cents - before.cents) * MILLION / self.counted.size
                )
                each = Text(
                    f" ({slope.fr} par M€ depuis le point précédent)", f" ({slope.en} per million since the last)"
                )
            lines.append(
                Text(
                    f"  {amount.fr} : {size.fr}{each.fr}",
                    f"  {amount.en}: {size.en}{each.en}",
                )
            )
        if self.reserve is not None:
            lines += [self.reserve.answer, *(_indented(detail) for detail in self.reserve.details)]
        return [*lines, *self.notes]

    @property
    def beside(self) -> list[Text]:
        """The details, for who shows the curve and the reserve list as tables."""
        return [*self._idle(), *self.added, *self.notes]

    @property
    def notes(self) -> list[Text]:
        return self.counted.notes(*_told([self.million]), *(point.gain for point in self.points))

    def _idle(self) -> list[Text]:
        """What the fund leaves before anything is added."""
        if not self.rest.places:
            return [Text("Avant cet ajout, il n'y reste rien à attribuer.", "Before that, nothing is left in it.")]
        return [
            Text(f"Avant cet ajout, il reste : {each.fr}", f"Before that, what is left: {each.en}")
            for each in self.rest.details
        ]

    def facts(self) -> dict[str, Any]:
        return {
            "fund": self.fund, "label": self.label, "now_cents": self.now, "million": self.million.as_dict(),
            "points": [point.as_dict() for point in self.points], "exact": self.exact, "enough_cents": self.enough,
            "left": self.rest.as_dict(), "reserve": self.reserve.as_dict() if self.reserve else None,
        }  # fmt: skip


def _indented(line: Text) -> Text:
    return Text(f"  {line.fr}", f"  {line.en}")


def response(variants: Variants, fund: str, *, brief: bool = False) -> Response:
    """Everything about one fund: a million more, its whole curve, what it leaves, who is next. `brief`: without the curve
    and the list."""
    scenario = variants.scenario
    each = next(f for f in scenario.funds if f.id == fund)
    points, exact, enough = ((), False, None) if brief else curve(variants, fund)
    following = None if brief else reserve(variants, fund)
    return Response(
        fund, each.label, counted(variants.plan), total(each), _bought(variants, fund, each.label), points, exact, enough,
        _added(variants, fund, brief=brief), left(variants, fund), following,
    )  # fmt: skip


def _added(variants: Variants, fund: str, *, brief: bool) -> tuple[Text, ...]:
    """Which years hold the million more, what the fund then commits, and, if not `brief`, what it buys in one year alone."""
    scenario, lines = variants.scenario, list[Text]()
    richer = variants.with_money(fund, MILLION)
    if richer.reading is None:
        return ()
    changed = raised(scenario, fund, MILLION).funds
    before, after = (next(f for f in funds if f.id == fund) for funds in (scenario.funds, changed))
    years = [] if after.amounts is None else [year for year, cents in after.amounts.items() if cents]
    parts: list[tuple[int, int]] = []
    if len(years) > 1:
        parts = [(year, (after.amounts or {})[year] - (before.amounts or {}).get(year, 0)) for year in years]
        said = _dated(parts)
        lines.append(Text(f"L'ajout, un million en tout : {said.fr}.", f"What is added, a million in all: {said.en}."))
    spent = [p.account[p.account["fund"] == fund].set_index("year")["committed"] for p in (variants.plan, richer)]
    moved = [(year, int(spent[1][year]) - int(spent[0][year])) for year in scenario.years]
    total_more, said = money(sum(c for _, c in moved)), _dated([part for part in moved if part[1]])
    if len(years) > 1 and moved == parts:
        lines.append(Text("Le plan recalculé l'engage tel quel.", "The plan solved again commits just that."))
    elif said.fr:
        lines.append(Text(
            f"Le plan recalculé y engage {total_more.fr} de plus ({said.fr}).",
            f"The plan solved again commits {total_more.en} more of it ({said.en}).",
        ))  # fmt: skip
    if len(years) > 1 and not before.carry_over and not brief:
        lines += _each_year(variants, fund, years)
    return tuple(lines)


def _each_year(variants: Variants, fund: str, years: list[int]) -> Iterator[Text]:
    """What the whole million buys when it comes in one year alone, one solve a year."""
    unit = counted(variants.plan)
    label = next(f.label for f in variants.scenario.funds if f.id == fund)
    for year in years:
        other = variants.solve(
            raised(variants.scenario, fund, MILLION, year),
            Text(f"{label} : +1 M€ en {year}", f"{label}: +€1M in {year}"),
        )
        if other.reading is None:
            continue
        gain = variants.gain(other).never_below_zero
        size = unit.of(gain) if gain.least > 0 else Text("rien de mesurable", "nothing measurable")
        yield Text(f"Ce million en {year} seulement : {size.fr}.", f"This million in {year} alone: {size.en}.")


def _dated(parts: list[tuple[int, int]]) -> Text:
    """Cents by year, with their sign where some are less."""
    less = any(cents < 0 for _, cents in parts)
    said = [(year, "−" if c < 0 else "+" if less else "", money(abs(c))) for year, c in parts]
    return Text(
        ", ".join(f"{sign}{cents.fr} en {year}" for year, sign, cents in said),
        ", ".join(f"{sign}{cents.en} in {year}" for year, sign, cents in said),
    )
