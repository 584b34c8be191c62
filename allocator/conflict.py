"""Why no plan can exist: the named rules that cannot hold together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from allocator.engines import heard
from allocator.engines.base import Reason
from allocator.program import compile
from allocator.relaxed import Relaxed
from allocator.space import Box, Row, Rule, Space
from allocator.texts import Text, figure
from allocator.tree import elastic_program

MOST_TRIED = 60  # rows and deciding rules, beyond which a conflict is not made smallest


@dataclass(frozen=True)
class Party:
    """One rule of a conflict, for one value of its `per`, and what it asks for."""

    rule: Rule
    group: str
    asks: Text

    def as_dict(self) -> dict[str, Any]:
        rule = self.rule
        return {
            "kind": rule.kind,
            "id": rule.id,
            "label": rule.label or rule.id,
            "group": self.group,
            "asks": str(self.asks),
        }

    def text(self) -> Text:
        rule = self.rule
        name = f"{rule.label or rule.id}" + (f" ({self.group})" if self.group else "")
        return Text(f"{rule.title.fr} « {name} » : {self.asks.fr}", f"{rule.title.en} “{name}”: {self.asks.en}")


@dataclass(frozen=True)
class Conflict:
    """Rules that cannot hold together; without any one of them the others can, where `minimal`."""

    parties: tuple[Party, ...]
    minimal: bool

    def text(self) -> Text:
        lines = [party.text() for party in self.parties]
        if len(lines) == 1:
            return Text(
                f"Cette règle ne peut pas tenir :\n  - {lines[0].fr}", f"This rule cannot hold:\n  - {lines[0].en}"
            )
        return Text(
            "Ces règles ne peuvent pas tenir ensemble :\n" + "\n".join(f"  - {line.fr}" for line in lines),
            "These rules cannot hold together:\n" + "\n".join(f"  - {line.en}" for line in lines),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "rules": [p.as_dict() for p in self.parties],
            "minimal": self.minimal,
            "text": str(self.text()),
        }


def contradiction(space: Space) -> Conflict | None:
    """A conflict that one demand shows: decided in and out, decided in with nobody to pay, or beyond what is asked."""
    low, high = space.boxes
    for i in np.flatnonzero(low > high):
        name = str(space.scenario.demands["id"].iat[int(i)])
        parties = []
        for rule, box in space.boxed:
            for at in np.flatnonzero(box.demands == i):
                parties.append(Party(rule, name, _steps_text(space, int(i), int(box.lower[at]), int(box.upper[at]))))
        note = _limits(space, int(i), [box for _, box in space.boxed if i in box.demands])
        if note is not None:
            parties = [
                Party(p.rule, p.group, Text(f"{p.asks.fr} ; {note.fr}", f"{p.asks.en}; {note.en}")) for p in parties
            ]
        return Conflict(tuple(parties), minimal=True)
    return None


def _limits(space: Space, i: int, boxes: list[Box]) -> Text | None:
    """What the demand itself allows, where that is what decisions run against."""
    asked = int(space.asked[i] // space.step[i])
    wanted = max(int(box.lower[box.demands == i].max()) for box in boxes)
    if not space.payable[i]:
        return Text("aucun fonds ne peut payer ce dossier", "no fund may pay this demand")
    if wanted > space.most[i]:
        most = figure(space.most[i] / asked, 6)
        return Text(f"le dossier demande {most.fr} unité(s)", f"the demand asks for {most.en} unit(s)")
    if 0 < wanted < space.least[i]:
        least = figure(space.least[i] / asked, 6)
        return Text(
            f"le dossier prend au moins {least.fr} unité(s), ou rien",
            f"the demand takes {least.en} unit(s), or nothing",
        )
    return None


def conflict(relaxed: Relaxed) -> Conflict | None:
    """Rows and decided demands that cannot hold together even with parts of units; None when they can.

    A deletion filter over the rows with a Farkas multiplier, then over the rules that decide single demands.
    """
    space = relaxed.compiled.space
    rows = np.array([price is None for price in space.prices], bool)
    found = _misses(relaxed, rows)
    if found is None:
        return None
    rows &= found[0]
    deciding = list({rule.id: rule for rule, _ in space.boxed}.values())
    named = [rule.id for rule, _ in space.rows]
    involved = list(dict.fromkeys(name for name, mine in zip(named, rows, strict=True) if mine))
    for name in involved if len(involved) <= MOST_TRIED else ():
        fewer = rows & np.array([other != name for other in named], bool)
        if _misses(relaxed, fewer) is not None:
            rows = fewer
    minimal = int(rows.sum()) + len(deciding) <= MOST_TRIED
    if minimal:
        for r in np.flatnonzero(rows):
            rows[r] = False
            if _misses(relaxed, rows) is None:
                rows[r] = True
        for rule in list(deciding):
            kept = [c for c in relaxed.compiled.space.scenario.constraints if c.id != rule.id]
            without = Relaxed(compile(Space.of(space.scenario.with_(constraints=kept))), relaxed.engine)
            names = _names(relaxed.compiled.space)
            chosen = {name for name, mine in zip(names, rows, strict=True) if mine}
            fewer = np.array([name in chosen for name in _names(without.compiled.space)], bool)
            if _misses(without, fewer) is not None:
                relaxed, rows = without, fewer
                deciding.remove(rule)
    space = relaxed.compiled.space
    told = [(rule, row) for k, (rule, row) in enumerate(space.rows) if rows[k] and rule.kind != "objective"]
    said = {rule.id for rule, row in told if not row.defines}
    parties = [
        Party(rule, row.group, Text("", "") if row.defines else rule.side_text(row))
        for rule, row in told
        if not row.defines or rule.id not in said
    ]
    if len(parties) == 1 and not deciding:
        parties = [_alone(relaxed, int(np.flatnonzero(rows)[0]), parties[0])]
    still = {rule.id for rule in deciding}
    parties += [_decided(space, rule, box) for rule, box in space.boxed if rule.id in still]
    return Conflict(tuple(parties), minimal)


def _names(space: Space) -> list[tuple[str, int]]:
    """Each row's rule and its rank within it: what a row is called whatever other rules there are."""
    seen: dict[str, int] = {}
    names = []
    for rule, _ in space.rows:
        seen[rule.id] = rank = seen.get(rule.id, -1) + 1
        names.append((rule.id, rank))
    return names


