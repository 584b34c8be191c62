"""What counts: the weight of each indicator, or the whole objective where it is of another kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from allocator.scenario import Scenario
from allocator.texts import Text
from ui.building.desk import Desk, refused
from ui.building.forms import read, written
from ui.cards import note
from ui.texts import plain, plain_number

OBJECTIVE = "objective"


def draw(desk: Desk) -> None:
    said: Mapping[str, Any] = desk.scenario.to_dict()[OBJECTIVE]
    if set(said) == {"maximise"} and isinstance(said["maximise"], Mapping):
        note(Text(
            "Combien de points vaut une unité de chaque indicateur ; 0 : il ne compte pas.",
            "How many points a unit of each indicator is worth; 0: it does not count.",
        ))  # fmt: skip
        for indicator in desk.scenario.indicators:
            _weight(desk, indicator, said["maximise"])
        refused(OBJECTIVE)
        return
    key = desk.key(OBJECTIVE)

    def change() -> None:
        desk.put(OBJECTIVE, objective=read(st.session_state[key]))

    title = Text("Objectif (YAML)", "Objective (YAML)")
    st.text_area(str(title), written(said), key=key, height=240, on_change=change)
    refused(OBJECTIVE)


def _weight(desk: Desk, indicator: str, weights: Mapping[str, Any]) -> None:
    key = desk.key("weight", indicator)

    def change() -> None:
        typed = st.session_state[key].strip().replace(",", ".")
        kept = {name: value for name, value in weights.items() if name != indicator}
        if typed not in ("", "0"):
            kept[indicator] = typed
        desk.put(OBJECTIVE, objective={"maximise": kept})

    name = plain(label_of(desk.scenario, indicator))
    st.text_input(name[:1].upper() + name[1:], plain_number(weights.get(indicator, 0)), key=key, on_change=change)


def label_of(scenario: Scenario, indicator: str) -> str:
    """What an indicator is called in sentences."""
    said = scenario.labels.get(indicator, indicator)
    return said if isinstance(said, str) else str(Text(said.get("fr", indicator), said.get("en", indicator)))
