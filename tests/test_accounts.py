"""The account of a plan over years: two examples worked out by hand, and identities on random scenarios."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from math import floor

import pandas as pd
import pytest
from rich.console import Console
from strategies import random_scenario

import allocator
from allocator.report.console import print_plan
from allocator.report.files import write_plan

TERRITORIES = pd.DataFrame(
    {"id": ["a", "b"], "name": ["A", "B"], "region": ["Nord", "Sud"], "departement": ["59", "13"], "population": [1, 2]}
)


def three_years():
    """A fund of 100, 100 and 60 k€ a year with 5 % frozen, carried over, that pays at most 40, 70 and 90 k€ a year."""
    demands = pd.DataFrame(
        {
            "id": ["école A", "école B", "friche 2026", "friche 2027", "friche 2028"],
            "territory": ["a", "b", "a", "a", "b"],
            "measure": ["ecole", "ecole", "friche", "friche", "friche"],
            "units": [2, 1, 100, 100, 100],
            "asked": [50_000, 50_000, 1_000, 1_000, 1_000],
            "emplois": [100, 90, 1, 0.9, 0.8],
            "first_year": [2026, 2027, 2026, 2027, 2028],
            "last_year": [2026, 2027, 2026, 2027, 2028],
        }
    )
    return allocator.Scenario(
        "trois-ans", [2026, 2027, 2028],
        [{
            "id": "etat", "label": "État", "amounts": {2026: 100_000, 2027: 100_000, 2028: 60_000}, "carry_over": True,
            "reserve": 0.05, "payments": {2026: 40_000, 2027: 70_000, 2028: 90_000},
        }],
        [
            {"id": "ecole", "lumpy": True, "payment_profile": [0.4, 0.6]},
            {"id": "friche", "payment_profile": [0, 0.5, 0.5]},
        ],
        TERRITORIES, demands, [], {"maximise": {"emplois": 1}},
    )  # fmt: skip


def thousands(plan, fund):
    """{line: k€ by year} of one fund; what has no figure is None."""
    rows = plan.account[plan.account["fund"] == fund].set_index("year").drop(columns="fund")
    return rows.index.tolist(), {
        name: [None if pd.isna(cents) else float(Fraction(int(cents), 100_000)) for cents in rows[name]]
        for name in rows.columns
    }


def test_a_fund_that_never_holds_anything_is_printed():
    question = three_years()
    plan = allocator.solve(question.with_(funds=[*question.funds, {"id": "z", "amounts": {2026: 0, 2027: 0}}]))
    out = io.StringIO()
    print_plan(plan, Console(file=out, width=100))
    assert ("Compte : z" in out.getvalue() or "Account: z" in out.getvalue()) and plan.certificate.ok


def test_cents_kept_back_for_what_is_repaid_leave_a_lock_as_it_is():
    """3.8599 units of 100 € are locked, and 2027 rests on a fifth of what 2026 pays, rounded down to the cent."""
    demands = pd.DataFrame(
        {
            "id": ["d1", "d2", "d5"], "territory": ["a", "b", "b"], "measure": ["m", "e", "m"], "units": [10, 3, 5],
            "asked": [100, 200, 100], "emplois": [3, 9, 1.3],
            "first_year": [2026, 2027, 2026], "last_year": [2026, 2028, 2028],
        }
    )  # fmt: skip
    plan = allocator.solve(allocator.Scenario(
        "repaid", [2026, 2027, 2028],
        [{"id": "a", "amounts": {2026: 1000, 2027: 500, 2028: 0}, "returns": {1: 0.2}}],
        [{"id": "m", "payment_profile": [0.3, 0.7]}, {"id": "e"}],
        TERRITORIES, demands, [{"kind": "lock", "on": {"demands": "d5"}, "decision": "units", "units": 3.8599}],
        {"maximise": {"emplois": 1}},
    ))  # fmt: skip
    assert plan.status == "optimal" and plan.certificate.ok
    assert plan.units.set_index("demand")["cents"]["d5"] == 385_99


def test_the_account_of_three_years_by_hand():
    """By hand, in k€. The only best plan:

    AE usable, 5 % being frozen: 95 in 2026, 95 + 95 = 190 by 2027, 190 + 57 = 247 by 2028.
    2026: one school of 50 in A (two make 100 > 95). CP: 40 % of 50 = 20 ≤ 40.
    2027: the school of B, 50. CP: 60 % of A 30 + 40 % of B 20 + half of the brownfields of 2026 ≤ 70, hence at most 40 of
    these; AE 50 + 40 = 90 ≤ 95. AE by 2027: 50 + 40 + 50 + brownfields of 2027 ≤ 190, hence 50.
    2028: AE 57 remain, all for brownfields. CP: 60 % of B 30 + 40/2 + 50/2 = 75 ≤ 90.
    2029: 50/2 + 57/2 = 53.5. 2030: 57/2 = 28.5.
    Points: 100 + 90 + 40 + 0.9 · 50 + 0.8 · 57 = 320.6.
    """
    plan = allocator.solve(three_years(), gap=1e-6)
    assert plan.status == "optimal" and plan.certificate.ok
    assert plan.objective == pytest.approx(320.6)
    years, said = thousands(plan, "etat")
    assert years == [2026, 2027, 2028, 2029, 2030]
    nothing = [0, 0, 0, 0, 0]
    assert said == {
        "brought": [0, 5, 0, 0, 0],
        "opened": [100, 100, 60, 0, 0],
        "frozen": [5, 5, 3, 0, 0],
        "income": nothing, "returned": nothing, "moved": nothing,
        "committed": [90, 100, 57, 0, 0],  # 50 + 40; 50 + 50; 57
        "left": [5, 0, 0, 0, 0],  # 95 − 90; 5 + 95 − 100; 0 + 57 − 57
        "payable": [40, 70, 90, None, None],
        "paid": [20, 70, 75, 53.5, 28.5],
        "due": [70, 100, 82, 28.5, 0],  # 90 − 20; 70 + 100 − 70; 100 + 57 − 75; 82 − 53.5; 28.5 − 28.5
    }  # fmt: skip
    assert plan.summary()["totals"]["left"] == 0
    assert plan.held_cents() == {"etat": 247_000_00}


def test_loans_inside_a_fund_and_money_from_another_by_hand():
    """By hand, in k€: the loans lie inside the State's fund, half of them is repaid a year later.

    The State: 60 in 2026 and 40 in 2027, not carried over. Loans: 50 in all, 10 more in 2027. The region: 30, of which 3
    are frozen, 10 asked of itself, 12 at most moved to the loans.
    2026: 12 moved at once, lent with the 50: 62 (what is lent early comes back in time). The State: 60 + 12 − 62 = 10 for
    brownfields. 2027: 31 repaid; loans 10 + 31 = 41; the State 40 + 10 + 31 − 41 = 40 for brownfields. 2028: half of 41
    is repaid after the horizon, for nobody. Points: 3 · (62 + 41) + 10 + 40 + 5 · 10 = 409 thousand.
    """
    demands = pd.DataFrame(
        {
            "id": ["prêt 2026", "prêt 2027", "friche 2026", "friche 2027", "vallée"], "territory": "a",
            "measure": ["pret", "pret", "friche", "friche", "friche"], "units": [100_000] * 4 + [10_000], "asked": 1,
            "emplois": [3, 3, 1, 1, 5], "first_year": [2026, 2027, 2026, 2027, 2026], "last_year": [2026, 2027, 2026, 2027, 2026],
        }
    )  # fmt: skip
    funds = [
        {"id": "etat", "amounts": {2026: 60_000, 2027: 40_000}, "on": {"demands": ["friche 2026", "friche 2027"]}},
        {"id": "prets", "parent": "etat", "amount": 50_000, "income": {2027: 10_000}, "returns": {1: 0.5}, "on": {"measures": ["pret"]}},
        {"id": "region", "amount": 30_000, "reserve": "10 %", "transfers": {"prets": 12_000}, "on": {"demands": ["vallée"]}},
    ]  # fmt: skip
    scenario = allocator.Scenario(
        "prets", [2026, 2027], funds, [{"id": "pret"}, {"id": "friche"}], TERRITORIES, demands, [], {"maximise": {"emplois": 1}}
    )  # fmt: skip
    plan = allocator.solve(scenario, gap=1e-6)
    assert plan.status == "optimal" and plan.certificate.ok
    assert plan.objective == pytest.approx(409_000)
    unpaid = {"payable": [None] * 3, "due": [0, 0, 0]}
    years, etat = thousands(plan, "etat")
    assert years == [2026, 2027, 2028]
    assert etat == unpaid | {
        "brought": [0, 0, 0], "opened": [60, 40, 0], "frozen": [0, 0, 0], "income": [0, 10, 0], "returned": [0, 31, 20.5],
        "moved": [12, 0, 0], "committed": [72, 81, 0], "paid": [72, 81, 0],
        "left": [0, 0, 20.5],  # 60 + 12 − 72; 40 + 10 + 31 − 81; 20.5
    }  # fmt: skip
    assert thousands(plan, "prets")[1] == unpaid | {
        "brought": [0, 0, 0], "opened": [50, 0, 0], "frozen": [0, 0, 0], "income": [0, 10, 0], "returned": [0, 31, 20.5],
        "moved": [12, 0, 0], "committed": [62, 41, 0], "paid": [62, 41, 0],
        "left": [0, 0, 20.5],  # 50 + 12 − 62; 10 + 31 − 41; 20.5
    }  # fmt: skip
    assert thousands(plan, "region")[1] == unpaid | {
        "brought": [0, 5, 5], "opened": [30, 0, 0], "frozen": [3, 0, 0], "income": [0, 0, 0], "returned": [0, 0, 0],
        "moved": [-12, 0, 0], "committed": [10, 0, 0], "paid": [10, 0, 0],
        "left": [5, 5, 5],  # 30 − 3 − 12 − 10
    }  # fmt: skip
    # the State 60 + 12 + 40 + 10 + 31, loans 50 + 12 + 10 + 31, the region 27 − 12
    assert plan.held_cents() == {"etat": 153_000_00, "prets": 103_000_00, "region": 15_000_00}
    assert plan.summary()["totals"]["left"] == 5_000_00


def test_a_horizon_may_skip_years():
    """Lent in 2026, paid and repaid in the years between, lent again in 2029: the account tells the years between."""
    demands = pd.DataFrame(
        {
            "id": ["1", "2"], "territory": "a", "measure": "pret", "units": 1, "asked": 100, "emplois": [1, 1],
            "first_year": [2026, 2029], "last_year": [2026, 2029],
        }
    )  # fmt: skip
    scenario = allocator.Scenario(
        "trou", [2026, 2029], [{"id": "f", "amount": 100, "returns": {1: 1}, "payments": {2027: 100}}],
        [{"id": "pret", "lumpy": True, "payment_profile": [0, 1]}], TERRITORIES, demands, [], {"maximise": {"emplois": 1}},
    )  # fmt: skip
    plan = allocator.solve(scenario, gap=0)
    assert plan.objective == 2 and plan.certificate.ok
    table = plan.account.set_index("year")
    assert table.index.tolist() == [2026, 2027, 2028, 2029, 2030, 2031]
    assert table["returned"].tolist() == [0, 0, 10000, 0, 0, 10000]
    assert table["paid"].tolist() == [0, 10000, 0, 0, 10000, 0]
    assert table["left"].tolist() == [0, 0, 10000, 0, 0, 10000]
    assert table["due"].tolist() == [10000, 0, 0, 10000, 0, 0]


def printed(plan, width):
    out = io.StringIO()
    print_plan(plan, Console(file=out, width=width))
    return out.getvalue().replace("\u202f", " ").replace("\u00a0", " ").splitlines()


def test_the_account_is_printed_in_euros_a_column_a_year():
    plan = allocator.solve(three_years())
    lines = printed(plan, 100)
    at = lines.index(next(line for line in lines if "Compte : État" in line))
    cells = [[cell.strip() for cell in line.strip("│┃ ").replace("┃", "│").split("│")] for line in lines[at:]]
    table = {row[0]: row[1:] for row in cells[:14] if len(row) == 6}
    assert table["année"] == ["2026", "2027", "2028", "2029", "2030"]
    assert table["ouvert (AE)"] == ["100 000 €", "100 000 €", "60 000 €", "0 €", "0 €"]
    assert table["gelé"][:3] == ["5 000 €", "5 000 €", "3 000 €"]
    assert table["CP ouverts"] == ["40 000 €", "70 000 €", "90 000 €", "—", "—"]
    assert table["reste à payer"] == ["70 000 €", "100 000 €", "82 000 €", "28 500 €", "0 €"]
    assert "recettes" not in table  # no such money in this scenario


@pytest.mark.parametrize("width", [40, 60, 80])
def test_narrow_terminals_lose_no_figure(width):
    lines = printed(allocator.solve(three_years()), width)
    of_account = [
        line for line in lines if any(word in line for word in ("ouvert (AE)", "reste à payer", "CP ouverts"))
    ]
    assert len(of_account) >= 3 and not any("…" in line for line in of_account)
    assert sum(line.count("€") for line in of_account if "reste à payer" in line) == 5


def test_years_that_do_not_matter_are_not_told():
    scenario = three_years()
    plain = scenario.with_(
        funds=[{"id": "etat", "amount": 100_000}], measures=[{"id": "ecole", "lumpy": True}, {"id": "friche"}]
    )
    assert not any("Compte" in line for line in printed(allocator.solve(plain), 120))


def test_the_account_is_in_the_files(tmp_path):
    plan = allocator.solve(three_years())
    write_plan(plan, tmp_path)
    back = pd.read_csv(tmp_path / "account.csv").astype({"payable": "Int64"})
    pd.testing.assert_frame_equal(back, plan.account, check_dtype=False)
    told = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["account"]
    assert told[0] == {
        "fund": "etat", "year": 2026, "brought": 0, "opened": 10_000_000, "frozen": 500_000, "income": 0, "returned": 0,
        "moved": 0, "committed": 9_000_000, "left": 500_000, "payable": 4_000_000, "paid": 2_000_000, "due": 7_000_000,
    }  # fmt: skip
    assert told[-1]["payable"] is None


SOME = {"demands": (3, 8), "cruelty": 0.02, "everything": True}


def test_identities():
    """What each line is, counted anew from grants and payments, on scenarios with everything that funds may say."""
    seen = dict.fromkeys(("frozen", "income", "returned", "payable", "due", "brought", "inside"), 0)
    for seed in range(60):
        scenario = random_scenario(seed, **SOME)
        plan = allocator.solve(scenario, gap=10, time_limit=10)
        if plan.reading is None:
            continue
        table = plan.account
        assert (
            table["brought"] + table["opened"] - table["frozen"] + table["income"] + table["returned"] + table["moved"]
            - table["committed"] == table["left"]
        ).all(), seed  # fmt: skip
        assert (table["left"] >= 0).all(), seed
        assert (table["paid"] <= table["payable"].fillna(10**15)).all(), seed
        inside = {fund.id: within(scenario, fund.id) for fund in scenario.funds}
        paid_by = plan.payments.groupby(["fund", "year_paid"])["cents"].sum()
        for fund in scenario.funds:
            rows, family = table[table["fund"] == fund.id].set_index("year"), inside[fund.id]
            own = plan.grants[plan.grants["fund"].isin(family)]
            assert rows["committed"].to_dict() == {y: own.loc[own["year"] == y, "cents"].sum() for y in rows.index}, (
                seed
            )
            own = plan.payments[plan.payments["fund"].isin(family)]
            assert rows["paid"].to_dict() == {y: own.loc[own["year_paid"] == y, "cents"].sum() for y in rows.index}, (
                seed
            )
            back = dict.fromkeys(rows.index, 0)
            for (name, year), cents in paid_by.items():
                for after, share in (scenario.funds[list(inside).index(name)].returns or {}).items():
                    if name in family and floor(share * int(cents)):
                        back[year + after] += floor(share * int(cents))
            assert rows["returned"].to_dict() == back, seed
            assert (rows["committed"].cumsum() - rows["paid"].cumsum() == rows["due"]).all(), seed
            assert rows["due"].iloc[-1] == 0
            keeps = fund.amount is not None or fund.carry_over
            assert rows["brought"].tolist()[1:] == (rows["left"].tolist()[:-1] if keeps else [0] * (len(rows) - 1)), (
                seed
            )
            opened = fund.amount if fund.amount is not None else sum((fund.amounts or {}).values())
            assert rows["opened"].sum() == opened
            if keeps:  # in whole cents, on what may be kept together
                assert opened - rows["frozen"].sum() == floor(opened * (1 - fund.reserve)), seed
            seen["inside"] += len(family) > 1
        roots = table["fund"].isin([fund.id for fund in scenario.funds if fund.parent is None])
        assert table.loc[roots, "moved"].sum() == 0, seed  # what leaves one fund enters another
        assert table.loc[roots, "committed"].sum() == table.loc[roots, "paid"].sum() == plan.grants["cents"].sum()
        totals, held = plan.summary()["totals"], plan.held_cents()
        assert totals["left"] == sum(held[fund] for fund in table.loc[roots, "fund"].unique()) - totals["granted"]
        for name in set(seen) - {"inside"}:
            seen[name] += bool(table[name].fillna(0).any())
    assert min(seen.values()) >= 3, seen


def within(scenario, name):
    """A fund and all that is inside it."""
    found = {name}
    while more := {fund.id for fund in scenario.funds if fund.parent in found} - found:
        found |= more
    return found
