"""*Expliquer*: why this demand and not that one, what each rule costs, what more money buys, what is left."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from allocator.texts import Text
from ui import visit, waiting, work
from ui.building import repair
from ui.building.desk import Desk
from ui.cards import note
from ui.charts import ink
from ui.library import library
from ui.tables import Cell, table
from ui.texts import bare, euros, number, plain

if TYPE_CHECKING:
    from allocator.explain.explanation import Explanation
    from allocator.plan import Plan

MOST = 50  # demands offered at once


def show() -> None:
    st.header(str(Text("Expliquer", "Explain")))
    ref = chosen("explained")
    plans = waiting.plans([ref])
    if not plans:
        return
    plan = plans[ref]
    if plan.reading is None:
        repair.draw(Desk(ref, ref), plan)
        return
    topic = st.segmented_control(
        str(Text("Question", "Question")), list(TOPICS), format_func=lambda each: str(TOPICS[each][0]),
        default="demand", required=True, key="topic", persist_state="session", label_visibility="collapsed",
    )  # fmt: skip
    TOPICS[topic][1](ref, plan)


def chosen(name: str) -> str:
    """Which of the visit's plans: what is built first, for it is what one has just changed."""
    here = visit.current()
    refs = list(dict.fromkeys(ref for ref in (here.built, *here.compared[::-1]) if ref))
    asked = st.session_state.get("asked", {}).get("ref")
    at = refs.index(asked) if asked in refs else 0
    return st.selectbox(
        str(Text("Plan", "Plan")),
        refs,
        index=at,
        format_func=library().label,
        key=visit.key(f"{name}-{'-'.join(refs)}-{at}"),
    )


def answered(what: Text, ref: str, **asked: Any) -> Explanation | None:
    """A question's answer, drawn; None while it is not there."""
    found: Explanation | None = waiting.result(str(what), lambda: work.question(ref, **asked))
    if found is not None:
        st.markdown(f"**{plain(str(found.answer))}**")
    return found


def told(found: Explanation) -> None:
    """What stands behind an answer, a line each."""
    lines = [escape(str(line)).replace("\n", "<br>") for line in found.details]
    if lines:
        st.html("<ul class='plain'>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>")


# One demand ----------------------------------------------------------------------------------------------------------


def _demand(ref: str, plan: Plan) -> None:
    demand = _sought(plan)
    if demand is None:
        return
    what = Text(f"dossier {demand}", f"demand {demand}")
    found = answered(what, ref, demand=demand, brief=True)
    if found is None:
        return
    told(found)
    more = st.toggle(
        str(Text("En détail : ce qui changerait la réponse", "In detail: what would change the answer")),
        key=f"detail-{ref}-{demand}",
    )  # fmt: skip
    if more:
        whole = answered(what, ref, demand=demand)
        if whole is not None:
            told(whole)


def _sought(plan: Plan) -> str | None:
    """The demand asked about: sought by words of its name, place or measure."""
    asked = st.session_state.pop("asked", {}).get("demand")
    if asked is not None:
        st.session_state["sought-demand"] = asked
    typed = st.text_input(
        str(Text("Chercher un dossier (territoire, mesure, identifiant)", "Search a demand (place, measure, id)")),
        key="sought-demand", persist_state="session",
    )  # fmt: skip
    names, granted = _named(plan)
    words = bare(typed).split()
    wanted = [k for k, name in enumerate(names["sought"]) if all(word in name for word in words)]
    if not wanted:
        st.write(str(Text("Aucun dossier ne correspond.", "No demand matches.")))
        return None
    if len(wanted) > MOST:
        few, all_of = number(MOST), number(len(wanted))
        note(Text(f"Les {few} premiers de {all_of} dossiers.", f"The first {few} of {all_of} demands."))
    shown = names.iloc[wanted[:MOST]]
    labels = {
        one: f"{label} — {euros(cents, True) if cents else str(Text('non financé', 'not funded'))}"
        for one, label, cents in zip(shown["id"], shown["label"], granted[wanted[:MOST]], strict=True)
    }
    return st.selectbox(
        str(Text("Dossier", "Demand")),
        list(labels),
        format_func=lambda one: labels[one],
        key=visit.key(f"demand-{typed}"),
    )


def _named(plan: Plan) -> tuple[pd.DataFrame, np.ndarray]:
    """(n,) id, label and what is sought of each demand; (n,) cents granted."""
    scenario = plan.scenario
    demands = scenario.demands
    places = demands["territory"].map(scenario.territories.set_index("id")["name"]).astype(str)
    measures = demands["measure"].map({m.id: m.label or m.id for m in scenario.measures}).astype(str)
    label = measures + ", " + places + " (" + demands["id"].astype(str) + ")"
    assert plan.reading is not None
    return pd.DataFrame({"id": demands["id"], "label": label, "sought": label.map(bare)}), plan.reading.granted


