"""Every kind of rule for docs/fr/regles.md: what its class carries, and what its example changes in the small scenario.

    python scripts/rules_page.py        (prints Markdown, in French)
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable

import pandas as pd
import yaml

import allocator
from allocator.constraints import KINDS, Constraint, Paid
from allocator.kinds import example
from allocator.money import format_euros, parse_cents
from allocator.plan import Plan
from allocator.report.console import number
from allocator.report.kinds import example_scenario, fields


def table(rows: Iterable[Iterable[object]], *headers: str) -> str:
    """Markdown."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def paid(grants: Iterable[Paid]) -> str:
    """`a-ecole` 100 € de `f` en 2026, …"""
    return ", ".join(
        f"`{demand}` {format_euros(parse_cents(euros), 'fr')} de `{fund}` en {year}" for demand, fund, year, euros in grants
    )


def units(plan: Plan) -> dict[str, float]:
    """Units granted to each demand."""
    given = dict(zip(plan.units["demand"], plan.units["units"], strict=True))
    return {demand: float(given.get(demand, 0)) for demand in example.DEMANDS["id"]}


def effect(kind: type[Constraint], without: Plan) -> str:
    """The example's rule imposed on the small scenario, against the plan without it."""
    plan = allocator.solve(example_scenario({"kind": kind.model_fields["kind"].default, **kind.example.fields}), gap=0)
    if plan.objective is None or without.objective is None:
        return f"**Effet.** Avec cette règle, aucun plan n'est possible.\n\n{plan.conflict.text() if plan.conflict else ''}"
    if plan.objective == without.objective:
        return "**Effet.** Le meilleur plan sans la règle la tient déjà, ou un autre plan a autant de points : elle ne coûte rien ici."
    before, after = units(without), units(plan)
    changed = [(f"`{d}`", number(before[d], 2), number(after[d], 2)) for d in before if abs(before[d] - after[d]) > 5e-3]
    lost = f"**Effet.** {number(without.objective, 2)} points sans la règle, {number(plan.objective, 2)} avec elle"
    return f"{lost}. Ce qui change :\n\n{table(changed, 'dossier', 'unités sans', 'unités avec')}"


def section(kind: type[Constraint], without: Plan) -> str:
    """One kind."""
    name = kind.model_fields["kind"].default
    rule = yaml.safe_dump([{"kind": name, **kind.example.fields}], allow_unicode=True, sort_keys=False, default_flow_style=None)
    said = ", ".join(f"`{field}`" + ("" if needed else " (facultatif)") for field, needed in fields(kind).items())
    parts = [
        f"## {kind.title.fr} (`{name}`)",
        f"{kind.says.fr[0].upper()}{kind.says.fr[1:]}.",
        f"**D'où elle vient.** {kind.law.fr[0].upper()}{kind.law.fr[1:]}.",
        f"**Ce qu'elle ne couvre pas.** {kind.not_covered.fr[0].upper()}{kind.not_covered.fr[1:]}." if kind.not_covered else "",
        f"**Champs.** {said}.",
        "**En formule**, telle que l'écrit la classe, en anglais :\n\n" + f"```text\n{inspect.cleandoc(kind.__doc__ or '')}\n```",
        f"**Exemple.**\n\n```yaml\n{rule}```",
        f"Tenue par : {paid(kind.example.keeps)}.\n\nRompue par : {paid(kind.example.breaks)}.",
        effect(kind, without),
    ]
    return "\n\n".join(part for part in parts if part)


def main() -> None:
    without = allocator.solve(example_scenario(), gap=0)
    funds = "\n".join(f"* `{fund.id}` : {yaml.safe_dump(given, default_flow_style=True, allow_unicode=True, width=999).strip()}"
                      for fund, given in zip(without.scenario.funds, example.FUNDS, strict=True))  # fmt: skip
    frame = pd.DataFrame(example.DEMANDS)
    print(f"{len(KINDS)} sortes de règles. Toutes portent sur ce petit scénario, inventé : trois territoires, deux années "
          f"({example.YEARS[0]} et {example.YEARS[-1]}), deux fonds et ces dossiers ; l'objectif est le plus d'emplois.\n")  # fmt: skip
    print(funds + "\n")
    print(table(frame.to_numpy().tolist(), *(str(column) for column in frame.columns)) + "\n")
    places = pd.DataFrame(example.TERRITORIES)
    print(table(places.to_numpy().tolist(), *(str(column) for column in places.columns)) + "\n")
    print("\n\n".join(section(kind, without) for kind in KINDS.values()))


if __name__ == "__main__":
    main()
