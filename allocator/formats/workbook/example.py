"""A small scenario to start from: invented places and round figures, marked as such."""

from __future__ import annotations

import pandas as pd

from allocator.scenario import Scenario
from allocator.texts import Text

SOURCE = Text("exemple à remplacer", "example, to be replaced")


def example() -> Scenario:
    """Two funds, two measures, four demands and a few rules, in the current language; every figure is an example."""
    source = str(SOURCE)
    return Scenario(
        name=str(Text("exemple", "example")),
        label=str(Text("Exemple à remplacer", "Example, to be replaced")),
        years=[2026, 2027],
        funds=[
            {"id": "friches", "label": str(Text("Fonds friches", "Brownfield fund")), "amount": "3 M€",
             "max_rate": "0.5", "on": {"measures": "friche"}, "source": source, "hypothesis": True},
            {"id": "region", "label": str(Text("Dotation régionale", "Regional grant")),
             "amounts": {2026: "400 k€", 2027: "400 k€"}, "carry_over": True, "source": source, "hypothesis": True},
        ],
        measures=[
            {"id": "friche", "label": str(Text("Recyclage de friches", "Brownfield recycling")), "unit": "ha",
             "payment_profile": [0.3, 0.7], "source": source, "hypothesis": True},
            {"id": "ecole", "label": str(Text("École de production", "Vocational school")),
             "unit": str(Text("école", "school")), "lumpy": True, "source": source, "hypothesis": True},
        ],
        territories=pd.DataFrame({
            "id": ["t1", "t2"], "name": [str(Text("Exemple-Vallée", "Example Valley")),
                                         str(Text("Exemple-Littoral", "Example Coast"))],
            "region": [str(Text("Nord", "North")), str(Text("Sud", "South"))], "departement": ["A", "B"],
            "population": [42000, 91000],
        }),
        demands=pd.DataFrame({
            "id": ["d1", "d2", "d3", "d4"], "territory": ["t1", "t2", "t1", "t2"],
            "measure": ["friche", "friche", "ecole", "ecole"], "units": [4, 5, 1, 1],
            "asked": [500_000, 500_000, 300_000, 300_000], "cost": [1_100_000, 1_050_000, 900_000, 900_000],
            "beneficiary": ["commune A", "commune B", "association C", "association D"],
            "emplois": [12, 9, 15, 11], "hectares": [1, 1, 0, 0],
        }),
        constraints=[
            {"kind": "floor", "id": "plancher-sud", "label": str(Text("Au moins 800 k€ au sud", "At least €800k in the south")),
             "on": {"where": {"region": str(Text("Sud", "South"))}}, "amount": "800 k€", "source": source},
            {"kind": "count", "id": "une-ecole", "label": str(Text("Une école au plus", "One school at most")),
             "on": {"measures": "ecole"}, "max": 1, "source": source},
            {"kind": "share", "id": "part-nord", "label": str(Text("Au plus 60 % à un territoire", "At most 60 % to one territory")),
             "on": {"territories": "t1"}, "max": "0.6", "source": source},
        ],
        objective={"maximise": {"emplois": 1, "hectares": "0.1"}},
        labels={"emplois": str(Text("emplois créés", "jobs created")), "hectares": str(Text("hectares recyclés", "hectares recycled"))},
        prior_aid=pd.DataFrame({"beneficiary": ["association C"], "date": ["2025-06-30"], "cents": [5_000_000]}),
    )  # fmt: skip
