"""What a screen shows while work is done: how far it is, what the best plan is worth, and a button to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from allocator.texts import Text, language, set_language
from ui import access, work
from ui.collection import collection
from ui.texts import NO_BREAK, listed, number, percent, plain

if TYPE_CHECKING:
    from allocator.plan import Plan

PATIENCE = 1.0  # seconds before anything is said of waiting
EVERY = 0.5  # seconds between two looks, where nobody else waits
SELDOM = 2.0  # where many do; less than `work.LOOKED_AT`
KEEP = Text("Arrêter, et garder le meilleur plan trouvé", "Stop, and keep the best plan found")
KEEP_ALL = Text("Arrêter, et garder ce qui est trouvé", "Stop, and keep what is found")
STOP = Text("Arrêter", "Stop")


def plans(refs: Sequence[str]) -> dict[str, Plan] | None:
    """The plans of these scenarios by reference, without those that could not be made (which is said); None while any
    is on its way."""
    jobs = results({ref: partial(work.plan, ref) for ref in refs}, collection().label)
    if jobs is None:
        return None
    return {ref: job.result for ref, job in jobs.items() if job.result is not None}


def result(name: str, ask: Callable[[], work.Job], meanwhile: Callable[[Any], None] | None = None) -> Any:
    """What one job found; None while it is on its way, or where it found nothing (which is said). `meanwhile` draws what
    there is so far of what comes piece by piece."""
    jobs = results({name: ask}, str, STOP if meanwhile is None else KEEP_ALL, meanwhile)
    return None if jobs is None else jobs[name].result


def results(
    asks: Mapping[str, Callable[[], work.Job]],
    label: Callable[[str], str],
    stop: Text = KEEP,
    meanwhile: Callable[[Any], None] | None = None,
) -> dict[str, work.Job] | None:
    jobs = {name: ask() for name, ask in asks.items()}
    until = time.monotonic() + PATIENCE
    if not all(job.wait(max(until - time.monotonic(), 0)) for job in jobs.values()):
        every = min(
            EVERY * max(1, work.workshop().busy), SELDOM
        )  # the more wait, the less often each looks: looking is work too
        st.fragment(run_every=every)(_wait)(asks, label, language(), stop, meanwhile)
        return None
    for name, job in jobs.items():
        if job.result is None:
            _nothing(label(name), job)
        elif job.stopped:
            _partly(label(name), job)
    return jobs


def _wait(
    asks: Mapping[str, Callable[[], work.Job]],
    label: Callable[[str], str],
    lang: str,
    stop: Text,
    meanwhile: Callable[[Any], None] | None,
) -> None:
    """Looks again now and then; the whole screen once all is there."""
    set_language(lang)  # a fragment runs in a context of its own
    jobs = {name: ask() for name, ask in asks.items()}
    over = sum(job.over for job in jobs.values())
    if over == len(jobs) or access.closed():  # the roles may have changed meanwhile: the whole screen says so
        st.rerun()
    said = Text(f"Calcul en cours : {over} sur {len(jobs)}.", f"Working: {over} of {len(jobs)}.")
    done = sum(1.0 if job.over else job.front.share for job in jobs.values()) / len(jobs)
    st.progress(done, text=str(said) if len(jobs) > 1 else str(Text("Calcul en cours", "Working")))
    st.markdown("\n".join(f"- {plain(label(name))}{NO_BREAK}: {_far(job)}" for name, job in jobs.items()))
    key = "-".join("-".join(job.key) for job in jobs.values())
    if st.button(str(stop), key=f"stop-{key}"):
        for job in jobs.values():
            job.stop()
        st.rerun(scope="fragment")
    for job in jobs.values():
        if meanwhile is not None and job.sofar is not None:
            meanwhile(job.sofar)


def _far(job: work.Job) -> str:
    if job.over:
        return str(Text("fait", "done"))
    if job.stopped:
        return str(Text("s'arrête", "stopping"))
    job = job.front
    said = str(job.said)
    if job.seconds:
        said += f", {number(job.seconds)}{NO_BREAK}s"
    if job.remaining is not None:
        minutes = max(1, round(job.remaining / 60))
        said += str(Text(f" ; encore {minutes} min environ", f"; about {minutes} min to go"))
    told = job.progress
    if told is not None and told.objective is not None:
        said += " ; " + str(Text("meilleur plan : ", "best plan: ")) + number(told.objective, 1)
        if told.bound is not None and told.bound > 0:
            gap = max(told.bound - told.objective, 0.0) / abs(told.bound)
            limit, open_ = number(told.bound, 1), percent(gap)
            said += str(Text(f", au plus {limit} (écart {open_})", f", at most {limit} (gap {open_})"))
    return said


def _partly(name: str, job: work.Job) -> None:
    heading = Text(
        f"« {name} » : arrêté en route, voici ce qui est trouvé.",
        f"“{name}”: stopped on its way, here is what is found.",
    )
    st.info(plain(str(heading)))
    _again(Text("Reprendre le calcul", "Start again"), job)


def _nothing(name: str, job: work.Job) -> None:
    if job.refusal is not None:
        heading = Text(f"« {name} » n'a pas pu être lu :", f"“{name}” could not be read:")
        st.error(plain(str(heading)) + "\n\n" + listed(job.refusal))
    elif job.state == "stopped":
        stopped = Text(f"« {name} » : arrêté avant d'avoir trouvé.", f"“{name}”: stopped before anything was found.")
        st.info(plain(str(stopped)))
    else:
        st.error(plain(str(Text(
            f"Le calcul de « {name} » a échoué. L'erreur est dans le journal du serveur.",
            f"“{name}” could not be computed. The error is in the server's log.",
        ))))  # fmt: skip
    _again(Text("Réessayer", "Try again"), job)


def _again(said: Text, job: work.Job) -> None:
    st.button(str(said), key=f"again-{'-'.join(job.key)}", on_click=work.workshop().forget, args=(job.key,))
