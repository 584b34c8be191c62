"""Why a demand is funded, or not: what the contrary would cost, the rules that decide, the rival, and what would flip it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal

from allocator.explain.explanation import Explanation, money, number
from allocator.explain.variants import Gain, Variants, called, counted, granted, listing, minimises, raised, total
from allocator.plan import Plan
from allocator.scenario import Scenario
from allocator.texts import Text

PRECISION = 0.01  # of a flip: between what flips the decision and what does not yet
PROBES = 9  # solves to bring a flip to that precision
RULES_TRIED = 12


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
    (None: nothing nearer was tried). Money in cents, an indicator in its own unit."""

    what: Literal["score", "asked", "fund"]
    of: str  # the indicator, or the fund
    label: str
    now: float
    to: float | None
    short: float | None
    plan: Plan | None

    def text(self) -> Text:
        if self.to is None:
            never = {
                "score": Text(f"Aucun changement de « {self.label} » n'a été trouvé qui change la décision",
                              f"No change of “{self.label}” was found that turns the decision over"),
                "asked": Text("Aucun autre montant demandé par unité n'a été trouvé qui change la décision",
                              "No other amount asked per unit was found that turns the decision over"),
                "fund": Text(f"Aucun montant du fonds « {self.label} » n'a été trouvé qui change la décision",
                             f"No amount of the fund “{self.label}” was found that turns the decision over"),
            }[self.what]  # fmt: skip
            return never
        if self.what == "score":
            now, to = number(self.now), number(self.to)
            said = Text(f"« {self.label} » par unité passe de {now.fr} à {to.fr}", f"“{self.label}” per unit goes from {now.en} to {to.en}")  # fmt: skip
            near = None if self.short is None else number(self.short)
        else:
            now, to = money(round(self.now)), money(round(self.to))
            near = None if self.short is None else money(round(self.short))
            if self.what == "asked":
                said = Text(f"il demande {to.fr} par unité au lieu de {now.fr}", f"it asks {to.en} per unit instead of {now.en}")  # fmt: skip
            else:
                moved = money(abs(round(self.to - self.now)))
                more, en = ("de plus", "more") if self.to > self.now else ("de moins", "less")
                said = Text(f"le fonds « {self.label} » a {moved.fr} {more}", f"the fund “{self.label}” has {moved.en} {en}")
                near = None if self.short is None else money(abs(round(self.short - self.now)))
        if near is None:
            return said
        return Text(f"{said.fr} (à {near.fr}, pas encore)", f"{said.en} (at {near.en}, not yet)")

    def as_dict(self) -> dict[str, Any]:
        return {"what": self.what, "of": self.of, "label": self.label, "now": self.now, "to": self.to, "short": self.short}


