"""*Expliquer*: why this demand and not that one, what each rule costs, what more money buys, what is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from allocator.explain.near import VERDICTS
from allocator.texts import Text
from ui import waiting
from ui.building import repair
from ui.building.desk import Desk
from ui.cards import note
from ui.explaining import dossier, money, rules
from ui.explaining.telling import ASKED, answered, chosen, told
from ui.tables import Cell, table
from ui.texts import euros, number

if TYPE_CHECKING:
    from allocator.explain.left import LeftOver
    from allocator.explain.near import Near
    from allocator.plan import Plan


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
    if ASKED in st.session_state or "topic" not in st.session_state:
        st.session_state["topic"] = "demand"
    topic = st.segmented_control(
        str(Text("Question", "Question")), list(TOPICS), format_func=lambda each: str(TOPICS[each][0]),
        required=True, key="topic", persist_state="session", label_visibility="collapsed",
    )  # fmt: skip
    TOPICS[topic or "demand"][1](ref, plan)


def _left(ref: str, plan: Plan) -> None:
    found: LeftOver | None = answered(Text("ce qui reste", "what is left"), ref, about="left")
    if found is None or not found.places:
        return
    every = str(Text("toutes", "all"))
    lines: list[list[Cell]] = [[place.label, place.year or every, euros(place.cents)] for place in found.places]
    heads = [Text("Fonds", "Fund"), Text("Année", "Year"), Text("Non engagé", "Not committed")]
    table(
        str(Text("Ce que les fonds n'engagent pas", "What funds do not commit")), [str(h) for h in heads], lines, left=2
    )
    reasons = dict.fromkeys((place.label, place.reason) for place in found.places)
    told(Text(f"{label} : {why.fr}.", f"{label}: {why.en}.") for label, why in reasons)


def _near(ref: str, plan: Plan) -> None:
    note(Text(
        "D'autres plans font-ils presque aussi bien ? Ce qui y change est affaire de choix, ce qui n'y change pas est sûr.",
        "Do other plans do nearly as well? What changes in them is a matter of choice, what does not is certain.",
    ))  # fmt: skip
    more = st.toggle(str(Text("Avec davantage de plans", "With more plans")), key=f"near-{ref}")
    found: Near | None = answered(Text("plans voisins", "plans nearby"), ref, about="near", brief=not more)
    if found is None:
        return
    lines: list[list[Cell]] = [
        [str(said[:1].upper() + said[1:]), number(found.counts[verdict])]
        for verdict, text in VERDICTS.items()
        if (said := str(text))
    ]
    heads = [str(Text("Le dossier est", "The demand is")), str(Text("Dossiers", "Demands"))]
    table(str(Text("À quel point les décisions sont sûres", "How certain decisions are")), heads, lines)
    told(found.details)


TOPICS: dict[str, tuple[Text, Callable[[str, Plan], None]]] = {
    "demand": (Text("Un dossier", "A demand"), dossier.draw),
    "costs": (Text("Ce que coûtent les règles", "What rules cost"), rules.draw),
    "fund": (Text("Ce qu'achète l'argent", "What money buys"), money.draw),
    "left": (Text("Ce qui reste", "What is left"), _left),
    "near": (Text("Les plans voisins", "Plans nearby"), _near),
}
