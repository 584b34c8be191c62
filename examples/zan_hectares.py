"""Zéro artificialisation nette : ce que coûtent 22 000 hectares pour l'industrie, selon les sols nouveaux que l'on s'autorise.

    python examples/zan_hectares.py

Le scénario hectares-2030 fixe une cible par sorte de terrain ; ici une seule cible, 22 000 ha en tout, et un plafond de
sols nouveaux que l'on abaisse. Prix et surfaces sont ceux du scénario, en partie des hypothèses : elles y sont marquées.

Affiche :

     8500 ha nouveaux au plus : 5 767 509 850 € (optimal)
          Friches sans pollution 6000 ha, Friches polluées 1500 ha, Zones densifiées 6000 ha, Terrains nouveaux 8500 ha
     4250 ha nouveaux au plus : 8 508 759 850,01 € (optimal)
          Friches sans pollution 6000 ha, Friches polluées 5750 ha, Zones densifiées 6000 ha, Terrains nouveaux 4250 ha
        0 ha nouveaux au plus : 11 250 009 850,01 € (optimal)
          Friches sans pollution 6000 ha, Friches polluées 10000 ha, Zones densifiées 6000 ha, Terrains nouveaux 0 ha
"""

from __future__ import annotations

import allocator
from allocator.money import format_euros

CAPS = (8500, 4250, 0)  # hectares of new land: what the source counts on, half of it, none
TARGET = {"kind": "indicator", "id": "hectares", "indicator": "hectares", "min": 22_000}


def solved() -> dict[int, allocator.Plan]:
    """For each cap on new land, in hectares, the plan that costs the fewest euros."""
    scenario = allocator.load("hectares-2030")
    by_region = [rule for rule in scenario.constraints if rule.id == "zan-par-region"]
    plans = {}
    for cap in CAPS:
        zan = {"kind": "indicator", "id": "zan", "indicator": "hectares_neuf", "max": cap}
        plans[cap] = allocator.solve(scenario.with_(constraints=[*by_region, TARGET, zan]))
    return plans


def main() -> None:
    for cap, plan in solved().items():
        summary = plan.summary()
        kinds = {m.label: summary["units"].get(m.id, 0) for m in plan.scenario.measures}
        print(f"{cap:>5} ha nouveaux au plus : {format_euros(summary['totals']['granted'])} ({plan.status})")
        print("      " + ", ".join(f"{label} {units:.0f} ha" for label, units in kinds.items()))


if __name__ == "__main__":
    main()
