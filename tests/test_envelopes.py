"""What funds hold over years: credits of payment, income, repaid money, transfers, envelopes announced to regions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd

import allocator
from allocator.envelopes import Envelope
from allocator.payments import Payments, returned
from allocator.reading import Reading
from allocator.space import Row, Space

TERRITORIES = pd.DataFrame(
    {
        "id": ["a", "b"], "name": ["A", "B"], "region": ["Nord", "Sud"], "departement": ["59", "13"],
        "population": [1000, 2000],
    }
)  # fmt: skip
DEMANDS = pd.DataFrame(
    {
        "id": ["a-ecole", "a-friche", "b-ecole", "b-friche"], "territory": ["a", "a", "b", "b"],
        "measure": ["ecole", "friche", "ecole", "friche"], "units": [3, 50, 3, 50], "asked": [100, 7, 80, 9],
        "emplois": [9, 0.5, 6, 0.6],
    }
)  # fmt: skip
MEASURES = [
    {"id": "ecole", "lumpy": True, "payment_profile": [0.3, 0.7]},
    {"id": "friche", "payment_profile": ["1/3", "1/3", "1/3"]},
]
YEARS = [2026, 2027, 2028]
POINTS = {"maximise": {"emplois": 1}}


def scenario(*funds, objective=POINTS, constraints=(), years=YEARS, demands=DEMANDS, measures=MEASURES):
    return allocator.Scenario(
        "t", years, list(funds), list(measures), TERRITORIES, demands, list(constraints), objective
    )


def solved(*funds, gap=1e-6, **parts):
    plan = allocator.solve(scenario(*funds, **parts), gap=gap)
    assert plan.status in ("optimal", "feasible"), plan.message
    assert plan.certificate.ok
    return plan


def left_side(row: Row, plan: Reading) -> Fraction:
    """Terms of cents, and what is moved; other auxiliaries aside."""
    total = Fraction(0)
    for term in row.terms:
        weight = dict(zip(term.demands.tolist(), term.weights.tolist(), strict=True))
        for i, f, y, cents in zip(plan.demand, plan.fund, plan.year, plan.cents, strict=True):
            total += weight.get(int(i), 0) * int(term.cells[f, y]) * int(cents)
    return total + sum(c * plan.amount(a) for a, c in row.auxiliaries if a.whole)


RICH = [
    {"id": "prets", "amount": 5000, "returns": {1: 0.5, 2: "1/3"}, "income": {2027: 100}, "payments": {2026: 40, 2029: 90}},
    {"id": "etat", "amounts": {2026: 300, 2028: 200}, "carry_over": True, "transfers": {"prets": 60, "fonds": 10}, "reserve": 0.05},
    {"id": "fonds", "amounts": {2026: 100, 2027: 100}, "transfers": {"etat": 25}},
    {"id": "part", "amount": 900, "parent": "prets", "returns": {1: 1}},
]  # fmt: skip


def test_rows_and_check_count_the_same_but_for_odd_cents():
    space = Space.of(scenario(*RICH))
    rng = np.random.default_rng(5)
    assert len(space.moves) == 9  # three transfers, each in three years
    for _ in range(40):
        size = rng.integers(0, 12)
        cells = rng.choice(4 * 4 * 3, size, replace=False)
        plan = Reading(
            space, cells // 12, cells // 3 % 4, cells % 3, rng.integers(1, 10_000, size), rng.integers(0, 900, 9)
        )
        for fund in space.scenario.funds:
            rule = Envelope(fund)
            levels = {level.group: level for level in rule.check(plan)}
            rows = [row for row in rule.rows(space) if isinstance(row, Row)]
            assert {row.group for row in rows} == set(levels)
            for row in rows:
                level, scale = levels[row.group], Fraction(row.scale, 100)
                assert row.upper == level.upper * scale
                assert abs(left_side(row, plan) - level.left * scale) <= row.rounding


def test_a_grant_is_paid_by_its_profile_to_the_cent():
    space = Space.of(scenario({"id": "f", "amount": 10_000}))
    rng = np.random.default_rng(1)
    plan = Reading(space, np.arange(4), np.zeros(4, int), np.array([0, 1, 2, 2]), rng.integers(1, 10**6, 4))
    paid = Payments.of(plan)
    assert (paid.cents > 0).all()
    for grant in range(4):
        mine = paid.grant == grant
        assert paid.cents[mine].sum() == plan.cents[grant]
        shares = space.scenario.measures[space.measure[grant]].payment_profile
        for later, cents in zip(paid.later[mine], paid.cents[mine], strict=True):
            assert abs(cents - shares[later] * int(plan.cents[grant])) < 1
    back = returned(plan, {(0, 2027): 101})
    assert back == {}


def test_a_ceiling_of_payments_binds_in_the_year_it_is_paid():
    """AE 1000 in 2026; CP 60 in 2026 and 100 in 2027, of schools paid 30 % and 70 % a year later: two schools of 100 €
    are paid 60 in 2026, but 140 in 2027; one is paid 70."""
    fund = {"id": "f", "amounts": {2026: 1000}, "payments": {2026: 60, 2027: 100}, "on": {"measures": ["ecole"]}}
    plan = solved(fund, gap=0)
    assert plan.status == "optimal"
    assert plan.units.set_index("demand")["units"].to_dict() == {
        "a-ecole": 1,
        "a-friche": 0,
        "b-ecole": 0,
        "b-friche": 0,
    }
    paid = plan.payments.groupby("year_paid")["cents"].sum()
    assert paid.to_dict() == {2026: 3000, 2027: 7000}


def test_payments_after_the_horizon_are_bounded_too():
    fund = {"id": "f", "amounts": {2028: 1000}, "payments": {2029: 150}, "on": {"measures": ["ecole"]}}
    plan = solved(fund, gap=0)
    assert int(plan.payments.loc[plan.payments["year_paid"] == 2029, "cents"].sum()) <= 15000
    assert plan.objective == 18  # two schools of 100 € are paid 140 € in 2029; a third would make 196


def test_odd_cents_never_break_a_ceiling_of_payments():
    """Thirds of divisible grants fall between cents; what is really paid stays below."""
    for cents in (1001, 1002, 1003, 1007, 2999):
        fund = {"id": "f", "amount": 500, "payments": dict.fromkeys((2026, 2027, 2028), cents / 100)}
        plan = solved(fund, gap=1e-4)
        paid = plan.payments.groupby("year_paid")["cents"].sum()
        assert all(paid.get(y, 0) <= cents for y in (2026, 2027, 2028))


def test_income_is_there_from_its_year_on():
    fund = {"id": "f", "amount": 100, "income": {2027: 100, 2028: 80}, "on": {"measures": ["ecole"]}}
    plan = solved(fund, gap=0)
    assert plan.objective == 9 * 2 + 6
    spent = {y: plan.grants.loc[plan.grants["year"] <= y, "cents"].sum() for y in YEARS}
    assert spent[2026] <= 10000 and spent[2027] <= 20000 and spent[2028] == 28000


def test_repaid_money_is_granted_again():
    """100 € lent in 2026 and paid at once come back in 2027, and again in 2028: three schools from 100 €."""
    measures = [{"id": "ecole", "lumpy": True}, {"id": "friche"}]
    fund = {"id": "f", "amount": 100, "returns": {1: 1}, "on": {"demands": ["a-ecole"]}}
    plan = solved(fund, gap=0, measures=measures)
    assert plan.grants[["year", "cents"]].values.tolist() == [[2026, 10000], [2027, 10000], [2028, 10000]]
    half = solved({**fund, "returns": {1: "1/2"}}, gap=0, measures=measures)
    assert half.objective == 9  # 50 € are not a school; 75 neither


def test_transfers_move_what_another_fund_lacks():
    funds = [
        {"id": "riche", "amount": 500, "on": {"measures": ["friche"]}, "transfers": {"pauvre": 130}},
        {"id": "pauvre", "amount": 70, "on": {"measures": ["ecole"]}},
    ]
    plan = solved(*funds, gap=1e-4)
    schools = plan.grants[plan.grants["fund"] == "pauvre"]["cents"].sum()
    assert schools == 20000  # two schools of 100 €: 70 + 130
    assert plan.reading.moved.tolist() == [13000]
    without = solved({**funds[0], "transfers": None}, funds[1], gap=1e-4)
    assert without.objective < plan.objective


def test_no_more_is_moved_than_is_needed():
    funds = [
        {"id": "riche", "amount": 500, "on": {"measures": ["friche"]}, "transfers": {"pauvre": 400}},
        {"id": "pauvre", "amounts": {2026: 70}, "on": {"demands": ["a-ecole"]}},
    ]
    plan = solved(*funds, gap=1e-4)
    assert plan.grants.groupby("fund")["cents"].sum()["pauvre"] == 30000
    assert plan.reading.moved.sum() == 23000


def test_what_comes_back_in_a_year_that_the_horizon_skips_is_kept():
    """100 € lent in 2026 come back in 2028 and are lent again in 2029, where credits are kept."""
    measures = [{"id": "ecole", "lumpy": True, "payment_profile": [0, 1]}, {"id": "friche"}]
    fund = {"id": "f", "amounts": {2026: 100}, "returns": {1: 1}, "on": {"demands": ["a-ecole"]}}
    plan = solved({**fund, "carry_over": True}, gap=0, measures=measures, years=[2026, 2029])
    assert plan.grants[["year", "cents"]].values.tolist() == [[2026, 10000], [2029, 10000]]
    lost = solved(fund, gap=0, measures=measures, years=[2026, 2029])
    assert lost.grants["year"].tolist() == [2026]


def test_announced_regions_keep_their_part_until_it_is_returned():
    """500 €, of which 300 announced to the South and 100 to the North: until 2026 the North has 100 of its own and 100
    that nobody was announced."""
    fund = {
        "id": "f", "amount": 500, "on": {"measures": ["ecole"]}, "notified": {"Sud": 300, "Nord": 100},
        "notified_until": 2026,
    }  # fmt: skip
    bound = solved(fund, gap=0, years=[2026])
    assert bound.summary()["totals"]["by_region"] == {"Nord": 20000, "Sud": 24000}
    later = solved(fund, gap=0, years=[2026, 2027])
    assert later.summary()["totals"]["by_region"] == {"Nord": 30000, "Sud": 16000}
    early = later.grants[(later.grants["territory"] == "a") & (later.grants["year"] == 2026)]
    assert early["cents"].sum() <= 20000


def test_grant_equivalent_of_repayable_money():
    fund = scenario({"id": "f", "amount": 1, "returns": {1: "1/2", 2: "1/2"}, "reference_rate": "4 %"}).funds[0]
    # 1 − 0.5 / 1.04 − 0.5 / 1.0816 = 0.0569527…, rounded up to a millionth
    assert fund.grant_equivalent == Fraction(56953, 10**6)
    careful = scenario({"id": "f", "amount": 1, "returns": {1: 1}}).funds[0]
    assert careful.grant_equivalent == 1


def test_money_moved_into_a_fund_is_spent_once_by_those_around_it():
    """Two funds of the whole horizon, one inside a fund by year: what is moved counts in one of its years."""
    measures = [{"id": "ecole", "lumpy": True}, {"id": "friche"}]
    funds = [
        {"id": "riche", "amount": 100, "on": {"measures": ["friche"]}, "transfers": {"dedans": 100}},
        {"id": "autour", "amounts": {2026: 0, 2027: 0, 2028: 0}, "on": {"measures": ["ecole"]}},
        {"id": "dedans", "amount": 300, "parent": "autour", "on": {"demands": ["a-ecole"]}},
    ]
    plan = solved(*funds, gap=1e-4, measures=measures)
    assert plan.grants["cents"].sum() == plan.reading.moved.sum() == 10000
    assert (plan.account["left"] >= 0).all()


def test_what_limits_a_plan_is_told_in_words():
    """A least grant that keeps money back, payments that reach their ceiling but for odd cents, envelopes by their names."""
    half = [{"id": "ecole", "lumpy": True}, {"id": "friche", "payment_profile": [0.5, 0.5]}]
    one = {"on": {"demands": ["a-friche"]}}
    kept = scenario(
        {"id": "f", "amount": 100, **one}, measures=half, constraints=[{"kind": "min_grant", "amount": 101}]
    )
    assert allocator.solve(kept, gap=0).binding == ("f", "min_grant-1")
    loose = kept.with_(constraints=[{"kind": "min_grant", "amount": 10}])
    assert allocator.solve(loose, gap=0).binding == ("f",)
    paid = solved(
        {"id": "f", "amount": 900, "payments": {2026: "25,00", 2027: "25,01", 2028: 0}, **one}, gap=0, measures=half
    )
    assert paid.binding == ("f",)
    envelope = Envelope(paid.scenario.funds[0])
    assert [envelope.group_text(group) for group in ("", "2027", "CP 2026", "→ g", "max_rate")] == [
        "total", "AE jusqu'à 2027", "CP 2026", "redéploiement vers g", "taux d'aide"
    ]  # fmt: skip
