"""A decision written down: the plan as it stands, who decides, and their words, kept in the store for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

import allocator
from allocator.texts import Text
from ui import access, visit
from ui.cards import note
from ui.collection import collection
from ui.texts import listed, plain

if TYPE_CHECKING:
    from allocator.plan import Plan

LONGEST = 2000
DECIDED = "decided"  # in the session: {reference: what was kept, or why not}


def draw(ref: str, plan: Plan) -> None:
    if plan.reading is None or not access.visitor().may("decide"):
        return
    st.subheader(str(Text("La décision", "The decision")))
    note(Text(
        "Le plan, son certificat et ces mots sont gardés ensemble, datés, et ne peuvent plus être changés.",
        "The plan, its certificate and these words are kept together, dated, and can no longer be changed.",
    ))  # fmt: skip
    words, who = visit.key(f"words-{ref}"), visit.key(f"who-{ref}")
    with st.form(visit.key(f"decision-{ref}"), border=True):
        st.text_area(
            str(Text("Ce qui est décidé", "What is decided")), max_chars=LONGEST, key=words,
            placeholder=str(Text("par exemple : adopté en séance du 3 décembre", "for example: adopted on 3 December")),
        )  # fmt: skip
        if access.visitor().who is None:  # nobody signs in here: a statement, not a proof
            st.text_input(str(Text("Par qui", "By whom")), max_chars=200, key=who)
        st.form_submit_button(
            str(Text("Consigner la décision", "Record the decision")), on_click=_decide, args=(ref, plan, words, who)
        )
    told = st.session_state.get(DECIDED, {}).get(ref)
    if isinstance(told, Text):
        st.success(plain(str(told)))
    elif told is not None:
        st.error(listed(told))


def _decide(ref: str, plan: Plan, words: str, who: str) -> None:
    visit.current()
    told = st.session_state.setdefault(DECIDED, {})
    if not st.session_state[words].strip() and isinstance(told.get(ref), Text):
        return  # pressed twice
    try:
        saved = collection().decide(plan, st.session_state[words], st.session_state.get(who, ""))
    except allocator.ScenarioError as error:
        told[ref] = error
        return
    st.session_state[words] = ""
    told[ref] = Text(
        f"Consignée sous {saved}. La commande : allocator history {saved}",
        f"Recorded under {saved}. The command: allocator history {saved}",
    )
