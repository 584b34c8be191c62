"""Nothing an engine or a compiler says is believed: each lie ends in a right answer or an honest status."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import allocator
from allocator import engines, program
from allocator.bound import ALL_YEARS, Cut, Proof, prove
from allocator.certify import certify, certify_infeasible, value_step
from allocator.engines.base import Outcome, Reason
from allocator.reading import Reading
from allocator.space import Space

TERRITORIES = pd.DataFrame(
    {
        "id": ["a", "b", "c"], "name": ["A", "B", "C"], "region": ["11", "11", "53"],
        "departement": ["75", "77", "35"], "population": [1000, 2000, 3000],
    }
)  # fmt: skip


def scenario(*, whole: bool = True, floor: str = "1 M€", **changes):
    demands = pd.DataFrame(
        {
            "id": ["d1", "d2", "d3", "d4", "d5", "d6"], "territory": ["a", "b", "c", "a", "c", "b"],
            "measure": ["friche", "friche", "friche", "ecole", "ecole", "ecole"],
            "units": [3.5, 2, 4, 2, 3, 1], "asked": [500_000, 400_000, 300_000, 1_000_000, 900_000, 700_000],
            "emplois": [10, 9, 7, 30, 25.5, 22],
        }
    )  # fmt: skip
    said = {
        "name": "t",
        "years": [2026, 2027],
        "funds": [
            {"id": "f1", "amount": "3 M€"},
            {"id": "f2", "amounts": {2026: "1 M€", 2027: "500 k€"}, "carry_over": True},
        ],
        "measures": [{"id": "friche"}, {"id": "ecole", "lumpy": whole}],
        "territories": TERRITORIES,
        "demands": demands,
        "constraints": [
            {"kind": "floor", "id": "bretagne", "on": {"where": {"region": "53"}}, "amount": floor},
            {"kind": "share", "id": "idf", "on": {"where": {"region": "11"}}, "of": {}, "max": 0.5},
            {"kind": "count", "id": "ecoles", "on": {"measures": ["ecole"]}, "max": 3},
        ],
        "objective": {"maximise": {"emplois": 1}},
    }
    return allocator.Scenario(**(said | changes))


class Liar:
    """The real engine, its answer twisted by `twist(program, outcome)`."""

    whole_units = True
    version = "0"

    def __init__(self, twist):
        self.name, self.twist, self.real = "liar", twist, engines.engine("highs")

    def solve(self, program, **options):
        return self.twist(program, self.real.solve(program, **options))

    def session(self, program):
        real, twist = self.real.session(program), self.twist

        class Session:
            def solve(self, **options):
                return twist(program, real.solve(**options))

            add_rows = staticmethod(real.add_rows)

        return Session()


def crash(program, outcome):
    raise RuntimeError("segmentation fault, so to speak")


LIES = {
    "infeasible point called optimal": lambda p, o: replace(o, x=p.upper.clip(max=1e4), reason=Reason.OPTIMAL),
    "poor point called optimal": lambda p, o: replace(
        o, x=np.zeros(p.columns), objective=0.0, bound=0.0, reason=Reason.OPTIMAL
    ),
    "parts of whole units called whole": lambda p, o: replace(o, x=o.x + 0.5 * p.integer, reason=Reason.OPTIMAL),
    "bound too good": lambda p, o: replace(o, bound=-1e9),
    "feasible called infeasible": lambda p, o: Outcome(Reason.INFEASIBLE),
    "feasible called unbounded": lambda p, o: Outcome(Reason.UNBOUNDED),
    "nothing found": lambda p, o: Outcome(Reason.NOTHING),
    "not a number": lambda p, o: replace(o, x=np.full(p.columns, np.nan)),
    "a point of another size": lambda p, o: replace(o, x=np.zeros(3)),
    "a crash": crash,
}


@pytest.mark.parametrize("whole", [False, True], ids=["divisible", "whole"])
@pytest.mark.parametrize("lie", LIES)
def test_a_lying_engine_changes_nothing(lie, whole):
    truth = allocator.solve(scenario(whole=whole), gap=1e-9)
    plan = allocator.solve(scenario(whole=whole), engine=Liar(LIES[lie]), gap=1e-9)
    assert truth.status == "optimal"
    assert plan.certificate.ok
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(truth.objective, rel=1e-9)


NONSENSE = LIES | {
    "no duals": lambda p, o: replace(o, duals=None),
    "duals of another size": lambda p, o: replace(o, duals=np.zeros(p.rows + 7)),
    "an objective that is not a number": lambda p, o: replace(o, objective=np.nan, bound=np.nan),
    "an infinite point": lambda p, o: replace(o, x=np.full(p.columns, np.inf)),
    "words": lambda p, o: replace(o, x=["one", "two"], duals="three"),
    "no outcome": lambda p, o: None,
}


@pytest.mark.parametrize("whole", [False, True], ids=["divisible", "whole"])
@pytest.mark.parametrize("place", ["of whole units", "without whole units", "of linear programs"])
@pytest.mark.parametrize("lie", NONSENSE)
def test_nonsense_from_any_engine_is_an_honest_status(monkeypatch, lie, place, whole):
    """Never a traceback, and never a plan called optimal, a bound or an impossibility that is not."""
    best = {False: Fraction(122125, 1000), True: Fraction(12025, 100)}[whole]  # see below
    liar = Liar(NONSENSE[lie])
    liar.whole_units = place != "without whole units"
    if place == "of linear programs":
        monkeypatch.setitem(engines.ENGINES, "sifting", liar)
    plan = allocator.solve(
        scenario(whole=whole), engine="auto" if place == "of linear programs" else liar, gap=1e-6, time_limit=1
    )
    assert plan.status in ("optimal", "feasible", "no_plan")
    if plan.status == "no_plan":
        assert str(plan.message)
        return
    assert plan.certificate.ok
    assert plan.levels[0].objective <= best <= plan.levels[0].bound
    assert plan.status == "feasible" or plan.levels[0].objective >= best * (1 - Fraction(1, 10**6))


def test_the_best_plans_of_these_scenarios():
    """What a true engine proves."""
    for each, best in ((False, Fraction(122125, 1000)), (True, Fraction(12025, 100))):
        level = allocator.solve(scenario(whole=each), gap=0).levels[0]
        assert 0 <= level.bound - best <= Fraction(1, 10**9) and 0 <= best - level.objective <= Fraction(1, 10**6)


def test_what_an_engine_failed_with_is_told(monkeypatch):
    monkeypatch.setitem(engines.ENGINES, "sifting", Liar(crash))
    plan = allocator.solve(scenario())
    assert plan.status == "no_plan" and "RuntimeError: segmentation fault, so to speak" in plan.message.en


def test_what_an_engine_said_nothing_of_is_not_called_impossible():
    silent = Liar(LIES["nothing found"])
    silent.whole_units = False
    plan = allocator.solve(scenario(), engine=silent)
    assert (plan.status, plan.engine.claimed_status) == ("no_plan", "nothing")
    assert "exists" not in plan.message.en


LP_LIES = {
    "duals of the wrong sign": lambda p, o: replace(o, duals=None if o.duals is None else -o.duals),
    "duals too small": lambda p, o: replace(o, duals=None if o.duals is None else 0.5 * o.duals),
    "duals of nothing": lambda p, o: replace(o, duals=None if o.duals is None else np.full_like(o.duals, np.nan)),
}


@pytest.mark.parametrize("whole", [False, True], ids=["divisible", "whole"])
@pytest.mark.parametrize("lie", LP_LIES)
def test_lying_duals_weaken_the_bound_and_never_break_it(monkeypatch, lie, whole):
    best = allocator.solve(scenario(whole=whole), gap=1e-9).objective
    liar = Liar(LP_LIES[lie])
    monkeypatch.setitem(engines.ENGINES, "sifting", liar)
    plan = allocator.solve(scenario(whole=whole), engine=liar, gap=1e-9)
    assert plan.status in ("feasible", "optimal", "no_plan")
    if plan.bound is not None:
        assert plan.bound >= best * (1 - 1e-12)
    if plan.status == "optimal":
        assert plan.objective == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("claim", [Reason.OPTIMAL, Reason.FEASIBLE])
def test_no_engine_makes_an_impossible_scenario_possible(claim):
    def twist(p, o):
        return Outcome(claim, x=np.zeros(p.columns), duals=np.zeros(p.rows), objective=0.0, bound=0.0)

    plan = allocator.solve(scenario(floor="40 M€"), engine=Liar(twist))
    assert plan.status == "infeasible"
    assert plan.reading is None
    assert {party.rule.id for party in plan.conflict.parties} >= {"bretagne"}


def test_an_lp_engine_that_calls_everything_infeasible_proves_nothing(monkeypatch):
    monkeypatch.setitem(engines.ENGINES, "sifting", Liar(lambda p, o: Outcome(Reason.INFEASIBLE)))
    assert allocator.solve(scenario()).status == "no_plan"


def plan_and_proof():
    space = Space.of(scenario())
    plan = allocator.solve(scenario())
    return space, plan.reading, Proof(np.zeros(len(space.rows)))


def twisted(reading: Reading, **changes) -> Reading:
    return replace(reading, **changes)


def test_a_true_plan_passes():
    _, reading, proof = plan_and_proof()
    assert certify(reading, proof).ok


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (lambda r: twisted(r, cents=r.cents + 1), "fund:f1"),
        (
            lambda r: twisted(r, cents=np.where(np.arange(len(r.cents)) == len(r.cents) - 1, r.cents - 1, r.cents)),
            "units",
        ),
        (lambda r: twisted(r, cents=r.cents * 3), "units"),
        (lambda r: twisted(r, cents=-r.cents), "grants"),
        (lambda r: twisted(r, cents=r.cents.astype(float)), "grants"),
        (lambda r: twisted(r, fund=np.zeros_like(r.fund)), "fund:f1"),
        (lambda r: twisted(r, fund=np.ones_like(r.fund), year=np.zeros_like(r.year)), "fund:f2"),
        (
            lambda r: twisted(
                r, **{n: np.concatenate([getattr(r, n)] * 2) for n in ("demand", "fund", "year", "cents")}
            ),
            "grants",
        ),
    ],
)
def test_every_way_to_break_a_plan_is_seen(broken, check):
    _, reading, proof = plan_and_proof()
    found = certify(broken(reading), proof)
    assert not found.ok
    assert check in {c.name for c in found.checks if not c.ok}


def test_each_level_is_counted_and_bounded_once():
    lexicographic = {"lexicographic": [{"maximise": {"emplois": 1}}, {"minimise": "euros"}]}
    names = [check.name for check in allocator.solve(scenario(objective=lexicographic)).certificate.checks]
    assert len(set(names)) == len(names)
    assert {"objective", "bound", "objective:2", "bound:2"} == {
        n for n in names if n.startswith(("objective", "bound"))
    }


@pytest.mark.parametrize(
    ("priced", "steps"),
    [
        ({"kind": "ceiling", "amount": "1 M€"}, True),
        ({"kind": "count", "on": {"measures": ["ecole"]}, "min": 3}, True),
        ({"kind": "count", "on": {"measures": ["friche"]}, "min": 3}, False),
    ],
)
def test_points_lie_on_a_step_only_where_what_is_priced_is_whole(priced, steps):
    """A bound is rounded down to that step: of units that can be had in part there is none."""
    given = scenario(constraints=[{**priced, "soft": 1}])
    worthless = given.demands.assign(emplois=given.demands["emplois"].where(given.demands["measure"] == "ecole", 0))
    assert (value_step(Space.of(given.with_(demands=worthless))) is not None) == steps


@pytest.mark.parametrize("position", ["demand", "fund", "year"])
@pytest.mark.parametrize("beyond", [False, True], ids=["before the first", "after the last"])
def test_a_grant_outside_the_scenario_is_no_grant(position, beyond):
    """Nor does it take the place of another: −1 would be the last in numpy."""
    space, reading, proof = plan_and_proof()
    limit = {"demand": space.n, "fund": space.shape[0], "year": space.shape[1]}[position]
    elsewhere = getattr(reading, position).copy()
    elsewhere[0] = limit if beyond else -1
    found = certify(twisted(reading, **{position: elsewhere}), proof)
    assert not found.ok and [c.name for c in found.checks] == ["grants"]


def test_no_objective_beyond_any_multipliers():
    """Weak duality: whatever the multipliers, the bound holds for the best plan."""
    space, _, _ = plan_and_proof()
    best = allocator.solve(scenario(), gap=0).certificate.objective
    rng = np.random.default_rng(1)
    for _ in range(200):
        scale = 10.0 ** rng.integers(-12, 3, len(space.rows))
        limit = prove(space, Proof(rng.normal(size=len(space.rows)) * scale))
        assert limit is not None and limit >= best


def test_a_proof_that_leaves_a_gap_in_its_boxes_is_refused():
    space, _, _ = plan_and_proof()
    leaf = Proof(np.zeros(len(space.rows)))
    hole = ((Cut(3, 0, 0, 0), leaf), (Cut(3, 0, 2, 2), leaf))
    with pytest.raises(ValueError, match="cover"):
        prove(space, replace(leaf, halves=hole))
    apart = ((Cut(3, 0, 0, 0), leaf), (Cut(4, 0, 1, 2), leaf))
    with pytest.raises(ValueError, match="cover"):
        prove(space, replace(leaf, halves=apart))
    short = ((Cut(3, ALL_YEARS, 0, 0), leaf), (Cut(3, ALL_YEARS, 1, 1), leaf))
    with pytest.raises(ValueError, match="cover"):
        prove(space, replace(leaf, halves=short))


def test_fixed_columns_are_bounded_not_believed():
    """A proof may leave plans out only where its multipliers bound them: leaving out the best one shows in the bound."""
    space, _, _ = plan_and_proof()
    best = allocator.solve(scenario(), gap=0)
    i = int(np.flatnonzero(best.reading.granted[3:])[0]) + 3
    lie = Proof(np.zeros(len(space.rows)), fixed=(Cut(i, ALL_YEARS, 0, 0),))
    limit = prove(space, lie)
    assert limit is not None and limit >= best.certificate.objective


def test_a_scenario_with_plans_is_never_proved_empty():
    space = Space.of(scenario())
    rng = np.random.default_rng(2)
    for _ in range(200):
        multipliers = rng.normal(size=len(space.rows)) * 10.0 ** rng.integers(-6, 6)
        assert not certify_infeasible(space, Proof(multipliers, farkas=True)).ok


def test_a_wrong_signature_makes_the_certificate_fail(monkeypatch):
    """Classes that forget a row's coefficients give a wrong program; the certificate is not fooled."""

    def forgetful(space, parts, kinds, alone):
        by_year = kinds.of % 2 == 1
        return np.where(space.payable, 0, -1) if not by_year.any() else np.where(by_year, 1, 0)

    divisible = scenario(
        whole=False,
        funds=[{"id": "f1", "amount": "3 M€"}, {"id": "f2", "amount": "3 M€"}],
        constraints=[{"kind": "ceiling", "id": "c", "on": {"funds": ["f1"], "where": {"region": "53"}}, "amount": 1},
                     {"kind": "ceiling", "id": "d", "on": {"funds": ["f2"], "where": {"region": "11"}}, "amount": 1}],
    )  # fmt: skip
    truth = allocator.solve(divisible)
    assert truth.status == "optimal"
    monkeypatch.setattr(program, "_classify", forgetful)
    fooled = allocator.solve(divisible)
    assert fooled.status != "optimal" or fooled.objective == pytest.approx(truth.objective)
    assert fooled.status in ("no_plan", "feasible")


