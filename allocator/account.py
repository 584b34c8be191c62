"""The account of a plan: what each fund opens, commits and pays, year by year, to the cent."""

from __future__ import annotations

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
    """One row per fund and year, in cents; a fund counts what is inside it. Years that the horizon skips, and those after
    it, are told as far as something is paid or comes back there.

    brought + opened − frozen + income + returned + moved − committed = left. `brought` is the `left` of the year before,
    where the fund may keep it (carry-over, or one amount for the horizon). `payable`: the ceiling of payments (CP), none
    where there is none. `due`: committed and not yet paid at the end of the year (reste à payer).
    """
    scenario = reading.space.scenario
    by_fund = Payments.of(reading).by_fund(reading)
    back = returned(reading, by_fund)
    busy = {*scenario.years, *(year for _, year in (*by_fund, *back))}
    calendar = sorted({*busy, *range(scenario.years[-1], max(busy) + 1)})
    committed_in = np.array(scenario.years, np.int64)[reading.year]
    possible = [(move, reading.amount(move.cents(reading.space))) for move in moves(scenario)]
    rows = []
    for fund in scenario.funds:
        envelope = Envelope(fund)
        members = set(np.flatnonzero(envelope.family(scenario)).tolist())
        names = {scenario.funds[k].id for k in members}
        mine = np.isin(reading.fund, list(members))
        opened_in = fund.amounts if fund.amounts is not None else {scenario.years[0]: fund.amount or 0}
        left = due = so_far = usable = 0  # opened, and usable beside the reserve, as far as credits are kept
        for year in calendar:
            brought, before = (left, usable) if envelope.keeps else (0, 0)
            opened = opened_in.get(year, 0)
            so_far = (so_far if envelope.keeps else 0) + opened
            usable = envelope.available(so_far)
            frozen = opened - (usable - before)
            income = sum((scenario.funds[k].income or {}).get(year, 0) for k in members)
            again = sum(cents for (f, when), cents in back.items() if f in members and when == year)
            moved = sum(
                cents * ((move.target in names) - (move.source in names))
                for move, cents in possible
                if (move.year or scenario.years[0]) == year
            )
            committed = int(reading.cents[mine & (committed_in == year)].sum())
            left = brought + opened - frozen + income + again + moved - committed
            paid = sum(cents for (f, when), cents in by_fund.items() if f in members and when == year)
            due += committed - paid
            payable = (fund.payments or {}).get(year)
            rows.append(
                (fund.id, year, brought, opened, frozen, income, again, moved, committed, left, payable, paid, due)
            )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"payable": "Int64"})
