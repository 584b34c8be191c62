"""Why a demand is funded, or not: what the contrary would cost, who would pay for it, the rules that decide, and what would
flip it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from allocator.explain.conflicts import Conflicts
from allocator.explain.deciding import Rules, deciding
from allocator.explain.explanation import Explanation, money
from allocator.explain.flips import Flip, Flips, share
from allocator.explain.limits import Limit, limits_of
from allocator.explain.points import Counted, Gain, counted, weights
from allocator.explain.reserve import keeping
from allocator.explain.variants import Variants, called, granted, listing, quoted, subject
from allocator.plan import Plan
from allocator.texts import Text

CAUSES = 3  # rules, and funds, without room that are named
CHEAP = 30  # rivals looked at, of its own measure and of the others
NAMED = 4  # of those whose money changes
FINER, FINER_SECONDS = 1e-2, 10.0  # of the gap: where plans differ by who pays, not by how much is lost


@dataclass(frozen=True)
class Rival:
    """A demand that gets less when the decision is the other way, or more: `change` in cents; `places`: from which funds,
    in which years, that money comes."""

    demand: str
    name: str
    change: int
    places: tuple[tuple[str, int], ...] = ()

    def text(self) -> Text:
        cents = money(abs(self.change))
        years: dict[str, list[str]] = {}
        for fund, year in self.places:
            years.setdefault(fund, []).append(str(year))
        where = " ; ".join(f"{fund}, {', '.join(dates)}" for fund, dates in years.items())
        paid = Text(f" – {where}", f" – {where.replace(' ; ', '; ')}") if where else Text("", "")
        to = Text(f"{cents.fr} à {self.name}", f"{cents.en} from {self.name}")
        if self.change > 0:
            to = Text(f"{cents.fr} à {self.name}", f"{cents.en} to {self.name}")
        return Text(f"{to.fr}{paid.fr}", f"{to.en}{paid.en}")

    def as_dict(self) -> dict[str, Any]:
        places = [{"fund": fund, "year": year} for fund, year in self.places]
        return {"demand": self.demand, "name": self.name, "change_cents": self.change, "places": places}


@dataclass(frozen=True)
class Funded(Explanation):
    """A demand and its decision. `most`: cents that it could get at most where not all is possible. `contrary`: the loss
    in the best plan that decides the other way, None where no plan does (`blocking`: the rules that forbid it) or where
    none was found. `rules`: None where nobody looked; `rivals`: who gives up, or takes, the money under the contrary,
    `alone`: while nobody else comes in, or loses; `unspent`: cents that all demands together get less
    there, `elsewhere`: that others get more. `at_once`: it
    is funded whole or not at all. `limits`: of one that gets nothing, what has less room than it asks for."""

    about: ClassVar[str] = "demand"
    demand: str
    name: str
    counted: Counted
    granted: int
    asked: int
    most: int
    by_fund: tuple[tuple[str, int, int], ...]  # label, year, cents
    contrary: Gain | None
    impossible: bool
    blocking: tuple[tuple[str, str], ...]  # id, label
    rules: Rules | None
    rivals: tuple[Rival, ...]
    alone: bool
    flips: tuple[Flip, ...]
    at_once: bool
    limits: tuple[Limit, ...] = ()
    unspent: int = 0
    elsewhere: int = 0

    @property
    def all(self) -> bool:
        return self.granted == self.asked

    @property
    def deciding(self) -> tuple[tuple[str, str], ...] | None:
        return None if self.rules is None else self.rules.deciding

    @property
    def tied(self) -> bool:
        """Whether the decision is as good as its contrary, as far as can be proved."""
        return self.contrary is not None and self.contrary.least <= 0

    @property
    def _other(self) -> Text:
        """What the contrary is called."""
        return (
            Text("le refuser", "refusing it") if self.all
            else Text("le financer", "funding it") if self.at_once
            else Text("le financer en entier", "funding all of it") if self.most == self.asked
            else Text(f"lui accorder {money(self.most).fr}, le plus qui soit possible,",
                      f"granting it {money(self.most).en}, the most that is possible,")
        )  # fmt: skip

    @property
    def _then(self) -> Text:
        """What it would be where the decision turns over: "il soit financé"."""
        if self.all:
            return (
                Text("ne soit plus financé", "not to be funded") if self.at_once
                else Text("ne soit plus financé en entier", "not to be funded in full")
            )  # fmt: skip
        if self.granted:
            return Text("soit financé en entier", "to be funded in full")
        if self.at_once:
            return Text("soit financé", "to be funded")
        return Text("soit financé, au moins en partie", "to be funded, at least in part")

    @property
    def answer(self) -> Text:
        got, of = money(self.granted), money(self.asked)
        if self.all:
            state = Text(f"est financé en entier ({got.fr})", f"is funded in full ({got.en})")
        elif self.granted:
            state = Text(f"est financé en partie ({got.fr} sur {of.fr})", f"is funded in part ({got.en} of {of.en})")
        else:
            state = Text(f"n'est pas financé (il demande {of.fr})", f"is not funded (it asks for {of.en})")
        why, cause = self._why, self._cause
        who = subject(self.name, self.demand)
        return Text(f"{who.fr} {state.fr} : {cause.fr}{why.fr}.", f"{who.en} {state.en}: {cause.en}{why.en}.")

    @property
    def _cause(self) -> Text:
        """What has no room for it: " il ne reste assez de place ni sous « Dix Rebonds au plus » (10 sur 10) …; "."""
        if self.granted or self.impossible or not self.limits:
            return Text("", "")
        rules, funds = ([each.text() for each in self.limits if each.fund is fund] for fund in (False, True))
        french, english = [], []
        if rules:
            said = _joined(rules)
            french.append(f"de place sous {said.fr}")
            english.append(f"room under {said.en}")
        if funds:
            said = _joined(funds)
            french.append(f"d'argent dans {said.fr}")
            english.append(f"money in {said.en}")
        return Text(
            f"il ne reste pas assez {', ni assez '.join(french)} ; ",
            f"there is not enough {', nor enough '.join(english)}; ",
        )

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
        other = self._other
        if self.contrary is None:
            return Text(
                f"{other.fr} : le calcul a été arrêté avant d'en trouver un plan, on ne sait donc pas ce que cela coûterait",
                f"{other.en}: the computation was stopped before it found such a plan, so what that would cost is unknown",
            )
        if self.contrary.nothing:
            return Text(
                f"{other.fr} ne coûterait rien à l'ensemble du plan, c'est un ex æquo",
                f"{other.en} would cost the plan as a whole nothing, it is a tie",
            )
        lost = self.counted.lost(self.contrary)
        if self.tied:
            found = self.counted.between(self.contrary)
            return Text(
                f"{other.fr} {lost.fr}, peut-être rien{found.fr} : autant dire un ex æquo",
                f"{other.en} {lost.en}, perhaps nothing{found.en}: as good as a tie",
            )
        return Text(f"{other.fr} {lost.fr}", f"{other.en} {lost.en}")

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
            lines.append(
                Text(f"Payé par « {label} » en {year} : {paid.fr}.", f"Paid by “{label}” in {year}: {paid.en}.")
            )
        ruled = self._ruled()
        return [
            *([] if self.all else ruled),
            *lines,
            *self._rivalry(),
            *self._flipped(),
            *self._unmoved(),
            *(ruled if self.all else []),
            *self.counted.notes(self.contrary),
        ]

    def _rivalry(self) -> list[Text]:
        if not self.rivals:
            return []
        named = self.rivals[: NAMED if len(self.rivals) > NAMED + 1 else None]
        shown, rest = [rival.text() for rival in named], self.rivals[len(named) :]
        if rest:
            cents = money(sum(abs(r.change) for r in rest))
            shown.append(
                Text(
                    f"et {cents.fr} à {len(rest)} autres",
                    f"and {cents.en} {'to' if self.all else 'from'} {len(rest)} more",
                )
            )
        if self.all:
            said = Text("S'il était refusé, cet argent irait ainsi", "Were it refused, this money would go")
            if not self.alone:
                said = Text(
                    "Le meilleur plan qui le refuse donne de plus", "The best plan that refuses it gives in addition"
                )
        else:
            whole = self.most == self.asked
            funds = Text("qui le finance en entier", "that funds it in full")
            if not whole:
                funds = Text(f"qui lui accorde {money(self.most).fr}", f"that grants it {money(self.most).en}")
            said = Text(f"Le meilleur plan {funds.fr} retire", f"The best plan {funds.en} takes")
            if self.alone:
                said = Text(
                    f"Un plan {funds.fr}, sans faire entrer personne d'autre, retire",
                    f"A plan {funds.en}, letting nobody else in, takes",
                )
        more = ("(et en donne {} de plus à d'autres)", "(and gives {} more to others)")
        if self.alone:
            more = (
                "(et donne {} de plus à des dossiers déjà financés)",
                "(and gives {} more to demands funded already)",
            )
        for size, (fr, en) in (
            (self.elsewhere, more),
            (self.unspent, ("(et accorde, en tout, {} de moins)", "(and grants, in all, {} less)")),
        ):
            if size > 0 and not self.all:
                shown.append(Text(fr.format(money(size).fr), en.format(money(size).en)))
        french, english = "\n  ".join(t.fr for t in shown), "\n  ".join(t.en for t in shown)
        return [Text(f"{said.fr} :\n  {french}", f"{said.en}:\n  {english}")]

    def _flipped(self) -> list[Text]:
        done = [flip.text(bracket=not self.tied) for flip in self.flips if flip.to is not None]
        if not done:
            return []
        then = self._then
        first = (
            Text("Il suffit de l'un de ces changements", "One of these changes is enough for it") if len(done) > 1
            else Text("Il suffit de ce changement", "This change is enough for it")
        )  # fmt: skip
        lines = [
            Text(f"{first.fr} pour qu'il {then.fr} :", f"{first.en} {then.en}:"),
            *(Text(f"  {line.fr}", f"  {line.en}") for line in done),
        ]
        if self.tied:
            lines.append(Text(
                "Comme c'est presque un ex æquo, un changement plus petit peut suffire.",
                "As it is nearly a tie, a smaller change may be enough.",
            ))  # fmt: skip
        return lines

    def _unmoved(self) -> list[Text]:
        """What was tried in vain."""
        vain = [flip for flip in self.flips if flip.to is None]
        lines = [flip.vain() for flip in vain if flip.what != "fund"]
        funds = [flip for flip in vain if flip.what == "fund"]
        if not funds:
            return lines
        said, several = [flip.vain() for flip in funds], len(funds) > 1
        both = Text("", "")
        if several and all(flip.together for flip in funds):
            both = Text(", même ensemble", ", even together")
        lines.append(Text(
            f"N'y suffirai{'en' if several else ''}t pas{both.fr} : " + " ; ".join(t.fr for t in said) + ".",
            f"Would not be enough{both.en}: " + "; ".join(t.en for t in said) + ".",
        ))  # fmt: skip
        return [*lines, *self._placeless()]

    def _placeless(self) -> list[Text]:
        """Why money would not do: a rule that counts is full, and money makes no place; and why asking less would."""
        full = [limit for limit in self.limits if limit.full]
        if not full or self.granted:
            return []
        names = quoted(limit.label for limit in full)
        lines = [Text(
            f"De l'argent en plus ne lui fait pas de place sous {names.fr} : il lui faut celle d'un autre.",
            f"More money makes no room for it under {names.en}: it needs that of another.",
        )]  # fmt: skip
        if any(flip.what == "asked" and flip.to is not None for flip in self.flips):
            lines.append(Text(
                "S'il demande moins, ce qu'il laisse va à d'autres dossiers, et compense ce que coûte cet échange.",
                "Where it asks for less, what it leaves goes to other demands, and makes up for what this exchange costs.",
            ))  # fmt: skip
        return lines

    def _ruled(self) -> list[Text]:
        """Whether rules decide it, one by itself or only several together."""
        if self.rules is None or self.impossible or self.contrary is None or not self.rules.tried:
            return []
        then, few = self._then, self.rules.deciding
        names = quoted(label for _, label in few or self.rules.tried)
        if len(few) == 1:
            return [Text(
                f"Une règle en décide à elle seule : il suffirait d'abandonner {names.fr} pour qu'il {then.fr}.",
                f"One rule decides it by itself: giving up {names.en} would be enough for it {then.en}.",
            )]  # fmt: skip
        if few:
            each = Text(
                "mais aucune de ces deux règles n'y suffit seule", "but neither of these two rules is enough by itself"
            )
            if len(few) > 2:
                each = Text("mais pas une de moins", "but not one less")
            if not self.rules.fewest:
                each = Text(
                    "moins y suffirait peut-être, tout n'a pas été essayé", "less might be enough, not all was tried"
                )
            return [Text(
                f"Plusieurs règles en décident ensemble : il suffirait de les abandonner toutes pour qu'il {then.fr}, "
                f"{each.fr} : {names.fr}.",
                f"Several rules decide it together: giving up all of them would be enough for it {then.en}, {each.en}: "
                f"{names.en}.",
            )]  # fmt: skip
        if len(self.rules.tried) == 1:
            return [Text(
                f"Abandonner cette règle n'y suffirait pas : {names.fr}.", f"Giving up this rule would not be enough: {names.en}."
            )]  # fmt: skip
        return [Text(
            f"Abandonner ensemble ces règles n'y suffirait pas (une à une, elles n'ont pas été essayées) : {names.fr}.",
            f"Giving up these rules together would not be enough (one by one, they were not tried): {names.en}.",
        )]  # fmt: skip

    def facts(self) -> dict[str, Any]:
        rules = self.rules or Rules()
        return {
            "demand": self.demand, "name": self.name, "granted_cents": self.granted, "asked_cents": self.asked, "most_cents": self.most,
            "contrary": self.contrary.as_dict() if self.contrary else None, "impossible": self.impossible,
            "blocking": [{"id": i, "label": label} for i, label in self.blocking],
            "deciding": [{"id": i, "label": label} for i, label in rules.deciding], "rules_tried": [i for i, _ in rules.tried],
            "limits": [{"id": each.id, "label": each.label} for each in self.limits],
            "rivals": [r.as_dict() for r in self.rivals], "flips": [f.as_dict() for f in self.flips],
        }  # fmt: skip


def funded(variants: Variants, demand: str, *, brief: bool = False) -> Funded:
    """Why a demand gets what it gets: a solve for the contrary, one for the rivals, some for each flip, one or more for
    the rules that may bind on it. `brief`: without the rules and the funds that would flip it."""
    plan, scenario = variants.plan, variants.scenario
    got = granted(plan)[demand]
    asked = int(dict(zip(scenario.demands["id"], plan.asked_cents(), strict=True))[demand])
    name, whole = called(scenario, demand), got == asked
    row: Any = scenario.demands.set_index("id").loc[demand]
    lumpy = next(m.lumpy for m in scenario.measures if m.id == row["measure"])
    at_once = max(float(row.get("min_units", 0) or 0), 1.0 if lumpy else 0.0) >= float(row["units"])
    labels = {f.id: f.label for f in scenario.funds}
    rows = plan.grants[plan.grants["demand"] == demand]
    by_fund = tuple(
        (labels[f], int(y), int(c)) for f, y, c in zip(rows["fund"], rows["year"], rows["cents"], strict=True)
    )
    decision = _decide(demand, "refuse" if whole else "fund", name)
    said = (
        Text(f"refuser {name}", f"refuse {name}")
        if whole
        else Text(f"financer en entier {name}", f"fund in full {name}")
    )
    other = variants.obeying(decision, what=said)

    def told(**found: Any) -> Funded:
        rest: dict[str, Any] = {
            "most": asked, "contrary": None, "impossible": False, "blocking": (), "rules": None, "rivals": (),
            "alone": True, "flips": (), **found,
        }  # fmt: skip
        return Funded(
            demand=demand,
            name=name,
            counted=counted(plan),
            granted=got,
            asked=asked,
            by_fund=by_fund,
            at_once=at_once,
            limits=() if got else limits_of(plan, demand),
            **rest,
        )

    most, blocking = asked, {}
    if other.status == "infeasible":
        blocking = _blocking(variants, other, str(decision["label"]))
        most = got if whole else _most(variants, demand, name)
        if most <= got:
            return told(impossible=True, blocking=tuple(blocking.items()), most=got)
        decision = {"kind": "floor", "on": {"demands": [demand]}, "amount": most / 100, "label": decision["label"]}
        other = variants.obeying(decision, what=said)
    if other.reading is None:
        return told()
    loss = variants.gain(other).loss.never_below_zero
    turned = _turned(demand, got, whole)
    flips = Flips(variants, demand, whole, turned, other, loss)
    rivals, alone, unspent, elsewhere = _rivals(variants, demand, decision, whole, other)
    return told(
        most=most, blocking=tuple(blocking.items()), contrary=loss, rivals=rivals, alone=alone, unspent=unspent, elsewhere=elsewhere,
        flips=tuple(flips.of_itself() if brief else flips.all()),
        rules=None if brief else deciding(variants, demand, turned),
    )  # fmt: skip


def _joined(names: list[Text]) -> Text:
    """The first of these names, in a sentence."""
    shown, rest = names[:CAUSES], len(names) - CAUSES
    if rest > 0:
        shown = [*shown, Text(f"{rest} autre{'s' if rest > 1 else ''}", f"{rest} more")]
    if len(shown) == 1:
        return shown[0]
    before, last = shown[:-1], shown[-1]
    return Text(f"{', '.join(t.fr for t in before)} et {last.fr}", f"{', '.join(t.en for t in before)} and {last.en}")


def _decide(demand: str, decision: str, name: str) -> dict[str, Any]:
    return {"kind": "lock", "on": {"demands": [demand]}, "decision": decision, "label": f"supposition : {name}"}


def _blocking(variants: Variants, other: Plan, supposed: str) -> dict[str, str]:
    """The rules and funds that a supposed decision runs against: those of the proof, or, where it names none, those of a
    smallest conflict."""
    parties = other.conflict.parties if other.conflict else ()
    found = {p.rule.id: p.rule.label or p.rule.id for p in parties if (p.rule.label or "") != supposed}
    if found:
        return found
    search = Conflicts(variants.at(variants.gap, plan=other))
    if not search.impossible(search.scenario):
        return {}
    return {r.key[1]: r.label for r in search.smallest(search.scenario) if r.label != supposed}


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
        part = share(plan, demand)
        return part < 1 if whole else part == 1 if got else part > 0

    return turned


def _rivals(
    variants: Variants, demand: str, decision: dict[str, Any], whole: bool, other: Plan
) -> tuple[tuple[Rival, ...], bool, int, int]:
    """Whose money changes under the contrary, the most first; whether nobody else's does: where it is to be funded,
    nobody comes in, where it is to be refused, nobody loses; and the cents granted less in all, and more to others.
    Where that costs more, the best plan itself is told."""
    before = granted(variants.plan)
    rules = [decision, *(keeping(variants.plan, besides=demand) if whole else _only_cheap(variants, demand))]
    seconds = min(variants.time_limit or FINER_SECONDS, FINER_SECONDS)
    finer = variants.at(variants.gap * FINER, seconds)
    nearest = finer.obeying(*rules, what=Text("qui en paierait le prix", "who would pay for it"))
    alone = nearest.reading is not None and variants.gain(nearest, other).least <= 0
    chosen = nearest if alone else other
    after = granted(chosen)
    sign = 1 if whole else -1
    changed = {d: after[d] - cents for d, cents in before.items() if d != demand and sign * (after[d] - cents) > 0}
    order = sorted(changed, key=lambda d: (-abs(changed[d]), d))
    rivals = tuple(
        Rival(d, called(variants.scenario, d), changed[d], _places(chosen if whole else variants.plan, d))
        for d in order
    )
    more = sum(max(after[d] - cents, 0) for d, cents in before.items() if d != demand)
    return rivals, alone, sum(before.values()) - sum(after.values()), more


def _only_cheap(variants: Variants, demand: str) -> list[dict[str, Any]]:
    """Rules under which nobody else comes in, and who has all it asks for keeps it, but for some: of its own measure and
    of the others, `CHEAP` demands that bring the fewest points for their money."""
    plan, scenario, before = variants.plan, variants.scenario, granted(variants.plan)
    table, counting = scenario.demands, weights(scenario)
    points = sum(table[name].astype(float).to_numpy() * weight for name, weight in counting.items())
    worth = points / np.maximum(scenario.cents("asked").astype(float), 1.0)
    own = (table["measure"] == table["measure"][table["id"] == demand].iloc[0]).to_numpy()
    ids, got = table["id"].to_numpy(), np.array([before[d] for d in table["id"]])
    order = np.argsort(worth, kind="stable") if counting else np.arange(0)
    others = order[(got[order] > 0) & (ids[order] != demand)]
    kept = np.concatenate([others[own[others]][CHEAP:], others[~own[others]][CHEAP:]])
    whole = [str(ids[k]) for k in kept if got[k] == plan.asked_cents()[k]]
    outside = [str(d) for d in ids[(got == 0) & (ids != demand)]]
    return [
        {"kind": "lock", "label": "les autres dossiers", "on": {"demands": some}, "decision": what}
        for some, what in ((outside, "refuse"), (whole, "fund"))
        if some
    ]


def _places(plan: Plan, demand: str) -> tuple[tuple[str, int], ...]:
    """The funds and years that pay a demand."""
    labels = {f.id: f.label for f in plan.scenario.funds}
    rows = plan.grants[plan.grants["demand"] == demand]
    return tuple((labels[fund], int(year)) for fund, year in zip(rows["fund"], rows["year"], strict=True))
