"""Un plafond pour l'Île-de-France dans France 2030 : ce qu'il prend à la région, et ce qu'il coûte en points.

    python examples/plafond_ile_de_france.py

La note constate 52 % et n'indique pas de plafond. On garde de propositions-2025 les projets industriels, France 2030 et ses
quatre règles ; la demande, dont 52 % en Île-de-France, et les points sont des hypothèses du scénario.

Affiche :

    Au plus 52 % : 42 % à l'Île-de-France, 0 € non attribués, 171 974 points (optimal)
    Au plus 40 % : 40 % à l'Île-de-France, 0 € non attribués, 171 907 points (optimal)
    Au plus 20 % : 20 % à l'Île-de-France, 600 025 000 € non attribués, 159 258 points (optimal)
    Ce qui limite le dernier plan : part-ile-de-france, part-hors-metropoles
"""

from __future__ import annotations

import allocator
from allocator.money import format_euros
from allocator.report.console import number

CAPS = ("52 %", "40 %", "20 %")
RULES = (
    "part-ile-de-france",
    "part-hors-metropoles",
    "plancher-regional-france-2030",
    "plafond-departemental-france-2030",
)


def industry() -> allocator.Scenario:
    """The industrial projects of propositions-2025, and the rules of the one fund that pays them."""
    whole = allocator.load("propositions-2025")
    return whole.with_(
        funds=[{"id": "france-2030", "amount": "15 Md€"}],
        demands=whole.demands[whole.demands["measure"] == "projet-industriel"],
        constraints=[rule for rule in whole.constraints if rule.id in RULES],
    )


def solved() -> dict[str, allocator.Plan]:
    """For each cap, the best plan."""
    scenario, cap = industry(), "constraints.part-ile-de-france.max"
    return {most: allocator.solve(allocator.changed(scenario, {cap: most})) for most in CAPS}


def main() -> None:
    for cap, plan in solved().items():
        totals = plan.summary()["totals"]
        share = 100 * totals["by_region"]["11"] / totals["granted"]
        print(f"Au plus {cap} : {share:.0f} % à l'Île-de-France, {format_euros(totals['left'])} non attribués, "
              f"{number(plan.objective, 0)} points ({plan.status})")  # fmt: skip
    print("Ce qui limite le dernier plan : " + ", ".join(plan.binding))


if __name__ == "__main__":
    main()
