"""*La France entière*: totals, where the money goes, a map, who gains and who loses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from allocator.compare import change_of
from allocator.texts import Text
from ui.cards import cards
from ui.charts import bars, france
from ui.comparing import causes, flows, people
from ui.comparing.choice import compared
from ui.tables import Cell, amounts, download, table
from ui.texts import each, euros, number, plain, quoted, signed
from ui.view import BREAKDOWNS, View

MAPS = {"regions": Text("Régions", "Régions"), "epci": Text("Intercommunalités", "EPCI")}
MANY = 10


def show() -> None:
    view = compared()
    if view is not None:
        draw(view)


def draw(view: View) -> None:
    st.header(str(Text("La France entière", "The whole of France")))
    for note in view.comparison.notes:
        st.info(plain(str(note)))
    _totals(view)
    part = st.segmented_control(
        str(Text("Regarder", "Look at")), list(PARTS), format_func=lambda each: str(PARTS[each][0]),
        default="money", required=True, key="nation-part", persist_state="session", label_visibility="collapsed",
    )  # fmt: skip
    PARTS[part][1](view)


def _totals(view: View) -> None:
    lines = []
    for rank, row in enumerate(view.comparison.totals.to_dict("records")):
        change = str(Text("référence", "reference")) if rank == 0 else signed(row["change"], True)
        asked, left = euros(row["asked"], True), euros(row["left"], True)
        lines.append([
            euros(row["granted"], True), change, str(Text(f"demandé : {asked}", f"asked: {asked}")),
            str(Text(f"reste à attribuer : {left}", f"left: {left}")),
        ])  # fmt: skip
    cards(view, lines)


def _breakdown(view: View) -> None:
    st.subheader(str(Text("Où va l'argent", "Where the money goes")))
    per = st.segmented_control(
        str(Text("Accordé par", "Granted by")), list(BREAKDOWNS), format_func=lambda each: str(BREAKDOWNS[each]),
        default="measure", required=True, key="per", persist_state="session",
    )  # fmt: skip
    found = view.comparison.by(per)
    found = found[(found[list(view.names)] != 0).any(axis=1)].reset_index(drop=True)
    if found.empty:
        st.write(str(Text("Aucun plan n'accorde rien.", "No plan grants anything.")))
        return
    title = str(BREAKDOWNS[per])
    bars(view, found, title)
    amounts(view, str(Text(f"Accordé par {title.lower()}", f"Granted by {title.lower()}")), title, found)
    download(view, found, f"{per}.csv", "csv-nation")


def _map(view: View) -> None:
    st.subheader(str(Text("Carte : qui gagne, qui perd", "Map: who gains, who loses")))
    left, right = st.columns(2)
    with left:
        level = st.segmented_control(
            str(Text("Par", "By")), list(MAPS), format_func=lambda each: str(MAPS[each]), default="regions",
            required=True, key="map-level", persist_state="session",
        )  # fmt: skip
    with right:
        shown = st.selectbox(
            str(Text("Montrer", "Show")), [*(("Δ", name) for name in view.later), *(("", name) for name in view.names)],
            format_func=lambda each: _shown(view, *each), key="map-shown", persist_state="session",
        )  # fmt: skip
    difference, name = shown[0] == "Δ", shown[1]
    beside, table_side = st.columns([3, 2])
    with beside:
        france(view, level, name, difference)
    with table_side:
        _places(view, level, name, difference)
    per = "region" if level == "regions" else "territory"
    download(view, view.comparison.by(per), f"{level}.csv", "csv-map")


def _shown(view: View, sign: str, name: str) -> str:
    label = view.label(name)
    if not sign:
        return str(Text(f"Accordé : {label}", f"Granted: {label}"))
    reference = view.label(view.names[0])
    return str(Text(f"Différence : {label} − {reference}", f"Difference: {label} − {reference}"))


def _places(view: View, level: str, name: str, difference: bool) -> None:
    """The figures of the map: every region, or the ten EPCI at each end."""
    per = "region" if level == "regions" else "territory"
    what = str(Text("Région", "Région") if level == "regions" else Text("Intercommunalité", "EPCI"))
    found = view.comparison.by(per)
    people = found["key"].map(view.population[per]).fillna(0).astype(np.int64)
    cents = found[change_of(name) if difference else name]
    places = pd.DataFrame({"key": found["key"], "label": found["label"], "cents": cents, "people": people})
    places = places.sort_values("cents", ascending=False, kind="stable")
    heads = [what, str(Text("Différence", "Difference") if difference else Text("Accordé", "Granted"))]
    plan = quoted(view.label(name))
    if level == "regions":
        caption = Text(f"Par région : {plan}", f"By région: {plan}")
        table(str(caption), heads, [_place(row, difference) for row in places.to_dict("records")])
        return
    if not difference:
        table(
            str(Text(f"Les {MANY} premières : {plan}", f"The first {MANY}: {plan}")), heads,
            [_place(row, difference) for row in places.head(MANY).to_dict("records")],
        )  # fmt: skip
        return
    gain, lose = places[places["cents"] > 0], places[places["cents"] < 0][::-1]
    st.write(str(Text(
        f"Intercommunalités qui gagnent : {number(len(gain))} ; qui perdent : {number(len(lose))} ; "
        f"sans changement : {number(len(places) - len(gain) - len(lose))}.",
        f"EPCI that gain: {number(len(gain))}; that lose: {number(len(lose))}; "
        f"without change: {number(len(places) - len(gain) - len(lose))}.",
    )))  # fmt: skip
    most = Text("Qui gagne le plus", "Who gains most"), Text("Qui perd le plus", "Who loses most")
    for title, rows in zip(most, (gain, lose), strict=True):
        table(str(title), heads, [_place(row, True) for row in rows.head(MANY).to_dict("records")])


def _place(row: Mapping[Any, Any], difference: bool) -> list[Cell]:
    amount = signed(row["cents"]) if difference else euros(row["cents"])
    return [str(row["label"]), (amount, each(row["cents"], row["people"], difference))]


PARTS: dict[str, tuple[Text, Callable[[View], None]]] = {
    "money": (Text("Où va l'argent", "Where the money goes"), _breakdown),
    "map": (Text("Carte, gagnants et perdants", "Map, winners and losers"), _map),
    "flows": (Text("Des fonds aux régions", "From funds to régions"), flows.draw),
    "people": (Text("Par habitant", "Per inhabitant"), people.draw),
    "causes": (Text("D'où vient la différence", "Where the difference comes from"), causes.draw),
}
