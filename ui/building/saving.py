"""A variant gets a name, and may then be compared, shared and found again."""

from __future__ import annotations

import streamlit as st

from allocator.texts import Text
from ui import visit
from ui.building.desk import Desk
from ui.collection import collection
from ui.texts import slug

LONGEST = 100


def draw(desk: Desk) -> None:
    if desk.origin == desk.built:
        return
    with st.form(desk.key("save"), border=True):
        typed = st.text_input(
            str(Text("Nom de la variante", "Name of the variant")), max_chars=LONGEST,
            placeholder=str(Text("par exemple : Fonds TI à 65 M€", "for example: TI fund at €65m")),
        )  # fmt: skip
        asked = st.form_submit_button(str(Text("Enregistrer et comparer", "Save and compare")), type="primary")
    if not asked:
        return
    if not typed.strip():
        st.error(str(Text("Donnez un nom à la variante.", "Give the variant a name.")))
        return
    label = " ".join(typed.split())
    named = desk.scenario.with_(name=slug(label) or "variante", label={"fr": label, "en": label})
    ref = collection().keep(named)
    others = tuple(one for one in visit.current().compared if one not in (desk.origin, ref))
    visit.go(built=ref, compared=(desk.origin, ref, *others)[:4])
    st.rerun()
