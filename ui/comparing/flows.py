"""From funds through measures to régions: the money of one plan as bands, and the same figures as a table."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from allocator.plan import Plan
from allocator.texts import Text
from ui.charts import FEW, ink
from ui.tables import Cell, table
from ui.texts import NOTHING, euros
from ui.view import View

STAGES = ("fund", "measure", "region")
MOST = 8  # names a stage; the others together
OTHERS = Text("autres", "others")
SAMPLES = 14  # points of a band's edge
WIDE, GAP = 0.03, 0.012  # of the width: a stage; of the height: between two names
BAND, NAME = FEW[2], FEW[4]


def draw(view: View) -> None:
    name = view.which("which-flows")
    plan = view.comparison.plans[view.names.index(name)]
    links = flows(view, plan)
    if links.empty:
        st.write(str(Text("Ce plan n'accorde rien.", "This plan grants nothing.")))
        return
    st.altair_chart(_chart(links, view.label(name)), width="stretch")
    _table(links)


def flows(view: View, plan: Plan) -> pd.DataFrame:
    """fund, measure, region (what people read) and cents of all that a plan grants, small ones together."""
    region = view.territories.set_index("id")["region_name"]
    known = plan.scenario
    grants = plan.grants
    named = pd.DataFrame(
        {
            "fund": grants["fund"].map({fund.id: fund.label or fund.id for fund in known.funds}),
            "measure": grants["measure"].map({one.id: one.label or one.id for one in known.measures}),
            "region": grants["territory"].map(region),
            "cents": grants["cents"],
        }
    ).astype({"fund": str, "measure": str, "region": str})
    for stage in STAGES:
        sums = named.groupby(stage)["cents"].sum().sort_values(ascending=False, kind="stable")
        if len(sums) > MOST + 1:
            named[stage] = named[stage].where(named[stage].isin(sums.index[:MOST]), str(OTHERS))
    return named.groupby(list(STAGES))["cents"].sum().reset_index()


def _order(links: pd.DataFrame, stage: str) -> list[str]:
    """The largest first, the others last."""
    sums = links.groupby(stage)["cents"].sum()
    return sorted(sums.index, key=lambda name: (name == str(OTHERS), -int(sums[name])))


def _places(links: pd.DataFrame, stage: str, total: float) -> dict[str, tuple[float, float]]:
    """Top and bottom of each name, from 0 down to 1 and a little."""
    sums, top, found = links.groupby(stage)["cents"].sum(), 0.0, {}
    for name in _order(links, stage):
        size = float(sums[name]) / total
        found[name] = top, top + size
        top += size + GAP
    return found


def _chart(links: pd.DataFrame, label: str) -> alt.LayerChart:
    total = float(links["cents"].sum())
    places = {stage: _places(links, stage, total) for stage in STAGES}
    bands = pd.concat([_bands(links, places, k, total) for k in range(2)], ignore_index=True)
    names = pd.DataFrame(
        [
            {
                "left": k / 2 * (1 - WIDE), "right": k / 2 * (1 - WIDE) + WIDE, "top": top, "bottom": bottom,
                "middle": (top + bottom) / 2, "name": name, "stage": stage,
                "amount": euros(int(links.loc[links[stage] == name, "cents"].sum()), True),
            }
            for k, stage in enumerate(STAGES)
            for name, (top, bottom) in places[stage].items()
        ]
    )  # fmt: skip
    down = alt.Scale(domain=[0, float(names["bottom"].max())], reverse=True)
    across = alt.Scale(domain=[0, 1.32])
    x, y = alt.X("x:Q").axis(None).scale(across), alt.Y("top:Q").axis(None).scale(down)
    drawn = alt.Chart(bands).mark_area(opacity=0.4, color=BAND).encode(
        x=x, y=y, y2="bottom:Q", detail="link:N",
        tooltip=[alt.Tooltip("link:N", title=str(Text("De → vers", "From → to"))),
                 alt.Tooltip("amount:N", title=str(Text("Accordé", "Granted")))],
    )  # fmt: skip
    boxes = alt.Chart(names).mark_rect(color=NAME).encode(
        x=alt.X("left:Q").axis(None).scale(across), x2="right:Q", y=y, y2="bottom:Q",
        tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("amount:N", title=str(Text("Accordé", "Granted")))],
    )  # fmt: skip
    told = alt.Chart(names[names["bottom"] - names["top"] > 0.012])
    words = told.mark_text(align="left", dx=4, fontSize=12, color=ink(), limit=240).encode(
        x=alt.X("right:Q").scale(across), y=alt.Y("middle:Q").scale(down), text="name:N"
    )
    description = Text(
        f"Bandes : l'argent de « {label} », des fonds aux mesures puis aux régions. Les chiffres sont dans le tableau.",
        f"Bands: the money of “{label}”, from funds to measures to régions. The figures are in the table.",
    )
    chart: alt.LayerChart = (drawn + boxes + words).properties(height=460, description=str(description))
    return chart.configure_view(strokeWidth=0)


def _bands(
    links: pd.DataFrame, places: dict[str, dict[str, tuple[float, float]]], k: int, total: float
) -> pd.DataFrame:
    """The edges of every band between stage k and the next, as points."""
    one, other = STAGES[k], STAGES[k + 1]
    pairs = links.groupby([one, other])["cents"].sum().reset_index()
    orders = {stage: {name: rank for rank, name in enumerate(_order(links, stage))} for stage in (one, other)}
    pairs = pairs.sort_values([one, other], key=lambda column: column.map(orders[str(column.name)]), kind="stable")
    size = pairs["cents"].to_numpy() / total
    starts = _stacked(pairs[one].tolist(), size, {name: place[0] for name, place in places[one].items()})
    order = np.lexsort((pairs[one].map(orders[one]), pairs[other].map(orders[other])))
    ends = np.zeros(len(pairs))
    ends[order] = _stacked(
        pairs[other].to_numpy()[order].tolist(), size[order], {name: place[0] for name, place in places[other].items()}
    )
    t = np.linspace(0, 1, SAMPLES)
    smooth = t * t * (3 - 2 * t)
    left, right = k / 2 * (1 - WIDE) + WIDE, (k + 1) / 2 * (1 - WIDE)
    parts = []
    for row, (a, b, height) in enumerate(zip(starts, ends, size, strict=True)):
        pair = pairs.iloc[row]
        parts.append(
            pd.DataFrame(
                {
                    "x": left + (right - left) * t, "top": a + (b - a) * smooth, "bottom": a + (b - a) * smooth + height,
                    "link": f"{pair[one]} → {pair[other]}", "amount": euros(int(pair["cents"]), True),
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _stacked(names: Sequence[str], sizes: np.ndarray, tops: dict[str, float]) -> np.ndarray:
    """Where each begins, one after another under its name."""
    at, found = dict(tops), []
    for name, size in zip(names, sizes, strict=True):
        found.append(at[name])
        at[name] += float(size)
    return np.array(found)


def _table(links: pd.DataFrame) -> None:
    """Funds across, measures down."""
    funds = _order(links, "fund")
    found = links.groupby(["measure", "fund"])["cents"].sum().to_dict()
    rows: list[list[Cell]] = []
    for measure in _order(links, "measure"):
        cents = [int(found.get((measure, fund), 0)) for fund in funds]
        rows.append([measure, *(euros(one, True) if one else NOTHING for one in cents), euros(sum(cents), True)])
    sums = [int(links.loc[links["fund"] == fund, "cents"].sum()) for fund in funds]
    total = str(Text("total", "total"))
    rows.append([total, *(euros(one, True) for one in sums), euros(sum(sums), True)])
    caption = str(Text("Ce que chaque fonds accorde à chaque mesure", "What each fund grants to each measure"))
    table(caption, [str(Text("Mesure", "Measure")), *funds, total], rows, total=True)
