"""Le fonds Territoires d'industrie ramené de 100 à 65 M€ par an : ce que l'on perd, et qui le perd.

    python examples/coupe_ti.py

Les deux montants sont ceux entre lesquels la note hésite. Tout le reste est celui de propositions-2025 ; les emplois y sont
des hypothèses.

Affiche :

    Payé par le fonds, 100 M€ par an : 299 400 000 € (optimal)
    Payé par le fonds, 65 M€ par an : 195 000 000 € (optimal)
    Projets d'entreprises en territoire d'industrie : -191
    Petites actions, fonctionnement : -16
    Petites actions, investissement : -25
    Suites d'un diagnostic : -16
    Emplois : -2100
"""

from __future__ import annotations

import allocator
from allocator.money import format_euros

FUND = "territoires-industrie"


def solved() -> allocator.Comparison:
    """The plan with 100 M€ a year, and with 65."""
    before = allocator.load("propositions-2025")
    cut = allocator.changed(before, {f"funds.{FUND}.amounts": dict.fromkeys(before.years, "65 M€")})
    return allocator.compare(map(allocator.solve, (before, cut)), names=["100 M€", "65 M€"])


def main() -> None:
    both = solved()
    funds = both.by("fund").set_index("key").loc[FUND]
    for name, plan in zip(both.names, both.plans, strict=True):
        print(f"Payé par le fonds, {name} par an : {format_euros(funds[name])} ({plan.status})")
    for row in both.units.itertuples():
        if round(row[-1]):
            print(f"{row.label} : {row[-1]:+.0f}")
    jobs = both.indicators.set_index("key").loc["emplois", "Δ 65 M€"]
    print(f"Emplois : {jobs:+.0f}")


if __name__ == "__main__":
    main()
