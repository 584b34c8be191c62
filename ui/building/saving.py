"""A variant gets a name, and may then be compared, shared and found again."""

from __future__ import annotations

import streamlit as st

import allocator
from allocator.problems import Problem
from allocator.texts import Text
from ui import visit
from ui.building.desk import Desk, refuse, refused
from ui.collection import collection
from ui.texts import plain, quoted, slug
from ui.visit import PAGES

LONGEST = 100
WHERE = {
    "territoire": Text("Mon territoire", "My territory"),
    "france": Text("La France entière", "The whole of France"),
    "exporter": Text("Exporter", "Export"),
}
SAVED = "save"
JUST = "just-saved"  # in the session: the reference of the variant saved last


def draw(desk: Desk) -> None:
    if desk.origin == desk.built:
        return
    key = desk.key("name")
    with st.form(desk.key("save"), border=True):
        st.text_input(
            str(Text("Nom de la variante", "Name of the variant")), key=key,
            placeholder=str(Text("par exemple : Fonds TI à 65 M€", "for example: TI fund at €65m")),
        )  # fmt: skip
        # by a callback, so that the screen is drawn once: what is clicked between two drawings is lost
        st.form_submit_button(
            str(Text("Enregistrer et comparer", "Save and compare")), type="primary", on_click=_save, args=(desk, key)
        )
    refused(SAVED)


def told(desk: Desk) -> None:
    """That what is on the desk has just been saved, and where it is compared."""
    if st.session_state.get(JUST) != desk.built:
        return
    label = quoted(collection().label(desk.built))
    st.success(plain(str(Text(f"{label} : variante enregistrée.", f"{label}: variant saved."))))
    line = st.container(horizontal=True, gap="small")
    pages = st.session_state.get(PAGES, {})
    for path, said in WHERE.items():
        if path in pages:  # a screen drawn by itself has none
            line.page_link(pages[path], label=str(said), query_params=visit.current().address, width="content")


def _save(desk: Desk, key: str) -> None:
    here = visit.current()
    label = " ".join(st.session_state[key].split())
    if not label:
        refuse(SAVED, [Problem("", Text("Donnez un nom à la variante.", "Give the variant a name."))])
        return
    if len(label) > LONGEST:
        refuse(SAVED, [Problem("", Text(
            f"Ce nom a {len(label)} signes : {LONGEST} au plus.", f"This name has {len(label)} characters: {LONGEST} at most."
        ))])  # fmt: skip
        return
    named = desk.scenario.with_(name=slug(label) or "variante", label={"fr": label, "en": label})
    try:
        ref = collection().keep(named)
    except allocator.ScenarioError as error:
        refuse(SAVED, error.problems)
        return
    refuse(SAVED, [])
    st.session_state[JUST] = ref
    others = tuple(one for one in here.compared if one not in (desk.origin, ref))
    visit.go(built=ref, compared=(desk.origin, ref, *others)[:4])
