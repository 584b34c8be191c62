"""The independent check of a plan: reads like the law, in whole numbers, against the scenario itself.

It shares no quotient, float or solver with what produced the plan: it imports neither the compiler nor an engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from allocator.bound import Proof, prove
from allocator.money import format_euros
from allocator.reading import Level, Reading
from allocator.space import Row, Rule, Space
from allocator.texts import Text, figure

NAMES = {
    "grants": Text("subventions en centimes entiers", "grants in whole cents"),
    "moves": Text("redéploiements permis", "transfers allowed"),
    "eligibility": Text("fonds et années permis", "funds and years allowed"),
    "units": Text("accordé = demandé × unités", "granted = asked × units"),
    "objective": Text("points recomptés", "points counted again"),
    "bound": Text("borne recalculée", "bound recomputed"),
    "infeasible": Text("impossibilité", "impossibility"),
}


@dataclass(frozen=True)
class Check:
    """One thing that was checked, whether it holds, and the figure behind it."""

    name: str
    ok: bool
    detail: Text

    @property
    def label(self) -> Text:
        name, _, rank = self.name.partition(":")
        if name in NAMES and rank:
            return Text(f"{NAMES[name].fr}, niveau {rank}", f"{NAMES[name].en}, level {rank}")
        return NAMES.get(self.name, Text(self.name, self.name))

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "detail": str(self.detail)}


@dataclass(frozen=True)
class Certificate:
    """What was checked. `objective` and `bound` in points, exact; `levels` where each rule stands, by rule."""

    checks: tuple[Check, ...]
    objective: Fraction | None = None
    bound: Fraction | None = None
    levels: tuple[tuple[Rule, tuple[Level, ...]], ...] = field(default=(), repr=False)
    sign: int = 1  # of objective and bound when they are shown: -1 where a cost is made small

    @property
    def ok(self) -> bool:
        return bool(self.checks) and all(check.ok for check in self.checks)

    @property
    def gap(self) -> float | None:
        """|bound − objective| / |objective|; 0 where equal, inf where the objective is 0; None without both."""
        found = relative_gap(self.objective, self.bound)
        return None if found is None else float(found)

    @property
    def exact_gap(self) -> Fraction | None:
        """The same, exact; None where it is not a number."""
        found = relative_gap(self.objective, self.bound)
        return found if isinstance(found, Fraction) else None


def relative_gap(objective: Fraction | None, bound: Fraction | None) -> Fraction | float | None:
    """|bound − objective| / |objective|; 0 where equal, inf where the objective is 0; None without both."""
    if objective is None or bound is None:
        return None
    if objective == bound:
        return Fraction(0)
    return abs(bound - objective) / abs(objective) if objective else float("inf")


def certify(reading: Reading, proof: Proof | None) -> Certificate:
    """Check a plan against its scenario, and how far it may be from the best, by `proof`."""
    space = reading.space
    if not _inside(reading):  # of what is no grant of this scenario nothing can be counted
        return Certificate((_grants(reading),), sign=space.aim.sign)
    checks = [_grants(reading), _eligible(reading), _steps(reading)]
    if space.moves:
        checks.append(_moves(reading))
    levels = tuple((rule, tuple(rule.check(reading))) for rule in space.rules)
    checks += [_rule(rule, standing) for rule, standing in levels]
    value = objective(reading)
    checks.append(Check("objective", True, _figure(space, value)))
    limit, check = _bound(space, proof)
    return Certificate((*checks, check), value, limit, levels, space.aim.sign)


def joined(levels: list[Certificate]) -> Certificate:
    """The certificate of a plan for all levels of its objective: the first one's, with what the later ones add."""
    first = levels[0]
    more = [check for check in levels[-1].checks if check.name.startswith("level:")]
    for rank, later in enumerate(levels[1:], 2):
        more += [
            Check(f"{check.name}:{rank}", check.ok, check.detail)
            for check in later.checks
            if check.name in ("objective", "bound")
        ]
    return Certificate((*first.checks, *more), first.objective, first.bound, first.levels, first.sign)


def certify_infeasible(space: Space, proof: Proof) -> Certificate:
    """Check that no plan can exist."""
    try:
        empty = prove(space, proof) is None
        if empty:
            reason = Text("aucun plan ne peut tenir toutes les règles", "no plan can keep all rules")
        else:
            reason = Text("la preuve laisse des plans possibles", "the proof leaves plans possible")
    except (ValueError, OverflowError) as error:
        empty, reason = False, Text(f"preuve refusée : {error}", f"proof refused: {error}")
    return Certificate((Check("infeasible", empty, reason),))


def objective(reading: Reading) -> Fraction:
    """Points of the plan at its space's level, in the first net of what soft rules take."""
    points = reading.space.aim.value(reading)
    return points - reading.lost if not reading.space.reached else points


def value_step(space: Space) -> Fraction | None:
    """The step on which every objective lies, where only whole units and whole cents count; None where there is none."""
    own = space.aim.step()
    if own is None:
        return None
    steps = [own]
    for (_, row), price in zip(space.rows, space.prices, strict=True):
        if price:
            if not _whole(space, row):
                return None
            steps.append(price)
    common = lcm(*(step.denominator for step in steps))
    return Fraction(gcd(*(int(step * common) for step in steps)), common) or None


def _whole(space: Space, row: Row) -> bool:
    """Whether the row counts whole numbers only: cents, served demands, whole units not told apart by fund."""
    if row.auxiliaries or row.rounding:
        return False
    sides = all(side is None or Fraction(side).denominator == 1 for side in (row.lower, row.upper))
    return sides and all(
        term.of != "units" or ((term.cells == term.cells[:1]).all() and space.lumpy[term.demands].all())
        for term in row.terms
    )


