"""A variant gets a name, and may then be compared, shared and found again."""

from __future__ import annotations

import streamlit as st

import allocator
from allocator.problems import Problem
from allocator.texts import Text
from ui import visit
from ui.building.desk import Desk, refuse, refused
from ui.collection import collection
from ui.texts import slug

LONGEST = 100
SAVED = "save"


def draw(desk: Desk) -> None:
    if desk.origin == desk.built:
        return
    key = desk.key("name")
    with st.form(desk.key("save"), border=True):
        st.text_input(
            str(Text("Nom de la variante", "Name of the variant")), max_chars=LONGEST, key=key,
            placeholder=str(Text("par exemple : Fonds TI à 65 M€", "for example: TI fund at €65m")),
        )  # fmt: skip
        # by a callback, so that the screen is drawn once: what is clicked between two drawings is lost
        st.form_submit_button(
            str(Text("Enregistrer et comparer", "Save and compare")), type="primary", on_click=_save, args=(desk, key)
        )
    refused(SAVED)


def _save(desk: Desk, key: str) -> None:
    here = visit.current()
    label = " ".join(st.session_state[key].split())
    if not label:
        refuse(SAVED, [Problem("", Text("Donnez un nom à la variante.", "Give the variant a name."))])
        return
    named = desk.scenario.with_(name=slug(label) or "variante", label={"fr": label, "en": label})
    try:
        ref = collection().keep(named)
    except allocator.ScenarioError as error:
        refuse(SAVED, error.problems)
        return
    refuse(SAVED, [])
    others = tuple(one for one in here.compared if one not in (desk.origin, ref))
    visit.go(built=ref, compared=(desk.origin, ref, *others)[:4])
