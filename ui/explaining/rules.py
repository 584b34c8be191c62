"""What each rule costs: ranked as they are tried, and each of them close up."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import altair as alt
import pandas as pd
import streamlit as st

from allocator.texts import Text
from ui import questions, visit, waiting, work
from ui.cards import note
from ui.charts import ink
from ui.curves import LINE
from ui.explaining.telling import said, told
from ui.tables import Cell, table

if TYPE_CHECKING:
    from allocator.explain.costs import Costs
    from allocator.plan import Plan


def draw(ref: str, plan: Plan) -> None:
    note(Text(
        "Chaque règle est retirée à son tour et le plan refait : la différence est ce qu'elle coûte.",
        "Each rule is taken away in turn and the plan made again: the difference is what it costs.",
    ))  # fmt: skip
    _one(ref, plan)
    st.subheader(str(Text("Toutes les règles", "All rules")))
    found: Costs | None = waiting.result(
        str(Text("coût des règles", "cost of rules")), lambda: questions.costs(ref), _ranking
    )
    if found is not None:
        said(found.answer)
        _ranking(found)
        told(found.beside)


def _one(ref: str, plan: Plan) -> None:
    labels = {rule.id: rule.label for rule in plan.scenario.constraints if rule.enabled}
    if not labels:
        return
    rule = st.selectbox(
        str(Text("Une règle de près", "One rule close up")), list(labels), index=None, format_func=lambda one: labels[one],
        key=visit.key(f"rule-{ref}"), placeholder=str(Text("Choisir une règle", "Choose a rule")),
    )  # fmt: skip
    if rule is None:
        return
    what = Text(f"sans « {labels[rule]} »", f"without “{labels[rule]}”")
    found = waiting.result(str(what), lambda: work.question(ref, constraint=rule, brief=True))
    if found is not None:
        said(found.answer)
        told(found.details)


def _ranking(found: Costs) -> None:
    """What can be measured: bars, and the same figures in a table."""
    measured = found.measured
    if not measured:
        return
    unit = measured[0].counted.unit
    labels = [each.label for each in measured]
    names = [f"{each.label} [{each.rule}]" if labels.count(each.label) > 1 else each.label for each in measured]
    rows = pd.DataFrame(
        [
            {"rule": "\n".join(textwrap.wrap(name, 34)), "cost": counts.found, "told": str(counts.text())}
            for name, each in zip(names, measured, strict=True)
            if each.regained is not None and (counts := each.regained.over(each.counted.size))
        ]
    )  # fmt: skip
    said = Text(f"En {unit.fr} :", f"In {unit.en}:")
    if unit.fr == "points":
        said = Text(
            "En points, que le plan rend les plus nombreux possible (« Construire », « Ce qui compte ») :",
            "In points, of which the plan makes as many as it can (“Build”, “What counts”):",
        )
    note(said)
    described = Text(
        f"Barres : ce que coûte chaque règle, en {unit.fr}. Les chiffres sont dans le tableau.",
        f"Bars: what each rule costs, in {unit.en}. The figures are in the table.",
    )
    base = alt.Chart(rows).encode(
        y=alt.Y("rule:N", sort=list(rows["rule"]), title=None).axis(
            labelExpr="split(datum.label, '\\n')", labelLimit=230, ticks=False, domain=False, labelPadding=8, labelColor=ink()
        ),
        x=alt.X("cost:Q", title=None).axis(None).scale(domain=[0, 2.2 * rows["cost"].max()]),
        tooltip=[alt.Tooltip("rule:N", title=str(Text("Règle", "Rule"))), alt.Tooltip("told:N", title=str(Text("Coûte", "Costs")))],
    )  # fmt: skip
    bars = base.mark_bar(color=LINE, cornerRadiusEnd=2, height=14)
    words = base.mark_text(align="left", dx=5, fontSize=12, color=ink()).encode(text="told:N")
    chart = (bars + words).properties(height=34 * len(rows) + 10, description=str(described))
    st.altair_chart(chart.configure_view(strokeWidth=0), width="stretch")
    lines: list[list[Cell]] = [
        [name, str(each.counted.of(each.regained)), str(each.counted.changes(each.indicators))]
        for name, each in zip(names, measured, strict=True)
        if each.regained is not None
    ]
    heads = [Text("Règle", "Rule"), Text("Elle coûte", "It costs"), Text("Sans elle", "Without it")]
    table(str(Text("Ce que coûte chaque règle", "What each rule costs")), [str(head) for head in heads], lines, left=3)