# Rules, funds, money left --------------------------------------------------------------------------------------------


def _costs(ref: str, plan: Plan) -> None:
    note(Text(
        "Chaque règle est retirée à son tour et le plan refait : la différence est ce qu'elle coûte.",
        "Each rule is taken away in turn and the plan made again: the difference is what it costs.",
    ))  # fmt: skip
    found: Any = answered(Text("coût des règles", "cost of rules"), ref, about="costs")
    if found is None:
        return
    rows: list[list[Cell]] = []
    for cost in found.ranked:
        worth = (
            str(cost.counted.of(cost.regained))
            if cost.measurable
            else str(Text("rien de mesurable", "nothing measurable"))
        )
        rows.append([cost.label, worth])
    table(
        str(Text("Ce que coûte chaque règle", "What each rule costs")),
        [str(Text("Règle", "Rule")), str(Text("Sans elle, le plan gagnerait", "Without it, the plan would gain"))], rows, left=2,
    )  # fmt: skip
    told(found)


def _fund(ref: str, plan: Plan) -> None:
    labels = {fund.id: fund.label or fund.id for fund in plan.scenario.funds}
    fund = st.selectbox(
        str(Text("Fonds", "Fund")), list(labels), format_func=lambda one: labels[one], key=visit.key(f"fund-{ref}")
    )
    found: Any = answered(Text(f"fonds {labels[fund]}", f"fund {labels[fund]}"), ref, fund=fund)
    if found is None:
        return
    if len(found.points) > 1:
        _curve(found)
    told(found)


def _curve(found: Any) -> None:
    """What is gained or lost by what the fund holds: a chart, and the same figures in a table."""
    counted = found.counted
    unit = str(counted.unit)
    rows = pd.DataFrame(
        {
            "euros": [point.cents / 100 for point in found.points],
            "gain": [point.gain.over(counted.size).found for point in found.points],
            "amount": [euros(point.cents, True) for point in found.points],
            "told": [str(counted.of(point.gain, signed=True)) for point in found.points],
        }
    )
    base = alt.Chart(rows).encode(
        x=alt.X("euros:Q", title=str(Text("Ce que contient le fonds (€)", "What the fund holds (€)"))).axis(
            labelExpr=AXIS
        ),
        y=alt.Y("gain:Q", title=str(Text(f"Gagné ou perdu ({unit})", f"Gained or lost ({unit})"))),
        tooltip=[
            alt.Tooltip("amount:N", title=str(Text("Fonds", "Fund"))),
            alt.Tooltip("told:N", title=str(Text("Écart", "Change"))),
        ],
    )
    description = Text(
        f"Courbe : ce qui est gagné selon ce que contient « {found.label} ». Les chiffres sont dans le tableau.",
        f"Curve: what is gained by what “{found.label}” holds. The figures are in the table.",
    )
    line = base.mark_line(color=LINE) if found.exact else base.mark_line(color=LINE, strokeDash=[4, 4])
    chart = (line + base.mark_circle(size=60, color=LINE)).properties(height=260, description=str(description))
    dressed = chart.configure_view(strokeWidth=0).configure_axis(labelColor=ink(), titleColor=ink())
    st.altair_chart(dressed, width="stretch")
    heads = [Text("Le fonds contient", "The fund holds"), Text("Écart avec ce plan", "Change from this plan")]
    lines: list[list[Cell]] = [
        [euros(point.cents), told] for point, told in zip(found.points, rows["told"], strict=True)
    ]
    table(str(Text("Ce qu'achète l'argent", "What money buys")), [str(head) for head in heads], lines)


def _left(ref: str, plan: Plan) -> None:
    found = answered(Text("ce qui reste", "what is left"), ref, about="left")
    if found is not None:
        told(found)


def _near(ref: str, plan: Plan) -> None:
    note(Text(
        "D'autres plans font-ils presque aussi bien ? Ce qui y change est affaire de choix, ce qui n'y change pas est sûr.",
        "Do other plans do nearly as well? What changes in them is a matter of choice, what does not is certain.",
    ))  # fmt: skip
    found = answered(Text("plans voisins", "plans nearby"), ref, about="near", brief=True)
    if found is not None:
        told(found)


LINE = "#2b7794"
AXIS = "datum.value >= 1e9 ? replace(format(datum.value / 1e9, ''), '.', ',') + ' Md' : replace(format(datum.value / 1e6, ''), '.', ',') + ' M'"
TOPICS: dict[str, tuple[Text, Callable[[str, Plan], None]]] = {
    "demand": (Text("Un dossier", "A demand"), _demand),
    "costs": (Text("Ce que coûtent les règles", "What rules cost"), _costs),
    "fund": (Text("Ce qu'achète l'argent", "What money buys"), _fund),
    "left": (Text("Ce qui reste", "What is left"), _left),
    "near": (Text("Les plans voisins", "Plans nearby"), _near),
}
