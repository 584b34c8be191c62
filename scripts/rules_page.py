"""Every kind of rule for docs/fr/regles.md: what its class carries, and what its example changes in the small scenario.

python scripts/rules_page.py        (prints Markdown, in French)
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import cache
from typing import Any

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
        f"`{demand}` {format_euros(parse_cents(euros), 'fr')} de `{fund}` en {year}"
        for demand, fund, year, euros in grants
    )


def units(plan: Plan) -> dict[str, float]:
    """Units granted to each demand."""
    given = dict(zip(plan.units["demand"], plan.units["units"], strict=True))
    return {demand: float(given.get(demand, 0)) for demand in example.DEMANDS["id"]}


def funds(f: float, g: float) -> dict[str, Any]:
    """The small scenario's funds with these amounts: `f` over the horizon, `g` each year."""
    first, second = example.FUNDS
    return {"funds": [{**first, "amount": f}, {**second, "amounts": dict.fromkeys(example.YEARS, g)}]}


CHEAPEST = "si l'objectif est le moins d'euros"
SITUATIONS: dict[str, dict[str, Any]] = {  # in which an example's effect is looked for, in this order
    "dans ce scénario": {},
    CHEAPEST: {"objective": {"minimise": "euros"}},
    "si `f` n'a que 50 € et `g` 300 € par an": funds(50, 300),
    "si `f` n'a que 100 € et `g` 10 € par an": funds(100, 10),
    "si `f` n'a que 30 € et `g` 40 € par an": funds(30, 40),
}


@cache
def without(situation: str) -> Plan:
    """The plan without any rule."""
    return allocator.solve(example_scenario(**SITUATIONS[situation]), gap=0)


def effect(kind: type[Constraint]) -> str:
    """What the example's rule changes, in the first situation where it changes anything."""
    rule = {"kind": kind.model_fields["kind"].default, **kind.example.fields}
    for situation, parts in SITUATIONS.items():
        free, held = without(situation), allocator.solve(example_scenario(rule, **parts), gap=0)
        if held.objective is not None and held.objective != free.objective:
            break
    else:
        tried = " ; ".join(SITUATIONS)
        return f"**Effet.** Aucun dans les situations essayées ({tried}) : un plan qui la tient y vaut autant que le meilleur sans elle."
    before, after = units(free), units(held)
    changed = [
        (f"`{d}`", number(before[d], 2), number(after[d], 2)) for d in before if abs(before[d] - after[d]) > 5e-3
    ]
    unit = "€" if situation == CHEAPEST else "emplois"
    values = f"{number(abs(free.objective or 0), 2)} {unit} sans la règle, {number(held.objective, 2)} {unit} avec elle"
    return f"**Effet**, {situation} : {values}. Ce qui change :\n\n{table(changed, 'dossier', 'unités sans', 'unités avec')}"


def section(kind: type[Constraint]) -> str:
    """One kind."""
    name = kind.model_fields["kind"].default
    rule = yaml.safe_dump(
        [{"kind": name, **kind.example.fields}], allow_unicode=True, sort_keys=False, default_flow_style=None
    )
    said = ", ".join(f"`{field}`" + ("" if needed else " (facultatif)") for field, needed in fields(kind).items())
    parts = [
        f"## {kind.title.fr} (`{name}`)",
        f"{kind.says.fr[0].upper()}{kind.says.fr[1:]}.",
        f"**D'où elle vient.** {kind.law.fr[0].upper()}{kind.law.fr[1:]}.",
        f"**Ce qu'elle ne couvre pas.** {kind.not_covered.fr[0].upper()}{kind.not_covered.fr[1:]}."
        if kind.not_covered
        else "",
        f"**Champs.** {said}.",
        "**En formule**, telle que l'écrit la classe, en anglais :\n\n"
        + f"```text\n{inspect.cleandoc(kind.__doc__ or '')}\n```",
        f"**Exemple.**\n\n```yaml\n{rule}```",
        f"Tenue par : {paid(kind.example.keeps)}.\n\nRompue par : {paid(kind.example.breaks)}.",
        effect(kind),
    ]
    return "\n\n".join(part for part in parts if part)


def main() -> None:
    frame = pd.DataFrame(example.DEMANDS)
    print(f"{len(KINDS)} sortes de règles. Toutes portent sur ce petit scénario, inventé : trois territoires, deux années "
          f"({example.YEARS[0]} et {example.YEARS[-1]}), deux fonds et ces dossiers ; l'objectif est le plus d'emplois. Le fonds `f` a 1 000 €, `g` 100 € puis 200 €, avec report de l'un à l'autre.\n")  # fmt: skip
    print(table(frame.to_numpy().tolist(), *(str(column) for column in frame.columns)) + "\n")
    places = pd.DataFrame(example.TERRITORIES)
    print(table(places.to_numpy().tolist(), *(str(column) for column in places.columns)) + "\n")
    print("\n\n".join(section(kind) for kind in KINDS.values()))


if __name__ == "__main__":
    main()
