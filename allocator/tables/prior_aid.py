"""Aid already received, and whether anyone who asks had it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from allocator.problems import letters, near
from allocator.tables.columns import (
    Table,
    as_text,
    euro_column,
    frame_of,
    require,
    shown,
    whole,
)
from allocator.texts import Text

PRIOR_AID_COLUMNS = ("beneficiary", "date", "cents")


def prior_aid_table(value: object) -> Table | None:
    """Aid already received: beneficiary, date (ISO text, year or date), cents; None when none is given.

    Euros may be given as `amount`, as people write them, instead of `cents`.
    """
    if value is None:
        return None
    table = frame_of(value, "prior_aid", PRIOR_AID_COLUMNS)
    in_euros = "amount" in table.frame.columns
    missing = require(table, ("beneficiary", "date", "amount") if in_euros else PRIOR_AID_COLUMNS, ())
    if in_euros and "cents" in table.frame.columns:
        table.tell(
            "amount",
            Text("amount (euros) et cents disent deux fois le montant", "amount (euros) and cents both say the amount"),
            Text("Gardez l'une des deux colonnes.", "Keep one of the two columns."),
        )
    elif not in_euros and "cents" in missing:
        table.found[-1] = replace(
            table.found[-1],
            remedy=Text("Ajoutez amount (en euros) ou cents.", "Add amount (in euros) or cents."),
        )
    if missing:
        return table
    as_text(table, "beneficiary")
    frame = table.frame
    dates, bad = [], []
    for row, cell in enumerate(frame["date"].astype(object).tolist()):
        try:
            dates.append(_iso(cell))
        except ValueError:
            dates.append("")
            bad.append(row)
    table.rows(
        np.array(bad, int),
        "date",
        lambda v: Text(f"« {shown(v)} » n'est pas une date", f"“{shown(v)}” is not a date"),
        Text("Écrivez 2024-04-10, ou l'année seule.", "Write 2024-04-10, or the year alone."),
    )
    frame["date"] = pd.Series(dates, dtype="str")
    column = "amount" if in_euros else "cents"
    cents = euro_column(table, "amount", None) if in_euros else whole(table, "cents")
    table.rows(cents < 0, column, lambda v: Text(f"montant négatif : {shown(v)}", f"negative amount: {shown(v)}"))
    frame["cents"] = cents
    table.frame = frame.drop(columns="amount") if in_euros else frame
    return table


def sorted_aid(table: Table) -> pd.DataFrame:
    """Its rows in an order of their own; as they are where columns are missing."""
    known = [name for name in PRIOR_AID_COLUMNS if name in table.frame.columns]
    return table.frame.sort_values(known, kind="stable").reset_index(drop=True)


def beneficiaries_of_aid(prior: Table, demands: Table) -> None:
    """Report prior aid that would count for nobody: its beneficiary is in no demand.

    A name that differs in case, accents or spaces alone is a mistake; another is a warning, for a register of aid may
    hold many who ask for nothing here.
    """
    if "beneficiary" not in prior.frame.columns or not len(prior.frame):
        return
    asking = set(demands.frame["beneficiary"])
    names = prior.frame["beneficiary"]
    foreign = ~names.isin(asking).to_numpy(bool) & (names != "").to_numpy(bool)
    if "beneficiary" not in demands.given and foreign.all():
        demands.tell(
            "beneficiary",
            Text(
                "aides passées par bénéficiaire, mais les dossiers ne disent pas le leur",
                "prior aid is told per beneficiary, but the demands do not tell theirs",
            ),
            Text("Ajoutez la colonne beneficiary aux dossiers.", "Add the column beneficiary to the demands."),
        )
        return
    alike = {letters(name): name for name in sorted(asking)}
    misspelt = foreign & names.map(letters).isin(list(alike)).to_numpy(bool)
    prior.rows(
        misspelt,
        "beneficiary",
        lambda v: Text(
            f"« {shown(v)} » s'écrit « {shown(alike[letters(v)])} » dans les dossiers",
            f"“{shown(v)}” is written “{shown(alike[letters(v)])}” in the demands",
        ),
        Text("Écrivez les deux de même.", "Write both alike."),
    )

    def remedy(name: str) -> Text | None:
        close = None if name.isdigit() else near(name, asking, cutoff=0.85)
        return Text(f"Vouliez-vous dire « {close} » ?", f"Did you mean “{close}”?") if close else None

    prior.rows(
        foreign & ~misspelt,
        "beneficiary",
        lambda v: Text(
            f"« {shown(v)} » ne demande rien ici : son aide passée n'y change rien",
            f"“{shown(v)}” asks for nothing here: its prior aid changes nothing",
        ),
        remedy,
        warn=True,
    )


def _iso(cell: object) -> str:
    if isinstance(cell, date):
        return cell.isoformat()[:10]
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell).strip()
    if text.isdigit() and len(text) == 4:
        return text
    day, _, rest = text.partition("/")
    month, _, year = rest.partition("/")
    if len(year) == 4 and (day + month + year).isdigit():  # 10/04/2024, as the French write it
        return date(int(year), int(month), int(day)).isoformat()
    return date.fromisoformat(text).isoformat()
