"""Work in the background: two threads do jobs in the order asked, while screens stay alive and say how far they are.

Everyone who looks at this server shares the results: a job is known by what it is asked, and made once. What is still
asked for comes first; what no screen has asked for in a while is given up, begun or not; what came of it piece by piece
is taken up where it was left. Who stops a job is given the
best that it has; others who ask for the same are given a job of their own, never half of one.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

import allocator
from allocator.explain import Stopped
from allocator.texts import Text, language, set_language
from ui.collection import collection

if TYPE_CHECKING:
    from allocator.engines.base import Progress
    from allocator.plan import Plan

TIME_LIMIT = 120.0  # seconds a plan: then the best one so far, with its gap
THREADS = 2
KEPT = 200  # results
HEAVY = 200_000  # demands of all plans kept: some 2.5 kB each
LOOKED_AT = 3.0  # seconds since a screen asked: it asks twice a second while it is in front
LEFT_ALONE = 75.0  # seconds since a screen asked: browsers let a hidden page ask once a minute

FINDING = Text(
    f"calcul du plan ({TIME_LIMIT / 60:.0f} min au plus)", f"finding the plan ({TIME_LIMIT / 60:.0f} min at most)"
)

Key = tuple[str, ...]


@dataclass(eq=False)
class Job:
    """One thing to be found, on its way. Written by the thread that does it, read by screens.

    `result` once `done`; otherwise `refusal` (what is wrong with the question) or nothing: see the server's log.
    """

    key: Key
    do: Callable[[Job], Any] = field(repr=False)
    home: Workshop = field(repr=False)
    lang: str = "fr"
    rank: tuple[bool, int] = (False, 0)
    after: Job | None = field(default=None, repr=False)  # begins once that one is over
    state: str = "waiting"  # working, done, refused, failed, stopped
    since: float = 0.0  # monotonic seconds; 0 until it begins
    asked: float = 0.0  # when a screen last asked for it
    said: Text = Text("en attente", "waiting")
    progress: Progress | None = None
    result: Any = None
    sofar: Any = (
        None  # of what comes piece by piece: the result where it is stopped, the beginning of the next where left
    )
    share: float = 0.0  # done so far, from 0 to 1, where it is known
    begun: float = 0.0  # the share that was there when it began
    refusal: allocator.ScenarioError | None = None
    stopped: bool = False  # by its reader
    left: bool = False  # by everyone
    _over: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def over(self) -> bool:
        return self._over.is_set()

    @property
    def front(self) -> Job:
        """What is being done for it now: itself, or what it waits for."""
        return self if self.after is None or self.after.over else self.after.front

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since if self.since else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds still to go if the rest goes as it went so far; None where nobody can tell."""
        done = self.share - self.begun
        return self.seconds * (1 - self.share) / done if done >= 0.1 else None  # the first pieces tell little

    @property
    def ending(self) -> bool:
        """Whether it is to end soon, with the best that it has: as `stop` of `solve`."""
        if time.monotonic() - self.asked > LEFT_ALONE:
            self.left = True
        return self.stopped or self.left

    def wait(self, seconds: float) -> bool:
        """Whether it is over, at the latest after so many seconds."""
        return self._over.wait(seconds)

    def stop(self) -> None:
        """End it soon, with the best that it has, for this reader alone."""
        self.home.stop(self)

    def tell(self, said: Text) -> None:
        """What is being done now; ends the job (by `Stopped`) where it is to stop."""
        self.said = said
        if self.ending:
            raise Stopped

    def told(self, progress: Progress) -> None:
        """As `on_progress` of `solve`."""
        self.progress = progress
        proving = progress.stage == "prove"
        self.said = Text("preuve qu'aucun plan ne fait mieux", "proof that no plan does better") if proving else FINDING

    def run(self) -> None:
        self.since = time.monotonic()
        set_language(self.lang)
        try:
            self.result = self.do(self)
            self.close("done")
        except allocator.ScenarioError as refusal:
            self.refusal = refusal
            self.close("refused")
        except Stopped:
            self.close("stopped")
        except BaseException:  # a panic of a library is no Exception: this thread must live, the screen says so
            logging.getLogger(__name__).exception("job %s", self.key)
            self.close("failed")

    def close(self, state: str) -> None:
        self.state = state
        if state == "stopped":
            self.result = self.sofar
        self.do, self.after, self.sofar = _done, None, None  # they may hold much
        self._over.set()


def _done(_: Job) -> None:
    """What a job that is over has to do."""


def reader() -> str:
    """Who asks: a session of the browser; "" elsewhere."""
    here = get_script_run_ctx(suppress_warning=True)
    return here.session_id if here is not None else ""