def against_decisions(space: Space, rule: Rule, row: Row) -> Conflict:
    """A row beside everything that is decided already."""
    parties = [Party(rule, row.group, rule.side_text(row))]
    parties += [_decided(space, other, box) for other, box in space.boxed]
    return Conflict(tuple(parties), minimal=False)


def _decided(space: Space, rule: Rule, box: Box) -> Party:
    names = space.scenario.demands["id"].iloc[box.demands].tolist()
    shown = ", ".join(map(str, names[:5])) + (" …" if len(names) > 5 else "")
    return Party(rule, shown, Text("décidé d'avance", "decided already"))


def _misses(relaxed: Relaxed, rows: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Which of `rows` (scenario's rows,) bool have a multiplier, and the least miss, when they cannot all hold."""
    compiled = relaxed.compiled
    program = compiled.program
    elastic = elastic_program(compiled, program.lower, program.upper, rows)
    outcome = heard(lambda: relaxed.engine.solve(elastic), elastic.columns, elastic.rows)
    if outcome.reason is Reason.INFEASIBLE:
        return np.zeros(len(rows), bool), 0.0
    if outcome.reason is not Reason.OPTIMAL or outcome.duals is None or (outcome.objective or 0.0) > -1e-7:
        return None
    return np.abs(outcome.duals[: len(rows)]) > 1e-9, -(outcome.objective or 0.0)


def _alone(relaxed: Relaxed, row: int, party: Party) -> Party:
    """A rule that nothing but its own candidates stands against: how far it can be kept."""
    compiled = relaxed.compiled
    only = np.zeros(len(compiled.row_scale), bool)
    only[row] = True
    found = _misses(relaxed, only)
    rule, said = compiled.space.rows[row]
    if found is None or said.lower is None:
        return party
    reached = replace(said, lower=None, upper=said.lower - round(found[1] / compiled.row_scale[row]))
    most = rule.side_text(reached)
    return replace(
        party,
        asks=Text(f"{party.asks.fr} ; possible : {most.fr}", f"{party.asks.en}; possible: {most.en}"),
    )


def _steps_text(space: Space, i: int, low: int, high: int) -> Text:
    per_unit = int(space.asked[i] // space.step[i])
    least, most = figure(low / per_unit, 6), figure(high / per_unit, 6)
    if low == high:
        return Text(f"exactement {least.fr} unité(s)", f"exactly {least.en} unit(s)")
    return Text(f"de {least.fr} à {most.fr} unités", f"{least.en} to {most.en} units")
