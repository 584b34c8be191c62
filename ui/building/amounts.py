"""What the funds hold: in one sum or by year, exact, or so many per cent more or less."""

from __future__ import annotations

import streamlit as st

from allocator.scenario import Fund
from allocator.texts import Text
from ui.building.desk import Desk, refused
from ui.cards import note
from ui.texts import NO_BREAK, euros

STEPS = (-30, -10, 10, 30)  # per cent


def draw(desk: Desk) -> None:
    note(Text(
        "Écrivez un montant comme « 65 M€ » ou « 12,5 M€ », puis Entrée.",
        "Write an amount as “65 M€” or “12.5 M€”, then Enter.",
    ))  # fmt: skip
    known = {fund.id: fund for fund in desk.start.funds}
    for fund in desk.scenario.funds:
        with st.container(border=True):
            _fund(desk, fund, known.get(fund.id))


def _fund(desk: Desk, fund: Fund, before: Fund | None) -> None:
    label = fund.label or fund.id
    years = fund.amounts or {}
    if not years:
        _field(desk, label, f"funds.{fund.id}.amount", fund.amount or 0)
    else:
        st.markdown(f"**{label}**")
        for column, (year, cents) in zip(st.columns(len(years)), years.items(), strict=True):
            with column:
                _field(desk, str(year), f"funds.{fund.id}.amounts.{year}", cents)
    moves = st.container(horizontal=True, gap="small")
    for step in STEPS:
        sign = "+" if step > 0 else "\u2212"
        moves.button(
            f"{sign}{abs(step)}{NO_BREAK}%", key=desk.key("step", fund.id, str(step)), width="content",
            help=str(Text(f"{label} : {sign}{abs(step)} %", f"{label}: {sign}{abs(step)}%")),
            on_click=_made, args=(desk, f"funds.{fund.id}.amount", f"{step:+} %"),
        )  # fmt: skip
    if years:  # otherwise the field has said it
        refused(f"funds.{fund.id}.amount")
    was = sum(_held(before)) if before is not None else None
    if was is not None and was != sum(_held(fund)):
        note(Text(f"au départ : {euros(was, True)}", f"at the start: {euros(was, True)}"))


def _held(fund: Fund) -> list[int]:
    return list(fund.amounts.values()) if fund.amounts else [fund.amount or 0]


def _field(desk: Desk, label: str, path: str, cents: int) -> None:
    key = desk.key(path)
    st.text_input(
        label, euros(cents), key=key, on_change=lambda: _made(desk, path, st.session_state[key])
    )  # fmt: skip
    refused(path)


def _made(desk: Desk, path: str, value: str) -> None:
    desk.change(path, {path: value})
