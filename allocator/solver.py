"""`solve`: from a scenario to a certified plan, stage by stage."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from allocator import engines
from allocator.apart import search_apart
from allocator.bound import Proof
from allocator.certify import Certificate, certify, certify_infeasible, joined, objective, value_step
from allocator.conflict import Conflict, against_decisions, conflict, contradiction
from allocator.engines.base import Engine, OnProgress, Outcome, Program, Progress, Reason, Stop
from allocator.plan import EngineReport, LevelReport, Plan, Seconds, Status
from allocator.program import Compiled, compile
from allocator.reading import Reading
from allocator.relaxed import ROUNDS, Open, Relaxed
from allocator.settle import mistied, settle
from allocator.space import Space
from allocator.texts import Text
from allocator.tree import Found, Search
from allocator.years import relaxation

if TYPE_CHECKING:
    from allocator.scenario import Scenario

T = TypeVar("T")
LP_ENGINE = "sifting"  # supplies the duals of every certificate, whatever found the plan
NO_CHECKS = Certificate(())
PRICED = 1_000_000  # demands priced anew in all leaves of a proof: each leaf is checked from scratch
FEWEST_NODES, MOST_NODES = 300, 20_000
FIRST_PRICED, FEWEST_FIRST, FIRST_NODES = 300_000, 30, 1_000  # likewise, before an engine is asked
MANY = 100  # leaves of a proof, from which on the next one's will take as long each
LEAF = 3.0  # times what the root's proof takes to be checked: prices further down have more digits
FREED = 0.25  # of the whole columns, at most, in a program that is to be quick
FIRST_PART = 0.2  # of the time left
TURNS = 12  # of telling demands apart, before all are
LEEWAY = Fraction(1, 10**6)  # of a level's value, that later levels may give up: what whole cents need
SMALL = 2_000  # demands up to which nothing of it is tried first
ROWS_TRIED = 300  # one by one, where an LP could not prove that there is no plan


def solve(
    scenario: Scenario,
    *,
    engine: str | Engine = "auto",
    gap: float = 1e-4,
    time_limit: float | None = None,
    on_progress: OnProgress | None = None,
    stop: Stop | None = None,
) -> Plan:
    """The best plan of a scenario, certified.

    `engine`: "auto", a name of `allocator.engines`, or an `Engine`. `gap`: relative, what "optimal" may leave open.
    `time_limit`: seconds; then, as on Ctrl-C or once `stop()` is true, the best plan so far with its gap. `on_progress` is
    given `Progress`.
    Raises ValueError for a negative gap or time limit, `engines.UnknownEngine` (a KeyError) for an unknown engine.
    """
    return Session(engine=engine, gap=gap, time_limit=time_limit).solve(scenario, on_progress=on_progress, stop=stop)


class Session:
    """`solve` for one scenario after another, near each other: what one solve leaves open, the next one starts from.

    The plan is that of `solve`, to the cent, whatever was solved before: what is kept saves time only (decision 023). Pays
    where amounts, bounds or weights of divisible measures move; anything else costs what `solve` does. Not for several
    threads at once.
    Arguments and errors as for `solve`. `interruptible`: Ctrl-C ends a solve with the best plan so far; otherwise it is
    Python's KeyboardInterrupt. `conflicts`: where there is no plan, rules that cannot hold together are named, which takes
    longer than the proof.
    """

    def __init__(
        self,
        *,
        engine: str | Engine = "auto",
        gap: float = 1e-4,
        time_limit: float | None = None,
        interruptible: bool = True,
        conflicts: bool = True,
    ) -> None:
        if not isinstance(gap, int | float) or not gap >= 0:
            raise ValueError(f"gap: {gap!r} is not a number >= 0")
        if time_limit is not None and (not isinstance(time_limit, int | float) or not time_limit > 0):
            raise ValueError(f"time_limit: {time_limit!r} is not a number of seconds > 0")
        self.gap, self.time_limit = gap, time_limit
        self._stops, self._conflicts = interruptible, conflicts
        self._engine, self._why = _choose(engine)
        self._lp = engines.engine(LP_ENGINE)
        self._open = Open()

    def solve(self, scenario: Scenario, *, on_progress: OnProgress | None = None, stop: Stop | None = None) -> Plan:
        """The best plan of a scenario, as `solve` gives it."""
        with interruptible() if self._stops else nullcontext(_never) as interrupted:
            caller = _Caller(interrupted, stop, on_progress)
            plan = _Run(
                scenario, self._engine, self._why, self._lp, self._open, self.gap, self.time_limit,
                None if on_progress is None else caller.told, caller.asks, self._conflicts,
            ).plan()  # fmt: skip
        if caller.raised is not None:
            raise caller.raised
        return plan


def find_conflict(scenario: Scenario) -> Conflict | None:
    """Rules that cannot hold together whatever the plan, parts of units allowed; None when they can."""
    space = Space.of(scenario)
    refused = contradiction(space)
    if refused is not None:
        return refused
    relaxed = Relaxed(compile(space), engines.engine(LP_ENGINE))
    return conflict(relaxed) if relaxed.solve().reason is Reason.INFEASIBLE else None


def _choose(engine: str | Engine) -> tuple[Engine, Text]:
    if not isinstance(engine, str):
        return engine, Text("donné par l'appelant", "given by the caller")
    if engine == "auto":
        return engines.engine(LP_ENGINE), Text(
            "choisi : le plus rapide des moteurs mesurés sur ces programmes",
            "chosen: the fastest engine measured on these programs",
        )
    return engines.engine(engine), Text("demandé", "asked for")


def _never() -> bool:
    return False


@dataclass
class _Caller:
    """Who is told and may stop a solve. What he raises is his own, whatever an engine makes of it: it ends the solve and
    is raised again."""

    interrupted: Stop
    stop: Stop | None
    on_progress: OnProgress | None
    raised: Exception | None = None

    def asks(self) -> bool:
        """Whether the solve is to stop."""
        if self.raised is not None or self.interrupted():
            return True
        return self.stop is not None and bool(self._heard(self.stop))

    def told(self, progress: Progress) -> None:
        if self.raised is None and self.on_progress is not None:
            self._heard(partial(self.on_progress, progress))

    def _heard(self, word: Callable[[], T]) -> T:
        try:
            return word()
        except Exception as error:
            self.raised = error
            raise


@contextmanager
def interruptible() -> Iterator[Stop]:
    """Ctrl-C asks engines to stop with what they have; a second one interrupts Python as usual."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True, eq=False)
