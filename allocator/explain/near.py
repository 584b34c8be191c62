"""How certain a plan is: plans nearly as good and as different as can be, and which demands they all fund.

The way to them is that of *modelling to generate alternatives* (Brill, Chang, Hopkins, 1982): keep the points within a
tolerance of the best, then fund what earlier plans do not, and not what they do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import Any, ClassVar, Literal

import numpy as np

from allocator.certify import Certificate, certify
from allocator.explain.explanation import Explanation, number
from allocator.explain.nouns import agreeing
from allocator.explain.points import Counted, Gain, counted
from allocator.explain.variants import Variants, called, granted, listing, subject
from allocator.money import format_euros
from allocator.reading import Reading
from allocator.scenario import Scenario
from allocator.space import Space
from allocator.texts import Text

TOLERANCES = (Fraction(1, 1000), Fraction(1, 100), Fraction(5, 100))
EACH = 2  # plans for each tolerance
BRIEF = (Fraction(1, 100), Fraction(5, 100)), 1  # tolerances and plans for each, where a few solves must do
UNLIKE = 0.05  # the gap of how different a plan is: it need not be the most different of all
ROUNDS, LESS = 8, 2  # of letting difference count for less, where soft rules would lose too many points for its sake
FINE = 10**6  # steps of a difference, in points

Verdict = Literal["sure", "likely", "open", "never"]
VERDICTS: dict[Verdict, Text] = {
    "sure": Text("sûr", "sure"),
    "likely": Text("probable", "likely"),
    "open": Text("ouvert", "open"),
    "never": Text("jamais financé", "never funded"),
}
"""Funded in all plans, in more than half of them, in some, in none."""


@dataclass(frozen=True, eq=False)
class Other:
    """A plan within `tolerance` of the best: `certificate` is against the scenario itself; `lost`: the share of the best
    plan's points that it gives up. `granted`: cents of each demand, by its rank."""

    tolerance: Fraction
    reading: Reading
    certificate: Certificate
    lost: Fraction

    @property
    def granted(self) -> np.ndarray:
        return self.reading.granted


@dataclass(frozen=True, eq=False)
class Near(Explanation):
    """The plan explained and `others`: near-optimal plans. `funded`: in how many of all of them each demand is."""

    about: ClassVar[str] = "near"
    scenario: Scenario
    best: np.ndarray
    others: tuple[Other, ...]

    @property
    def plans(self) -> int:
        return 1 + len(self.others)

    @cached_property
    def funded(self) -> dict[str, int]:
        times = (self.best > 0).astype(int) + sum((other.granted > 0).astype(int) for other in self.others)
        return dict(zip(self.scenario.demands["id"], np.asarray(times).tolist(), strict=True))

    def verdict(self, demand: str) -> Verdict:
        times = self.funded[demand]
        if times in (0, self.plans):
            return "sure" if times else "never"
        return "likely" if 2 * times > self.plans else "open"

    @cached_property
    def counts(self) -> Counter[Verdict]:
        return Counter(self.verdict(demand) for demand in self.funded)

    @property
    def answer(self) -> Text:
        if not self.others:
            return Text(
                "Aucun autre plan presque aussi bon n'a été trouvé dans les limites données.",
                "No other plan nearly as good was found within the limits given.",
            )
        sure, likely, open_, never = (number(self.counts[verdict]) for verdict in VERDICTS)
        span = _span(self.others)
        return Text(
            f"Sur {self.plans} plans, celui-ci et d'autres presque aussi bons (à {span.fr} près), aussi différents que possible, dossiers financés dans "
            f"tous (sûrs) : {sure.fr} ; dans plus de la moitié (probables) : {likely.fr} ; dans quelques-uns (ouverts) : "
            f"{open_.fr} ; dans aucun : {never.fr}.",
            f"Of {self.plans} plans, this one and others nearly as good (within {span.en}), as different as can be, demands funded in all "
            f"(sure): {sure.en}; in more than half (likely): {likely.en}; in some (open): {open_.en}; in none: {never.en}.",
        )

    @property
    def details(self) -> list[Text]:
        lines = []
        for rank, other in enumerate(self.others, 1):
            enter, leave = (
                int(((other.granted > 0) & (self.best == 0)).sum()),
                int(((other.granted == 0) & (self.best > 0)).sum()),
            )
            share, lost, moved = _percent(other.tolerance), _percent(other.lost), _rounded(self._moved(other))
            came, went = number(enter), number(leave)
            lines.append(Text(
                f"Plan {rank}, à {share.fr} près (il perd {lost.fr}) ; dossiers qui entrent : {came.fr}, qui sortent : {went.fr} ; vont ailleurs : {moved.fr}.",
                f"Plan {rank}, within {share.en} (it loses {lost.en}); demands that enter: {came.en}, that leave: {went.en}; go elsewhere: {moved.en}.",
            ))  # fmt: skip
        largest = self._largest("open")
        if largest:
            said = listing(largest)
            lines.append(Text(f"Les plus gros dossiers ouverts : {said.fr}.", f"The largest open demands: {said.en}."))
        return lines

    def _moved(self, other: Other) -> int:
        """Cents that the other plan grants where this one does not, or less."""
        return int(np.maximum(other.granted - self.best, 0).sum())

    def _largest(self, wanted: Verdict) -> list[str]:
        most = np.maximum.reduce([self.best, *(other.granted for other in self.others)])
        ids = self.scenario.demands["id"].tolist()
        found = sorted(
            (k for k, name in enumerate(ids) if self.verdict(name) == wanted), key=lambda k: (-int(most[k]), ids[k])
        )
        shown = [called(self.scenario, ids[k]) for k in found[:5]]
        return shown + [""] * (len(found) - len(shown))

    def facts(self) -> dict[str, Any]:
        plans = [
            {
                "tolerance": float(other.tolerance), "lost": float(other.lost), "moved_cents": self._moved(other),
                "objective": float(other.certificate.objective or 0) * other.certificate.sign,
                "certified": other.certificate.ok, "funded": int((other.granted > 0).sum()),
            }
            for other in self.others
        ]  # fmt: skip
        demands = {d: {"times": times, "verdict": self.verdict(d)} for d, times in self.funded.items()}
        return {"plans": plans, "counts": {v: self.counts[v] for v in VERDICTS}, "demands": demands}


