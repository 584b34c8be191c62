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
        _field(desk, label, [f"funds.{fund.id}.amount"], fund.amount or 0)
    else:
        st.markdown(f"**{label}**")
        for column, (year, cents) in zip(st.columns(len(years)), years.items(), strict=True):
            with column:
                _field(desk, str(year), [f"funds.{fund.id}.amounts.{year}"], cents)
        if len(years) > 1:
            every = [f"funds.{fund.id}.amounts.{year}" for year in years]
            same = next(iter(years.values())) if len(set(years.values())) == 1 else None
            _field(desk, str(Text("Chaque année", "Every year")), every, same)
    moves = st.container(horizontal=True, gap="small")
    for step in STEPS:
        sign = "+" if step > 0 else "\u2212"
        moves.button(
            f"{sign}{abs(step)}{NO_BREAK}%", key=desk.key("step", fund.id, str(step)), width="content",
            help=str(Text(f"{label} : {sign}{abs(step)} %", f"{label}: {sign}{abs(step)}%")),
            on_click=_made, args=(desk, [f"funds.{fund.id}.amount"], f"{step:+} %"),
        )  # fmt: skip
    if years:  # otherwise the field has said it
        refused(f"funds.{fund.id}.amount")
    was = sum(_held(before)) if before is not None else None
    if was is not None and was != sum(_held(fund)):
        note(Text(f"au départ : {euros(was, True)}", f"at the start: {euros(was, True)}"))


def _held(fund: Fund) -> list[int]:
    return list(fund.amounts.values()) if fund.amounts else [fund.amount or 0]


def _field(desk: Desk, label: str, paths: list[str], cents: int | None) -> None:
    """One amount for all of these paths; empty where they differ."""
    key = desk.key(" ".join(paths))
    st.text_input(
        label, "" if cents is None else euros(cents), key=key, placeholder=str(Text("montants différents", "amounts differ")),
        on_change=lambda: _made(desk, paths, st.session_state[key]),
    )  # fmt: skip
    refused(" ".join(paths))


def _made(desk: Desk, paths: list[str], value: str) -> None:
    desk.change(" ".join(paths), dict.fromkeys(paths, value))
