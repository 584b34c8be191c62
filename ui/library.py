"""Scenarios by reference: the name of a built-in one, or the beginning of an input hash.

A scenario never changes: an edit makes another one, with another reference. So two people at once cannot see each
other's edits, to undo is to go back to a reference, and an address that holds references can be shared. Those that are
not built in are kept in the store, in the background; the last ones in memory too.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import streamlit as st

import allocator
from allocator import data
from allocator.problems import Problem
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.scenario import Scenario

LENGTH = 16  # characters of an input hash
HELD = 100  # scenarios in memory


class Library:
    """Shared by everyone on this server. `place`: of the store, as for `allocator.Store`."""

    def __init__(self, place: str | None = None) -> None:
        self._place = place
        self._held: OrderedDict[str, Scenario] = OrderedDict()
        self._lock = threading.Lock()
        self._unsaved: queue.Queue[Scenario] = queue.Queue()
        self.failure: Text | None = None  # why the last scenario could not be saved
        threading.Thread(target=self._save, name="saving", daemon=True).start()

    def scenario(self, ref: str) -> Scenario:
        """`ScenarioError` where there is none, or today's rules refuse it."""
        with self._lock:
            if ref in self._held:
                self._held.move_to_end(ref)
                return self._held[ref]
        found = allocator.load(ref) if ref in data.names() else self._stored(ref)
        self._hold(ref, found)
        return found

    def keep(self, scenario: Scenario) -> str:
        """Its reference, from now on."""
        ref = scenario.input_hash[:LENGTH]
        self._hold(ref, scenario)
        self._unsaved.put(scenario)
        return ref

    def label(self, ref: str) -> str:
        """What people read, in the current language."""
        known = dict(data.builtin())
        if ref in known:
            return str(known[ref])
        try:
            return label(self.scenario(ref))
        except allocator.ScenarioError:
            return ref

    def flush(self) -> None:
        """Wait until all is saved, or could not be."""
        self._unsaved.join()

    def _hold(self, ref: str, scenario: Scenario) -> None:
        with self._lock:
            self._held[ref] = scenario
            self._held.move_to_end(ref)
            while len(self._held) > HELD:
                self._held.popitem(last=False)

    def _stored(self, ref: str) -> Scenario:
        if not (len(ref) == LENGTH and set(ref) <= set("0123456789abcdef")):
            raise _unknown(ref)
        try:
            with allocator.Store(self._place, create=False) as store:
                return store.scenario(ref)
        except allocator.ScenarioError as error:
            raise _unknown(ref) from error

    def _save(self) -> None:
        while True:
            scenario = self._unsaved.get()
            try:
                with allocator.Store(self._place) as store:
                    store.save_scenario(scenario)
                self.failure = None
            except Exception:  # whatever it is, screens say so and the next one is tried
                logging.getLogger(__name__).exception("saving a scenario")
                self.failure = Text(
                    "Vos changements n'ont pas pu être enregistrés : ils seront perdus à l'arrêt du serveur.",
                    "Your changes could not be saved: they will be lost when the server stops.",
                )
            finally:
                self._unsaved.task_done()


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


@st.cache_resource(show_spinner=False)
def library() -> Library:
    """The one of this server."""
    return Library()
