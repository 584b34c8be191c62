"""*Mon territoire*: what one place gets in each plan, and what changes for it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from allocator.compare import FATES
from allocator.texts import Text
from ui import visit
from ui.cards import cards, note
from ui.charts import bars
from ui.comparing.choice import compared
from ui.explaining.telling import ASKED
from ui.tables import amounts, download, table
from ui.texts import NOTHING, each, euros, number, plain, quoted, signed
from ui.view import LEVELS, View
from ui.visit import PAGES

SHOWN = 25  # dossiers of a large place, those that change most


def show() -> None:
    view = compared()
    if view is not None:
        draw(view)


def draw(view: View) -> None:
    st.header(str(Text("Mon territoire", "My territory")))
    place = _choose(view)
    if place is None:
        st.info(str(Text(
            "Choisissez votre intercommunalité, votre Territoire d'industrie, votre département ou votre région pour voir ce que chaque plan lui "
            "accorde. En attendant, voici la France entière.",
            "Choose your EPCI, Territoire d'industrie, département or région to see what each plan grants it. Meanwhile, here is the whole of "
            "France.",
        )))  # fmt: skip
        totals = view.comparison.totals
        people = int(view.territories["population"].sum())
        _cards(view, [int(cents) for cents in totals["granted"]], people)
        return
    level, key, label = place
    people, granted = view.people(level, key), view.granted(level, key)
    st.subheader(plain(label))
    for _, line in sentences(view):
        st.markdown(line)
    _cards(view, granted, people)
    members = view.members(level, key)
    _measures(view, members, label, key)
    _dossiers(view, members, label, key)


def _choose(view: View) -> tuple[str, str, str] | None:
    """The level, key and label of the place, or None while nothing is chosen."""
    place = visit.current().place
    places = _places(view)
    known, key = list(places), visit.key("place")
    chosen = st.selectbox(
        str(Text("Chercher une intercommunalité, un Territoire d'industrie, un département, une région",
                 "Search an EPCI, a Territoire d'industrie, a département, a région")),
        known, key=key, index=known.index(place) if place in places else None,
        format_func=lambda each: _called(places[each], each[0]),
        placeholder=str(Text("Tapez les premières lettres", "Type the first letters")),
        on_change=lambda: visit.go(place=st.session_state[key]),
    )  # fmt: skip
    return None if chosen is None else (*chosen, places[chosen])


def _places(view: View) -> dict[tuple[str, str], str]:
    """(level, key) → name, the widest first; an EPCI with its département, for many share a name."""
    table = view.territories
    found: dict[tuple[str, str], str] = {}
    for level in reversed(LEVELS):
        if level == "territory":
            names = table["name"] + " (" + table["departement_name"].astype(str) + ")"
            labels = dict(zip(table["id"], names, strict=True))
        else:
            within = table[table[level].notna()]
            labels = dict(zip(within[level], within[f"{level}_name"], strict=True))
        found |= {(level, key): labels[key] for key in sorted(labels, key=lambda each: _plain(labels[each]))}
    return found


def _called(label: str, level: str) -> str:
    return label + ("" if level == "territory" else f", {str(LEVELS[level]).lower()}") + _also(label)


def _plain(text: str) -> str:
    """Without its accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _also(label: str) -> str:
    """The name again as people type it in haste, without accents or hyphens, where that differs: the browser
    finds only what is typed letter for letter.
    """
    name = label.rpartition(" (")[0] or label
    hasty = " ".join(re.findall(r"\w+", _plain(name).lower()))
    return "" if hasty == name.lower() else f" · {hasty}"


def sentences(view: View) -> list[tuple[str, str]]:
    """(place, what each later plan grants it) for the visit's place; nothing where none is chosen."""
    place, places = visit.current().place, _places(view)
    if place not in places:
        return []
    before, *later = view.granted(*place)
    return [(places[place], _sentence(view, name, cents, cents - before))
            for name, cents in zip(view.later, later, strict=True)]  # fmt: skip


def _sentence(view: View, name: str, cents: int, change: int) -> str:
    plan, reference = (quoted(plain(view.label(one))) for one in (name, view.names[0]))
    amount, size = euros(cents, True), euros(abs(change), True)
    if not change:
        return str(Text(
            f"Avec {plan}, **{amount}** : autant qu'avec {reference}.",
            f"With {plan}, **{amount}**: as much as with {reference}.",
        ))  # fmt: skip
    fr, en = ("de plus", "more") if change > 0 else ("de moins", "less")
    return str(Text(
        f"Avec {plan}, **{amount}**, soit **{size} {fr}** qu'avec {reference}.",
        f"With {plan}, **{amount}**, which is **{size} {en}** than with {reference}.",
    ))  # fmt: skip


def _cards(view: View, granted: list[int], people: int) -> None:
    lines = []
    for rank, cents in enumerate(granted):
        change = str(Text("référence", "reference")) if rank == 0 else signed(cents - granted[0], True)
        lines.append([euros(cents, True), each(cents, people), change])
    cards(view, lines)
    if people:
        note(Text(f"{number(people)} habitants", f"{number(people)} inhabitants"))


