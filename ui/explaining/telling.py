"""The plan that is asked about, and how an answer is told: the sentence first, then what stands behind it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import streamlit as st

from allocator.texts import Text
from ui import visit, waiting, work
from ui.collection import collection
from ui.texts import plain

ASKED = "asked"  # where other screens leave a question: {"ref": …, "demand": …}
_LOOKED = "looked"  # at which plan, while that was built


def chosen(name: str) -> str:
    """Which of the visit's plans: that of the question asked, else the one looked at last, else what is built, for it is
    what one has just changed."""
    here = visit.current()
    asked = st.session_state.get(ASKED, {}).get("ref")
    if asked:
        stay(asked)
    built, looked = st.session_state.get(_LOOKED, ("", ""))
    mine = looked if built == here.built else ""
    refs = list(dict.fromkeys(ref for ref in (here.built, *here.compared[::-1], mine) if ref))
    key = visit.key(f"{name}-{'-'.join(refs)}-{mine if asked else ''}")

    def look() -> None:
        stay(st.session_state[key])

    found: str = st.selectbox(
        str(Text("Plan", "Plan")), refs, index=refs.index(mine) if mine else 0, format_func=collection().label, key=key,
        on_change=look,
    )  # fmt: skip
    return found


def stay(ref: str) -> None:
    """Go on looking at this plan after the visit has changed."""
    st.session_state[_LOOKED] = (visit.current().built, ref)


def answered(what: Text, ref: str, **asked: Any) -> Any:
    """A question's explanation, its answer drawn; None while it is not there."""
    found = waiting.result(str(what), lambda: work.question(ref, **asked))
    if found is not None:
        said(found.answer)
    return found


def said(answer: Text) -> None:
    """The short answer."""
    st.markdown(f"**{plain(str(answer))}**")


def told(lines: Iterable[Text]) -> None:
    """What stands behind an answer, a line each; those set in belong to the line before."""
    shown: list[tuple[str, list[str]]] = []
    for line in lines:
        first, *more = str(line).split("\n")
        if first.startswith("  ") and shown:
            shown[-1][1].append(first.strip())
        else:
            shown.append((first.strip(), []))
        shown[-1][1].extend(part.strip() for part in more)
    if shown:
        st.html(f"<ul class='plain'>{''.join(_line(*one) for one in shown)}</ul>")


def _line(first: str, parts: list[str]) -> str:
    inner = "".join(f"<li>{escape(part)}</li>" for part in parts)
    return f"<li>{escape(first)}{f'<ul>{inner}</ul>' if inner else ''}</li>"
