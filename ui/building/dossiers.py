"""The demands as a table: what may be changed of each, a few at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from allocator.texts import Text
from ui.building.desk import Desk, refused
from ui.cards import note
from ui.texts import bare, number

DEMANDS = "demands"
SHOWN = 200  # rows at once
EDITED = {
    "units": Text("Unités", "Units"),
    "asked": Text("Demandé par unité (€)", "Asked per unit (€)"),
    "cost": Text("Coût par unité (€)", "Cost per unit (€)"),
    "min_units": Text("Unités au moins", "Units at least"),
    "first_year": Text("Dès", "From"),
    "last_year": Text("Jusqu'en", "Until"),
}
TOLD = {
    "id": Text("Dossier", "Demand"),
    "place": Text("Territoire", "Place"),
    "what": Text("Mesure", "Measure"),
}


def draw(desk: Desk) -> None:
    found = _sought(desk)
    if len(found) > SHOWN:
        note(Text(
            f"Les {SHOWN} premiers de {number(len(found))} dossiers : cherchez pour en voir d'autres.",
            f"The first {SHOWN} of {number(len(found))} demands: search to see others.",
        ))  # fmt: skip
    shown = found.head(SHOWN)
    if shown.empty:
        st.write(str(Text("Aucun dossier ne correspond.", "No demand matches.")))
        return
    key = desk.key("demands", *map(str, st.session_state.get("sought", ())))
    config: dict[str, Any] = {
        name: st.column_config.TextColumn(str(text), disabled=True) for name, text in TOLD.items()
    }
    config |= {name: st.column_config.NumberColumn(str(text), required=True) for name, text in EDITED.items()}
    years = desk.scenario.years
    for name in ("first_year", "last_year"):
        config[name] = st.column_config.SelectboxColumn(str(EDITED[name]), options=years, required=True)
    st.data_editor(
        shown, key=key, column_config=config, hide_index=True, height=420, on_change=_edited,
        args=(desk, key, shown["id"].tolist()),
        alt=str(Text("Dossiers : unités, montants et années se changent", "Demands: units, amounts and years may be changed")),
    )  # fmt: skip
    refused(DEMANDS)


def _sought(desk: Desk) -> pd.DataFrame:
    """Those that match what is sought, with their names."""
    scenario = desk.scenario
    demands, places = scenario.demands, scenario.territories.set_index("id")["name"]
    labels = {measure.id: measure.label or measure.id for measure in scenario.measures}
    left, right = st.columns(2)
    with left:
        typed = st.text_input(
            str(Text("Chercher un dossier ou un territoire", "Search a demand or a place")), key="sought-name",
            persist_state="session",
        )  # fmt: skip
    with right:
        measure = st.selectbox(
            str(Text("Mesure", "Measure")), [None, *labels], key="sought-measure", persist_state="session",
            format_func=lambda one: str(Text("toutes", "all")) if one is None else labels.get(one, one),
        )  # fmt: skip
    st.session_state["sought"] = (typed, measure)
    names = demands["territory"].map(places).astype(str)
    wanted = np.ones(len(demands), bool)
    if measure is not None:
        wanted &= (demands["measure"] == measure).to_numpy()
    if typed.strip():
        words = bare(typed).split()
        told = (demands["id"].astype(str) + " " + names).map(bare)
        wanted &= np.array([all(word in text for word in words) for text in told], bool)
    columns = {"id": demands["id"], "place": names, "what": demands["measure"].map(labels)}
    columns |= {name: demands[name] for name in EDITED}
    table = pd.DataFrame(columns)[wanted].reset_index(drop=True)
    for name in ("units", "asked", "cost", "min_units"):
        table[name] = table[name].astype(float)
    return table


def _edited(desk: Desk, key: str, ids: list[str]) -> None:
    edits = st.session_state[key]["edited_rows"]
    changes = {
        f"demands.{ids[int(row)]}.{column}": value for row, cells in edits.items() for column, value in cells.items()
    }
    if changes:
        desk.change(DEMANDS, changes)
