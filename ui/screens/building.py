"""*Construire*: a scenario changed step by step, each change solved at once, with what it moved."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

import allocator
from allocator.texts import Text
from ui import visit, waiting
from ui.building import amounts, dossiers, importing, moved, repair, rules, saving, weights
from ui.building.desk import TAKEN, Desk, refused
from ui.collection import collection
from ui.view import View

PARTS: dict[str, tuple[Text, Callable[[Desk], None]]] = {
    "amounts": (Text("Enveloppes", "Envelopes"), amounts.draw),
    "rules": (Text("Règles", "Rules"), rules.draw),
    "weights": (Text("Ce qui compte", "What counts"), weights.draw),
    "demands": (Text("Dossiers", "Demands"), dossiers.draw),
    "files": (Text("Mes fichiers", "My files"), importing.draw),
}


def show() -> None:
    st.header(str(Text("Construire", "Build")))
    desk = _desk()
    part = st.segmented_control(
        str(Text("Changer", "Change")), list(PARTS), format_func=lambda each: str(PARTS[each][0]),
        default="amounts", required=True, key="part", persist_state="session", label_visibility="collapsed",
    )  # fmt: skip
    wide = part == "demands"
    controls, effect = (st.container(), st.container()) if wide else st.columns([2, 3], gap="large")
    with controls:
        PARTS[part][1](desk)
    with effect, st.container(key="beside" if not wide else "below"):
        _steps(desk)
        saving.told(desk)
        refused(TAKEN)
        moved.words(desk)
        _effect(desk)


def _desk() -> Desk:
    here = visit.current()
    known = collection().choices(here.origin, *here.compared)
    wanted = here.origin or here.compared[-1]
    key = visit.key("origin")
    origin = st.selectbox(
        str(Text("Partir de", "Start from")), known, index=known.index(wanted), key=key, format_func=collection().label,
        on_change=lambda: visit.go(origin=st.session_state[key], built=st.session_state[key], undone=()),
    )  # fmt: skip
    return Desk(origin, here.built if here.built and here.origin == origin else origin)


def _steps(desk: Desk) -> None:
    here = visit.current()
    line = st.container(horizontal=True, gap="small")
    line.button(
        str(Text("Annuler le dernier changement", "Undo the last change")), on_click=visit.undo,
        disabled=not here.undone, icon=":material/undo:",
    )  # fmt: skip
    line.button(
        str(Text("Tout reprendre au départ", "Start over")), disabled=desk.built == desk.origin,
        on_click=lambda: visit.go(built=visit.current().origin, undone=()),
    )  # fmt: skip


def _effect(desk: Desk) -> None:
    plans = waiting.plans(list(dict.fromkeys([desk.origin, desk.built])))
    if plans is None or desk.built not in plans:
        return
    if plans[desk.built].reading is None:
        repair.draw(desk, plans[desk.built])
    elif desk.built != desk.origin and desk.origin in plans:
        moved.effect(View(allocator.compare([plans[desk.origin], plans[desk.built]])))
        saving.draw(desk)
