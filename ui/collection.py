"""Scenarios by reference: the name of a built-in one, or the beginning of an input hash.

A scenario never changes: an edit makes another one, with another reference. So two people at once cannot see each
other's edits, to undo is to go back to a reference, and an address that holds references can be shared. Those that are
not built in are kept in the store, in the background; the last ones in memory too.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import streamlit as st

import allocator
from allocator import data
from allocator.problems import Problem
from allocator.store import StoreError
from allocator.store.errors import NoStoreError
from allocator.texts import Text
from ui import access
from ui.access import Visitor

if TYPE_CHECKING:
    from allocator.plan import Plan
    from allocator.scenario import Scenario

LENGTH = 16  # characters of an input hash
HELD = 100  # scenarios in memory
UNSAVED = 1000  # those, on top, that could not be saved yet
DRAFT = "-variante"  # how the name ends of what has not been given one
OFFERED = 50  # named variants
LOOK = 5.0  # seconds between two looks at what the store has
AGAIN = 30.0  # seconds before what could not be saved is tried again


@dataclass
class _Unsaved:
    scenario: Scenario
    by: Visitor
    tried: bool = False


class Collection:
    """Shared by everyone on this server. `place`: of the store, as for `allocator.Store`."""

    def __init__(self, place: str | None = None) -> None:
        self._place = place
        self._held: OrderedDict[str, Scenario] = OrderedDict()
        self._unsaved: OrderedDict[str, _Unsaved] = OrderedDict()
        self._changed = threading.Condition()
        self._seen: tuple[float, list[str]] = (-LOOK, [])
        self.failure: Text | None = None  # why the last scenario could not be saved
        threading.Thread(target=self._save, name="saving", daemon=True).start()

    def scenario(self, ref: str) -> Scenario:
        """`ScenarioError` where there is none, or today's rules refuse it."""
        with self._changed:
            if ref in self._held:
                self._held.move_to_end(ref)
                return self._held[ref]
            if ref in self._unsaved:
                return self._unsaved[ref].scenario
        found = allocator.load(ref) if ref in data.names() else self._stored(ref)
        with self._changed:
            self._hold(ref, found)
        return found

    def keep(self, scenario: Scenario) -> str:
        """Its reference, from now on. `ScenarioError` for who may not edit."""
        by = access.require("edit")
        ref = scenario.input_hash[:LENGTH]
        with self._changed:
            if ref not in self._held:  # else it is saved, or about to be
                self._unsaved[ref] = _Unsaved(scenario, by)
                while len(self._unsaved) > UNSAVED:
                    self._unsaved.popitem(last=False)
                self._changed.notify_all()
            self._hold(ref, scenario)
        return ref

    def decide(self, plan: Plan, words: str, who: str = "") -> str:
        """Keep a plan and the words of a decision on it; the id of the saved plan. `who`: where nobody signs in.
        `ScenarioError` for who may not decide, or where the store cannot keep it: then nothing is kept."""
        by = access.require("decide")
        if not words.strip():
            asked = Text("écrivez ce qui est décidé", "write what is decided")
            raise allocator.ScenarioError([Problem("", asked)])
        with allocator.Store(self._place, role="decide") as store:
            return store.save(plan, who=by.who or who or None, decided=words)

    def label(self, ref: str) -> str:
        """What people read, in the current language."""
        if ref in _builtin():
            return str(_builtin()[ref])
        try:
            return label(self.scenario(ref))
        except allocator.ScenarioError:
            return ref

    def choices(self, *more: str) -> list[str]:
        """References that one may choose: built-in scenarios, variants that were given a name, the latest first, then
        `more`."""
        return list(dict.fromkeys([*data.names(), *self._named(), *(ref for ref in more if ref)]))

    def _named(self) -> list[str]:
        """Of the store, looked at now and then."""
        at, found = self._seen
        if time.monotonic() - at > LOOK:
            try:
                with allocator.Store(self._place, create=False) as store:
                    table = store.scenarios()
                mine = table[~table["name"].astype(str).str.endswith(DRAFT) & ~table["name"].isin(data.names())]
                found = [str(key)[:LENGTH] for key in mine["input_hash"][::-1][:OFFERED]]
            except StoreError:  # there is none yet, or it is out of reach: saving says so
                found = []
            self._seen = time.monotonic(), found
        return found

    def flush(self, seconds: float = 60) -> None:
        """Wait until all is saved, or could not be."""
        with self._changed:
            self._changed.wait_for(lambda: all(kept.tried for kept in self._unsaved.values()), seconds)

    def _hold(self, ref: str, scenario: Scenario) -> None:
        self._held[ref] = scenario
        self._held.move_to_end(ref)
        while len(self._held) > HELD:
            self._held.popitem(last=False)

    def _stored(self, ref: str) -> Scenario:
        """`ScenarioError` also where today's rules refuse it, or the store cannot be read, which is another matter."""
        if not (len(ref) == LENGTH and set(ref) <= set("0123456789abcdef")):
            raise _unknown(ref)
        try:
            with allocator.Store(self._place, create=False) as store:  # whoever may read may name anything
                try:
                    return store.scenario(ref)
                except StoreError:
                    store.list(1)  # which says what is wrong with the store, if anything is
                    raise _unknown(ref) from None
        except NoStoreError:
            raise _unknown(ref) from None
        except StoreError as error:
            logging.getLogger(__name__).warning("reading %s: %s", ref, error)
            raise _unread(ref) from error

    def _save(self) -> None:
        while True:
            with self._changed:
                while (ref := next((ref for ref, kept in self._unsaved.items() if not kept.tried), "")) == "":
                    if not self._changed.wait(AGAIN):
                        for kept in self._unsaved.values():
                            kept.tried = False
                kept = self._unsaved[ref]
            failure = self._saved(kept)
            with self._changed:
                kept.tried = True
                if failure is None:
                    self._unsaved.pop(ref, None)
                self.failure = failure
                self._changed.notify_all()

    def _saved(self, kept: _Unsaved) -> Text | None:
        try:
            with allocator.Store(self._place, role=kept.by.role or "read") as store:
                store.save_scenario(kept.scenario, who=kept.by.who)
        except Exception:  # whatever it is, screens say so and the next one is tried
            logging.getLogger(__name__).exception("saving a scenario")
            return Text(
                "Vos changements n'ont pas pu être enregistrés : ils seront perdus à l'arrêt du serveur.",
                "Your changes could not be saved: they will be lost when the server stops.",
            )
        return None


