"""The account of a plan: what each fund opens, commits and pays, year by year, to the cent."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd

from allocator.envelopes import Envelope, moves
from allocator.payments import Payments, returned
from allocator.reading import Reading

COLUMNS = (
    "fund", "year", "brought", "opened", "frozen", "income", "returned", "moved", "committed", "left",
    "payable", "paid", "due",
)  # fmt: skip


def account(reading: Reading) -> pd.DataFrame:
    """One row per fund and year, in cents; a fund counts what is inside it. Years after the horizon follow as long as
    something is paid or comes back.

    brought + opened − frozen + income + returned + moved − committed = left. `brought` is the `left` of the year before,
    where the fund may keep it (carry-over, or one amount for the horizon). `payable`: the ceiling of payments (CP), none
    where there is none. `due`: committed and not yet paid at the end of the year (reste à payer).
    """
    scenario = reading.space.scenario
    by_fund = Payments.of(reading).by_fund(reading)
    back = returned(reading, by_fund)
    last = max([scenario.years[-1], *(year for _, year in (*by_fund, *back))])
    calendar = [*scenario.years, *range(scenario.years[-1] + 1, last + 1)]
    rows = []
    for fund in scenario.funds:
        inside = Envelope(fund).family(scenario)
        members = set(np.flatnonzero(inside).tolist())
        names = {scenario.funds[k].id for k in members}
        keeps = fund.amount is not None or fund.carry_over
        left = due = so_far = usable = 0  # opened, and usable beside the reserve, as far as credits are kept
        for year in calendar:
            open_year = year in scenario.years
            given = (fund.amount or 0) if year == scenario.years[0] else 0
            opened = given if fund.amounts is None else (fund.amounts or {}).get(year, 0)
            so_far, before = (so_far if keeps else 0) + opened, usable if keeps else 0
            usable = int(so_far * (1 - Fraction(fund.reserve)))
            frozen = opened - (usable - before)
            income = sum((scenario.funds[k].income or {}).get(year, 0) for k in members)
            again = sum(cents for (f, when), cents in back.items() if f in members and when == year)
            moved = 0
            for move in moves(scenario):
                if (move.year or scenario.years[0]) == year:
                    cents = reading.amount(move.cents(reading.space))
                    moved += cents * ((move.target in names) - (move.source in names))
            mine = np.isin(reading.fund, list(members))
            committed = int(reading.cents[mine & (reading.year == calendar.index(year))].sum()) if open_year else 0
            brought = left if keeps else 0
            left = brought + opened - frozen + income + again + moved - committed
            paid = sum(cents for (f, when), cents in by_fund.items() if f in members and when == year)
            due += committed - paid
            payable = (fund.payments or {}).get(year)
            rows.append(
                (fund.id, year, brought, opened, frozen, income, again, moved, committed, left, payable, paid, due)
            )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"payable": "Int64"})
