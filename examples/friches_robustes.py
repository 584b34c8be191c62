"""Friches, quand les prix sont incertains : ce que coûte en hectares un fonds qui suffit encore si des prix triplent.

    python examples/friches_robustes.py

Les friches de propositions-2025 dans les Hauts-de-France, et un fonds de la moitié de ce qu'elles demandent, comme en
France. Dans incertitudes.yaml, le prix triple dans une intercommunalité sur vingt : une hypothèse. On réserve de quoi
payer les plus grosses de ces surprises, tant à la fois.

Affiche :

    Surprises à la fois : 0 ; 176 ha (optimal), fonds trop petit dans 44 % des tirages
    Surprises à la fois : 2 ; 166 ha (optimal), fonds trop petit dans 24 % des tirages
    Surprises à la fois : 5 ; 154 ha (optimal), fonds trop petit dans 5 % des tirages
"""

from __future__ import annotations

from importlib.resources import files

import allocator
from allocator.risk.uncertainty import load as uncertainty

BESIDE = files("allocator") / "data/scenarios/propositions-2025/incertitudes.yaml"
REGION = "32"
AT_ONCE = (0, 2, 5)


def brownfields() -> allocator.Scenario:
    """A region's brownfields, the fund that pays half of them, the most hectares."""
    whole = allocator.load("propositions-2025")
    here = whole.territories["id"][whole.territories["region"] == REGION]
    mine = whole.demands[(whole.demands["measure"] == "friche") & whole.demands["territory"].isin(here)]
    asked = (mine["asked"] * mine["units"]).sum()
    return whole.with_(
        funds=[{"id": "friches", "amount": round(asked / 2)}],
        demands=mine,
        constraints=[],
        objective={"maximise": {"hectares": 1}},
    )


def solved() -> dict[int, allocator.Plan]:
    """For each number, the plan whose fund still suffices when the prices of so many places triple."""
    scenario = brownfields()
    room = {"kind": "overrun", "id": "marge", "amount": scenario.funds[0].amount // 100,
            "overruns": [{"by": "territory", "rate": 2}]}  # dearer by twice what was planned  # fmt: skip
    return {n: allocator.solve(scenario.with_(constraints=[room | {"at_once": n}])) for n in AT_ONCE}


def main() -> None:
    for at_once, plan in solved().items():
        prices = uncertainty(str(BESIDE), plan.scenario)
        short = allocator.assess(plan, prices, samples=2000, seed=1).funds["probability"][0]
        print(f"Surprises à la fois : {at_once} ; {plan.objective:.0f} ha ({plan.status}), "
              f"fonds trop petit dans {100 * short:.0f} % des tirages")  # fmt: skip


if __name__ == "__main__":
    main()