@cache
def _builtin() -> dict[str, Text]:
    """Labels of the built-in scenarios, which do not change while a server runs: a screen asks for each many times."""
    return dict(data.builtin())


def label(scenario: Scenario) -> str:
    """A scenario's label in the current language, else its name."""
    said = scenario.label
    if isinstance(said, str):
        return said or scenario.name
    return str(Text(said.get("fr", scenario.name), said.get("en", scenario.name)))


def _unknown(ref: str) -> allocator.ScenarioError:
    text = Text(
        f"le scénario « {ref[:40]} » n'est pas sur ce serveur", f"the scenario “{ref[:40]}” is not on this server"
    )
    remedy = Text("Choisissez-en un autre dans la liste.", "Choose another one in the list.")
    return allocator.ScenarioError([Problem("", text, remedy)])


def _unread(ref: str) -> allocator.ScenarioError:
    text = Text(
        f"le scénario « {ref} » n'a pas pu être relu : les enregistrements de ce serveur sont hors d'atteinte",
        f"the scenario “{ref}” could not be read: what this server has saved is out of reach",
    )
    remedy = Text("Réessayez plus tard ; le journal du serveur dit pourquoi.", "Try later; the server's log says why.")
    return allocator.ScenarioError([Problem("", text, remedy)])


@st.cache_resource(show_spinner=False)
def collection() -> Collection:
    """The one of this server."""
    made = Collection()
    atexit.register(made.flush, 10)  # an edit made just before the server stops
    return made
