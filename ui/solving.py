"""Plans made in the background: one thread reads and solves, in the order asked, while screens stay alive.

Everyone who looks at this server shares the plans: one per scenario content (`input_hash`).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

import allocator
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.engines.base import Progress
    from allocator.plan import Plan

TIME_LIMIT = 120.0  # seconds a plan: then the best one so far, with its gap

STAGES = {
    "waiting": Text("en attente", "waiting"),
    "reading": Text("lecture du scénario", "reading the scenario"),
    "solving": Text("calcul du plan", "finding the plan"),
    "proving": Text("preuve qu'aucun plan ne fait mieux", "proof that no plan does better"),
    "done": Text("fait", "done"),
    "refused": Text("scénario refusé", "scenario refused"),
    "failed": Text("échec", "failed"),
}


@dataclass
class Job:
    """The plan of one built-in scenario, on its way. Written by the solving thread, read by screens."""

    name: str
    stage: str = "waiting"
    since: float = 0.0  # monotonic seconds; 0 until it begins
    plan: Plan | None = None
    refusal: allocator.ScenarioError | None = None

    @property
    def over(self) -> bool:
        return self.stage in ("done", "refused", "failed")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since if self.since else 0.0

    def told(self, progress: Progress) -> None:
        self.stage = "proving" if progress.stage == "prove" else "solving"


class Workshop:
    """Jobs by scenario name, and one daemon thread that does them."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._plans: dict[str, Plan] = {}
        self._lock = threading.Lock()
        self._queue: queue.Queue[Job] = queue.Queue()
        threading.Thread(target=self._work, name="solving", daemon=True).start()

    def ask(self, name: str) -> Job:
        """The job for a built-in scenario, begun if it was not."""
        with self._lock:
            if name not in self._jobs:
                self._jobs[name] = Job(name)
                self._queue.put(self._jobs[name])
            return self._jobs[name]

    def forget(self, name: str) -> None:
        """Read and solve this scenario anew when next asked; the plan is kept if its content is the same."""
        with self._lock:
            self._jobs.pop(name, None)

    def _work(self) -> None:
        while True:
            job = self._queue.get()
            job.since, job.stage = time.monotonic(), "reading"
            try:
                scenario = allocator.load(job.name)
                if scenario.input_hash not in self._plans:
                    job.stage = "solving"
                    plan = allocator.solve(scenario, time_limit=TIME_LIMIT, on_progress=job.told)
                    self._plans[scenario.input_hash] = plan
                job.plan, job.stage = self._plans[scenario.input_hash], "done"
            except allocator.ScenarioError as refusal:
                job.refusal, job.stage = refusal, "refused"
            except Exception:  # whatever it is, the screen says so and the others go on
                logging.getLogger(__name__).exception("solving %s", job.name)
                job.stage = "failed"


@st.cache_resource(show_spinner=False)
def workshop() -> Workshop:
    """The one of this server."""
    return Workshop()
