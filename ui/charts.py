"""A bar chart and a map, drawn from data in hand: nothing is fetched, not even an outline.

Each has a description for those who do not see it, and screens put a table beside it.
"""

from __future__ import annotations

import textwrap
from functools import lru_cache
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from allocator import contours
from allocator.compare import change_of
from allocator.texts import Text
from ui.cards import legend
from ui.texts import NO_BREAK, each, euros, number, signed
from ui.view import COLOURS, View

FEW = ("#c6dfe8", "#8dbfd1", "#559db8", "#2b7794", "#124c63")  # little → much
FALL, RISE = ("#8c4a12", "#c9894f", "#ecd0b3"), ("#b9dbd6", "#5fa79e", "#1c6a61")
SAME, NONE = "#e9ecef", "#f7f8f9"
LINE = "#8a95a0"


def bars(view: View, found: pd.DataFrame, title: str) -> None:
    """A bar per row and plan of a table of `Comparison.by`, each with its amount written at its end."""
    names = [view.label(name) for name in view.names]
    rows = [
        {
            "what": "\n".join(textwrap.wrap(row["label"], 24)), "label": row["label"], "plan": view.label(name),
            "rank": rank, "euros": row[name] / 100, "amount": euros(row[name], compact=True),
            "change": signed(row[change_of(name)], compact=True) if rank else "",
        }
        for row in found.to_dict("records")
        for rank, name in enumerate(view.names)
    ]  # fmt: skip
    data = pd.DataFrame(rows)
    plan, change = Text("Plan", "Plan"), Text("Différence", "Difference")
    base = alt.Chart(data).encode(
        y=alt.Y("what:N", sort=list(dict.fromkeys(data["what"])), title=None)
        .axis(
            labelExpr="split(datum.label, '\\n')",
            labelLimit=170,
            ticks=False,
            domain=False,
            labelPadding=8,
            labelColor=ink(),
        )
        .scale(paddingInner=0.25),
        yOffset=alt.YOffset("plan:N", sort=names),
        x=alt.X("euros:Q", title=None).axis(None).scale(domain=[0, 1.25 * max(data["euros"].max(), 1)]),
        tooltip=[
            alt.Tooltip("label:N", title=title),
            alt.Tooltip("plan:N", title=str(plan)),
            alt.Tooltip("amount:N", title=str(Text("Accordé", "Granted"))),
            alt.Tooltip("change:N", title=str(change)),
        ],
    )
    legend(names, COLOURS)
    colour = alt.Color("plan:N", sort=names).scale(domain=names, range=COLOURS[: len(names)]).legend(None)
    drawn = base.mark_bar(cornerRadiusEnd=2).encode(color=colour)
    written = base.mark_text(align="left", dx=4, fontSize=12, color=ink()).encode(text="amount:N")
    description = Text(
        f"Barres : accordé par {title.lower()} dans chaque plan. Les mêmes chiffres sont dans le tableau.",
        f"Bars: granted by {title.lower()} in each plan. The table holds the same figures.",
    )
    chart = (drawn + written).properties(
        description=str(description),
        height=len(found) * (len(names) * 20 + 10) + 10,
    )
    st.altair_chart(chart.configure_view(strokeWidth=0), width="stretch")


def ink() -> str:
    """What is written in a chart, at least 7:1 on the page's background."""
    return "#c3ccd3" if st.context.theme.type == "dark" else "#45505a"