@dataclass(frozen=True)
class Funded(Explanation):
    """A demand and its decision. `contrary`: the loss in the best plan that decides the other way, None where no plan
    does (`blocking`: the rules that forbid it) or where none was found. `deciding`: rules without which the decision is
    another; `rivals`: who gives up, or takes, the money under the contrary."""

    about: ClassVar[str] = "demand"
    demand: str
    name: str
    unit: Text
    granted: int
    asked: int
    by_fund: tuple[tuple[str, int, int], ...]  # label, year, cents
    contrary: Gain | None
    impossible: bool
    blocking: tuple[tuple[str, str], ...]  # id, label
    deciding: tuple[tuple[str, str], ...]
    rivals: tuple[Rival, ...]
    flips: tuple[Flip, ...]

    @property
    def all(self) -> bool:
        return self.granted == self.asked

    @property
    def _contrary(self) -> Text:
        return (
            Text("Le refuser", "Refusing it") if self.all
            else Text("Le financer en entier", "Funding all of it")
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
            names = listing(label for _, label in self.blocking)
            if not self.blocking:
                return Text("aucun plan ne peut en décider autrement", "no plan can decide otherwise")
            return Text(f"les règles ne laissent pas le choix ({names.fr})", f"the rules leave no choice ({names.en})")
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
        for label, year, cents in self.by_fund:
            paid = money(cents)
            lines.append(Text(f"{label}, {year} : {paid.fr}", f"{label}, {year}: {paid.en}"))
        if self.deciding:
            names = listing((label for _, label in self.deciding), len(self.deciding))
            other = (
                Text("il ne serait plus financé", "it would no longer be funded") if self.all
                else Text("il obtiendrait davantage", "it would get more")
            )  # fmt: skip
            lines.append(Text(
                f"Ce qui décide : sans l'une de ces règles, {other.fr} : {names.fr}.",
                f"What decides: without one of these rules, {other.en}: {names.en}.",
            ))  # fmt: skip
        if self.rivals:
            names = [f"{r.name}, {money(abs(r.change)).fr}" for r in self.rivals]
            english = [f"{r.name}, {money(abs(r.change)).en}" for r in self.rivals]
            shown, said = listing(names, 3), listing(english, 3)
            lines.append(
                Text(f"S'il était refusé, l'argent irait à : {shown.fr}.", f"Were it refused, the money would go to: {said.en}.")
                if self.all
                else Text(f"L'argent est allé à : {shown.fr}.", f"The money went to: {said.en}.")
            )
        done = [flip.text() for flip in self.flips if flip.to is not None]
        if done:
            other = (
                Text("Il ne serait plus financé en entier si :", "It would no longer be funded in full if:") if self.all
                else Text("Il obtiendrait davantage si :", "It would get more if:")
            )  # fmt: skip
            lines += [other, *(Text(f"  {line.fr}", f"  {line.en}") for line in done)]
        lines += [Text(f"{t.fr}.", f"{t.en}.") for t in (flip.text() for flip in self.flips if flip.to is None)]
        return lines

    def facts(self) -> dict[str, Any]:
        return {
            "demand": self.demand, "name": self.name, "granted_cents": self.granted, "asked_cents": self.asked,
            "contrary": self.contrary.as_dict() if self.contrary else None, "impossible": self.impossible,
            "blocking": [{"id": i, "label": label} for i, label in self.blocking],
            "deciding": [{"id": i, "label": label} for i, label in self.deciding],
            "rivals": [r.as_dict() for r in self.rivals], "flips": [f.as_dict() for f in self.flips],
        }  # fmt: skip


def funded(variants: Variants, demand: str) -> Funded:
    """Why a demand gets what it gets: a solve for the contrary, one for the rival, one for each rule that binds on it,
    and some for each flip."""
    plan, scenario = variants.plan, variants.scenario
    got = granted(plan)[demand]
    asked = int(dict(zip(scenario.demands["id"], plan.asked_cents(), strict=True))[demand])
    name, whole = called(scenario, demand), got == asked
    labels = {f.id: f.label for f in scenario.funds}
    rows = plan.grants[plan.grants["demand"] == demand]
    by_fund = tuple((labels[f], int(y), int(c)) for f, y, c in zip(rows["fund"], rows["year"], rows["cents"], strict=True))
    decision = _decide(demand, "refuse" if whole else "fund", name)
    said = Text(f"{name} refusé", f"{name} refused") if whole else Text(f"{name} financé en entier", f"{name} funded in full")
    other = variants.obeying(decision, what=said)

    def told(**found: Any) -> Funded:
        rest: dict[str, Any] = {
            "contrary": None, "impossible": False, "blocking": (), "deciding": (), "rivals": (), "flips": (), **found
        }  # fmt: skip
        return Funded(demand, name, counted(scenario), got, asked, by_fund, **rest)

    if other.status == "infeasible":
        parties = other.conflict.parties if other.conflict else ()
        blocking = {p.rule.id: p.rule.label or p.rule.id for p in parties if (p.rule.label or "") != decision["label"]}
        return told(impossible=True, blocking=tuple(blocking.items()))
    if other.reading is None:
        return told()
    loss = variants.gain(other).loss
    turned = _turned(variants, demand, got, whole)
    return told(
        contrary=Gain(loss.found, max(loss.least, 0.0), loss.most),
        deciding=tuple(_deciding(variants, demand, turned)),
        rivals=_rivals(variants, demand, decision, whole, other),
        flips=tuple(_flips(variants, demand, whole, turned, other)),
    )


def _decide(demand: str, decision: str, name: str) -> dict[str, Any]:
    return {"kind": "lock", "on": {"demands": [demand]}, "decision": decision, "label": f"supposition : {name}"}


def _turned(variants: Variants, demand: str, got: int, whole: bool) -> Callable[[Plan], bool]:
    """Whether a plan decides the other way: less than all of it where it has all, more than now where it has not."""
    now = _share(variants.plan, demand)

    def turned(plan: Plan) -> bool:
        if plan.reading is None:
            return False
        share = _share(plan, demand)
        return share < 1 if whole else share > now

    return turned


def _share(plan: Plan, demand: str) -> Fraction:
    """The part of the units asked for that a demand is granted."""
    asked = dict(zip(plan.scenario.demands["id"], plan.asked_cents(), strict=True))[demand]
    return Fraction(granted(plan)[demand], max(int(asked), 1))


def _deciding(variants: Variants, demand: str, turned: Callable[[Plan], bool]) -> Iterator[tuple[str, str]]:
    """Rules that bind on the demand and without which it is decided the other way."""
    scenario = variants.scenario
    at = int((scenario.demands["id"] == demand).to_numpy().argmax())
    tried = 0
    for rule in scenario.constraints:
        binds = rule.enabled and (rule.id in variants.plan.binding or rule.kind in ("lock", "fund_rate", "cofunding"))
        sides = [getattr(rule, side) for side in ("on", "of") if hasattr(getattr(rule, side, None), "pick")]
        if binds and tried < RULES_TRIED and any(side.pick(scenario).demands[at] for side in sides):
            tried += 1
            if turned(variants.without(rule.id)):
                yield rule.id, rule.label


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
    row = scenario.demands.set_index("id").loc[demand]
    loss = max(variants.gain(other).loss.found, 0.0)
    name = called(scenario, demand)
    weights = {} if minimises(scenario) else dict(getattr(scenario.objective, "maximise", None) or {})
    if weights:
        best = max(weights, key=lambda k: (abs(float(weights[k]) * float(row[k])), float(weights[k])))
        now, worth = float(row[best]), float(weights[best])
        if worth > 0:
            needed = loss / max(float(row["units"]), 1e-9) / worth
            guess = now - needed if whole else now + needed
            far = min(0.0, now - 2 * needed) if whole else now + 4 * needed + 0.1 * abs(now)
            found = _search(
                lambda x: variants.solve(
                    _changed(scenario, demand, best, round(x, 6)), Text(f"{name}, autre {best}", f"{name}, other {best}")
                ),
                turned, now, far, guess, 1e-6,
            )  # fmt: skip
            yield Flip("score", best, best, now, *found)
    price = int(scenario.cents("asked")[int((scenario.demands["id"] == demand).to_numpy().argmax())])

    def asking(cents: float) -> Plan:
        return variants.solve(
            _changed(scenario, demand, "asked", round(cents) / 100), Text(f"{name}, autre montant", f"{name}, other amount")
        )

    found = _search(asking, turned, float(price), price * 3.0 if whole else price / 20, price * (1.3 if whole else 0.8), 1.0)
    yield Flip("asked", "asked", "asked", float(price), *found)
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

            found = _search(holding, turned, float(held), far, float(guess), 100.0)
            yield Flip("fund", fund.id, fund.label, float(held), *found)


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


def _search(
    solve: Callable[[float], Plan], turned: Callable[[Plan], bool], now: float, far: float, guess: float, step: float
) -> tuple[float | None, float | None, Plan | None]:
    """Between `now`, where the decision stands, and `far`: the nearest value found that turns it over, the last one
    nearer where it stands still, and the plan there. `guess` is tried first; bisection does the rest."""
    short, best, plan = now, None, None
    probes = 0

    def probe(value: float) -> bool:
        nonlocal short, best, plan, probes
        probes += 1
        made = solve(value)
        if turned(made):
            best, plan = value, made
            return True
        short = value
        return False

    if min(now, far) < guess < max(now, far) and abs(guess - now) > step:
        if probe(guess):
            probe(now + (guess - now) * (1 - PRECISION))
        else:
            probe(now + (guess - now) * (1 + 2 * PRECISION))
    if best is None and not probe(far):
        return None, None, None
    assert best is not None
    while abs(best - short) > max(PRECISION * abs(best - now), step) and probes < PROBES:
        probe((short + best) / 2)
    return best, short, plan


