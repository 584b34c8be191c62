"""From an engine's floats to whole cents: floats end here.

Whole units are rounded; the rest is solved again with them fixed, to the cheapest of the best plans and then to a fixed
order among equals; columns that are not whole cents are rounded by a small program of their own, which keeps every row;
each class's money is dealt to its members by integer flow.
"""

from __future__ import annotations

import numpy as np
from ortools.graph.python import max_flow
from scipy import sparse

from allocator.caps import Block
from allocator.engines import heard
from allocator.engines.base import Engine, Program, Reason
from allocator.program import Compiled
from allocator.reading import Reading
from allocator.relaxed import ROUNDS, Relaxed
from allocator.space import Rule

REACH = (1, 8, 1000)  # cents either way that rounding may move a column, tried in turn
CENTS_MAY_COST = 1e-6  # of the objective, before a wider reach is tried
SMALL = 2_000  # columns up to which it is
ROUNDING_SECONDS = 20.0  # for one rounding, which takes milliseconds


def settle(relaxed: Relaxed, x: np.ndarray, rounder: Engine) -> Reading | None:
    """Grants in whole cents near x, its whole columns kept; None when no rounding nearby passes.

    Not to be stopped: on Ctrl-C this is what makes a plan of the best point so far.
    """
    program = relaxed.compiled.program
    fixed = np.round(x)
    lower = np.where(program.integer, fixed, program.lower)
    upper = np.where(program.integer, fixed, program.upper)
    best = relaxed.solve(lower=lower, upper=upper)
    aim = np.inf
    if best.reason is Reason.OPTIMAL:
        x = relaxed.canonical(best, lower, upper)
        aim = float(program.objective @ x)
    return _whole_cents(relaxed, np.where(program.integer, fixed, x), aim, rounder)


def _whole_cents(relaxed: Relaxed, x: np.ndarray, aim: float, rounder: Engine) -> Reading | None:
    """Round every column to whole steps, keeping every row, and deal; None when nothing near passes.

    Caps let through what rounding each part up to the cent does: exactly for demands whose grant stays, not at all for those
    that move; then generously for these, where dealing decides.
    Where cents weigh so much that the objective falls short of `aim`, a wider reach may do better. Rules that count
    rounded cents or lean on auxiliaries are looked at in the end: where one fails, with some cents kept back.
    """
    found: Reading | None = None
    best = -np.inf
    doubtful = _doubtful(relaxed.compiled)
    for reach in REACH:
        if found is not None and (best >= aim - CENTS_MAY_COST * abs(aim) or relaxed.compiled.program.columns > SMALL):
            break
        for loosely in (False, True):
            reading, value = None, -np.inf
            for careful in (False, True) if doubtful else (False,):
                whole, value = _round_with_caps(relaxed, x, rounder, reach, loosely, careful)
                reading = None if whole is None else _deal(relaxed.compiled, whole)
                if reading is not None and all(level.held for rule in doubtful for level in rule.check(reading)):
                    break
            if reading is not None and value > best:
                found, best = reading, value
            if not relaxed.compiled.caps:
                break
    return found


def _doubtful(compiled: Compiled) -> list[Rule]:
    """Hard rules with rows that whole cents need not keep although the program does."""
    space = compiled.space
    named = {
        rule.id: rule
        for (rule, row), price in zip(space.rows, space.prices, strict=True)
        if price is None and rule.soft is None and (row.rounding or row.auxiliaries) and rule.kind != "objective"
    }
    return list(named.values())


def _round_with_caps(
    relaxed: Relaxed, x: np.ndarray, rounder: Engine, reach: int, loosely: bool, careful: bool
) -> tuple[np.ndarray | None, float]:
    """`_round_columns`, caps that the rounding breaks added until it breaks none."""
    for _ in range(ROUNDS):
        compiled = relaxed.compiled
        whole, value = _round_columns(compiled, x, rounder, reach, loosely, careful)
        broken = [] if whole is None or loosely else compiled.all_caps.broken_in_cents(whole)
        if not broken:
            return whole, value
        relaxed.add(broken)
    return None, -np.inf


