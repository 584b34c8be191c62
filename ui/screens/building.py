"""*Construire*: a scenario changed step by step, each change solved at once, with what it moved."""

from __future__ import annotations

import streamlit as st

import allocator
from allocator import data
from allocator.texts import Text
from ui import visit, waiting
from ui.cards import cards
from ui.library import library
from ui.texts import euros, number, signed
from ui.view import View


def show() -> None:
    st.header(str(Text("Construire", "Build")))
    here = visit.current()
    origin = _origin(here)
    built = here.built if here.built and here.origin == origin else origin
    controls, effect = st.columns([2, 3], gap="large")
    with controls:
        _envelopes(origin, built)
    with effect:
        _undo()
        plans = waiting.plans([origin, built])
        if plans is not None and len(plans) == len({origin, built}):
            _effect(View(allocator.compare([plans[origin], plans[built]])))


def _origin(here: visit.Visit) -> str:
    known = list(dict.fromkeys([*data.names(), *(ref for ref in (here.origin, *here.compared) if ref)]))
    key = visit.key("origin")
    wanted = here.origin or here.compared[-1]
    return st.selectbox(
        str(Text("Partir de", "Start from")), known, index=known.index(wanted), key=key, format_func=library().label,
        on_change=lambda: visit.go(origin=st.session_state[key], built="", undone=()),
    )  # fmt: skip


def _envelopes(origin: str, built: str) -> None:
    st.subheader(str(Text("Enveloppes", "Envelopes")))
    scenario = library().scenario(built)
    for fund in scenario.funds:
        key = f"{visit.key('amount')}-{built}-{fund.id}"
        held = fund.amount if fund.amount is not None else sum((fund.amounts or {}).values())
        st.text_input(fund.label or fund.id, euros(held), key=key, on_change=_edit, args=(origin, built, fund.id, key))


def _edit(origin: str, built: str, fund: str, key: str) -> None:
    try:
        visit.edit(origin, built, {f"funds.{fund}.amount": st.session_state[key]})
    except allocator.ScenarioError as error:
        st.session_state["refused"] = "\n".join(f"- {problem.text()}" for problem in error.problems)


def _undo() -> None:
    here = visit.current()
    st.button(str(Text("Annuler le dernier changement", "Undo the last change")), on_click=visit.undo,
              disabled=not here.undone)  # fmt: skip
    if wrong := st.session_state.pop("refused", None):
        st.error(wrong)


def _effect(view: View) -> None:
    totals = view.comparison.totals.to_dict("records")
    cards(view, [
        [euros(row["granted"], True), str(Text("référence", "reference")) if rank == 0 else signed(row["change"], True)]
        for rank, row in enumerate(totals)
    ])  # fmt: skip
    st.write(number(totals[-1]["objective"]))
