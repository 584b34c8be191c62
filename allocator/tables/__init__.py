"""The tables of a scenario, read and completed: territories, demands, prior aid. Every bad cell is reported.

Rows are sorted by id, so that the order of a file never matters. Money stays in euros as given.
"""

from __future__ import annotations

from allocator.tables.columns import CellFinding, Table, sorted_table
from allocator.tables.demands import DEMAND_COLUMNS, Demands, demands_table, spread_over_years
from allocator.tables.prior_aid import PRIOR_AID_COLUMNS, beneficiaries_of_aid, prior_aid_table, sorted_aid
from allocator.tables.territories import TERRITORY_COLUMNS, territories_table

TEXT_COLUMNS = frozenset(
    (
        "id",
        "name",
        "region",
        "departement",
        "territory",
        "measure",
        "beneficiary",
        "beneficiary_kind",
        "project",
    )
)

__all__ = [
    "DEMAND_COLUMNS", "PRIOR_AID_COLUMNS", "TERRITORY_COLUMNS", "TEXT_COLUMNS", "CellFinding", "Demands", "Table",
    "beneficiaries_of_aid", "demands_table", "prior_aid_table", "sorted_aid", "sorted_table", "spread_over_years",
    "territories_table",
]  # fmt: skip
