"""*Arbitrer*: how much of one aim another one costs, plan by plan, and the plan behind each point; what money buys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

import allocator
from allocator.report.frontier import shown
from allocator.texts import Text
from ui import questions, visit, waiting, work
from ui.building.moved import differences
from ui.building.weights import label_of
from ui.cards import cards, note
from ui.collection import collection, label
from ui.curves import Scale, curve
from ui.explaining import money
from ui.explaining.telling import chosen, stay, told
from ui.tables import Cell, table
from ui.texts import euros, listed, plain
from ui.view import View

if TYPE_CHECKING:
    from allocator.frontier import Frontier
    from allocator.frontier.axes import Axis
    from allocator.plan import Plan
    from allocator.scenario import Scenario

FEWEST, SOME, MANY = 3, 6, 20
EUROS, REGION, POINTS = "euros", "maximin:region", "points"
ASKED = "frontier"  # what was asked last: the reference, two aims, how many points
SAID = "point-said"  # what came of a button: whether it could be done, and words


def show() -> None:
    st.header(str(Text("Arbitrer", "Trade off")))
    ref = chosen("traded")
    kinds = {"aims": Text("Deux objectifs", "Two aims"), "money": Text("L'argent d'un fonds", "The money of a fund")}
    kind = st.segmented_control(
        str(Text("Arbitrer entre", "Trade off")), list(kinds), format_func=lambda each: str(kinds[each]), default="aims",
        required=True, key="traded-kind", persist_state="session", label_visibility="collapsed",
    )  # fmt: skip
    (_aims if kind == "aims" else _money)(ref)


def _money(ref: str) -> None:
    plans = waiting.plans([ref])
    if not plans:
        return
    if plans[ref].reading is None:
        st.warning(str(Text("Aucun plan n'existe : voir « Expliquer ».", "There is no plan: see “Explain”.")))
        return
    money.draw(ref, plans[ref])


def _aims(ref: str) -> None:
    note(Text(
        "Chaque point est un plan qu'aucun autre ne bat : pour avoir plus d'un objectif, il faut céder de l'autre.",
        "Each point is a plan that no other one beats: to have more of one aim, some of the other must be given up.",
    ))  # fmt: skip
    scenario = collection().scenario(ref)
    names = _names(scenario)
    asked = _asked(ref, names)
    if asked is None:
        return
    x, y, points = asked

    def draw(found: Frontier) -> None:
        _curve(found, names, None)
        _table(found, names)

    found = waiting.result(
        str(Text("la frontière", "the frontier")), lambda: questions.frontier(ref, x, y, points), draw
    )
    if found is not None:
        _found(ref, found, names)


def _names(scenario: Scenario) -> dict[str, str]:
    """What may be traded off, and what it is called."""
    said = {
        POINTS: Text("points du scénario", "points of the scenario"),
        REGION: Text("euros par habitant de la région la moins dotée", "euros per inhabitant of the worst-off région"),
        "maximin:departement": Text(
            "euros par habitant du département le moins doté", "euros per inhabitant of the worst-off département"
        ),
        EUROS: Text("euros accordés, le moins possible", "euros granted, as few as can be"),
    }
    units = {
        f"units:{m.id}": Text(f"nombre : {m.label or m.id}", f"number: {m.label or m.id}") for m in scenario.measures
    }
    indicators = {name: label_of(scenario, name) for name in scenario.indicators}
    found = {POINTS: str(said.pop(POINTS))} | indicators | {name: str(text) for name, text in (said | units).items()}
    return {name: text[:1].upper() + text[1:] for name, text in found.items()}


def _asked(ref: str, names: dict[str, str]) -> tuple[str, str, int] | None:
    """Two aims and how many points, once the button was pressed."""
    last = st.session_state.get(ASKED)
    mine = last[1:] if last is not None and last[0] == ref else None
    x, y, points = mine or (POINTS, REGION, SOME)
    aims = list(names)
    with st.form(visit.key(f"frontier-{ref}")):
        one, two, three = st.columns([3, 3, 2])
        across = one.selectbox(
            str(Text("Un objectif", "One aim")), aims, index=aims.index(x), format_func=lambda name: names[name]
        )
        up = two.selectbox(
            str(Text("contre un autre", "against another")), aims, index=aims.index(y), format_func=lambda name: names[name]
        )  # fmt: skip
        many = three.slider(str(Text("Plans, au plus", "Plans, at most")), FEWEST, MANY, points)
        pressed = st.form_submit_button(str(Text("Tracer", "Draw")), type="primary")
    if pressed:
        if across == up:
            st.error(str(Text("Choisissez deux objectifs différents.", "Choose two different aims.")))
            return None
        mine = (across, up, many)
        st.session_state[ASKED] = (ref, *mine)
    return mine


def _found(ref: str, found: Frontier, names: dict[str, str]) -> None:
    rows = found.table
    if rows.empty:
        nothing = found.nothing.message if found.nothing is not None else ""
        st.warning(plain(str(nothing or Text("Aucun plan n'a été trouvé.", "No plan was found."))))
        return
    key = f"frontier-{ref}-{found.axes['x'].name}-{found.axes['y'].name}-{len(rows)}"
    picked = _curve(found, names, visit.key(f"{key}-chart"))
    _table(found, names)
    told(found.says)
    first = picked if picked is not None else found.knee if found.knee is not None else 0
    called = _points(found)
    k = st.selectbox(
        str(Text("Regarder de près le plan", "Look closely at plan")), range(len(rows)), index=first,
        format_func=lambda one: called[one], key=visit.key(f"{key}-{first}"),
    )  # fmt: skip
    _behind(ref, found, k)


def _points(found: Frontier) -> list[str]:
    """What each point is called."""
    across, up = found.axes["x"], found.axes["y"]
    rows = found.table
    return [f"{k + 1} – {_value(across, x)}, {_value(up, y)}" for k, (x, y) in enumerate(zip(rows["x"], rows["y"], strict=True))]  # fmt: skip


def _value(axis: Axis, value: float) -> str:
    return shown(axis, value) if axis.name == EUROS else f"{shown(axis, value)} {axis.unit}"


def _curve(found: Frontier, names: dict[str, str], key: str | None) -> int | None:
    """The row of the point that was clicked."""
    rows = found.table
    if len(rows) < 2:
        return None
    x, y = (Scale(names[axis.name], axis.name == EUROS) for axis in (found.axes["x"], found.axes["y"]))
    description = Text(
        f"Courbe : {x.title} contre {y.title}, un point par plan. Les chiffres sont dans le tableau.",
        f"Curve: {x.title} against {y.title}, a point per plan. The figures are in the table.",
    )
    points = pd.DataFrame({"x": rows["x"], "y": rows["y"], "name": _points(found), "mark": rows["knee"]})
    return curve(points, x, y, description, straight=found.straight, key=key)


def _table(found: Frontier, names: dict[str, str]) -> None:
    across, up = found.axes["x"], found.axes["y"]
    heads = [str(Text("Plan", "Plan")), names[across.name], names[up.name], str(Text("Accordé", "Granted"))]
    knee = str(Text(" (coude)", " (knee)"))
    lines: list[list[Cell]] = [
        [f"{k + 1}{knee if row['knee'] else ''}", shown(across, row["x"]), shown(up, row["y"]), euros(row["granted"])]
        for k, row in enumerate(found.table.to_dict("records"))
    ]
    table(str(Text("Les plans de la frontière", "The plans of the frontier")), heads, lines)


def _behind(ref: str, found: Frontier, k: int) -> None:
    """The plan behind a point beside its neighbour; and ways to go on with it."""
    row = st.container(horizontal=True)
    row.button(
        str(Text("Comparer ce plan", "Compare this plan")), key=visit.key("compare-point"), on_click=_go_on,
        args=(ref, found.plans[k], k, False),
    )  # fmt: skip
    row.button(
        str(Text("Construire à partir de ce plan", "Build on this plan")), key=visit.key("build-point"), on_click=_go_on,
        args=(ref, found.plans[k], k, True),
    )  # fmt: skip
    done, words = st.session_state.pop(SAID, (True, ""))
    if words:
        (st.success if done else st.error)(words)
    if len(found.plans) < 2:
        return
    other = k - 1 if k else 1
    st.subheader(str(Text(f"Le plan {k + 1} à côté du plan {other + 1}", f"Plan {k + 1} beside plan {other + 1}")))
    sides = [other, k]
    view = View(allocator.compare(_labelled(found.plans[j], f"Plan {j + 1}", f"Plan {j + 1}") for j in sides))
    rows = found.table.to_dict("records")
    cards(view, [[_value(found.axes["x"], rows[j]["x"]), _value(found.axes["y"], rows[j]["y"]),
                  str(Text("accordé : ", "granted: ")) + euros(rows[j]["granted"], True)] for j in sides])  # fmt: skip
    differences(view)


def _go_on(ref: str, plan: Plan, k: int, build: bool) -> None:
    """Keep a point's scenario, told apart from the one it was made from, and look at it; its plan is known."""
    here, said = visit.current(), label(plan.scenario)
    named = _labelled(plan, f"{said} (plan {k + 1} de la frontière)", f"{said} (plan {k + 1} of the frontier)")
    try:
        point = collection().keep(named.scenario)
    except allocator.ScenarioError as error:
        st.session_state[SAID] = False, listed(error)
        return
    work.known(point, named)
    if build:
        visit.go(origin=point, built=point, undone=())
        done = Text("Ouvert dans « Construire ».", "Opened in “Build”.")
    else:
        others = tuple(one for one in here.compared if one not in (ref, point))
        visit.go(compared=(ref, point, *others)[:4])
        done = Text(
            "Ajouté à la comparaison : voir « Mon territoire » et « La France entière ».",
            "Added to the comparison: see “My territory” and “The whole of France”.",
        )
    stay(ref)
    st.session_state[SAID] = True, str(done)


def _labelled(plan: Plan, french: str, english: str) -> Plan:
    """The same plan; only what its scenario is called is another."""
    return replace(plan, scenario=plan.scenario.with_(label={"fr": french, "en": english}))