def _measures(view: View, members: pd.DataFrame, label: str, key: str) -> None:
    found = view.within("measure", members["id"])
    if found.empty:
        st.write(str(Text("Aucun plan n'y accorde rien.", "No plan grants anything there.")))
        return
    title = Text("Accordé par mesure", "Granted by measure")
    st.subheader(str(title))
    bars(view, found, str(Text("Mesure", "Measure")))
    amounts(view, f"{title} — {label}", str(Text("Mesure", "Measure")), found)
    download(view, found, f"{key}-{Text('mesures', 'measures')}.csv", "csv-place")


def _dossiers(view: View, members: pd.DataFrame, label: str, key: str) -> None:
    st.subheader(str(Text("Ce que deviennent les dossiers", "What becomes of the demands")))
    name = view.which("which-dossiers")
    demands = view.comparison.demands()
    mine = demands[(demands["plan"] == name) & demands["territory"].isin(members["id"])]
    if mine.empty:
        st.write(str(Text("Aucun dossier n'y est demandé.", "Nothing is asked for there.")))
        return
    counts = mine["fate"].value_counts()
    said = [f"{number(counts[fate])} {text}" for fate, text in FATES.items() if counts.get(fate)]
    st.write(str(Text("Dossiers : ", "Demands: ")) + ", ".join(said) + ".")
    several = len(members) > 1
    called = dict(zip(members["id"], members["name"], strict=True))
    measures = {m.id: m.label for plan in view.comparison.plans for m in plan.scenario.measures}
    _why(view, name, mine, measures, called if several else {})
    order = mine.assign(size=mine["change"].abs(), paid=mine[["before", "after"]].max(axis=1))
    shown = order.sort_values(["size", "paid", "demand"], ascending=[False, False, True]).head(SHOWN)
    if len(shown) < len(mine):
        note(Text(
            f"Les {SHOWN} dossiers qui changent le plus, sur {number(len(mine))}.",
            f"The {SHOWN} demands that change most, of {number(len(mine))}.",
        ))  # fmt: skip
    rows = []
    for row in shown.to_dict("records"):
        what = measures[row["measure"]]
        rows.append([
            (what, called[row["territory"]]) if several else what, _fate(row),
            euros(row["before"]) if row["before"] else NOTHING,
            (euros(row["after"]) if row["after"] else NOTHING, signed(row["change"])),
        ])  # fmt: skip
    head = [
        str(Text("Dossier", "Demand")), str(Text("Devenir", "Outcome")),
        view.label(view.names[0]), view.label(name),
    ]  # fmt: skip
    table(f"{Text('Dossiers', 'Demands')} — {label}", head, rows, left=2)


def _why(view: View, name: str, mine: pd.DataFrame, measures: Mapping[str, str], called: Mapping[str, str]) -> None:
    """The way to the reasons for any of these demands: those that get nothing first, for it is they who ask."""
    rank = view.names.index(name)
    there = mine[mine["demand"].isin(view.comparison.plans[rank].scenario.demands["id"])]
    rows = there.sort_values(["after", "measure", "territory", "demand"]).set_index("demand")
    labels = {}
    for demand, row in rows.iterrows():
        what = [measures[row["measure"]], *([called[row["territory"]]] if called else [])]
        got = euros(row["after"], True) if row["after"] else str(Text("rien", "nothing"))
        labels[demand] = f"{', '.join(what)} ({demand}) : {got}"
    form = st.form(visit.key(f"why-{name}"), border=True)
    chosen = form.selectbox(
        plain(str(Text(f"Pourquoi ce dossier, dans {quoted(view.label(name))} ?", f"Why this demand, in {quoted(view.label(name))}?"))),
        list(labels), index=None, format_func=lambda each: labels[each], placeholder=str(Text("Choisir un dossier", "Choose a demand")),
    )  # fmt: skip
    if form.form_submit_button(str(Text("Expliquer", "Explain"))) and chosen is not None:
        st.session_state[ASKED] = {"ref": view.refs[rank], "demand": chosen}
        st.switch_page(st.session_state[PAGES]["expliquer"], query_params=visit.current().address)


def _fate(row: Mapping[Any, Any]) -> str:
    """One demand, hence in the singular; and why where a plan never could."""
    fate = str(row["fate"])
    one = {
        "new": Text("nouvellement financé", "newly funded"), "more": Text("financé davantage", "funded more"),
        "same": Text("financé à l'identique", "funded the same"), "less": Text("financé moins", "funded less"),
        "gone": Text("n'est plus financé", "no longer funded"), "none": Text("non financé", "not funded"),
    }[fate]  # fmt: skip
    if fate == "new" and not row["eligible_before"]:
        return str(Text(f"{one.fr} (n'était pas éligible)", f"{one.en} (was not eligible)"))
    if fate == "gone" and not row["eligible_after"]:
        return str(Text(f"{one.fr} (plus éligible)", f"{one.en} (no longer eligible)"))
    if fate == "none" and not (row["eligible_before"] or row["eligible_after"]):
        return str(Text(f"{one.fr} (non éligible)", f"{one.en} (not eligible)"))
    return str(one)
