"""What money buys: a million more in each fund; of one fund the whole curve, and who is next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

import allocator
from allocator.explain.variants import raised
from allocator.texts import Text
from ui import visit, waiting, work
from ui.curves import Scale, curve
from ui.explaining.telling import answered, said, stay, told
from ui.tables import Cell, table
from ui.texts import euros, listed

if TYPE_CHECKING:
    from allocator.explain.money import NextMillion, Response
    from allocator.explain.reserve import Reserve
    from allocator.plan import Plan


SAID = "amount-said"  # what came of a button: whether it could be done, and words


def draw(ref: str, plan: Plan) -> None:
    first: NextMillion | None = answered(Text("un million de plus", "a million more"), ref, about="money")
    if first is None:
        return
    _million(first)
    labels = {each.fund: each.label for each in first.ranked}
    fund = st.selectbox(
        str(Text("Un fonds de près", "One fund close up")), list(labels), format_func=lambda one: labels[one],
        key=visit.key(f"fund-{ref}"),
    )  # fmt: skip
    whole = st.toggle(
        str(Text("Toute la courbe et la liste complémentaire", "The whole curve and the reserve list")),
        key=f"curve-{ref}-{fund}",
    )  # fmt: skip
    what = Text(f"fonds {labels[fund]}", f"fund {labels[fund]}")
    found = waiting.result(str(what), lambda: work.question(ref, fund=fund, brief=not whole))
    if found is None:
        return
    said(found.answer)
    if len(found.points) > 1:
        _curve(ref, plan, found)
    if found.reserve is not None:
        _reserve(found.reserve)
    told(found.beside)


def _million(found: NextMillion) -> None:
    lines: list[list[Cell]] = []
    for each in found.ranked:
        if each.measurable and each.gain is not None:
            lines.append([each.label, str(found.counted.of(each.gain)), str(found.counted.changes(each.indicators))])
        else:
            nothing = Text("rien de mesurable", "nothing measurable")
            if each.gain is None:
                nothing = Text("aucun plan trouvé", "no plan found")
            lines.append([each.label, str(nothing), str(each.why(found.counted))])
    heads = [
        Text("Fonds", "Fund"),
        Text("Achèterait", "Would buy"),
        Text("Dans le plan recalculé", "In the plan solved again"),
    ]
    table(str(Text("Un million d'euros de plus", "A million euros more")), [str(head) for head in heads], lines, left=3)
    told(found.details[len(found.ranked) :])


def _curve(ref: str, plan: Plan, found: Response) -> None:
    """What is gained or lost by what the fund holds: a curve, the same figures in a table, the plan behind a point."""
    counted, unit = found.counted, str(found.counted.unit)
    gains = {point.cents: point.gain for point in found.points if point.cents != found.now}
    amounts = sorted({*gains, found.now})
    today = str(Text("aujourd'hui", "today"))
    told_ = [str(counted.of(gains[cents], signed=True)) if cents in gains else today for cents in amounts]
    names = [f"{euros(cents, True)} : {gain}" for cents, gain in zip(amounts, told_, strict=True)]
    rows = pd.DataFrame(
        {
            "x": [cents / 100 for cents in amounts],
            "y": [gains[cents].over(counted.size).found if cents in gains else 0.0 for cents in amounts],
            "name": names,
            "mark": [cents == found.now for cents in amounts],
        }
    )
    described = Text(
        f"Courbe : ce qui est gagné selon ce que contient « {found.label} ». Les chiffres sont dans le tableau.",
        f"Curve: what is gained by what “{found.label}” holds. The figures are in the table.",
    )
    x = Scale(str(Text("Ce que contient le fonds", "What the fund holds")), money=True)
    y = Scale(str(Text(f"Gagné ou perdu ({unit})", f"Gained or lost ({unit})")))
    picked = curve(rows, x, y, described, straight=found.exact, key=visit.key(f"curve-{ref}-{found.fund}"))
    heads = [
        "",
        str(Text("Le fonds contient", "The fund holds")),
        str(Text("Écart avec ce plan", "Change from this plan")),
    ]
    lines: list[list[Cell]] = [
        [str(k + 1), euros(cents), gain] for k, (cents, gain) in enumerate(zip(amounts, told_, strict=True))
    ]
    table(str(Text("Ce qu'achète l'argent", "What money buys")), heads, lines)
    others = [k for k, cents in enumerate(amounts) if cents in gains]
    k = st.selectbox(
        str(Text("Construire le plan d'un point", "Build the plan of a point")), others,
        index=others.index(picked) if picked in others else None, format_func=lambda one: f"{one + 1} – {names[one]}",
        key=visit.key(f"curve-point-{ref}-{found.fund}-{picked}"), placeholder=str(Text("Choisir un point", "Choose a point")),
    )  # fmt: skip
    if k is not None:
        st.button(
            str(Text("Construire avec ce montant", "Build with this amount")), on_click=_build,
            key=visit.key(f"curve-build-{ref}-{found.fund}"), args=(ref, plan, found, amounts[k]),
        )  # fmt: skip
    done, words = st.session_state.pop(SAID, (True, ""))
    if words:
        (st.success if done else st.error)(words)


def _build(ref: str, plan: Plan, found: Response, cents: int) -> None:
    try:
        visit.build(ref, raised(plan.scenario, found.fund, cents - found.now))
    except allocator.ScenarioError as error:
        st.session_state[SAID] = False, listed(error)
        return
    stay(ref)
    st.session_state[SAID] = True, str(Text("Ouvert dans « Construire ».", "Opened in “Build”."))


def _reserve(found: Reserve) -> None:
    """Who is next, and what with."""
    lines: list[list[Cell]] = []
    for rank, demand in enumerate(dict.fromkeys(each.demand for each in found.waiting), 1):
        times = [each for each in found.waiting if each.demand == demand]
        part = "" if times[-1].completed else " " + str(Text("(en partie)", "(in part)"))
        cents: Any = sum(each.cents for each in times)
        span = euros(times[0].extra)
        if times[-1].extra > times[0].extra:
            span = str(Text(f"{span}, puis {euros(times[-1].extra)}", f"{span}, then {euros(times[-1].extra)}"))
        lines.append([str(rank), times[0].name, span, euros(cents) + part])
    heads = [Text("Rang", "Rank"), Text("Dossier", "Demand"), Text("Argent de plus qu'il faut", "Money more that it takes"),
             Text("Il serait accordé, en tout", "It would be granted, in all")]  # fmt: skip
    if lines:
        table(str(Text("Liste complémentaire", "Reserve list")), [str(head) for head in heads], lines, left=2)
    told(found.details[len(lines) :] if lines else [found.answer])