@dataclass(frozen=True, eq=False)
class Certainty(Explanation):
    """How certain the decision on one demand is. `contrary`: what is lost in the best plan that decides otherwise (refuses
    what is funded, funds all of what is not): the importance of a funded demand. None where no such plan exists
    (`forced`), or none was found. `proved`: no plan that loses less than this share of the best decides otherwise."""

    about: ClassVar[str] = "certainty"
    demand: str
    name: str
    is_funded: bool
    near: Near
    counted: Counted
    contrary: Gain | None
    forced: bool
    proved: float

    @property
    def verdict(self) -> Verdict:
        """Sure, or never, only where no plan as near as the others is known to decide otherwise."""
        found: Verdict = "sure" if self.forced and self.is_funded else self.near.verdict(self.demand)
        if found == "sure" and self.near_contrary is not None:
            return "likely"
        return "open" if found == "never" and self.near_contrary is not None else found

    @property
    def near_contrary(self) -> Fraction | None:
        """The share of the points that the best plan deciding otherwise loses, where that is within the tolerances."""
        total = abs(self.counted.total * self.counted.size)
        if self.contrary is None or not total or not self.near.others:
            return None
        lost = Fraction(max(self.contrary.found, 0.0)) / Fraction(total)
        return lost if lost <= max(other.tolerance for other in self.near.others) else None

    @property
    def answer(self) -> Text:
        times, of, said = self.near.funded[self.demand], self.near.plans, VERDICTS[self.verdict]
        span = _span(self.near.others)
        within = (
            Text(f" (à {span.fr} du meilleur)", f" (within {span.en} of the best)")
            if self.near.others
            else Text("", "")
        )
        but = Text("", "")
        if self.verdict != self.near.verdict(self.demand) and self.near_contrary is not None:
            share = _percent(self.near_contrary)
            other = Text("le refuse", "refuses it") if self.is_funded else Text("le finance", "funds it")
            but = Text(
                f", mais un plan qui {other.fr} ne perd que {share.fr}",
                f", but a plan that {other.en} loses only {share.en}",
            )
        who, many = subject(self.name, self.demand), _times(times, of)
        return Text(
            f"{who.fr} : {said.fr}, financé dans {many.fr}{within.fr}{but.fr}.",
            f"{who.en}: {said.en}, funded in {many.en}{within.en}{but.en}.",
        )

    @property
    def within(self) -> list[tuple[Fraction, int, int]]:
        """For each tolerance: how many of its plans fund the demand, of how many."""
        rank = self.near.scenario.demands["id"].tolist().index(self.demand)
        plans = Counter(other.tolerance for other in self.near.others)
        times = Counter(other.tolerance for other in self.near.others if other.granted[rank])
        return [(tolerance, times[tolerance], plans[tolerance]) for tolerance in sorted(plans)]

    @property
    def details(self) -> list[Text]:
        told = [(_percent(t), _times(k, of)) for t, k, of in self.within]
        said = Text(
            "; ".join(f"à {t.fr}, {n.fr}" for t, n in told), "; ".join(f"within {t.en}, {n.en}" for t, n in told)
        )
        said = Text(said.fr.replace("; ", " ; "), said.en)
        counted = [Text(f"Financé : {said.fr}.", f"Funded: {said.en}.")] if len(told) > 1 else []
        return [*counted, *self._contrary]

    @property
    def _contrary(self) -> list[Text]:
        other = (
            Text("Le refuser", "Refusing it") if self.is_funded else Text("Le financer en entier", "Funding all of it")
        )
        if self.forced:
            return [Text(f"{other.fr} est impossible : les règles ne le permettent pas.",
                         f"{other.en} is impossible: the rules do not allow it.")]  # fmt: skip
        if self.contrary is None:
            return [Text(f"{other.fr} : aucun plan trouvé dans les limites données.",
                         f"{other.en}: no plan found within the limits given.")]  # fmt: skip
        notes = self.counted.notes(self.contrary)
        if self.contrary.nothing:
            return [Text(f"{other.fr} ne ferait rien perdre.", f"{other.en} would lose nothing."), *notes]
        if self.contrary.least <= 0:
            most = self.counted.of(self.contrary)
            return [Text(f"{other.fr} : perte non mesurable, {most.fr}, peut-être rien.",
                         f"{other.en}: loss not measurable, {most.en}, perhaps nothing."), *notes]  # fmt: skip
        lost, share = self.counted.lost(self.contrary), _percent(Fraction(self.proved))
        said = Text(f"{other.fr} {lost.fr}.", f"{other.en} {lost.en}.")
        if self.counted.least:
            return [
                said,
                Text(f"Tout plan qui coûte moins de {share.fr} de plus {self._decided.fr} : c'est prouvé.",
                     f"Every plan that costs less than {share.en} more {self._decided.en}: this is proved."),
                *notes,
            ]  # fmt: skip
        return [
            said,
            Text(f"Tout plan qui perd moins de {share.fr} {self._decided.fr} : c'est prouvé.",
                 f"Every plan that loses less than {share.en} {self._decided.en}: this is proved."),
            *notes,
        ]  # fmt: skip

    @property
    def _decided(self) -> Text:
        if self.is_funded:
            return Text("le finance", "funds it")
        return Text("ne le finance pas en entier", "does not fund all of it")

    def facts(self) -> dict[str, Any]:
        return {
            "demand": self.demand, "verdict": self.verdict, "funded": self.is_funded,
            "times": self.near.funded[self.demand], "plans": self.near.plans,
            "within": [{"tolerance": float(t), "times": times, "plans": of} for t, times, of in self.within],
            "contrary": self.contrary.as_dict() if self.contrary else None, "forced": self.forced,
            "proved": self.proved,
        }  # fmt: skip


