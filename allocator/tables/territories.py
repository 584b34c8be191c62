"""The territories, read and completed."""

from __future__ import annotations

from allocator.money import MAX_CENTS
from allocator.tables.columns import (
    Table,
    as_text,
    extra_columns,
    frame_of,
    near_optional,
    require,
    shown,
    unique_ids,
    whole,
)
from allocator.texts import Text

TERRITORY_COLUMNS = ("id", "name", "region", "departement", "population")


def territories_table(value: object) -> tuple[Table, bool]:
    """The territories completed, and whether they hold all required columns."""
    table = frame_of(value, "territories", TERRITORY_COLUMNS)
    missing = require(table, ("id", "region", "departement", "population"), ("name",))
    frame = table.frame
    near_optional(table, TERRITORY_COLUMNS)
    if "id" in missing:
        return table, False
    as_text(table, "id")
    unique_ids(table)
    for name, default in (("name", frame["id"]), ("region", ""), ("departement", "")):
        as_text(table, name, default)
    if "population" in missing:
        frame["population"] = 0
    else:
        people = whole(table, "population")
        table.rows(
            people < 0,
            "population",
            lambda v: Text(f"population négative : {shown(v)}", f"negative population: {shown(v)}"),
        )
        if not len(missing) and int(people.astype(object).sum() if len(people) else 0) >= MAX_CENTS // 100:
            table.tell("population", Text("population totale trop grande", "total population too large"))
        frame["population"] = people
    extra_columns(table, TERRITORY_COLUMNS)
    return table, not missing and not table.absent