def _inside(reading: Reading) -> bool:
    """Whether every grant is to a demand, from a fund and in a year of the scenario."""
    funds, years = reading.space.shape
    positions = ((reading.demand, reading.space.n), (reading.fund, funds), (reading.year, years))
    return all(bool(((at >= 0) & (at < count)).all()) for at, count in positions)


def _grants(reading: Reading) -> Check:
    """Whole positive cents, each (demand, fund, year) once, within the scenario."""
    funds, years = reading.space.shape
    key = (reading.demand * funds + reading.fund) * years + reading.year
    whole = np.issubdtype(reading.cents.dtype, np.integer) and bool((reading.cents > 0).all())
    ok = _inside(reading) and len(np.unique(key)) == len(key) and whole
    total = int(reading.cents.sum())
    return Check(
        "grants",
        ok,
        Text(
            f"{len(key)} subventions, {format_euros(total, 'fr')}",
            f"{len(key)} grants, {format_euros(total, 'en')}",
        ),
    )


def _eligible(reading: Reading) -> Check:
    """Each fund pays only demands that it may pay, in years that they accept."""
    space = reading.space
    scenario = space.scenario
    wrong = 0
    for k, fund in enumerate(scenario.funds):
        mine = reading.demand[reading.fund == k]
        if fund.on is not None:
            wrong += int((~fund.on.pick(scenario).demands[mine]).sum())
    when = np.array(scenario.years)[reading.year]
    first = scenario.demands["first_year"].to_numpy()[reading.demand]
    last = scenario.demands["last_year"].to_numpy()[reading.demand]
    wrong += int(((when < first) | (when > last)).sum())
    return Check("eligibility", wrong == 0, Text(f"{wrong} hors droit", f"{wrong} not eligible"))


def _steps(reading: Reading) -> Check:
    """Granted = asked × units: whole units where lumpy, each in one year; nothing, or at least the minimum; never more
    than asked."""
    space = reading.space
    years = space.shape[1]
    granted, wrong = reading.granted, 0
    per_year = np.zeros((space.n, years), np.int64)
    np.add.at(per_year, (reading.demand, reading.year), reading.cents)
    wrong += int((per_year[space.lumpy] % space.asked[space.lumpy, None] != 0).sum())
    steps = granted // space.step
    wrong += int((steps > space.most).sum()) + int(((steps > 0) & (steps < space.least)).sum())
    served = int(reading.served.sum())
    return Check(
        "units",
        wrong == 0,
        Text(f"{served} dossiers servis, {wrong} erreur(s)", f"{served} demands served, {wrong} error(s)"),
    )


def _rule(rule: Rule, levels: tuple[Level, ...]) -> Check:
    """Where a rule stands: held everywhere, or by how much it is missed."""
    missed = [level for level in levels if not level.held]
    loose = max((Fraction(level.miss) / level.scale for level in levels if level.held), default=Fraction(0))
    if missed:
        worst = max(level.breach for level in missed)
        detail = Text(
            f"{len(missed)} non-respect(s), au plus {figure(float(worst), 6).fr}",
            f"{len(missed)} breach(es), at most {figure(float(worst), 6).en}",
        )
    elif loose:
        detail = Text(
            f"tenue à {figure(float(loose), 3).fr} près (arrondi au centime)",
            f"held within {figure(float(loose), 3).en} (whole cents)",
        )
    else:
        detail = Text("tenue", "held")
    return Check(f"{rule.kind}:{rule.id}", not missed or rule.soft is not None, detail)


def _figure(space: Space, points: Fraction) -> Text:
    shown, unit = figure(float(points) * space.aim.sign), space.aim.unit
    return Text(f"{shown.fr} {unit.fr}", f"{shown.en} {unit.en}")


def _moves(reading: Reading) -> Check:
    """Money moved between funds: whole cents, within what each move allows."""
    moves = reading.space.moves
    ok = len(reading.moved) == len(moves) and np.issubdtype(reading.moved.dtype, np.integer)
    ok = ok and all(a.lower <= int(cents) <= a.upper for a, cents in zip(moves, reading.moved, strict=True))
    total = int(reading.moved.sum()) if len(reading.moved) else 0
    return Check("moves", ok, Text(f"{format_euros(total, 'fr')} redéployés", f"{format_euros(total, 'en')} moved"))


_BOUNDS: WeakKeyDictionary[Proof, tuple[Space, Fraction | None, Check]] = WeakKeyDictionary()


def _bound(space: Space, proof: Proof | None) -> tuple[Fraction | None, Check]:
    """A proof says nothing of the plan: it is checked once."""
    if proof is None:
        return None, Check("bound", True, Text("aucune borne", "no bound"))
    if proof not in _BOUNDS or _BOUNDS[proof][0] is not space:
        _BOUNDS[proof] = (space, *_proved(space, proof))
    return _BOUNDS[proof][1:]


def _proved(space: Space, proof: Proof) -> tuple[Fraction | None, Check]:
    try:
        limit = prove(space, proof, value_step(space))
    except (ValueError, OverflowError) as error:
        return None, Check("bound", False, Text(f"preuve refusée : {error}", f"proof refused: {error}"))
    if limit is None:
        message = Text("la preuve dit qu'aucun plan n'existe", "the proof says that no plan exists")
        return None, Check("bound", False, message)
    leaves, shown = proof.leaves(), _figure(space, limit)
    most = Text("n'a plus de", "has more than") if space.aim.sign > 0 else Text("n'a moins de", "has less than")
    return limit, Check(
        "bound",
        True,
        Text(
            f"aucun plan {most.fr} {shown.fr} ({leaves} cas)",
            f"no plan {most.en} {shown.en} ({leaves} {'case' if leaves == 1 else 'cases'})",
        ),
    )