@lru_cache(maxsize=2)
def _outlines(level: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The places, and apart from them the frames around overseas (two data sets must differ in content)."""
    whole = contours.load(level)
    insets = whole["objects"].pop("insets")
    arcs = [whole["arcs"][k] for frame in insets["geometries"] for k in frame["arcs"]]
    at = iter(range(len(arcs)))
    lines = [frame | {"arcs": [next(at) for _ in frame["arcs"]]} for frame in insets["geometries"]]
    return whole, whole | {"objects": {"insets": insets | {"geometries": lines}}, "arcs": arcs}


def france(view: View, level: str, name: str, difference: bool) -> None:
    """Euros per inhabitant of one plan, or their difference from the reference, by region or EPCI."""
    per = "region" if level == "regions" else "territory"
    found = view.comparison.by(per)
    people = found["key"].map(view.population[per]).fillna(0).astype(np.int64)
    cents = found[change_of(name) if difference else name]
    value = np.where(people > 0, cents / 100 / np.maximum(people, 1), 0.0)
    shade, names, colours = _falls_and_rises(value) if difference else _amounts(value)
    amount = signed if difference else euros
    rows = pd.DataFrame(
        {
            "id": found["key"], "place": found["label"], "shade": shade,
            "amount": [amount(c, compact=True) for c in cents],
            "each": [each(c, p, difference) for c, p in zip(cents, people, strict=True)],
        }
    )  # fmt: skip
    outlines, around = _outlines(level)
    data = alt.InlineData(outlines, format=alt.TopoDataFormat(type="topojson", feature=level))
    frames = alt.InlineData(around, format=alt.TopoDataFormat(type="topojson", feature="insets"))
    said = (
        Text("Différence en € par habitant", "Difference in € per inhabitant")
        if difference
        else Text("€ par habitant", "€ per inhabitant")
    )
    legend(names, colours, str(said))
    shown = Text("Différence", "Difference") if difference else Text("Accordé", "Granted")
    what = Text("Région", "Région") if level == "regions" else Text("Intercommunalité", "EPCI")
    places = (
        alt.Chart(data)
        .mark_geoshape(stroke="white", strokeWidth=0.8 if level == "regions" else 0.2, aria=False)
        .transform_lookup("id", alt.LookupData(rows, "id", ["place", "shade", "amount", "each"]))
        .encode(
            color=alt.Color("shade:N", title=str(said), sort=names).scale(domain=names, range=colours).legend(None),
            tooltip=[
                alt.Tooltip("place:N", title=str(what)),
                alt.Tooltip("amount:N", title=str(shown)),
                alt.Tooltip("each:N", title=str(Text("Soit", "That is"))),
            ],
        )
    )  # fmt: skip
    boxes = alt.Chart(frames).mark_geoshape(filled=False, stroke=LINE, strokeWidth=1, aria=False)
    description = Text(
        f"Carte de France : {said.fr.lower()}, {view.label(name)}. L'outre-mer est dans des cadres, à gauche. "
        "Les chiffres sont dans le tableau.",
        f"Map of France: {said.en.lower()}, {view.label(name)}. Overseas territories are in frames on the left. "
        "The figures are in the table.",
    )
    chart = (places + boxes).project(type="identity", reflectY=True)
    st.altair_chart(
        chart.properties(height=440, description=str(description)).configure_view(strokeWidth=0), width="stretch"
    )


def _steps(values: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """Round numbers (1, 2, 5, 10 …) near these quantiles of what is not zero."""
    some = np.abs(values[values != 0])
    if not len(some):
        return []
    round_numbers = np.array([k * 10.0**power for power in range(-2, 7) for k in (1, 2, 5)])
    found = [round_numbers[np.abs(np.log(round_numbers / q)).argmin()] for q in np.quantile(some, shares)]
    return [float(step) for step in dict.fromkeys(found)]


def _between(steps: list[float]) -> list[str]:
    """Names of the classes that steps part: `moins de 10 €`, `10 à 50 €`, `plus de 50 €`."""
    if not steps:
        return [str(Text("plus de rien", "more than none"))]
    said = [number(step, 0 if step >= 1 else 2) for step in steps]
    first, last = said[0], said[-1]
    return [
        str(Text(f"moins de {first}{NO_BREAK}€", f"less than €{first}")),
        *(str(Text(f"{a} à {b}{NO_BREAK}€", f"€{a} to €{b}")) for a, b in pairwise(said)),
        str(Text(f"plus de {last}{NO_BREAK}€", f"more than €{last}")),
    ]


def _amounts(values: np.ndarray) -> tuple[list[str], list[str], list[str]]:
    """The class of each value, the classes, their colours."""
    steps = _steps(values, (0.2, 0.4, 0.6, 0.8))
    names, nothing = _between(steps), str(Text("rien", "nothing"))
    at = np.searchsorted(steps, values, side="right")
    shade = [names[k] if v else nothing for k, v in zip(at, values, strict=True)]
    return shade, [nothing, *names], [NONE, *(FEW[round(k * 4 / max(len(names) - 1, 1))] for k in range(len(names)))]


def _falls_and_rises(values: np.ndarray) -> tuple[list[str], list[str], list[str]]:
    """As `_amounts`, around no change."""
    steps = _steps(values, (0.35, 0.75))
    sizes, same = _between(steps), str(Text("inchangé", "unchanged"))
    down = [str(Text(f"baisse : {size}", f"fall: {size}")) for size in sizes]
    up = [str(Text(f"hausse : {size}", f"rise: {size}")) for size in sizes]
    at = np.searchsorted(steps, np.abs(values), side="right")
    shade = [same if not v else (up if v > 0 else down)[k] for k, v in zip(at, values, strict=True)]
    return shade, [*down[::-1], same, *up], [*FALL[3 - len(sizes) :], SAME, *RISE[: len(sizes)]]
