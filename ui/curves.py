"""A line through plans, each a point that can be chosen; screens put a table beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from allocator.texts import Text, language
from ui.charts import ink
from ui.texts import NARROW, NO_BREAK
from ui.view import COLOURS

LINE, MARKED = COLOURS[1], COLOURS[2]


@dataclass(frozen=True)
class Scale:
    title: str
    money: bool = False

    def axis(self, **more: Any) -> alt.Axis:
        return alt.Axis(labelExpr=_money() if self.money else _number(), labelOverlap=True, tickCount=6, **more)


def curve(
    rows: pd.DataFrame,
    x: Scale,
    y: Scale,
    description: Text,
    *,
    straight: bool,
    key: str | None = None,
    height: int = 320,
) -> int | None:
    """The row of the point that was clicked, where there is a `key`. `rows`: x, y; name (what is read at a point), mark
    (whether it stands out). `straight`: whether what lies between is known to be the line."""
    shown = rows.assign(row=range(len(rows)), rank=[str(k + 1) for k in range(len(rows))])
    base = alt.Chart(shown).encode(
        x=alt.X("x:Q", title=x.title).scale(zero=False, nice=True).axis(x.axis(titlePadding=12)),
        y=alt.Y("y:Q", title=y.title)
        .scale(zero=False, nice=True)
        .axis(y.axis(titleAngle=0, titleAlign="left", titleBaseline="bottom", titleX=0, titleY=-16)),  # as one reads
    )
    line = base.mark_line(color=LINE, strokeDash=[1, 0] if straight else [4, 4])
    dots = base.mark_circle(size=150, opacity=1).encode(
        color=alt.condition("datum.mark", alt.value(MARKED), alt.value(LINE)),
        tooltip=[alt.Tooltip("name:N", title=str(Text("Plan", "Plan")))],
    )  # fmt: skip
    ranks = base.mark_text(dy=-15, fontSize=12, color=ink()).encode(text="rank:N")
    if key is not None:
        dots = dots.add_params(alt.selection_point(name="pick", fields=["row"]))
    chart = (line + ranks + dots).properties(height=height, description=str(description)).configure_view(strokeWidth=0)
    chart = chart.configure_axis(labelColor=ink(), titleColor=ink(), titleFontWeight="normal", gridOpacity=0.4)
    if key is None:
        st.altair_chart(chart, width="stretch")
        return None
    event = st.altair_chart(chart, width="stretch", on_select="rerun", selection_mode="pick", key=key)
    picked = event["selection"].get("pick", []) if event else []
    return int(picked[0]["row"]) if picked else None


def _number() -> str:
    """As `ui.texts.number`, in the words of a chart."""
    plain = "format(datum.value, ',~f')"
    if language() != "fr":
        return plain
    return f"replace(replace({plain}, regexp(',', 'g'), '{NARROW}'), '.', ',')"


def _money() -> str:
    """As compact `ui.texts.euros`."""
    french = language() == "fr"
    units = ((1e9, "Md" if french else "bn"), (1e6, "M" if french else "m"), (1e3, "k"))

    def said(size: float, unit: str) -> str:
        digits = f"format(datum.value / {size}, '~f')"
        return f"replace({digits}, '.', ',') + '{NO_BREAK}{unit}€'" if french else f"'€' + {digits} + '{unit}'"

    found = said(1.0, "")
    for size, unit in reversed(units):
        found = f"abs(datum.value) >= {size} ? {said(size, unit)} : ({found})"
    return found