class Workshop:
    """Jobs by key, the threads that do them, and the results that are kept."""

    def __init__(self, threads: int = THREADS) -> None:
        self._jobs: OrderedDict[Key, Job] = OrderedDict()
        self._stopped: OrderedDict[tuple[str, Key], Job] = OrderedDict()  # by whom
        self._waiting: list[Job] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        for k in range(threads):
            threading.Thread(target=self._work, name=f"work-{k}", daemon=True).start()

    def ask(self, key: Key, do: Callable[[Job], Any], *, later: bool = False, after: Job | None = None) -> Job:
        """The job of a key, begun if it was not; `later`: after all that is not; `after`: not before that one is over."""
        with self._changed:
            job = self._stopped.get((reader(), key)) or self._jobs.get(key)
            if job is None or job.left:
                before = None if job is None else job.result if job.state == "stopped" else job.sofar
                job = Job(key, do, self, language(), (later, next(self._count)), after, sofar=before)
                self._jobs[key] = job
                self._waiting.append(job)
                self._changed.notify_all()
            self._wanted(job)
            if self._jobs.get(key) is job:
                self._jobs.move_to_end(key)
            return job

    @property
    def busy(self) -> int:
        """Jobs that have not begun, but for those left."""
        with self._changed:
            return sum(time.monotonic() - job.asked <= LEFT_ALONE for job in self._waiting)

    def give(self, key: Key, result: Any) -> None:
        """What need not be found: it is known."""
        with self._changed:
            job = Job(key, _done, self, language(), (True, next(self._count)), asked=time.monotonic(), result=result)
            job.close("done")
            self._jobs[key] = job

    def _wanted(self, job: Job) -> None:
        job.asked = time.monotonic()
        if job.after is not None:
            self._wanted(job.after)

    def stop(self, job: Job) -> None:
        """End a job soon. Its reader keeps what it found; the next to ask for the same begins anew."""
        with self._changed:
            if job.over or job.stopped:
                return
            job.stopped = True
            if self._jobs.get(job.key) is job:
                del self._jobs[job.key]
            self._stopped[reader(), job.key] = job
            while len(self._stopped) > KEPT // 4:
                self._stopped.popitem(last=False)
            if job in self._waiting:
                self._waiting.remove(job)
                job.close("stopped")

    def forget(self, key: Key) -> None:
        """Do this anew when next asked."""
        with self._changed:
            self._jobs.pop(key, None)
            self._stopped.pop((reader(), key), None)

    def _work(self) -> None:
        while True:
            with self._changed:
                while (job := self._next()) is None:
                    self._changed.wait(LEFT_ALONE)
                job.state = "working"
            job.run()
            with self._changed:
                if job.left:
                    self._drop(job)  # half of what was asked
                self._tidy()
                self._changed.notify_all()  # others may have waited for it

    def _drop(self, job: Job) -> None:
        """What was left: only pieces are kept, for whoever asks again."""
        if self._jobs.get(job.key) is job and not (job.state == "stopped" and job.result is not None):
            del self._jobs[job.key]

    def _next(self) -> Job | None:
        """The job to begin: what a screen waits for now before what one may come back to, then in the order asked."""
        now = time.monotonic()
        for job in [job for job in self._waiting if now - job.asked > LEFT_ALONE]:
            job.left = True
            self._waiting.remove(job)
            job.close("stopped")
            self._drop(job)
        ready = [job for job in self._waiting if job.after is None or job.after.over]
        if not ready:
            return None
        first = min(ready, key=lambda job: (now - job.asked > LOOKED_AT, job.rank))
        self._waiting.remove(first)
        return first

    def _tidy(self) -> None:
        """Forget the results asked for longest ago, where there are too many or they are too large."""
        kept = [job for job in reversed(self._jobs.values()) if job.over]
        weights = itertools.accumulate(_weight(job.result) for job in kept)
        for rank, (job, weight) in enumerate(zip(kept, weights, strict=True)):
            if rank and (rank >= KEPT or weight > HEAVY):
                del self._jobs[job.key]


def _weight(result: Any) -> int:
    """Of a plan its demands; other results are small beside it."""
    scenario = getattr(result, "scenario", None)
    return 1 if scenario is None else len(scenario.demands)


@st.cache_resource(show_spinner=False)
def workshop() -> Workshop:
    """The one of this server."""
    return Workshop()


def plan(ref: str) -> Job:
    """The best plan of a scenario of the collection; stopped, the best so far."""
    return workshop().ask(("plan", ref), lambda job: _solved(ref, job))


def known(ref: str, plan: Plan) -> None:
    """The plan of a scenario of the collection that has been found otherwise."""
    workshop().give(("plan", ref), plan)


def _solved(ref: str, job: Job) -> Plan:
    job.tell(Text("lecture du scénario", "reading the scenario"))
    scenario = collection().scenario(ref)
    job.said = FINDING
    return allocator.solve(scenario, time_limit=TIME_LIMIT, on_progress=job.told, stop=lambda: job.ending)


def question(ref: str, **asked: Any) -> Job:
    """`allocator.explain` of a scenario's plan: `asked` are its arguments but for plans and callbacks."""
    made = plan(ref)
    key = ("explain", ref, str(made.rank[1]), *(f"{name}={value}" for name, value in sorted(asked.items())))

    def explained(job: Job) -> Any:
        if made.result is None:
            raise made.refusal or Stopped
        return allocator.explain(made.result, on_step=lambda what, _: job.tell(what), stop=lambda: job.ending, **asked)

    return workshop().ask(key, explained, later=True, after=made)