def _round_columns(
    compiled: Compiled, x: np.ndarray, rounder: Engine, reach: int, loosely: bool, careful: bool
) -> tuple[np.ndarray | None, float]:
    """x with every column a whole number of its steps (columns,), slacks left out, and its objective.

    A small program over the columns that are not whole yet, each free to move a few steps. `careful`: rows that count
    rounded cents or lean on auxiliaries keep some back.
    """
    program, counted = compiled.program, len(compiled.column_steps)
    steps = x[:counted] * compiled.column_steps
    base = np.round(steps)
    near = np.abs(steps - base) <= 1e-4
    free = np.flatnonzero(~near if reach == REACH[0] else ~near | (~program.integer[:counted] & (steps > 0.5)))
    base = np.where(near, base, np.floor(steps))
    if careful and not len(free):
        free = np.flatnonzero(~program.integer[:counted] & (steps > 0.5))
    if not len(free):
        return base, float(program.objective @ x)
    slacks = np.arange(counted, program.columns)
    per_step = sparse.csc_matrix(program.matrix[:, :counted] @ sparse.diags(1 / compiled.column_steps))
    gauges = len(compiled.space.auxiliaries) - len(compiled.move_columns)
    # auxiliaries are looked at from where they stand, in steps of what moves beside them: a cent of 1 Md€ is a hair else
    stands, grain = _gauged(program, x, per_step[:, free], slacks, gauges)
    soft = program.matrix[:, slacks] @ sparse.diags(1 / grain)
    moving = sparse.csr_matrix(sparse.hstack([per_step[:, free], soft]))
    touched = np.flatnonzero(np.diff(moving.indptr))
    left = precise_product(sparse.csr_matrix(per_step), base)
    left = (left + precise_product(sparse.csr_matrix(program.matrix[:, slacks]), stands))[touched]
    lower, upper = (np.asarray(side[touched] - left, float) for side in (program.row_lower, program.row_upper))
    if compiled.caps:
        moves = np.zeros(counted, bool)
        moves[free] = True
        beyond = np.zeros(program.rows)
        beyond[-len(compiled.caps) :] = [
            compiled.all_caps.cents_beyond(cap, base, moves, generous=loosely) for cap in compiled.caps
        ]
        upper += beyond[touched] / compiled.money_unit
    if careful:
        back = _kept_back(compiled, x)[touched]
        lower, upper = lower + back, upper - back
    moving = moving[touched]
    # rows whose coefficients are all of one size count whole cents: their sides can be whole too
    size = np.abs(moving).max(axis=1).toarray().ravel()
    ratio = moving.data / np.repeat(size, np.diff(moving.indptr))
    counts = np.ones(len(touched), bool)
    np.logical_and.at(
        counts, np.repeat(np.arange(len(touched)), np.diff(moving.indptr)), np.abs(np.abs(ratio) - 1) <= 1e-12
    )
    lower, upper = lower / size, upper / size
    weighed = (
        np.diff(sparse.csr_matrix(moving[:, moving.shape[1] - gauges :]).indptr) > 0
        if gauges
        else np.zeros(len(touched), bool)
    )
    counts &= ~weighed
    level = upper - lower < 1e-9
    # auxiliaries fall between cents: `careful` sees to them; what rounding up lets through is more than a cap's hair
    give = np.where(
        level, 1.0, np.where(weighed, 0.0, np.where(touched >= program.rows - len(compiled.caps), 1e-6, -1e-7))
    )
    middle = np.where(level, lower, 0.0)
    counts &= np.abs(middle - np.round(middle)) <= 1e-4  # else an equality between cents: a cent either way
    lower = np.where(counts, np.ceil(lower - 1e-4), lower - give)
    upper = np.where(counts, np.floor(upper + 1e-4), upper + give)
    whole = np.concatenate([np.ones(len(free), bool), np.zeros(len(slacks), bool)])
    floor, ceiling = (
        np.round(side[:counted] * compiled.column_steps)[free] - base[free] for side in (program.lower, program.upper)
    )
    small = Program(
        objective=np.concatenate(
            [(program.objective[:counted] / compiled.column_steps)[free], program.objective[slacks] / grain]
        ),
        matrix=sparse.csr_matrix(sparse.diags(1 / size) @ moving) if len(size) else moving,
        row_lower=lower,
        row_upper=upper,
        lower=np.concatenate([np.maximum(-reach, floor), (program.lower[slacks] - stands) * grain]),
        upper=np.concatenate([np.minimum(reach + 1, ceiling), (program.upper[slacks] - stands) * grain]),
        integer=whole,
        grain=np.ones(len(whole)),
        offset=float(program.objective[:counted] @ (base / compiled.column_steps) + program.objective[slacks] @ stands),
    )
    gap = 1e-9 if reach == REACH[0] else CENTS_MAY_COST / 10
    outcome = heard(lambda: rounder.solve(small, gap=gap, time_limit=ROUNDING_SECONDS), small.columns, small.rows)
    if outcome.x is None or outcome.objective is None:
        return None, -np.inf
    base[free] += np.round(outcome.x[: len(free)])
    return base, outcome.objective


def _gauged(
    program: Program, x: np.ndarray, moving: sparse.csc_matrix, slacks: np.ndarray, gauges: int
) -> tuple[np.ndarray, np.ndarray]:
    """For columns `slacks` (s,), of which the last `gauges` are auxiliaries: where they stand, and how many steps make one of
    their units, a step being as large in its rows as what moves there. 0 and 1 for the others."""
    stands, steps = np.zeros(len(slacks)), np.ones(len(slacks))
    if gauges:
        beside = np.abs(moving).max(axis=1).toarray().ravel()
        rows = abs(sparse.csr_matrix(program.matrix[:, slacks[-gauges:]]))
        beside = np.divide(1.0, beside, out=np.zeros_like(beside), where=beside > 0)
        larger = (sparse.diags(beside) @ rows).max(axis=0).toarray().ravel()
        stands[-gauges:], steps[-gauges:] = x[slacks[-gauges:]], np.where(larger > 0, larger, 1.0)
    return stands, steps


