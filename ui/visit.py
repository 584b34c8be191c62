"""What a visit looks at, and its address: the same thing, so that a link shows what its sender saw.

    ?s=statu-quo,propositions-2025     scenarios compared, the first is the reference
    &b=propositions-2025&v=4f0c…       what is being built, from what
    &t=territory:200072460             the place
    &l=en                              the language, where it is not French

The session holds it between two runs; the address is read where a session begins (a link) and when the reader goes back
or forward in the browser, and written whenever the visit changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

import allocator
from allocator import data
from allocator.texts import LANGUAGES, language, set_language
from ui.collection import DRAFT, collection
from ui.view import LEVELS, MOST

if TYPE_CHECKING:
    from allocator.scenario import Scenario

FIRST = ("statu-quo", "propositions-2025")
STEPS = 100  # that can be undone
PAGES = "pages"  # in the session: path → page, for those who send the reader to another
_STATE = "visit"
_SAID = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # a reference, a key of a place: the rest is nonsense, or an attack


@dataclass(frozen=True)
class Visit:
    """`compared`: references; `origin`, `built`: references or "", none built without an origin; `place`: a level of
    `LEVELS` and a key, or None; `undone`: what was built from this origin before, the last last; not in the address."""

    compared: tuple[str, ...] = ()
    origin: str = ""
    built: str = ""
    place: tuple[str, str] | None = None
    lang: str = "fr"
    undone: tuple[str, ...] = field(default=(), compare=False)

    @property
    def address(self) -> dict[str, str]:
        said = {"s": ",".join(self.compared)}
        if self.origin:
            said["b"] = self.origin
        if self.built:
            said["v"] = self.built
        if self.place is not None:
            said["t"] = ":".join(self.place)
        if self.lang != "fr":
            said["l"] = self.lang
        return said

    @classmethod
    def of(cls, address: Mapping[str, str]) -> Visit:
        """What an address says; what it says wrongly is as if it were not said."""
        compared = tuple(dict.fromkeys(ref for ref in address.get("s", "").split(",") if _SAID.fullmatch(ref)))[:MOST]
        level, _, key = address.get("t", "").partition(":")
        lang = address.get("l", "fr")
        origin, built = (ref if _SAID.fullmatch(ref) else "" for ref in (address.get("b", ""), address.get("v", "")))
        return cls(
            compared or first(), origin, built if origin else "",
            (level, key) if level in LEVELS and _SAID.fullmatch(key) else None, lang if lang in LANGUAGES else "fr",
        )  # fmt: skip

    def since(self, before: Visit) -> Visit:
        """Arrived at from another: what was built there can be had again, and going back takes back steps."""
        if self.origin != before.origin or self.built == before.built:
            return replace(self, undone=before.undone if self.origin == before.origin else ())
        if self.built in before.undone:
            return replace(self, undone=before.undone[: before.undone.index(self.built)])
        return replace(self, undone=(*before.undone, before.built)[-STEPS:])


def first() -> tuple[str, ...]:
    known = data.names()
    return tuple(name for name in FIRST if name in known) or tuple(known[:2])


def current() -> Visit:
    """The visit of this session. Callbacks of widgets, which run before the rest, speak its language from here on."""
    visit: Visit = st.session_state[_STATE]
    set_language(visit.lang)
    return visit


def begin() -> Visit:
    """Once a run, before anything is drawn."""
    before = st.session_state.get(_STATE)
    if before is None or _by_history():
        visit = Visit.of(st.query_params.to_dict())
        if before is None or visit != before:
            st.session_state[_STATE] = visit if before is None else visit.since(before)
            st.session_state["arrivals"] = st.session_state.get("arrivals", 0) + 1
    _write()
    return current()


def _by_history() -> bool:
    """Whether the reader went back or forward. Otherwise the browser's word on the address may be older than ours: it
    clicks on while our last answer is on its way."""
    here = get_script_run_ctx()
    return here is not None and here.is_history_navigation


def go(**changes: Any) -> None:
    """Look at something else; for callbacks of widgets too."""
    st.session_state[_STATE] = replace(current(), **changes)
    _write()


def edit(origin: str, built: str, changes: Mapping[str, Any]) -> None:
    """Build on: `built` (made from `origin`) with these changes, as `allocator.changed` takes them. What there was can be
    had again by `undo`. `ScenarioError` where they cannot be made."""
    current()  # errors speak its language
    build(origin, allocator.changed(collection().scenario(built), changes))


def build(origin: str, scenario: Scenario) -> None:
    """Build on with a scenario made from that of `origin`. `ScenarioError` for who may only read."""
    start = collection().scenario(origin)
    built = collection().keep(
        scenario.with_(base=start.name, name=start.name.removesuffix(DRAFT) + DRAFT, label=_varied(start))
    )
    was = current()
    if (was.origin, was.built) == (origin, built):
        return  # as it was
    before = (*was.undone, was.built) if was.origin == origin else ("",)
    go(origin=origin, built=built, undone=before[-STEPS:])


def _varied(start: Scenario) -> dict[str, str]:
    said = {"fr": start.label, "en": start.label} if isinstance(start.label, str) else start.label
    return {lang: f"{said.get(lang) or start.name} ({word})" for lang, word in (("fr", "variante"), ("en", "variant"))}


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
    if st.query_params.to_dict() != said:
        st.query_params.from_dict(said)