class Stage:
    """One level of the objective, solved."""

    space: Space
    relaxed: Relaxed
    reading: Reading | None
    certificate: Certificate
    proof: Proof


def _kept(stage: Stage, leeway: Fraction) -> tuple[Fraction, Fraction]:
    """What later levels keep of a value, and what they may give up: nothing where values lie on a step worth more."""
    value = stage.certificate.objective
    assert value is not None
    loose = abs(value) * leeway
    return value, Fraction(0) if (value_step(stage.space) or 0) > loose else loose


@dataclass
class _Run:
    """One solve: the stages in order, each handing on a small value."""

    scenario: Scenario
    engine: Engine
    why: Text
    lp: Engine
    open: Open
    gap: float
    time_limit: float | None
    on_progress: OnProgress | None
    stop: Stop
    conflicts: bool = True

    def plan(self) -> Plan:
        """Level after level of the objective, each keeping what the earlier ones reached."""
        start = time.monotonic()
        self.deadline = None if self.time_limit is None else start + self.time_limit
        self.seconds = Seconds()
        self.generous = False
        self.failure = ""  # what an engine failed with
        self.check = 0.0
        self.report = EngineReport(
            self.engine.name, self.engine.version, "not_run", None, self.why, self.gap, self.time_limit
        )
        space = Space.of(self.scenario)
        self.levels = len(space.aims)
        stages: list[Stage] = []
        while len(stages) < self.levels:
            self.sign = space.aims[len(stages)].sign
            found = self._next_stage(space, stages)
            if isinstance(found, Plan):
                return found
            if found is None:
                break
            stages.append(found)
            if not found.certificate.ok or found.certificate.objective is None:
                break
        return self._finish(stages)

    def _next_stage(self, space: Space, stages: list[Stage]) -> Stage | Plan | None:
        """The first level; or a later one that keeps what the earlier ones reached, to the last cent where it can."""
        if not stages:
            return self._stage(space)
        for leeway in (Fraction(0), LEEWAY) if space.n <= SMALL else (LEEWAY,):
            reached = [_kept(stage, leeway) for stage in stages]
            found = self._stage(space.after(tuple(reached)))
            if isinstance(found, Stage) and found.certificate.ok:
                return found
        return None

    def _stage(self, space: Space) -> Stage | Plan:
        """One level; demands for which it matters which funds pay are told apart where dealing needs it."""
        alone: np.ndarray | None = None
        for turn in range(TURNS + 1):
            found = self._solved(space, alone)
            if isinstance(found, Plan) or found.reading is None:
                return found
            wrong = mistied(found.reading)
            if not wrong.any():
                return found
            alone = space.tied if turn == TURNS - 1 else wrong if alone is None else wrong | alone
        return found

    def _solved(self, space: Space, alone: np.ndarray | None) -> Stage | Plan:
        """The program's answer; where it is neither a plan nor proved impossible, that of one which lets through all that
        rounding to cents may. Where a level needs that, so do the later ones."""
        found = self._tried(space, alone, self.generous)
        rounds = any(row.rounding for _, row in space.rows) or bool(space.capped.any())
        if _certain(found) or self.generous or not rounds or space.reached or space.n > SMALL or self.stop():
            return found
        again = self._tried(space, alone, True)
        self.generous = _certain(again)
        return again if self.generous else found

    def _tried(self, space: Space, alone: np.ndarray | None, generous: bool) -> Stage | Plan:
        start = time.monotonic()
        refused = contradiction(space)
        if refused is not None:
            self._lap("compile", start)
            zero = Proof(np.zeros(len(space.rows)))
            return self._infeasible(space, zero, refused)
        compiled = compile(space, alone)
        if generous:
            compiled = compiled.generous_by_cents()
        start = self._lap("compile", start)
        relaxed = self._relaxed(compiled)

        whole = bool(compiled.program.integer.any())
        quick = relaxation(compiled, self.lp, alone, time_limit=self._left(), stop=self.stop) if whole else None
        root = quick or relaxed.solve(time_limit=self._left(), stop=self.stop)
        self.failure = relaxed.failure
        if root.reason is Reason.INFEASIBLE:
            search = Search(relaxed, self.gap, 0.0, nodes=1)
            empty = search.run(root).proof
            self._lap("solve", start)
            return self._infeasible(space, empty, conflict(relaxed) if self.conflicts else None)
        proof = self._root_proof(relaxed, root)
        own = whole and self.engine is self.lp
        near = self._near(relaxed, root) if whole and self.engine.whole_units else None
        if own or (near is not None and self._closes(root, near)):
            outcome = self._claimed(relaxed, near or Outcome(Reason.NOTHING))
        else:
            outcome = self._search_engine(relaxed, root, near)
        start = self._lap("solve", start)

        # without whole units the LP engine has a plan of its own when the engine has none
        x = root.x if outcome.x is None and not whole else outcome.x
        reading = None if x is None else settle(relaxed, x, self.lp)
        start = self._lap("settle", start)
        certificate = NO_CHECKS if reading is None else certify(reading, proof)
        self.check = time.monotonic() - start if certificate.checks else 0.0
        nothing = self._nothing(space, proof, certificate)
        if nothing is not None:
            reading, certificate = nothing
        self.known = certificate, x if certificate.ok else None
        searches = self._searches(relaxed, root, proof, own)
        # what funds may not pay together is told apart first (`_stage`): no search of this program could mend it
        mixed = reading is not None and bool((mistied(reading) & ~compiled.apart).any())
        while whole and not mixed and not self._close_enough(certificate):
            start = self._lap("certify", start)
            found = next(searches, None)
            start = self._lap("solve", start)
            if found is None:
                break
            better = None if found.x is None else settle(relaxed, found.x, self.lp)
            start = self._lap("settle", start)
            if not certificate.ok and found.x is None and found.complete:
                return self._infeasible(space, found.proof, None)
            more = not certificate.ok or self._tells_more(found, certificate, compiled.objective_scale)
            if not more and (better is None or objective(better) <= (certificate.objective or 0)):
                continue
            plan, given = reading if better is None else better, found.proof if more else proof
            known = NO_CHECKS if plan is None else certify(plan, given)
            leaves = given.leaves()
            if leaves >= MANY and known.checks and more:
                self.check = (time.monotonic() - start) / leaves / LEAF
            if not certificate.ok or (known.ok and _closer(known, certificate)):
                reading, proof, certificate = plan, given, known
                self.known = certificate, found.x if better is not None and certificate.ok else self.known[1]
        self._lap("certify", start)
        if not certificate.ok and not mixed and _one_row_alone(space, self._late) is not None:  # what floats let pass and no search could decide
            return self._infeasible(space, None, None)
        return Stage(space, relaxed, reading, certificate, proof)

    def _relaxed(self, compiled: Compiled) -> Relaxed:
        """Warm, if something like it is open, where that cannot show: divisible plans are settled to one point whatever
        point the engine gave; which whole units a search tries first, and which caps were added, depends on the way there."""
        if compiled.program.integer.any() or compiled.all_caps.parts:
            return Relaxed(compiled, self.lp)
        return self.open.relaxed(compiled, self.lp)

    def _search_engine(self, relaxed: Relaxed, root: Outcome, near: Outcome | None) -> Outcome:
        """The engine's own answer, caps added until it breaks none; from a point `near`, which stands where it finds none."""
        whole = bool(relaxed.compiled.program.integer.any())
        if whole and not self.engine.whole_units:
            return Outcome(Reason.NOTHING, engine=self.engine.name, version=self.engine.version)
        if not whole and self.engine is self.lp:
            outcome = root
        else:
            outcome = self._whole_program(relaxed, root if near is None else near)
            if outcome.x is None and near is not None:  # stopped before it found anything
                outcome = near
        return self._claimed(relaxed, outcome)

    def _claimed(self, relaxed: Relaxed, outcome: Outcome) -> Outcome:
        """The outcome, its word kept for the report."""
        if outcome.reason is Reason.ERROR:
            self.failure = outcome.message
        claim = None if outcome.bound is None else float(outcome.bound) * relaxed.compiled.objective_scale * self.sign
        self.report = replace(self.report, claimed_status=outcome.reason.value, claimed_bound=claim)
        return outcome

    def _closes(self, root: Outcome, near: Outcome) -> bool:
        if root.objective is None or near.objective is None:
            return False
        return root.objective - near.objective <= self.gap * abs(near.objective)

    def _near(self, relaxed: Relaxed, root: Outcome, families: bool = False) -> Outcome | None:
        """A point with every whole column that is whole at the root kept there: quick, and often good enough. `families`:
        those of which a member is not whole there are free, where that leaves a small program."""
        if root.x is None or root.objective is None or self.gap < 1e-6:
            return None
        for _ in range(ROUNDS):
            kept = _kept_near(relaxed.compiled, root.x, families)
            if families and (kept.integer & (kept.lower < kept.upper)).sum() > FREED * kept.integer.sum():
                return None
            found = self._ask(kept, relaxed, None, self.gap if families else self.gap / 10)
            broken = [] if found.x is None else relaxed.compiled.broken_caps(found.x)
            if not broken:
                return None if found.x is None else replace(found, reason=Reason.FEASIBLE, bound=None)
            relaxed.add(broken)
        return None

    def _whole_program(self, relaxed: Relaxed, start: Outcome) -> Outcome:
        """The whole program, solved again with the caps that the answer breaks until it breaks none."""
        for _ in range(ROUNDS):
            outcome = self._ask(relaxed.compiled.program, relaxed, start.x, self.gap)
            broken = [] if outcome.x is None else relaxed.compiled.broken_caps(outcome.x)
            if not broken:
                return outcome
            relaxed.add(broken)
        return replace(outcome, reason=Reason.ERROR, x=None, message="caps are still broken")

    def _ask(self, program: Program, relaxed: Relaxed, start: np.ndarray | None, gap: float) -> Outcome:
        """The engine's word; one that crashes or returns nonsense has said nothing."""
        ask = partial(
            self.engine.solve, program, gap=gap, time_limit=self._left(), start=start, on_progress=self._told(relaxed),
            stop=self.stop,
        )  # fmt: skip
        outcome = engines.heard(ask, program.columns, program.rows)
        if outcome.x is None:
            return outcome
        return replace(outcome, objective=float(program.objective @ outcome.x) + program.offset)

    def _told(self, relaxed: Relaxed) -> OnProgress | None:
        tell, scale = self.on_progress, relaxed.compiled.objective_scale * self.sign
        if tell is None:
            return None

        def scaled(value: float | None) -> float | None:
            return None if value is None else value * scale

        return lambda p: tell(replace(p, objective=scaled(p.objective), bound=scaled(p.bound)))

    def _root_proof(self, relaxed: Relaxed, root: Outcome) -> Proof:
        if root.duals is None:
            return Proof(np.zeros(len(relaxed.compiled.row_scale)))  # every demand served at once: weak, but a bound
        return Proof(relaxed.compiled.multipliers(root.duals))

    def _nothing(self, space: Space, proof: Proof, certificate: Certificate) -> tuple[Reading, Certificate] | None:
        """The plan that grants nothing, where it is worth more than the plan found: what is found first may be poor."""
        if not certificate.ok or self._close_enough(certificate) or certificate.objective is None:
            return None
        empty = replace(Reading.nothing(space), moved=np.zeros(len(space.moves), np.int64))
        if objective(empty) <= certificate.objective:
            return None
        known = certify(empty, proof)
        return (empty, known) if known.ok else None

    def _searches(self, relaxed: Relaxed, root: Outcome, proof: Proof, own: bool) -> Iterator[Found]:
        """What may close the gap that the plan `known` by then leaves: a small tree; the engine, where it was not asked
        (`own`); trees for each part that nothing scarce ties to others; the tree once more, for longer."""
        space = relaxed.compiled.space
        scale = relaxed.compiled.objective_scale
        step = value_step(space)
        nodes = max(FEWEST_NODES, min(MOST_NODES, PRICED // max(space.n, 1)))

        def search(program: Relaxed) -> Search:
            return Search(
                program,
                self.gap,
                0.0 if step is None else float(step) / scale,
                nodes=nodes,
                deadline=self.deadline,
                stop=self.stop,
                on_progress=self.on_progress,
                check=self.check,
            )

        def told(tree: Search) -> Search:
            certificate, _ = self.known
            if certificate.ok and certificate.objective is not None:
                tree.best = max(tree.best, float(certificate.objective) / scale)
            return tree

        within = relaxed if self.engine.whole_units else Relaxed(relaxed.compiled, self.engine)
        tree = told(search(within))
        if own:
            tree.nodes = max(FEWEST_FIRST, min(FIRST_NODES, FIRST_PRICED // max(space.n, 1)))
            left = self._left()
            tree.deadline = None if left is None else time.monotonic() + FIRST_PART * left
            found = tree.run(root)
            self._claim(found)
            yield found
            tree.deadline = self.deadline
            if not self.known[0].ok and found.near is not None:  # whole where it is whole there, perhaps
                for families in (False, True) if relaxed.compiled.family_rows else (False,):
                    near = self._near(relaxed, replace(root, x=found.near), families)
                    if near is not None:
                        yield Found(found.proof, near.x, False, 0, found.bound)
            point = tree.x if self.known[1] is None else self.known[1]
            near = None if point is None else replace(root, x=point, reason=Reason.FEASIBLE, bound=None)
            outcome = self._search_engine(relaxed, root, near)
            yield Found(proof, outcome.x, False, 0, np.inf)
        certificate, x = self.known
        apart = search_apart(within, root, x if certificate.ok else None, search)
        if apart is not None:
            self._claim(apart)
            yield apart
        tree.nodes, tree.check = nodes, LEAF * self.check
        found = told(tree).go_on() if own else told(tree).run(root)
        self.failure = self.failure or within.failure
        self._claim(found)
        yield found

    @staticmethod
    def _tells_more(found: Found, certificate: Certificate, scale: float) -> bool:
        """Whether a proof may be worth its check: a tree that was stopped often bounds no better than its root."""
        if certificate.bound is None:
            return True
        known = float(certificate.bound)
        return found.bound * scale < known - 1e-12 * abs(known)

    def _claim(self, found: Found) -> None:
        """What our own search claims, where the engine knows no whole units or was not asked."""
        if not self.engine.whole_units or (self.engine is self.lp and found.complete):
            none = found.x is None
            done, known = ("infeasible", "nothing") if none else ("optimal", "feasible")
            self.report = replace(self.report, claimed_status=done if found.complete else known)

    def _close_enough(self, certificate: Certificate) -> bool:
        return certificate.ok and certificate.exact_gap is not None and certificate.exact_gap <= self.gap

    def _finish(self, stages: list[Stage]) -> Plan:
        """The last level's plan, and how far each level is proved with it."""
        first, last = stages[0], stages[-1]
        status: Status = "no_plan"
        message = Text("", "")
        kept: Reading | None = None
        certificate, levels = first.certificate, list[LevelReport]()
        if last.reading is not None and last.certificate.ok:
            kept = last.reading.at(first.space)
            certified = [
                stage.certificate if stage is last else certify(last.reading.at(stage.space), stage.proof)
                for stage in stages
            ]
            certificate = joined(certified)
            levels = [
                LevelReport(stage.space.aim, found.objective, found.bound)
                for stage, found in zip(stages, certified, strict=True)
            ]
            close = len(stages) == self.levels and all(self._close_enough(found) for found in certified)
            status = "no_plan" if not certificate.ok else "optimal" if close else "feasible"
        if status == "no_plan":
            kept = None
            message = (
                self._found_nothing()
                if last.reading is None
                else Text("le plan trouvé ne passe pas la vérification", "the plan found does not pass its certificate")
            )
        compiled = first.relaxed.compiled
        binding = [] if kept is None else _binding(first.relaxed, first.proof, certificate, kept)
        return Plan(
            self.scenario, status, certificate, self.report, self.seconds, kept, None, tuple(binding),
            (compiled.program.columns, compiled.program.rows), message, tuple(levels),
        )  # fmt: skip

    def _found_nothing(self) -> Text:
        if self.failure:
            return Text(
                f"aucun plan trouvé : un moteur a échoué ({self.failure})",
                f"no plan found: an engine failed ({self.failure})",
            )
        return Text("aucun plan trouvé dans les limites données", "no plan found within the limits given")

    def _infeasible(self, space: Space, proof: Proof | None, named: Conflict | None) -> Plan:
        start = time.monotonic()
        certificate = NO_CHECKS if proof is None else certify_infeasible(space, proof)
        if not certificate.ok:
            certificate, named = _one_row_alone(space, self._late) or (certificate, named)
        self._lap("certify", start)
        proved = certificate.ok
        message = (
            Text("", "")
            if proved
            else Text(
                "le moteur dit qu'aucun plan n'existe, sans preuve vérifiable",
                "the engine says that no plan exists, unproved",
            )
        )
        status: Status = "infeasible" if proved else "no_plan"
        return Plan(self.scenario, status, certificate, self.report, self.seconds, conflict=named, message=message)

    def _left(self) -> float | None:
        return None if self.deadline is None else max(self.deadline - time.monotonic(), 0.01)

    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    def _lap(self, stage: str, since: float) -> float:
        now = time.monotonic()
        self.seconds = replace(self.seconds, **{stage: getattr(self.seconds, stage) + now - since})
        return now


def _certain(found: Stage | Plan) -> bool:
    """Whether it is a plan that passes, or proved that there is none."""
    return found.status == "infeasible" if isinstance(found, Plan) else found.certificate.ok


def _closer(one: Certificate, other: Certificate) -> bool:
    """Whether a certificate proves more: fewer points to the bound, or as many with a better plan."""
    assert one.objective is not None and other.objective is not None
    open_to = [float("inf") if c.bound is None else c.bound - (c.objective or 0) for c in (one, other)]
    return open_to[0] < open_to[1] or (open_to[0] == open_to[1] and one.objective > other.objective)


def _one_row_alone(space: Space, late: Callable[[], bool]) -> tuple[Certificate, Conflict] | None:
    """A single row that what is decided already breaks, in whole numbers: a cent beside 15 Md€ is lost on any LP. None too
    where it is `late` before one is found."""
    for r, (rule, row) in enumerate(space.rows[:ROWS_TRIED]):
        if r and late():
            return None
        if space.prices[r] is None:
            for sign in (1.0, -1.0):
                multipliers = np.zeros(len(space.rows))
                multipliers[r] = sign
                certificate = certify_infeasible(space, Proof(multipliers, farkas=True))
                if certificate.ok:
                    return certificate, against_decisions(space, rule, row)
    return None


def _kept_near(compiled: Compiled, x: np.ndarray, families: bool) -> Program:
    """The program with every whole column that is whole in x kept there: small, and often as good. `families`: but for
    those of which a member is not whole."""
    program = compiled.program
    split = program.integer & (np.abs(x - np.round(x)) > 1e-6)
    if families:
        members = program.matrix[list(compiled.family_rows)] != 0
        split = split | (members.T @ (members @ split) > 0)
    kept = program.integer & ~split
    lower, upper = np.where(kept, np.round(x), program.lower), np.where(kept, np.round(x), program.upper)
    return replace(program, lower=lower, upper=upper)


def _binding(relaxed: Relaxed, proof: Proof | None, certificate: Certificate, reading: Reading) -> list[str]:
    """Ids of the rules that the bound leans on, that the plan meets to the last cent or unit, or that may hold something
    back; the scenario's order."""
    rows = relaxed.compiled.space.rows
    leaning: set[str] = set()
    for multipliers in () if proof is None else proof.of_leaves():
        largest = np.abs(multipliers).max(initial=0.0)
        # those of families, which are nobody's rules, come after
        leaning |= {rule.id for (rule, _), value in zip(rows, multipliers, strict=False) if abs(value) > 1e-9 * largest}
    return [
        rule.id
        for rule, levels in certificate.levels
        if rule.id in leaning or any(level.tight for level in levels) or rule.holds_back(reading)
    ]
