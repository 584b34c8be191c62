"""One demand: why it is funded or not, what would change that, how certain it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from allocator.texts import Text
from ui import visit, waiting, work
from ui.cards import note
from ui.explaining.telling import ASKED, answered, said, told
from ui.texts import bare, euros, number
from ui.view import members, placed

if TYPE_CHECKING:
    from allocator.plan import Plan

MOST = 50  # demands offered at once
SOUGHT = "sought-demand"


def draw(ref: str, plan: Plan) -> None:
    demand = _sought(plan)
    if demand is None:
        return
    what = Text(f"dossier {demand}", f"demand {demand}")
    brief = waiting.result(str(what), lambda: work.question(ref, demand=demand, brief=True))
    if brief is None:
        return
    space = st.container()
    more = st.toggle(
        str(Text("En détail : les règles et les fonds qui en décident", "In detail: the rules and funds that decide it")),
        key=f"detail-{ref}-{demand}",
    )  # fmt: skip
    whole = waiting.result(str(what), lambda: work.question(ref, demand=demand)) if more else None
    with space:
        said((whole or brief).answer)
        told((whole or brief).details)
    sure = Text(
        "Est-ce sûr ? Ce qu'en font des plans presque aussi bons", "Is it certain? What plans nearly as good do"
    )
    if st.toggle(str(sure), key=f"sure-{ref}-{demand}"):
        found = answered(what, ref, demand=demand, about="near", brief=True)
        if found is not None:
            told(found.details)


def _sought(plan: Plan) -> str | None:
    """The demand asked about: sought by words of its name, place or measure."""
    asked = st.session_state.pop(ASKED, {}).get("demand")
    if asked is not None:
        st.session_state[SOUGHT] = asked
    typed = st.text_input(
        str(Text("Chercher un dossier", "Search a demand")), key=SOUGHT, persist_state="session",
        placeholder=str(Text("territoire, mesure ou identifiant", "place, measure or id")),
    )  # fmt: skip
    names = _named(plan)
    words = bare(typed).split()
    wanted = np.array([all(word in name for word in words) for name in names["sought"]], dtype=bool)
    mine = _here(plan)
    if not words and mine is not None:
        wanted &= names["territory"].isin(mine).to_numpy()
        note(Text(
            "Ce sont les dossiers du territoire que vous regardez ; une recherche trouve tous les autres.",
            "These are the demands of the place that you look at; a search finds all others.",
        ))  # fmt: skip
    found = names[wanted]
    if found.empty:
        st.write(str(Text("Aucun dossier ne correspond.", "No demand matches.")))
        return None
    if len(found) > MOST:
        few, all_of = number(MOST), number(len(found))
        note(Text(
            f"Les {few} premiers de {all_of} dossiers : précisez la recherche pour en voir d'autres.",
            f"The first {few} of {all_of} demands: search more narrowly to see others.",
        ))  # fmt: skip
    labels = dict(zip(found["id"][:MOST], found["label"][:MOST], strict=True))
    ids = list(labels)
    return st.selectbox(
        str(Text("Dossier", "Demand")), ids, index=ids.index(typed) if typed in ids else 0 if len(ids) == 1 else None,
        format_func=lambda one: labels[one], key=visit.key(f"demand-{typed}-{len(found)}"),
        placeholder=str(Text("Choisir un dossier", "Choose a demand")),
    )  # fmt: skip


def _here(plan: Plan) -> set[str] | None:
    """The territories of the visit's place."""
    place = visit.current().place
    if place is None:
        return None
    level, key = place
    return set(members(placed(plan.scenario.territories), level, key)["id"]) or None


def _named(plan: Plan) -> pd.DataFrame:
    """(n,) id, territory, label and what is sought of each demand."""
    scenario = plan.scenario
    demands, places = scenario.demands, scenario.territories.set_index("id")
    measures = demands["measure"].map({m.id: m.label or m.id for m in scenario.measures}).astype(str)
    label = (
        measures + ", " + demands["territory"].map(places["name"]).astype(str) + " (" + demands["id"].astype(str) + ")"
    )
    sought = label
    for column in ("departement_name", "region_name"):
        if column in places:
            sought = sought + " " + demands["territory"].map(places[column]).fillna("").astype(str)
    assert plan.reading is not None
    got = [_got(int(g), int(a)) for g, a in zip(plan.reading.granted, plan.asked_cents(), strict=True)]
    return pd.DataFrame(
        {"id": demands["id"], "territory": demands["territory"], "label": label + " — " + pd.Series(got, index=label.index),
         "sought": sought.map(bare)}
    )  # fmt: skip


def _got(granted: int, asked: int) -> str:
    if not granted:
        return str(Text("non financé", "not funded"))
    if granted == asked:
        return euros(granted, True)
    got, of = euros(granted, True), euros(asked, True)
    return str(Text(f"{got} sur {of}", f"{got} of {of}"))
