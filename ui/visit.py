"""What a visit looks at, and its address: the same thing, so that a link shows what its sender saw.

    ?s=statu-quo,propositions-2025     scenarios compared, the first is the reference
    &b=propositions-2025&v=4f0c…       what is being built, from what
    &t=territory:200072460             the place
    &l=en                              the language, where it is not French

The session holds it between two runs; the address is written anew after each run, and read again when it was changed
(a link, the browser's back button).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

import allocator
from allocator import data
from allocator.texts import LANGUAGES, language
from ui.library import library
from ui.view import LEVELS, MOST

if TYPE_CHECKING:
    from allocator.scenario import Scenario

FIRST = ("statu-quo", "propositions-2025")
STEPS = 100  # that can be undone
VARIANT = "variante"  # the name of what has not been given one
_STATE, _ADDRESS = "visit", "address"


@dataclass(frozen=True)
class Visit:
    """`compared`: references; `origin`, `built`: references or ""; `place`: a level of `LEVELS` and a key, or None."""

    compared: tuple[str, ...] = ()
    origin: str = ""
    built: str = ""
    place: tuple[str, str] | None = None
    lang: str = "fr"
    undone: tuple[str, ...] = field(
        default=(), compare=False
    )  # what was built before, the last last; not in the address

    @property
    def address(self) -> dict[str, str]:
        said = {"s": ",".join(self.compared)}
        if self.built:
            said |= {"b": self.origin, "v": self.built}
        if self.place is not None:
            said["t"] = ":".join(self.place)
        if self.lang != "fr":
            said["l"] = self.lang
        return said

    @classmethod
    def of(cls, address: Mapping[str, str]) -> Visit:
        """What an address says; what it says wrongly is as if it were not said."""
        compared = tuple(dict.fromkeys(ref for ref in address.get("s", "").split(",") if ref))[:MOST]
        level, _, key = address.get("t", "").partition(":")
        lang = address.get("l", "fr")
        origin, built = address.get("b", ""), address.get("v", "")
        return cls(
            compared or first(), origin if built else "", built if origin else "",
            (level, key) if level in LEVELS and key else None, lang if lang in LANGUAGES else "fr",
        )  # fmt: skip


def first() -> tuple[str, ...]:
    known = data.names()
    return tuple(name for name in FIRST if name in known) or tuple(known[:2])


def current() -> Visit:
    """The visit of this session."""
    visit: Visit = st.session_state[_STATE]
    return visit


def begin() -> Visit:
    """Once a run, before anything is drawn: from the address where it is not the one last written."""
    address = st.query_params.to_dict()
    if _STATE not in st.session_state or (address and address != st.session_state.get(_ADDRESS)):
        before = st.session_state.get(_STATE)
        visit = Visit.of(address)
        st.session_state[_STATE] = visit if before is None else replace(visit, undone=before.undone)
        st.session_state["arrivals"] = st.session_state.get("arrivals", 0) + 1
    _write()
    return current()


def go(**changes: Any) -> None:
    """Look at something else; for callbacks of widgets too."""
    st.session_state[_STATE] = replace(current(), **changes)
    _write()


def edit(origin: str, built: str, changes: Mapping[str, Any]) -> None:
    """Build on: `built` (made from `origin`) with these changes, as `allocator.changed` takes them. What there was can be
    had again by `undo`. `ScenarioError` where they cannot be made."""
    build(origin, allocator.changed(library().scenario(built), changes))


def build(origin: str, scenario: Scenario) -> None:
    """Build on with a scenario made from that of `origin`."""
    start = library().scenario(origin)
    variant = scenario.with_(base=start.name, name=f"{start.name}-{VARIANT}", label=_varied(start))
    was = current()
    before = was.built if was.origin == origin else ""
    go(origin=origin, built=library().keep(variant), undone=(*was.undone, before)[-STEPS:])


def _varied(start: Scenario) -> dict[str, str]:
    said = {"fr": start.label, "en": start.label} if isinstance(start.label, str) else start.label
    return {"fr": f"{said['fr'] or start.name} (variante)", "en": f"{said['en'] or start.name} (variant)"}


def undo() -> None:
    was = current()
    if was.undone:
        go(built=was.undone[-1], undone=was.undone[:-1])


def key(name: str) -> str:
    """Of a widget that shows what the visit holds: another widget after each arrival by an address, and in each language
    (the browser knows options by their labels).
    """
    return f"{name}-{language()}-{st.session_state.get('arrivals', 0)}"


def _write() -> None:
    said = current().address
    st.session_state[_ADDRESS] = said
    if st.query_params.to_dict() != said:
        st.query_params.from_dict(said)
