"""The account of a plan over years: a hand-made example, and identities on random scenarios."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from rich.console import Console
from strategies import random_scenario

import allocator
from allocator.report.console import print_plan

TERRITORIES = pd.DataFrame(
    {"id": ["a", "b"], "name": ["A", "B"], "region": ["Nord", "Sud"], "departement": ["59", "13"], "population": [1, 2]}
)


def three_years():
    """A fund of 100, 100 and 60 k€ a year with 5 % frozen, carried over, that pays at most 40, 70 and 90 k€ a year."""
    demands = pd.DataFrame(
        {
            "id": ["école A", "école B", "friche"], "territory": ["a", "b", "a"], "measure": ["ecole", "ecole", "friche"],
            "units": [2, 1, 100], "asked": [50_000, 50_000, 1_000], "emplois": [100, 90, 1],
            "first_year": [2026, 2027, 2026], "last_year": [2026, 2027, 2028],
        }
    )  # fmt: skip
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


def test_the_account_of_three_years_by_hand():
    """By hand.

    AE, of which 5 % are frozen: 95 000, 95 000 and 57 000 €, carried over: 95 000, 190 000, 247 000 by each year.
    2026: one school of 50 000 € in A only (two would be 100 000 > 95 000). Left: 45 000.
    2027: the school of B, 50 000. Then 45 000 + 95 000 − 50 000 = 90 000 for brownfields, if they may be paid.
    CP: school A pays 20 000 in 2026 and 30 000 in 2027; school B 20 000 in 2027 and 30 000 in 2028.
    2027: 30 000 + 20 000 + half of what brownfields took in 2026 ≤ 70 000: at most 40 000 of brownfields in 2026.
    2028: 30 000 + half of brownfields 2026 + half of brownfields 2027 ≤ 90 000: at most 120 000 in both years.
    100 ha ask for 100 000 €: all of them fit (AE: 50 + 40 ≤ 95; 50 + 50 + 100 ≤ 247). Points: 100 + 90 + 100 = 290.
    """
    plan = allocator.solve(three_years(), gap=0)
    assert plan.objective == 290 and plan.certificate.ok and plan.gap < 1e-12
    account = plan.account.set_index("year")
    friche = plan.grants[plan.grants["measure"] == "friche"].groupby("year")["cents"].sum()
    in_2026, in_2027, in_2028 = (int(friche.get(year, 0)) for year in (2026, 2027, 2028))
    assert in_2026 + in_2027 + in_2028 == 100_000_00 and in_2026 <= 40_000_00
    assert account.index.tolist() == [2026, 2027, 2028, *sorted(set(account.index) - {2026, 2027, 2028})]
    assert account["opened"].tolist()[:3] == [100_000_00, 100_000_00, 60_000_00]
    assert account["frozen"].tolist()[:3] == [5_000_00, 5_000_00, 3_000_00]
    committed = [50_000_00 + in_2026, 50_000_00 + in_2027, in_2028]
    assert account["committed"].tolist()[:3] == committed
    left = [95_000_00 - committed[0], 190_000_00 - committed[0] - committed[1], 247_000_00 - 200_000_00]
    assert account["left"].tolist()[:3] == left
    assert account["brought"].tolist()[:3] == [0, left[0], left[1]]
    paid = [20_000_00, 50_000_00 + in_2026 // 2, 30_000_00 + in_2026 // 2 + in_2027 // 2]
    assert account["paid"].tolist()[:3] == pytest.approx(paid, abs=1)
    assert account["due"].tolist()[2] == 200_000_00 - sum(account["paid"].tolist()[:3])
    assert account["due"].iloc[-1] == 0  # all is paid in the end
    assert account["payable"].tolist()[:3] == [40_000_00, 70_000_00, 90_000_00]
    assert (account["paid"] <= account["payable"].fillna(10**15)).all()


def test_the_account_is_printed_in_euros():
    plan = allocator.solve(three_years())
    out = io.StringIO()
    print_plan(plan, Console(file=out, width=200))
    text = out.getvalue().replace("\u202f", " ").replace("\u00a0", " ")
    assert "Compte : État" in text and "reste à payer" in text and "100 000 €" in text and "gelé" in text


@pytest.mark.parametrize("seed", range(25))
def test_identities(seed):
    plan = allocator.solve(random_scenario(seed), gap=1e-2)
    table = plan.account
    assert (
        table["brought"] + table["opened"] - table["frozen"] + table["income"] + table["returned"] + table["moved"]
        - table["committed"] == table["left"]
    ).all()  # fmt: skip
    roots = [f.id for f in plan.scenario.funds if f.parent is None]
    mine = table[table["fund"].isin(roots)]
    assert mine["committed"].sum() == plan.grants["cents"].sum()
    assert mine["paid"].sum() == plan.payments["cents"].sum() == plan.grants["cents"].sum()
    for fund, rows in table.groupby("fund"):
        assert (rows["committed"].cumsum() - rows["paid"].cumsum() == rows["due"]).all(), fund
        assert rows["due"].iloc[-1] == 0
    if plan.reading is not None:
        assert (table["left"] >= 0).all()
    totals = plan.summary()["totals"]
    assert totals["left"] == sum(plan.held_cents()[fund] for fund in roots) - totals["granted"]