def near(variants: Variants, tolerances: Sequence[float | Fraction] = TOLERANCES, each: int = EACH) -> Near:
    """Plans that lose at most each of `tolerances` (shares of the best plan's points) and differ as much as can be from
    the best and from each other. One solve each."""
    plan = variants.plan
    if plan.reading is None or plan.certificate.objective is None:
        raise ValueError(f"no plan: {plan.status}")
    space, unlike = Space.of(variants.scenario), variants.at(UNLIKE)
    found: list[Other] = []
    for tolerance in sorted(Fraction(t).limit_denominator(FINE) for t in tolerances):
        for _ in range(each):
            earlier = [plan.reading.granted, *(o.granted for o in found)]
            other = _another(unlike, space, tolerance, earlier)
            if other is not None and not any((other.granted == cents).all() for cents in earlier):
                found.append(other)
    return Near(variants.scenario, plan.reading.granted, tuple(found))


def certainty(
    variants: Variants, demand: str, tolerances: Sequence[float | Fraction] = TOLERANCES, each: int = EACH
) -> Certainty:
    """How certain the decision on a demand is, and what the contrary would lose."""
    scenario, plan = variants.scenario, variants.plan
    funded = granted(plan)[demand] > 0
    name = called(scenario, demand)
    decision = {
        "kind": "lock",
        "on": {"demands": [demand]},
        "decision": "refuse" if funded else "fund",
        "label": f"supposition : {name}",
    }
    other = variants.obeying(decision, what=Text("la décision contraire", "the contrary decision"))
    contrary = None if other.reading is None else variants.gain(other).loss
    best = abs(float(plan.certificate.objective or 0))
    proved = max(contrary.least, 0.0) / best if contrary is not None and best else 0.0
    forced = other.status == "infeasible"
    near_by = near(variants, tolerances, each)
    return Certainty(demand, name, funded, near_by, counted(plan), contrary, forced, proved)


