"""Why no plan can exist: the named rules that cannot hold together."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from allocator.bound import Proof
from allocator.engines.base import Reason
from allocator.money import format_euros
from allocator.settle import Relaxed
from allocator.space import Row, Rule, Space
from allocator.texts import Text
from allocator.tree import elastic_program


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
    """A conflict that single demands show: decided in and out, or decided in with nobody to pay, or beyond what is asked."""
    low, high = space.boxes
    for i in np.flatnonzero(low > high):
        name = str(space.scenario.demands["id"].iat[int(i)])
        parties = []
        for rule, box in space.boxed:
            for at in np.flatnonzero(box.demands == i):
                parties.append(Party(rule, name, _steps_text(space, int(i), int(box.lower[at]), int(box.upper[at]))))
        if not space.payable[i]:
            note = Text("aucun fonds ne peut payer ce dossier", "no fund may pay this demand")
            parties = [
                Party(p.rule, p.group, Text(f"{p.asks.fr} ; {note.fr}", f"{p.asks.en}; {note.en}")) for p in parties
            ]
        return Conflict(tuple(parties), minimal=True)
    return None


def conflict(relaxed: Relaxed) -> Conflict | None:
    """Rows and decided demands that cannot hold together even with parts of units; None when they can.

    A deletion filter over rows with a Farkas multiplier, then over the rules that box demands.
    """
    compiled = relaxed.compiled
    space, program = compiled.space, compiled.program
    count = len(space.rows)

    def broken(rows: np.ndarray, boxed: set[str]) -> np.ndarray | None:
        """Rows with a multiplier when these rows and boxes cannot hold together."""
        lower, upper = _column_bounds(relaxed, boxed)
        outcome = relaxed.engine.solve(elastic_program(compiled, lower, upper, rows))
        if outcome.reason is Reason.INFEASIBLE:
            return np.zeros(count, bool)
        if outcome.reason is not Reason.OPTIMAL or outcome.duals is None or (outcome.objective or 0.0) > -1e-7:
            return None
        return np.abs(outcome.duals[:count]) > 1e-9

    boxes = {rule.id for rule, _ in space.boxed}
    rows = np.array([rule.soft is None for rule, _ in space.rows], bool)
    support = broken(rows, boxes)
    if support is None:
        return None
    rows &= support
    minimal = int(rows.sum()) <= 60 and len(boxes) <= 60
    if minimal:
        for r in np.flatnonzero(rows):
            rows[r] = False
            if broken(rows, boxes) is None:
                rows[r] = True
        for name in sorted(boxes):
            if broken(rows, boxes - {name}) is not None:
                boxes = boxes - {name}
    else:
        touched = np.flatnonzero(np.abs(program.matrix[np.flatnonzero(rows)]).sum(axis=0))
        demands = {d for d, c in enumerate(compiled.unit_column[:, 0]) if c in set(touched)}
        boxes = {rule.id for rule, box in space.boxed if demands & set(box.demands.tolist())}
    parties = [Party(rule, row.group, _row_text(row, rule)) for k, (rule, row) in enumerate(space.rows) if rows[k]]
    for rule, box in space.boxed:
        if rule.id in boxes:
            names = space.scenario.demands["id"].iloc[box.demands].tolist()
            shown = ", ".join(map(str, names[:5])) + (" …" if len(names) > 5 else "")
            parties.append(Party(rule, shown, Text("décidé d'avance", "decided already")))
    return Conflict(tuple(parties), minimal)


def _column_bounds(relaxed: Relaxed, boxed: set[str]) -> tuple[np.ndarray, np.ndarray]:
    """Column bounds under these boxes alone."""
    compiled = relaxed.compiled
    space, program = compiled.space, compiled.program
    if boxed == {rule.id for rule, _ in space.boxed}:
        return program.lower, program.upper
    low, high = np.zeros(space.n, np.int64), np.where(space.payable, space.most, 0)
    for rule, box in space.boxed:
        if rule.id in boxed:
            np.maximum.at(low, box.demands, box.lower)
            np.minimum.at(high, box.demands, box.upper)
    lower, upper = program.lower.copy(), program.upper.copy()
    demand, year = np.nonzero(compiled.unit_column >= 0)
    column = compiled.unit_column[demand, year]
    steps = compiled.column_steps[column]
    lower[column] = np.where(compiled.by_year[demand], 0, low[demand]) / steps
    upper[column] = high[demand] / steps
    served = np.flatnonzero(compiled.served_column >= 0)
    lower[compiled.served_column[served]] = low[served] > 0
    return lower, upper


def _row_text(row: Row, rule: Rule) -> Text:
    money = any(term.of == "cents" for term in row.terms)

    def shown(value: Any, lang: str) -> str:
        exact = Fraction(value) / row.scale
        return format_euros(int(exact * 100), lang) if money else f"{float(exact):g}"

    sides = []
    if row.lower is not None and (not money or row.lower or rule.kind != "share"):
        sides.append(Text(f"au moins {shown(row.lower, 'fr')}", f"at least {shown(row.lower, 'en')}"))
    if row.upper is not None and (not money or row.upper or rule.kind != "share"):
        sides.append(Text(f"au plus {shown(row.upper, 'fr')}", f"at most {shown(row.upper, 'en')}"))
    if rule.kind == "share":
        bound = rule.min if row.lower is not None else rule.max  # type: ignore[attr-defined]
        word = ("au moins", "at least") if row.lower is not None else ("au plus", "at most")
        sides = [Text(f"{word[0]} {float(bound):.4g}", f"{word[1]} {float(bound):.4g}")]
    return Text(" ; ".join(s.fr for s in sides), "; ".join(s.en for s in sides))


def _steps_text(space: Space, i: int, low: int, high: int) -> Text:
    per_unit = int(space.asked[i] // space.step[i])
    least, most = low / per_unit, high / per_unit
    if low == high:
        return Text(f"exactement {least:g} unité(s)", f"exactly {least:g} unit(s)")
    return Text(f"de {least:g} à {most:g} unités", f"{least:g} to {most:g} units")


def farkas_proof(relaxed: Relaxed) -> Proof | None:
    """Multipliers that show that no plan exists, parts of units allowed."""
    from allocator.tree import farkas_multipliers

    program = relaxed.compiled.program
    found = farkas_multipliers(relaxed, program.lower, program.upper)
    return None if found is None else Proof(found, farkas=True)
