"""The relaxation of a program of whole units, solved without their years.

Whole units have a column for each year, since none may be cut between two. The relaxation cuts them anyway: there, units
need no years, and a program with a third of the columns has the same optimum (docs/theorem.md, §3, holds for both). Its
point, dealt out to the years, and its prices, completed for the rows that it does not have, must pass in the program itself.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.engines import heard
from allocator.engines.base import Engine, Outcome, Reason, Stop
from allocator.engines.guard import checked
from allocator.program import Compiled, compile

FEWEST = 4_000  # columns below which the program itself is solved as fast
WHOLE = 1e-9  # units nearer to a whole number are that number


def relaxation(
    compiled: Compiled,
    engine: Engine,
    alone: np.ndarray | None,
    *,
    time_limit: float | None = None,
    stop: Stop | None = None,
) -> Outcome | None:
    """The optimum of the program without its whole units: x (columns,) and duals (rows,); None where nothing would be gained,
    or what was found does not pass. `alone`: as `compiled` was compiled."""
    program = replace(compiled.program, integer=np.zeros(compiled.program.columns, bool))
    if program.columns < FEWEST or compiled.generous or compiled.all_caps.parts:
        return None
    if not (compiled.by_year & compiled.space.lumpy).any():
        return None
    small = compile(compiled.space, alone, years_apart=False)
    dealt = compiled.by_year & ~small.by_year
    if not dealt.any():
        return None
    lean = replace(small.program, integer=np.zeros(small.program.columns, bool))
    session = engine.session(lean)
    found = heard(
        lambda: session.solve(
            lower=lean.lower,
            upper=lean.upper,
            row_lower=lean.row_lower,
            row_upper=lean.row_upper,
            objective=lean.objective,
            time_limit=time_limit,
            stop=stop,
        ),
        lean.columns,
        lean.rows,
    )
    if found.reason is not Reason.OPTIMAL or found.x is None or found.duals is None:
        return None
    x, duals = _dealt(compiled, small, found.x, dealt), _completed(compiled, small, found.duals)
    value = float(program.objective @ x) + program.offset
    found = checked(program, replace(found, x=x, duals=duals, objective=value, bound=value), 0.0)
    return found if found.reason is Reason.OPTIMAL and found.duals is not None else None


def _dealt(compiled: Compiled, small: Compiled, x: np.ndarray, dealt: np.ndarray) -> np.ndarray:
    """A point of the small program as one of the other: the money of each class goes to its members in order, years first,
    so that few demands are paid in two of them."""
    space, unit = compiled.space, compiled.money_unit
    found = np.zeros(compiled.program.columns)
    for mine, theirs in (
        (np.where(dealt[:, None], -1, compiled.unit_column), small.unit_column),
        (compiled.served_column, small.served_column),
        (compiled.paid_column, small.paid_column),
        (compiled.move_columns, small.move_columns),
    ):
        found[mine[mine >= 0]] = x[theirs[mine >= 0]]
    first = len(compiled.column_steps)
    found[first:] = x[len(small.column_steps) :]
    rows = compiled.missed_rows  # what a soft row misses is in the row's own unit
    found[first : first + len(rows)] *= (compiled.row_scale / small.row_scale)[rows]

    money = np.full((compiled.classes, space.shape[1], space.shape[0]), -1)
    for block in compiled.blocks:
        money[block.demand_class, block.years, block.funds] = block.money
    for block in small.blocks:
        upto = np.cumsum(x[block.units] * small.column_steps[block.units] * space.step[block.members] / unit)
        room = np.cumsum(np.maximum(x[block.money], 0.0))
        room *= upto[-1] / room[-1] if room[-1] > 0 else 0.0  # as much, to the last digit
        ends = np.unique(np.concatenate([upto, room]))
        amount = np.diff(ends, prepend=0.0)
        member = block.members[np.minimum(np.searchsorted(upto, ends), len(upto) - 1)]
        cell = np.minimum(np.searchsorted(room, ends), len(room) - 1)
        np.add.at(found, money[compiled.demand_class[member], block.years[cell], block.funds[cell]], amount)
        part = dealt[member]
        columns = compiled.unit_column[member, block.years[cell]][part]
        np.add.at(found, columns, amount[part] * unit / space.step[member[part]])
    units = compiled.unit_column[dealt]
    units = units[units >= 0]
    near = np.round(found[units])
    found[units] = np.where(np.abs(found[units] - near) <= WHOLE, near, found[units])
    return found


def _completed(compiled: Compiled, small: Compiled, duals: np.ndarray) -> np.ndarray:
    """Duals of the small program's rows, and of the rows that only the other has: a link is worth what its cheapest cell
    costs, a demand's total what its best year leaves. At optimal prices of the rest this is optimal."""
    program, space = compiled.program, compiled.space
    rows, blocks = len(compiled.row_scale), len(compiled.blocks)
    scale = small.objective_scale / compiled.objective_scale
    found = np.zeros(program.rows)
    found[:rows] = duals[:rows] * scale * small.row_scale / compiled.row_scale
    total = np.flatnonzero(compiled.total_row >= 0)
    after = program.rows - rows - blocks - len(total)  # rows on being served or paid, the same in both
    if after:
        found[-after:] = duals[-after:] * scale
    reduced = program.objective - program.matrix.T @ found
    for k, block in enumerate(compiled.blocks):
        found[rows + k] = -reduced[block.money].max()
    reduced = program.objective - program.matrix.T @ found
    columns = compiled.unit_column[total]
    best = np.where(columns >= 0, reduced[columns], -np.inf).max(axis=1, initial=-np.inf)
    found[compiled.total_row[total]] = np.where(space.boxes[0][total] > 0, best, np.maximum(best, 0.0))
    return found
