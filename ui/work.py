"""Work in the background: two threads do jobs in the order asked, while screens stay alive and say how far they are.

Everyone who looks at this server shares the results: a job is known by what it is asked, and made once.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

import allocator
from allocator.texts import Text, language, set_language
from ui.library import library

if TYPE_CHECKING:
    from allocator.engines.base import Progress
    from allocator.plan import Plan

TIME_LIMIT = 120.0  # seconds a plan: then the best one so far, with its gap
THREADS = 2
KEPT = 200  # results
LEFT_ALONE = 10.0  # seconds after which a job that has not begun, and that no screen asks for any more, is dropped

Key = tuple[str, ...]


class Stopped(Exception):
    """Raised within a job by what it calls back, once its reader wants no more of it."""


@dataclass(eq=False)
class Job:
    """One thing to be found, on its way. Written by the thread that does it, read by screens.

    `result` once `done`; otherwise `refusal` (what is wrong with the question) or nothing: see the server's log.
    """

    key: Key
    do: Callable[[Job], Any] = field(repr=False)
    lang: str = "fr"
    state: str = "waiting"  # working, done, refused, failed, stopped
    since: float = 0.0  # monotonic seconds; 0 until it begins
    asked: float = 0.0  # when a screen last asked for it
    said: Text = Text("en attente", "waiting")
    progress: Progress | None = None
    result: Any = None
    refusal: allocator.ScenarioError | None = None
    stopped: bool = False
    _over: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def over(self) -> bool:
        return self._over.is_set()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since if self.since else 0.0

    def wait(self, seconds: float) -> bool:
        """Whether it is over, at the latest after so many seconds."""
        return self._over.wait(seconds)

    def stop(self) -> None:
        """End it soon, with the best that it has."""
        self.stopped = True

    def tell(self, said: Text) -> None:
        """What is being done now; ends the job where it is to stop."""
        self.said = said
        if self.stopped:
            raise Stopped

    def told(self, progress: Progress) -> None:
        """As `on_progress` of `solve`."""
        self.progress = progress
        proving = progress.stage == "prove"
        self.said = (
            Text("preuve qu'aucun plan ne fait mieux", "proof that no plan does better")
            if proving
            else Text("calcul du plan", "finding the plan")
        )

    def run(self) -> None:
        self.since, self.state = time.monotonic(), "working"
        set_language(self.lang)
        try:
            self.result = self.do(self)
            self.state = "done"
        except allocator.ScenarioError as refusal:
            self.refusal, self.state = refusal, "refused"
        except Stopped:
            self.state = "stopped"
        except Exception:  # whatever it is, the screen says so and the others go on
            logging.getLogger(__name__).exception("job %s", self.key)
            self.state = "failed"
        finally:
            self._over.set()


class Workshop:
    """Jobs by key, the threads that do them, and the results that are kept."""

    def __init__(self, threads: int = THREADS) -> None:
        self._jobs: OrderedDict[Key, Job] = OrderedDict()
        self._waiting: list[tuple[int, int, Job]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        for k in range(threads):
            threading.Thread(target=self._work, name=f"work-{k}", daemon=True).start()

    def ask(self, key: Key, do: Callable[[Job], Any], *, later: bool = False) -> Job:
        """The job of a key, begun if it was not; `later`: after all that is not."""
        with self._changed:
            job = self._jobs.get(key)
            if job is None:
                job = self._jobs[key] = Job(key, do, lang=language())
                heapq.heappush(self._waiting, (int(later), next(self._count), job))
                self._changed.notify()
            job.asked = time.monotonic()
            self._jobs.move_to_end(key)
            for old in list(itertools.islice(self._jobs, max(len(self._jobs) - KEPT, 0))):
                if self._jobs[old].over:
                    del self._jobs[old]
            return job

    def forget(self, key: Key) -> None:
        """Do this anew when next asked."""
        with self._changed:
            self._jobs.pop(key, None)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                job = heapq.heappop(self._waiting)[2]
                if time.monotonic() - job.asked > LEFT_ALONE:
                    if self._jobs.get(job.key) is job:
                        del self._jobs[job.key]
                    continue
            job.run()


@st.cache_resource(show_spinner=False)
def workshop() -> Workshop:
    """The one of this server."""
    return Workshop()


def plan(ref: str) -> Job:
    """The best plan of a scenario of the library; stopped, the best so far."""
    return workshop().ask(("plan", ref), lambda job: _solved(ref, job))


def _solved(ref: str, job: Job) -> Plan:
    job.tell(Text("lecture du scénario", "reading the scenario"))
    scenario = library().scenario(ref)
    job.said = Text("calcul du plan", "finding the plan")
    return allocator.solve(scenario, time_limit=TIME_LIMIT, on_progress=job.told, stop=lambda: job.stopped)


def question(ref: str, **asked: Any) -> Job:
    """`allocator.explain` of a scenario's plan: `asked` are its arguments but for plans and callbacks."""
    key = ("explain", ref, *(f"{name}={value}" for name, value in sorted(asked.items())))

    def explained(job: Job) -> Any:
        made = plan(ref)
        while not made.wait(0.2):
            job.tell(made.said)
            plan(ref)  # still wanted
        if made.result is None:
            raise made.refusal or RuntimeError(f"no plan of {ref}")
        return allocator.explain(made.result, on_step=lambda what, _: job.tell(what), **asked)

    return workshop().ask(key, explained, later=True)
