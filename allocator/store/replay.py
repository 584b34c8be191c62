"""A saved plan solved again: the same to the cent, or what changed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pandas as pd

from allocator import engines
from allocator.certify import certify
from allocator.money import format_euros
from allocator.solver import solve
from allocator.space import Space
from allocator.store import records
from allocator.store.opened import read
from allocator.store.records import SavedPlan
from allocator.texts import Text, figure

if TYPE_CHECKING:
    from allocator.plan import Plan
    from allocator.scenario import Scenario

_KEYS = ["demand", "fund", "year"]
_SHOWN = 5  # grants that differ, told one by one


@dataclass(frozen=True, eq=False)
class Replay:
    """`same`: the plan of today is the saved one, to the cent, and as far certified.

    `changed`: what differs in the result, in words; `versions`: {what: (then, now)} that differ, whether or not they
    mattered; `grants`: demand, fund, year, then, now (cents) where these differ.
    """

    saved: SavedPlan
    plan: Plan
    changed: tuple[Text, ...]
    versions: dict[str, tuple[str, str]]
    grants: pd.DataFrame

    @property
    def same(self) -> bool:
        return not self.changed

    def as_dict(self) -> dict[str, Any]:
        return {
            "saved": self.saved.as_dict(),
            "same": self.same,
            "changed": [str(text) for text in self.changed],
            "versions": {name: {"then": then, "now": now} for name, (then, now) in self.versions.items()},
            "grants": self.grants.to_dict("records"),
            "plan": self.plan.summary(),
        }


def replay(saved: SavedPlan, scenario: Scenario) -> Replay:
    """Solve again with the same engine, gap and time limit, and compare."""
    changed: list[Text] = []
    if scenario.input_hash != saved.input_hash:
        changed.append(Text("le scénario enregistré se lit autrement aujourd'hui (autre empreinte)",
                            "the saved scenario is read differently today (another hash)"))  # fmt: skip
    engine = saved.engine
    try:
        engines.engine(engine)
    except engines.UnknownEngine:
        changed.append(Text(f"le moteur « {engine} » n'est pas là : calculé avec celui d'allocator",
                            f"the engine “{engine}” is not here: solved with allocator's own"))  # fmt: skip
        engine = "auto"
    plan = solve(scenario, engine=engine, gap=saved.gap_allowed, time_limit=saved.time_limit)
    now = records.versions(plan.engine.name, plan.engine.version)
    versions = {
        name: (saved.versions.get(name, "–"), now.get(name, "–"))
        for name in (*saved.versions, *(name for name in now if name not in saved.versions))
        if saved.versions.get(name) != now.get(name) and (name in saved.versions or name != records.CODE)
    }
    grants = _differences(saved.grants, plan.grants)
    found = _result(saved, plan) + _grants(grants)
    if plan.reading is not None and not len(grants) and tuple(plan.reading.moved.tolist()) != saved.moved:
        found.append(Text("d'autres redéploiements entre fonds", "other transfers between funds"))
    if found:
        found += _why(saved, scenario, bool(len(grants)))
    return Replay(saved, plan, (*changed, *found), versions, grants)


def _result(saved: SavedPlan, plan: Plan) -> list[Text]:
    found = []
    if plan.status != saved.status:
        found.append(Text(f"statut : {saved.status} → {plan.status}", f"status: {saved.status} → {plan.status}"))
    if plan.certificate.ok != saved.certified:
        found.append(
            Text("certifié alors, plus maintenant", "certified then, not now")
            if saved.certified
            else Text("certifié maintenant, pas alors", "certified now, not then")
        )
    levels = [(_shown(level.objective, level.aim.sign), _shown(level.bound, level.aim.sign)) for level in plan.levels]
    if len(levels) != len(saved.levels):
        found.append(Text("un autre nombre de niveaux de l'objectif", "another number of levels of the objective"))
        return found
    for rank, (then, now) in enumerate(zip(saved.levels, levels, strict=True), 1):
        of = Text("", "") if len(levels) == 1 else Text(f", niveau {rank}", f", level {rank}")
        for name, before, after in zip((Text("objectif", "objective"), Text("borne", "bound")), then, now, strict=True):
            if before != after:
                a, b = _number(before), _number(after)
                found.append(Text(f"{name.fr}{of.fr} : {a.fr} → {b.fr}", f"{name.en}{of.en}: {a.en} → {b.en}"))
    return found


def _grants(differences: pd.DataFrame) -> list[Text]:
    if not len(differences):
        return []
    moved = int((differences["now"] - differences["then"]).clip(lower=0).sum())
    less = int((differences["then"] - differences["now"]).clip(lower=0).sum())
    up, down = ({lang: format_euros(cents, lang) for lang in ("fr", "en")} for cents in (moved, less))
    found = [
        Text(f"{len(differences)} subvention(s) différente(s) : {up['fr']} de plus, {down['fr']} de moins",
             f"{len(differences)} grant(s) differ: {up['en']} more, {down['en']} less")
    ]  # fmt: skip
    rows: Any = differences.head(_SHOWN).itertuples()
    for row in rows:
        then, now = ({lang: format_euros(int(c), lang) for lang in ("fr", "en")} for c in (row.then, row.now))
        found.append(Text(f"{row.demand}, {row.fund}, {row.year} : {then['fr']} → {now['fr']}",
                          f"{row.demand}, {row.fund}, {row.year}: {then['en']} → {now['en']}"))  # fmt: skip
    if len(differences) > _SHOWN:
        more = len(differences) - _SHOWN
        found.append(Text(f"et {more} autre(s)", f"and {more} more"))
    return found


def _why(saved: SavedPlan, scenario: Scenario, others: bool) -> list[Text]:
    """What helps to judge a difference: does the saved plan still hold, could another run differ at all."""
    found = []
    if saved.time_limit is not None:
        seconds = figure(saved.time_limit)
        found.append(Text(f"calcul limité à {seconds.fr} s : une machine plus lente trouve moins",
                          f"the solve was limited to {seconds.en} s: a slower machine finds less"))  # fmt: skip
    if others and len(saved.grants):
        broken = _broken(saved, scenario)
        found.append(
            Text("le plan enregistré tient toujours toutes les règles", "the saved plan still keeps every rule")
            if not broken
            else Text(
                f"le plan enregistré ne passe plus : {', '.join(broken)}", f"the saved plan fails: {', '.join(broken)}"
            )
        )
    return found


def _broken(saved: SavedPlan, scenario: Scenario) -> list[str]:
    """Names of the checks that the saved grants fail today."""
    try:
        known = read(saved, Space.of(scenario))
    except KeyError as error:
        return [str(error.args[0])]
    return [check.name for check in certify(known, None).checks if not check.ok]


def _differences(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """demand, fund, year, then, now: cents where these differ."""
    sums = [frame.groupby(_KEYS)["cents"].sum() if len(frame) else pd.Series(dtype="int64") for frame in (then, now)]
    both: dict[Any, list[int]] = {}
    for side, found in enumerate(sums):
        for key, cents in found.items():
            both.setdefault(key, [0, 0])[side] = int(cents)
    rows = [(*key, *cents) for key, cents in sorted(both.items()) if cents[0] != cents[1]]
    return pd.DataFrame(rows, columns=[*_KEYS, "then", "now"])


def _shown(value: Fraction | None, sign: int) -> Fraction | None:
    return None if value is None else value * sign


def _number(value: Fraction | None) -> Text:
    return Text("aucun", "none") if value is None else figure(float(value), 15)