def test_objective_is_exact():
    plan = allocator.solve(scenario(), gap=0)
    emplois = {"d1": 10, "d2": 9, "d3": 7, "d4": 30, "d5": Fraction(51, 2), "d6": 22}
    asked = plan.scenario.demands.set_index("id")["asked"]
    by_hand = sum(
        Fraction(int(g.cents), 100 * int(asked[g.demand])) * emplois[g.demand] for g in plan.grants.itertuples()
    )
    assert plan.certificate.objective == by_hand


def test_a_proof_may_be_deeper_than_the_stack():
    """A plunge goes as deep as there are whole columns; counting and checking its cases needs no recursion."""
    space, _, _ = plan_and_proof()
    proof = leaf = Proof(np.zeros(len(space.rows)))
    for _ in range(3 * sys.getrecursionlimit()):
        proof = replace(leaf, halves=((Cut(3, ALL_YEARS, 0, 0), leaf), (Cut(3, ALL_YEARS, 1, 10**9), proof)))
    assert proof.leaves() == 3 * sys.getrecursionlimit() + 1
    assert prove(space, proof) == prove(space, leaf)


def test_a_lock_beyond_what_rates_allow_is_impossible_though_rounding_lets_cents_through():
    rates = {"id": "f", "amount": 8000, "max_rate": 0.5}
    demands = pd.DataFrame(
        {"id": ["d"], "territory": "t", "measure": "m", "units": [2], "asked": [1000], "emplois": [3]}
    )
    place = pd.DataFrame({"id": ["t"], "region": "r", "departement": "d", "population": 1})
    lock = {"kind": "lock", "on": {"demands": "d"}, "decision": "fund"}
    plan = allocator.solve(
        allocator.Scenario(
            "l", [2026, 2027], [rates], [{"id": "m"}], place, demands, [lock], {"maximise": {"emplois": 1}}
        )
    )
    assert plan.status == "infeasible"


@pytest.mark.parametrize(("least", "served"), [("250 k€", 0), ("100 k€", 10)])
def test_a_least_grant_that_a_rate_does_not_let_a_fund_pay_is_proved(least, served):
    """Each fund pays at most half of 312 500 €: none reaches 250 000 €, both reach 100 000 €."""
    demands = pd.DataFrame({"id": ["d"], "territory": "a", "measure": "friche", "units": 2.5, "asked": 125_000})
    plan = allocator.solve(
        scenario(
            funds=[{"id": "f", "amount": "1 M€"}, {"id": "g", "amount": "1 M€"}],
            demands=demands.assign(emplois=4),
            constraints=[{"kind": "min_grant", "amount": least}, {"kind": "fund_rate", "max_rate": "50 %"}],
        )
    )
    assert (plan.status, plan.objective, plan.certificate.ok) == ("optimal", served, True)