def _kept_back(compiled: Compiled, x: np.ndarray) -> np.ndarray:
    """(rows,) by how much rows keep off their sides: what rounding may add, and a hair where auxiliaries are weighed."""
    program, space = compiled.program, compiled.space
    back = np.zeros(program.rows)
    first = len(compiled.column_steps)
    weighed = np.abs(program.matrix[:, first:]) @ np.abs(x[first:])
    for r, ((rule, row), price) in enumerate(zip(space.rows, space.prices, strict=True)):
        if price is None and rule.soft is None and row.lower != row.upper:
            back[r] = float(row.rounding) * compiled.row_scale[r]
            if row.auxiliaries and not row.defines:
                back[r] += 1e-8 * weighed[r]
    return back


def precise_product(matrix: sparse.csr_matrix, x: np.ndarray) -> np.ndarray:
    """matrix @ x in extended precision: a sum of 15 Md€ still shows its cents."""
    products = matrix.data.astype(np.longdouble) * x.astype(np.longdouble)[matrix.indices]
    sums = np.zeros(matrix.shape[0], np.longdouble)
    filled = np.flatnonzero(np.diff(matrix.indptr))
    if len(filled):
        sums[filled] = np.add.reduceat(products, matrix.indptr[filled])
    return sums


def _deal(compiled: Compiled, whole: np.ndarray) -> Reading | None:
    """Each block's money to its members; `whole` (columns,) steps and cents."""
    space = compiled.space
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
    for block in compiled.blocks:
        supply = (whole[block.units].astype(np.int64)) * space.step[block.members]
        room = whole[block.money].astype(np.int64)
        if supply.sum() != room.sum():
            return None
        if block in compiled.all_caps.parts:
            dealt = _by_flow(compiled, block, supply, room)
            if dealt is None:
                return None
        else:
            dealt = _in_order(supply, room)
        member, cell, cents = dealt
        found.append((block.members[member], block.funds[cell], block.years[cell], cents))
    parts = [
        np.concatenate(part).astype(np.int64) if found else np.array([], np.int64) for part in zip(*found, strict=True)
    ] or [np.array([], np.int64)] * 4
    order = np.lexsort((parts[1], parts[2], parts[0]))
    demand, fund, year, cents = (part[order] for part in parts)
    return Reading(space, demand, fund, year, cents, whole[compiled.move_columns].astype(np.int64))


def mistied(reading: Reading) -> np.ndarray:
    """(n,) bool: demands paid by funds that may not pay together, or by one that pays less than its least."""
    space = reading.space
    found = np.zeros(space.n, bool)
    funds = space.shape[0]
    mine = space.tied[reading.demand]
    key, slot = np.unique(reading.demand[mine] * funds + reading.fund[mine], return_inverse=True)
    cents = np.zeros(len(key), np.int64)
    np.add.at(cents, slot, reading.cents[mine])
    paying: dict[int, set[int]] = {}
    for i, f, paid in zip((key // funds).tolist(), (key % funds).tolist(), cents.tolist(), strict=True):
        paying.setdefault(i, set()).add(f)
        found[i] |= paid < space.patterns[space.pattern[i]].least[f]
    for i, together in paying.items():
        found[i] |= not space.patterns[space.pattern[i]].allows(frozenset(together))
    return found


def _in_order(supply: np.ndarray, room: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fill cells in order with members in order: at most members + cells − 1 grants (k,): member, cell, cents."""
    ends = np.unique(np.concatenate([np.cumsum(supply), np.cumsum(room)]))
    ends = ends[ends > 0]
    cents = np.diff(ends, prepend=0)
    member = np.searchsorted(np.cumsum(supply), ends)
    cell = np.searchsorted(np.cumsum(room), ends)
    return member, cell, cents


def _by_flow(
    compiled: Compiled, block: Block, supply: np.ndarray, room: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """As `_in_order` where funds may pay only part of a unit: a flow within each member's caps, rounded up to the cent."""
    asked, caps, common = compiled.all_caps.parts[block]
    members, cells = len(supply), len(room)
    limit = np.zeros((members, cells), np.int64)
    for k, cap in enumerate(caps):
        exact = -(-cap * supply.astype(object) // (asked * common))
        limit[:, k] = np.minimum(exact, supply)
    arcs = np.argwhere(limit > 0)
    source, sink = members + cells, members + cells + 1
    flow = max_flow.SimpleMaxFlow()
    ids = flow.add_arcs_with_capacity(arcs[:, 0], members + arcs[:, 1], limit[arcs[:, 0], arcs[:, 1]])
    flow.add_arcs_with_capacity(np.full(members, source), np.arange(members), supply)
    flow.add_arcs_with_capacity(members + np.arange(cells), np.full(cells, sink), room)
    if flow.solve(source, sink) != flow.OPTIMAL or flow.optimal_flow() != supply.sum():
        return None
    cents = np.asarray(flow.flows(ids), np.int64)
    used = cents > 0
    return arcs[used, 0], arcs[used, 1], cents[used]
