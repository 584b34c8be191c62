"""Why a demand is funded, or not: what the contrary would cost, the rules that decide, the rival, and what would flip it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal

import numpy as np

from allocator.explain.explanation import Explanation, apart, money
from allocator.explain.variants import Gain, Variants, called, counted, granted, listing, raised, total, weights
from allocator.plan import Plan
from allocator.reading import Level
from allocator.scenario import Scenario
from allocator.selection import Selection
from allocator.texts import Text

PRECISION = 0.01  # of a flip: between what flips the decision and what does not yet
PROBES = 8  # solves to bring a flip to that precision
RULES_TRIED = 8


@dataclass(frozen=True)
class Rival:
    """A demand that gets less when the decision is the other way, or more: `change` in cents."""

    demand: str
    name: str
    change: int

    def as_dict(self) -> dict[str, Any]:
        return {"demand": self.demand, "name": self.name, "change_cents": self.change}


@dataclass(frozen=True)
class Flip:
    """A change that turns the decision over, verified by solving: the decision is another at `to` and not yet at `short`
    (`now` itself where nothing nearer was tried). Money in cents, an indicator in its own unit."""

    what: Literal["score", "asked", "fund"]
    of: str  # the indicator, or the fund
    label: str
    unit: str
    now: float
    to: float | None
    short: float | None

    def text(self) -> Text:
        """The condition, of a flip that was found: "s'il demandait 400 000 € par ha au lieu de 500 000 € (401 000 € ne suffit pas)"."""
        assert self.to is not None and self.short is not None
        if self.what == "score":
            now, to, short = apart(self.now, self.to, self.short)
            said = Text(
                f"s'il comptait {to.fr} {self.label} par {self.unit} au lieu de {now.fr}",
                f"if it counted {to.en} {self.label} per {self.unit} instead of {now.en}",
            )
        elif self.what == "asked":
            now, to, short = (money(round(cents)) for cents in (self.now, self.to, self.short))
            said = Text(
                f"s'il demandait {to.fr} par {self.unit} au lieu de {now.fr}",
                f"if it asked {to.en} per {self.unit} instead of {now.en}",
            )
        else:
            moved, short = money(abs(round(self.to - self.now))), money(abs(round(self.short - self.now)))
            more = Text("de plus", "more") if self.to > self.now else Text("de moins", "less")
            said = Text(
                f"si le fonds « {self.label} » avait {moved.fr} {more.fr}",
                f"if the fund “{self.label}” had {moved.en} {more.en}",
            )
        if self.short == self.now:
            return said
        return Text(f"{said.fr} ({short.fr} ne suffit pas)", f"{said.en} ({short.en} is not enough)")

    def as_dict(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "of": self.of,
            "label": self.label,
            "now": self.now,
            "to": self.to,
            "short": self.short,
        }


@dataclass(frozen=True)
class Funded(Explanation):
    """A demand and its decision. `most`: cents that it could get at most where not all is possible. `contrary`: the loss in the best plan that decides the other way, None where no plan
    does (`blocking`: the rules that forbid it) or where none was found. `deciding`: rules without which the decision is
    another, None where nobody looked; `rivals`: who gives up, or takes, the money under the contrary."""

    about: ClassVar[str] = "demand"
    demand: str
    name: str
    unit: Text
    granted: int
    asked: int
    most: int
    by_fund: tuple[tuple[str, int, int], ...]  # label, year, cents
    contrary: Gain | None
    impossible: bool
    blocking: tuple[tuple[str, str], ...]  # id, label
    deciding: tuple[tuple[str, str], ...] | None
    rivals: tuple[Rival, ...]
    flips: tuple[Flip, ...]

    @property
    def all(self) -> bool:
        return self.granted == self.asked

    @property
    def _more(self) -> Text:
        if self.granted:
            return Text("il serait financé en entier", "it would be funded in full")
        return Text("il serait financé (au moins en partie)", "it would be funded (at least in part)")

    @property
    def _contrary(self) -> Text:
        return (
            Text("Le refuser", "Refusing it") if self.all
            else Text("Le financer en entier", "Funding all of it") if self.most == self.asked
            else Text(f"Lui accorder {money(self.most).fr}, le plus qui soit possible,",
                      f"Granting it {money(self.most).en}, the most that is possible,")
        )  # fmt: skip

    @property
    def answer(self) -> Text:
        got, of = money(self.granted), money(self.asked)
        if self.all:
            state = Text(f"est financé en entier ({got.fr})", f"is funded in full ({got.en})")
        elif self.granted:
            state = Text(f"est financé en partie ({got.fr} sur {of.fr})", f"is funded in part ({got.en} of {of.en})")
        else:
            state = Text(f"n'est pas financé (il demande {of.fr})", f"is not funded (it asks for {of.en})")
        why = self._why
        return Text(f"{self.name} {state.fr} : {why.fr}.", f"{self.name} {state.en}: {why.en}.")

    @property
    def _why(self) -> Text:
        if self.impossible:
            other = (
                Text("le refuser est impossible", "refusing it is impossible") if self.all
                else Text("davantage est impossible", "more is impossible") if self.granted
                else Text("le financer est impossible", "funding it is impossible")
            )  # fmt: skip
            if not self.blocking:
                return other
            names = listing(label for _, label in self.blocking)
            return Text(f"{other.fr}, à cause de : {names.fr}", f"{other.en}, because of: {names.en}")
        contrary = self._contrary
        low = Text(contrary.fr[0].lower() + contrary.fr[1:], contrary.en[0].lower() + contrary.en[1:])
        if self.contrary is None:
            return Text(f"{low.fr} n'a donné aucun plan dans les limites", f"{low.en} gave no plan within the limits")
        if self.contrary.least <= 0:
            return Text(
                f"{low.fr} ne changerait rien de mesurable, c'est un ex æquo à l'écart garanti près",
                f"{low.en} would change nothing measurable, it is a tie within the gap",
            )
        size = self.contrary.text()
        return Text(f"{low.fr} ferait perdre {size.fr} {self.unit.fr}", f"{low.en} would lose {size.en} {self.unit.en}")

    @property
    def details(self) -> list[Text]:
        lines = []
        if self.most < self.asked and not self.impossible:
            names = listing(label for _, label in self.blocking)
            lines.append(Text(
                f"Le financer en entier est impossible, à cause de : {names.fr}.", f"Funding all of it is impossible, because of: {names.en}."
            ))  # fmt: skip
        for label, year, cents in self.by_fund:
            paid = money(cents)
            lines.append(Text(f"{label}, {year} : {paid.fr}", f"{label}, {year}: {paid.en}"))
        if self.deciding:
            names = listing((label for _, label in self.deciding), len(self.deciding))
            other = (
                Text("il ne serait plus financé", "it would no longer be funded") if self.all
                else self._more
            )  # fmt: skip
            lines.append(Text(
                f"Ce qui décide : sans l'une de ces règles, {other.fr} : {names.fr}.",
                f"What decides: without one of these rules, {other.en}: {names.en}.",
            ))  # fmt: skip
        elif self.deciding is not None and self.contrary is not None and not self.impossible:
            lines.append(
                Text(
                    "Aucune des règles essayées n'en décide à elle seule.", "None of the rules tried decides it alone."
                )
            )
        if self.rivals:
            shown = listing([f"{r.name}, {money(abs(r.change)).fr}" for r in self.rivals], 3)
            said = listing([f"{r.name}, {money(abs(r.change)).en}" for r in self.rivals], 3)
            lines.append(
                Text(
                    f"S'il était refusé, l'argent irait à : {shown.fr}.",
                    f"Were it refused, the money would go to: {said.en}.",
                )
                if self.all
                else Text(f"L'argent est allé à : {shown.fr}.", f"The money went to: {said.en}.")
            )
        done = [flip.text() for flip in self.flips if flip.to is not None]
        if done:
            other = (
                Text("il ne serait plus financé en entier", "it would no longer be funded in full") if self.all
                else self._more
            )  # fmt: skip
            lines.append(Text(f"I{other.fr[1:]} :", f"I{other.en[1:]}:"))
            lines += [Text(f"  {line.fr}", f"  {line.en}") for line in done]
        lines += self._unmoved()
        return lines

    def _unmoved(self) -> list[Text]:
        """What was tried in vain."""
        lines = []
        vain = [flip for flip in self.flips if flip.to is None]
        for flip in vain:
            if flip.what == "score":
                lines.append(
                    Text(
                        f"Aucun nombre de « {flip.label} » essayé n'y change rien.",
                        f"No number of “{flip.label}” tried changes it.",
                    )
                )
            elif flip.what == "asked":
                lines.append(
                    Text(
                        "Aucun autre montant demandé, parmi ceux essayés, n'y change rien.",
                        "No other amount asked, among those tried, changes it.",
                    )
                )
        funds = listing(flip.label for flip in vain if flip.what == "fund")
        if funds.fr:
            more = Text("Moins d'argent", "Less money") if self.all else Text("Plus d'argent", "More money")
            lines.append(
                Text(f"{more.fr} n'y change rien, dans : {funds.fr}.", f"{more.en} does not change it, in: {funds.en}.")
            )
        return lines

    def facts(self) -> dict[str, Any]:
        return {
            "demand": self.demand, "name": self.name, "granted_cents": self.granted, "asked_cents": self.asked, "most_cents": self.most,
            "contrary": self.contrary.as_dict() if self.contrary else None, "impossible": self.impossible,
            "blocking": [{"id": i, "label": label} for i, label in self.blocking],
            "deciding": [{"id": i, "label": label} for i, label in self.deciding or ()],
            "rivals": [r.as_dict() for r in self.rivals], "flips": [f.as_dict() for f in self.flips],
        }  # fmt: skip


def funded(variants: Variants, demand: str, *, brief: bool = False) -> Funded:
    """Why a demand gets what it gets: a solve for the contrary, one for the rival, one for each rule that binds on it,
    and some for each flip. `brief`: the first two only."""
    plan, scenario = variants.plan, variants.scenario
    got = granted(plan)[demand]
    asked = int(dict(zip(scenario.demands["id"], plan.asked_cents(), strict=True))[demand])
    name, whole = called(scenario, demand), got == asked
    labels = {f.id: f.label for f in scenario.funds}
    rows = plan.grants[plan.grants["demand"] == demand]
    by_fund = tuple(
        (labels[f], int(y), int(c)) for f, y, c in zip(rows["fund"], rows["year"], rows["cents"], strict=True)
    )
    decision = _decide(demand, "refuse" if whole else "fund", name)
    said = (
        Text(f"{name} refusé", f"{name} refused")
        if whole
        else Text(f"{name} financé en entier", f"{name} funded in full")
    )
    other = variants.obeying(decision, what=said)

    def told(**found: Any) -> Funded:
        rest: dict[str, Any] = {
            "most": asked, "contrary": None, "impossible": False, "blocking": (), "deciding": (), "rivals": (), "flips": (), **found
        }  # fmt: skip
        most_possible = rest.pop("most")
        return Funded(demand, name, counted(variants.plan), got, asked, most_possible, by_fund, **rest)

    most, blocking = asked, {}
    if other.status == "infeasible":
        parties = other.conflict.parties if other.conflict else ()
        blocking = {p.rule.id: p.rule.label or p.rule.id for p in parties if (p.rule.label or "") != decision["label"]}
        most = got if whole else _most(variants, demand, name)
        if most <= got:
            return told(impossible=True, blocking=tuple(blocking.items()), most=got)
        decision = {"kind": "floor", "on": {"demands": [demand]}, "amount": most / 100, "label": decision["label"]}
        other = variants.obeying(decision, what=said)
    if other.reading is None:
        return told()
    loss = variants.gain(other).loss
    turned = _turned(demand, got, whole)
    return told(
        most=most,
        blocking=tuple(blocking.items()),
        contrary=Gain(loss.found, max(loss.least, 0.0), loss.most),
        deciding=None if brief else tuple(_deciding(variants, demand, turned)),
        rivals=_rivals(variants, demand, decision, whole, other),
        flips=() if brief else tuple(_flips(variants, demand, whole, turned, other)),
    )


def _decide(demand: str, decision: str, name: str) -> dict[str, Any]:
    return {"kind": "lock", "on": {"demands": [demand]}, "decision": decision, "label": f"supposition : {name}"}


def _most(variants: Variants, demand: str, name: str) -> int:
    """Cents that a demand can get at most, whatever it does to the others; what it has, where no better plan is found."""
    scenario = variants.scenario
    mine = (scenario.demands["id"] == demand).astype(int)
    alone = scenario.with_(
        demands=scenario.demands.assign(supposition=mine), objective={"maximise": {"supposition": 1}}
    )
    best = variants.solve(alone, Text(f"le plus que {name} puisse avoir", f"the most that {name} can have"))
    now = granted(variants.plan)[demand]
    return max(granted(best)[demand], now) if best.reading is not None else now


def _turned(demand: str, got: int, whole: bool) -> Callable[[Plan], bool]:
    """Whether a plan decides the other way: less than all where it has all, all where it has a part, anything where it
    has nothing."""

    def turned(plan: Plan) -> bool:
        if plan.reading is None:
            return False
        share = _share(plan, demand)
        return share < 1 if whole else share == 1 if got else share > 0

    return turned


def _share(plan: Plan, demand: str) -> Fraction:
    """The part of the units asked for that a demand is granted."""
    asked = dict(zip(plan.scenario.demands["id"], plan.asked_cents(), strict=True))[demand]
    return Fraction(granted(plan)[demand], max(int(asked), 1))


def _deciding(variants: Variants, demand: str, turned: Callable[[Plan], bool]) -> Iterator[tuple[str, str]]:
    """Rules without which the demand is decided the other way: those that may bind on it are tried first, then those
    that secure money for others."""
    binding = [(rule, levels) for rule, levels in variants.plan.certificate.levels if rule.kind != "fund"]
    its_own = {rule.id: rule for rule, levels in binding if _binds(variants, demand, rule, levels)}
    of_others = {
        rule.id: rule for rule, levels in binding
        if rule.id in variants.plan.binding and any(level.tight and level.lower is not None for level in levels)
    }  # fmt: skip
    for rule in list({**its_own, **of_others}.values())[:RULES_TRIED]:
        if turned(variants.without(rule.id)):
            yield rule.id, rule.label


def _binds(variants: Variants, demand: str, rule: Any, levels: tuple[Level, ...]) -> bool:
    """Whether a rule speaks of the demand and of a fund that may pay it, and stands close enough to its side, where the
    demand is, for its grant to matter."""
    plan, scenario = variants.plan, variants.scenario
    if rule.id not in plan.binding and rule.kind not in ("lock", "fund_rate", "cofunding"):
        return False
    at = int((scenario.demands["id"] == demand).to_numpy().argmax())
    may = np.array([f.on is None or bool(f.on.pick(scenario).demands[at]) for f in scenario.funds])
    sides: list[Any] = [getattr(rule, name, None) for name in ("on", "of")]
    picks = [side.pick(scenario) for side in sides if isinstance(side, Selection)]
    if not any(pick.demands[at] and (pick.funds & may).any() for pick in picks):
        return False
    row: Any = scenario.demands.iloc[at]
    per, asked = getattr(rule, "per", None), int(plan.asked_cents()[at]) / 100
    if per in (None, "fund", "year"):
        return True
    territory: Any = scenario.territories.set_index("id").loc[row["territory"]]
    here = row["territory"] if per == "territory" else row[per] if per in row else territory.get(per)
    return any(level.group == str(here) and (level.slack is None or level.slack <= asked) for level in levels)


def _rivals(variants: Variants, demand: str, decision: dict[str, Any], whole: bool, other: Plan) -> tuple[Rival, ...]:
    """Whose money changes under the contrary, the most first. Where it is to be funded, nobody else may come in, if that
    leaves a plan: who gives way is then not blurred by others who move up."""
    before = granted(variants.plan)
    if not whole:
        outside = [d for d, cents in before.items() if not cents and d != demand]
        rules = [decision]
        if outside:
            label = "personne d'autre n'entre"
            rules.append({"kind": "lock", "on": {"demands": outside}, "decision": "refuse", "label": label})
        what = Text("le rival", "the rival")
        nearest = variants.obeying(*rules, what=what)
        if nearest.reading is not None and variants.gain(nearest, other).least <= 0:
            other = nearest
    after = granted(other)
    sign = 1 if whole else -1
    changed = {d: after[d] - cents for d, cents in before.items() if d != demand and sign * (after[d] - cents) > 0}
    order = sorted(changed, key=lambda d: (-abs(changed[d]), d))
    return tuple(Rival(d, called(variants.scenario, d), changed[d]) for d in order)


def _flips(variants: Variants, demand: str, whole: bool, turned: Callable[[Plan], bool], other: Plan) -> Iterator[Flip]:
    """The least change of its score, of what it asks for, or of a fund that binds, each searched from the present state."""
    scenario = variants.scenario
    row: Any = scenario.demands.set_index("id").loc[demand]
    loss = max(variants.gain(other).loss.found, 0.0)
    moved = abs(float(_share(other, demand) - _share(variants.plan, demand))) * float(row["units"]) or 1.0
    name = called(scenario, demand)
    unit = next(m.unit for m in scenario.measures if m.id == row["measure"]) or str(Text("unité", "unit"))
    weighed = weights(scenario)
    if weighed:
        best = max(weighed, key=lambda k: (abs(weighed[k] * float(row[k])), weighed[k]))
        now, worth = float(row[best]), weighed[best]
        if worth > 0:
            needed = loss / moved / worth
            guess = now - needed if whole else now + needed
            far = min(0.0, now - 2 * needed) if whole else now + 4 * needed + 0.1 * abs(now)
            found = _search(
                lambda x: variants.solve(
                    _changed(scenario, demand, best, round(x, 6)), Text(f"{name}, autre {best}", f"{name}, other {best}")
                ),
                turned, now, far, guess, max(_tenth(abs(now) / 10_000), 1e-6),
            )  # fmt: skip
            yield Flip("score", best, best, unit, now, *found)
    points = moved * sum(weight * float(row[indicator]) for indicator, weight in weighed.items())
    rival = points - loss if whole else points + loss  # what the same money buys elsewhere
    price = int(scenario.cents("asked")[int((scenario.demands["id"] == demand).to_numpy().argmax())])

    def asking(cents: float) -> Plan:
        return variants.solve(
            _changed(scenario, demand, "asked", round(cents) / 100),
            Text(f"{name}, autre montant", f"{name}, other amount"),
        )

    even = price * points / rival if points > 0 and rival > 0 else price * (1.3 if whole else 0.8)
    far = max(3.0 * price, 1.5 * even) if whole else min(price / 20, even / 2)
    found = _search(asking, turned, float(price), far, even, max(_tenth(price / 1000), 100.0))
    yield Flip("asked", "asked", "asked", unit, float(price), *found)
    at = int((scenario.demands["id"] == demand).to_numpy().argmax())
    wanted = int(dict(zip(scenario.demands["id"], variants.plan.asked_cents(), strict=True))[demand])
    for fund in scenario.funds:
        may = fund.on is None or bool(fund.on.pick(scenario).demands[at])
        if may and fund.id in variants.plan.binding:
            held = total(fund)
            far = 0.0 if whole else float(held + max(8 * wanted, held // 2))
            guess = max(held - wanted, 0) if whole else held + wanted

            def holding(cents: float, fund: Any = fund, held: int = held) -> Plan:
                what = Text(f"{fund.label}, autre montant", f"{fund.label}, other amount")
                return variants.solve(raised(scenario, fund.id, round(cents) - held), what)

            found = _search(
                holding, turned, float(held), far, float(guess), max(_tenth(wanted / 100), 100.0), rough=True
            )
            yield Flip("fund", fund.id, fund.label, unit, float(held), *found)


def _changed(scenario: Scenario, demand: str, column: str, value: float) -> Scenario:
    """The scenario where a demand has another figure. A project keeps its cost: the owner pays what is not asked for."""
    demands = scenario.demands.copy()
    at = demands["id"] == demand
    if column == "asked" and "own" in demands:
        demands["own"] = demands["own"].astype(float)
        less = float(demands.loc[at, "asked"].iloc[0]) - value
        demands.loc[at, "own"] = (demands.loc[at, "own"] + less).clip(lower=0).round(2)
    if column == "asked":
        demands.loc[at, "cost"] = demands.loc[at, "cost"].clip(lower=value)
    demands[column] = demands[column].astype(float)
    demands.loc[at, column] = value
    return scenario.with_(demands=demands)


def _tenth(value: float) -> float:
    """The power of ten at or below a positive number."""
    return float(10.0 ** math.floor(math.log10(max(value, 1e-9))))


def _search(
    solve: Callable[[float], Plan],
    turned: Callable[[Plan], bool],
    now: float,
    far: float,
    guess: float,
    finest: float,
    *,
    rough: bool = False,
) -> tuple[float | None, float | None]:
    """Between `now`, where the decision stands, and `far`: the nearest value found that turns it over, the last one
    nearer where it stands still. Round figures only, `PRECISION` of the change or finer; `guess` and
    what lies just before it are tried first, bisection does the rest; where the guess is `rough`, `far` comes first."""
    size = abs(guess - now) or abs(far - now)
    grid = max(10.0 ** math.floor(math.log10(max(PRECISION * size, finest))), finest)
    way = 1 if far > now else -1
    last = math.floor(abs(far - now) / grid)
    made: set[int] = set()

    def flips(steps: int) -> bool:
        made.add(steps)
        return turned(solve(now + way * steps * grid))

    low, high = 0, None
    first = min(max(math.ceil(abs(guess - now) / grid), 1), last)
    order = (first, first - 1 if first > 1 else 0, first + 1, last)
    if rough:
        order = (last, first, 0, 0)
    for steps in order:
        if low < steps <= last and (high is None or steps < high) and steps not in made:
            if flips(steps):
                high = steps
            elif rough and steps == last:
                return None, None
            else:
                low = steps
    if high is None:
        return None, None
    while high - low > 1 and len(made) < PROBES:
        middle = (low + high) // 2
        if flips(middle):
            high = middle
        else:
            low = middle
    return now + way * high * grid, now + way * low * grid
