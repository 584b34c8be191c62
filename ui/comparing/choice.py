"""The scenarios compared: which, and the view of their plans that the comparing screens draw."""

from __future__ import annotations

import streamlit as st

import allocator
from allocator.texts import Text
from ui import visit, waiting
from ui.cards import note
from ui.collection import collection
from ui.view import MOST, View


def compared() -> View | None:
    """Asks which; None where there is nothing to draw yet, or fewer than two plans."""
    refs = _choose()
    if len(refs) < 2:
        few = Text("Choisissez au moins deux scénarios à comparer.", "Choose at least two scenarios to compare.")
        st.info(str(few))
        return None
    plans = waiting.plans(refs)
    if plans is None or len(plans) < 2:
        return None
    return View(allocator.compare(plans.values()), tuple(plans))


def _choose() -> tuple[str, ...]:
    """References of the scenarios, the first is the reference."""
    here = visit.current()
    asked = Text(
        "Scénarios à comparer (le premier sert de référence)", "Scenarios to compare (the first is the reference)"
    )
    key = visit.key("scenarios")
    st.multiselect(
        str(asked), collection().choices(*here.compared, here.built), format_func=collection().label, key=key, default=list(here.compared),
        max_selections=MOST, select_all=False, placeholder=str(Text("Choisir des scénarios", "Choose scenarios")),
        on_change=lambda: visit.go(compared=tuple(st.session_state[key])),
    )  # fmt: skip
    note(Text(
        "Les dossiers sont une hypothèse, écrite par une règle : ce ne sont pas des demandes réelles. Sources et "
        "hypothèses sont dans « Scénarios et preuves ».",
        "The demands are a hypothesis, written by a rule: nobody made them. Sources and hypotheses are "
        "under “Scenarios and proofs”.",
    ))  # fmt: skip
    return visit.current().compared
