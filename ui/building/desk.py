"""What is on the desk: the scenario that one starts from, the one that is built, and the ways to change it.

A change that cannot be made is told where it was asked for, and the field keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

import allocator
from allocator.problems import Problem
from allocator.scenario import Scenario
from ui import visit
from ui.collection import collection
from ui.texts import listed

TAKEN = "taken"  # where a whole scenario is refused


@dataclass(frozen=True)
class Desk:
    """`origin` and `built`: references."""

    origin: str
    built: str

    @property
    def scenario(self) -> Scenario:
        return collection().scenario(self.built)

    @property
    def start(self) -> Scenario:
        return collection().scenario(self.origin)

    def key(self, *names: str) -> str:
        """Of a widget that shows a value of the scenario: another one for each scenario, so that it shows what is true."""
        return visit.key("-".join((*names, self.built)))

    def change(self, where: str, changes: Mapping[str, Any]) -> bool:
        """Make changes by dotted paths; whether they could be made. `where`: what the field is called here."""
        return self._try(where, lambda: allocator.changed(self.scenario, changes))

    def put(self, where: str, **parts: Any) -> bool:
        """The same with whole parts of the scenario (arguments of `Scenario`)."""
        return self._try(where, lambda: self.scenario.with_(**parts))

    def take(self, scenario: Scenario) -> None:
        """Go on with a scenario made otherwise."""
        self._try(TAKEN, lambda: scenario)

    def _try(self, where: str, make: Callable[[], Scenario]) -> bool:
        try:
            scenario = make()
            if scenario.input_hash != self.scenario.input_hash:
                visit.build(self.origin, scenario)
        except allocator.ScenarioError as error:
            refuse(where, error.problems)
            return False
        st.session_state["refused"] = {}
        return True


def refuse(where: str, problems: Iterable[Problem]) -> None:
    """Say beside a field why what was asked there is not done; no problems: say nothing any more."""
    st.session_state.setdefault("refused", {})[where] = list(problems)


def refused(where: str) -> None:
    """Beside a field: why its last change could not be made."""
    problems = st.session_state.get("refused", {}).get(where)
    if problems:
        tell(problems)


def tell(problems: Iterable[Problem]) -> None:
    """Every problem, a line each."""
    st.error(listed(allocator.ScenarioError(list(problems))))