def _another(variants: Variants, space: Space, tolerance: Fraction, earlier: Sequence[np.ndarray]) -> Other | None:
    """A plan within the tolerance that funds what earlier ones do not; None where none is found."""
    scenario, best = variants.scenario, variants.plan.certificate.objective
    reading = variants.plan.reading
    assert best is not None and reading is not None
    least = best - abs(best) * tolerance
    share = _percent(tolerance)
    what = Text(f"un autre plan, à {share.fr} près", f"another plan, within {share.en}")
    points = space.aim.value(reading) - best + least  # what soft rules take comes on top
    for turn in range(ROUNDS):
        # where difference counts for nothing beside them, soft rules take no more than in the best plan
        plan = variants.solve(_unlike(scenario, space, earlier, abs(best) / LESS**turn, points), what)
        if plan.reading is None:
            return None
        certificate = certify(plan.reading.at(space), None)
        value = certificate.objective
        if not certificate.ok or value is None:
            return None
        if value >= least:
            lost = max(Fraction(0), (best - value) / abs(best)) if best else Fraction(0)
            return Other(tolerance, plan.reading, certificate, lost)
    return None


def _unlike(
    scenario: Scenario, space: Space, earlier: Sequence[np.ndarray], weight: Fraction, points: Fraction
) -> Scenario:
    """The scenario that keeps `points` and makes the euros on demands that fewer earlier plans fund as many as can be;
    all euros asked for weigh about as much as `weight` points.

    Where points are no sum over demands, it keeps all levels of the objective instead.
    """
    most = (space.most * space.step).astype(float)
    away = sum(1 - 2 * (cents / np.maximum(most, 1)) for cents in earlier)
    worth = space.asked.astype(float) * away * (float(weight) or 1.0) / max(float(most.sum()), 1.0)
    if any(measure.steps for measure in scenario.measures):
        worth = np.maximum(worth, 0)  # a concave response cannot count against
    names = ["points kept", "unlike"]
    demands = scenario.demands.assign(**{names[1]: np.round(worth * FINE).astype(np.int64)})
    wanted = {"maximise": {names[1]: f"1/{FINE}"}}
    aim = space.aim
    if aim.auxiliaries:
        levels = getattr(scenario.objective, "lexicographic", None) or (scenario.objective,)
        return scenario.with_(demands=demands, objective={"lexicographic": [*levels, wanted]})
    demands = demands.assign(**{names[0]: aim.values})
    kept = {
        "kind": "indicator", "id": names[0], "indicator": names[0], "min": f"{ceil(points * aim.scale * FINE)}/{FINE}",
        "label": "points à garder",
    }  # fmt: skip
    return scenario.with_(demands=demands, objective=wanted, constraints=[*scenario.constraints, kept])


def _rounded(cents: int) -> Text:
    return Text(format_euros(cents, "fr", compact=True), format_euros(cents, "en", compact=True))


def _times(times: int, of: int) -> Text:
    """ "0 plan sur 1", "0 of 1 plan"."""
    plans = Text("plans", "plans")
    return Text(f"{times} {agreeing(times, plans).fr} sur {of}", f"{times} of {of} {agreeing(of, plans).en}")


def _percent(share: Fraction) -> Text:
    shown = number(100 * float(share))
    return Text(f"{shown.fr} %", f"{shown.en}%")


def _span(others: Sequence[Other]) -> Text:
    """From the least tolerance to the largest."""
    found = sorted({other.tolerance for other in others})
    if not found:
        return Text("", "")
    least, most = _percent(found[0]), _percent(found[-1])
    return most if len(found) == 1 else Text(f"{least.fr[:-2]}–{most.fr}", f"{least.en[:-1]}–{most.en}")
