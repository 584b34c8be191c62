"""Where the rules cannot all hold: which ones, and changes that make a plan possible, each a button."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import streamlit as st

from allocator.texts import Text
from ui import waiting, work
from ui.building.desk import Desk
from ui.screens.scenarios import STATUS
from ui.texts import plain

if TYPE_CHECKING:
    from allocator.explain.conflicts import Change
    from allocator.plan import Plan


def draw(desk: Desk, plan: Plan) -> None:
    st.error(str(STATUS[plan.status]))
    st.write(plain(str(plan.message or (plan.conflict.text() if plan.conflict is not None else ""))))
    name = str(Text("Ce qui rendrait un plan possible", "What would make a plan possible"))
    found = waiting.result(name, lambda: work.question(desk.built))
    if found is None:
        return
    st.write(plain(str(found.answer)))
    remedies = getattr(found, "remedies", ())
    if not remedies:
        for line in found.details:
            st.write(plain(str(line)))
        return
    st.markdown(
        "**" + str(Text("Un plan redevient possible si l'on :", "A plan is possible again if one were to:")) + "**"
    )
    for rank, remedy in enumerate(remedies):
        text = plain(str(remedy.text()))
        st.button(
            text[:1].upper() + text[1:], key=desk.key("remedy", str(rank)), on_click=_apply, args=(desk, remedy.changes)
        )


def _apply(desk: Desk, changes: Iterable[Change]) -> None:
    scenario = desk.scenario
    for change in changes:
        scenario = change.on(scenario)
    desk.take(scenario)
