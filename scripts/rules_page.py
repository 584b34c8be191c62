"""Every kind of rule for docs/fr/regles.md: what its class carries, and what its example changes in the small scenario.

python scripts/rules_page.py        (prints Markdown, in French)
"""

from __future__ import annotations

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


# What the docstrings say in English. Euros are those granted over the horizon, unless said otherwise.
FORMULAS = {
    "de_minimis": "Pour chaque bénéficiaire et toute période de `window` ans, de date à date : Σ équivalent-subvention brut sur `on` + aides "
    "antérieures (`prior_aid`) ≤ `amount`. Une subvention n'est datée que de son année : celle-ci compte dès qu'un de ses jours est dans la "
    "période. Un non-respect se compte en euros.",
    "ceiling": "Σ euros sur `on` ≤ `amount`, ou ≤ `per_inhabitant` × population, pour chaque valeur de `per`.",
    "floor": "Σ euros sur `on` ≥ `amount`, ou ≥ `per_inhabitant` × population, pour chaque valeur de `per`.",
    "share": "min × Σ euros sur `of` ≤ Σ euros sur `on` ≤ max × Σ euros sur `of`, pour chaque valeur de `per`. Rien sur `of` ne demande "
    "rien sur `on`.",
    "continuity": "Σ euros sur `on` ≥ (1 − `max_change`) × Σ euros de la référence, pour chaque valeur de `per`.",
    "contains": "Pour chaque dossier de `on` : unités accordées ≥ unités accordées par la référence, arrondies à l'entier supérieur où elles "
    "sont entières.",
    "equity": "max (euros / habitants) ≤ `max_ratio` × min (euros / habitants), ou max − min ≤ `max_gap`, entre les groupes de `per` qui ont "
    "des habitants et un dossier de `on` qui peut être payé.",
    "no_stacking": "Pour chaque dossier : nombre de fonds de `on` qui le paient ≤ `max_funds` ; ou, parmi les fonds de `incompatible`, ≤ 1.",
    "min_grant": "Pour chaque dossier et chaque fonds de `on` : euros = 0, ou euros ≥ `amount`.",
    "lock": "Pour chaque dossier de `on` : unités = toutes celles demandées (`fund`), = 0 (`refuse`), ou = `units`.",
    "requires": "Chaque année t, un dossier de `when` qui a déjà reçu quelque chose demande un dossier de `then`, de même valeur de `within`, qui a "
    "reçu quelque chose au plus tard l'année t − `lag`.",
    "exclusive": "Nombre de dossiers servis de `on` ≤ `at_most`, pour chaque valeur de `per` (ou en tout).",
    "count": "min ≤ Σ unités (ou nombre de dossiers servis) sur `on` ≤ max, pour chaque valeur de `per`.",
    "indicator": "min ≤ Σ poids × indicateur × unités sur `on` ≤ max, pour chaque valeur de `per`. Les poids (`weights`) valent 1 où rien n'est "
    "dit, et jusqu'à l'année `until` comprise.",
    "fund_rate": "Pour chaque dossier, chaque fonds de `on` et chaque année : équivalent-subvention brut ≤ `max_rate` × coût des unités de l'année, "
    "arrondi au centime supérieur. Un taux de 100 % ne limite rien, quel que soit le coût.",
    "cofunding": "Pour chaque dossier d'une collectivité : demandé + autres financements publics ≤ `max_public_rate` × (financements publics + "
    "part propre), ou × coût, selon `base`.",
    "overrun": "Σ euros sur `on` + les `at_once` plus grands dépassements ≤ `amount`, pour chaque valeur de `per` ; un dépassement est `rate` × ce "
    "que reçoit un dossier (ou un groupe, selon `by`). Bertsimas et Sim, *The Price of Robustness*, Operations Research 52 (2004).",
    "cvar": "Moyenne de ce que coûte vraiment le plan sur `on` dans la part `tail` des pires cas ≤ `amount`, pour chaque valeur de `per` ; les cas "
    "sont les facteurs de `draws`, aussi probables les uns que les autres. Rockafellar et Uryasev, *Optimization of Conditional Value-at-Risk*, "
    "Journal of Risk 2 (2000).",
    "regret": "Pour chaque avenir de `futures` : `best` − points du plan dans cet avenir ≤ `amount`. Savage, *The Theory of Statistical Decision*, "
    "Journal of the American Statistical Association 46 (1951).",
}  # fmt: skip


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
        f"**En formule.** {FORMULAS[name]}" if name in FORMULAS else "",
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
