"""Euros per inhabitant: by kind of EPCI, by how many people live there; how unequal it is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from allocator.texts import Text
from ui.tables import Cell, table
from ui.texts import NOTHING, each, euros, number, plain_number
from ui.view import View

KINDS = {
    "CC": Text("communautés de communes", "communautés de communes"),
    "CA": Text("communautés d'agglomération", "communautés d'agglomération"),
    "CU": Text("communautés urbaines", "communautés urbaines"),
    "METRO": Text("métropoles", "métropoles"),
    "MET69": Text("métropole de Lyon", "métropole de Lyon"),
}
BANDS = (0, 15_000, 30_000, 50_000, 100_000, 250_000)  # inhabitants, from


def draw(view: View) -> None:
    places = view.territories
    if "kind" in places:
        told = {kind: str(text)[:1].upper() + str(text)[1:] for kind, text in KINDS.items()}
        groups = places["kind"].astype(str).map(lambda kind: told.get(kind, kind))
        order = [name for name in told.values() if (groups == name).any()]
        order += sorted(set(groups) - set(order))
        _by(view, groups, order, str(Text("Par nature d'EPCI", "By kind of EPCI")))
    at = np.searchsorted(BANDS, places["population"].to_numpy(np.int64), side="right") - 1
    names = [_band(k) for k in range(len(BANDS))]
    groups = pd.Series([names[k] for k in at], index=places.index)
    _by(view, groups, [name for name in names if (groups == name).any()], str(Text("Par taille", "By size")))
    _inequality(view)


def _band(k: int) -> str:
    low = number(BANDS[k])
    if k == 0:
        high = number(BANDS[1])
        return str(Text(f"Moins de {high} habitants", f"Fewer than {high} inhabitants"))
    if k == len(BANDS) - 1:
        return str(Text(f"{low} habitants et plus", f"{low} inhabitants and more"))
    high = number(BANDS[k + 1])
    return str(Text(f"De {low} à {high}", f"{low} to {high}"))


def _by(view: View, groups: pd.Series, order: list[str], title: str) -> None:
    """A row a group: how many places, and for each plan euros per inhabitant with the sum beside."""
    found = view.comparison.by("territory").set_index("key")
    group = pd.Series(groups.to_numpy(), index=view.territories["id"])
    people = view.territories.set_index("id")["population"].groupby(group).sum()
    count = group.value_counts()
    rows: list[list[Cell]] = []
    for name in order:
        inside = found.index.map(group.get) == name
        cents = [int(found.loc[inside, plan].sum()) for plan in view.names]
        per = [(each(one, int(people[name])), euros(one, True)) if one else NOTHING for one in cents]
        rows.append([name, number(int(count[name])), *per])
    head = [title, str(Text("EPCI", "EPCI")), *(view.label(plan) for plan in view.names)]
    table(title + str(Text(" : euros par habitant", ": euros per inhabitant")), head, rows)


def _inequality(view: View) -> None:
    found = view.comparison.inequality
    found = found[found["per"] == "region"] if "per" in found else found
    rows: list[list[Cell]] = [
        [view.label(row["plan"]), plain_number(f"{row['gini']:.3f}"), number(row["least"], 2), number(row["most"], 2)]
        for row in found.to_dict("records")
    ]
    head = [
        Text("Plan", "Plan"), Text("Indice de Gini", "Gini index"),
        Text("Région la moins dotée (€/hab.)", "Worst-off région (€/inh.)"),
        Text("Région la mieux dotée (€/hab.)", "Best-off région (€/inh.)"),
    ]  # fmt: skip
    caption = Text("Inégalité entre régions (Gini : 0, tous autant)", "Inequality between régions (Gini: 0, all alike)")
    table(str(caption), [str(text) for text in head], rows)
