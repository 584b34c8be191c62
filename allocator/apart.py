"""Parts of a program that no scarce row ties together: each is searched by itself, and the bounds add up.

One tree over twenty districts would multiply their cases; twenty trees add them. What ties parts together is left out,
which is a relaxation: `bound.prove` sees only the rows of each part, so nothing here is trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from allocator.bound import Proof
from allocator.engines.base import Outcome, Reason
from allocator.program import Compiled
from allocator.relaxed import Relaxed
from allocator.tree import WHOLE, Found, Search

TRIED = 5  # wide rows that are left out to see
SCARCE = 1e-9  # of the largest dual: below, a row is not scarce


def parts(compiled: Compiled, root: Outcome) -> np.ndarray:
    """(columns,) the part of each column of a solved root: those that scarce rows tie together, or rows that tie no more
    columns than the largest of these parts has."""
    program = compiled.program
    assert root.duals is not None
    duals = np.abs(np.concatenate([root.duals, np.zeros(program.rows - len(root.duals))]))
    scarce = duals > SCARCE * duals.max(initial=0.0)
    demands = [_of_a_demand(compiled)] if compiled.space.n else []
    label = _joined([program.matrix[scarce], *demands], program.columns)
    largest = int(np.bincount(label).max(initial=1))
    widths = np.diff(program.matrix.indptr)
    for row in sorted(np.flatnonzero(~scarce & (widths > 1)).tolist(), key=lambda row: int(widths[row])):
        tied = np.unique(label[program.matrix.indices[program.matrix.indptr[row] : program.matrix.indptr[row + 1]]])
        if len(tied) > 1:
            together = np.isin(label, tied)
            if together.sum() <= largest:
                label[together] = tied[0]
    return np.asarray(np.unique(label, return_inverse=True)[1])


def _loosened(relaxed: Relaxed, root: Outcome) -> Outcome:
    """The root without the widest scarce rows that its value does not need: envelopes that add up to the one around them."""
    program = relaxed.compiled.program
    assert root.duals is not None
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    widths = np.diff(program.matrix.indptr)
    wide = np.flatnonzero((np.abs(root.duals) > 0) & (widths[: len(root.duals)] > program.columns / 3))
    for row in sorted(wide.tolist(), key=lambda row: -int(widths[row]))[:TRIED]:
        kept = lower[row], upper[row]
        lower[row], upper[row] = -np.inf, np.inf
        found = relaxed.solve(row_lower=lower, row_upper=upper)
        if found.reason is Reason.OPTIMAL and _no_better(found, root):
            root = found
        else:
            lower[row], upper[row] = kept
    return root


def _no_better(found: Outcome, root: Outcome) -> bool:
    assert found.objective is not None and root.objective is not None
    return found.objective <= root.objective + 1e-9 * abs(root.objective)


def _joined(rows: list[sparse.csr_matrix], columns: int) -> np.ndarray:
    """(columns,) labels of the columns that these rows tie together."""
    ties = sparse.vstack(rows).astype(bool).astype(np.int8)
    count = ties.shape[0]
    both = sparse.bmat([[None, ties], [ties.T, None]])
    return np.asarray(connected_components(both, directed=False)[1][count:])


def _of_a_demand(compiled: Compiled) -> sparse.csr_matrix:
    """A row for each demand with its own columns, and one for each block whose cells are capped together."""
    own = np.concatenate([compiled.unit_column, compiled.served_column, compiled.paid_column], axis=1)
    demand, at = np.nonzero(own >= 0)
    rows, columns = [demand], [own[demand, at]]
    for k, block in enumerate(compiled.blocks):
        if compiled.space.capped[block.members].any():
            mine = np.concatenate([block.units, block.money])
            rows.append(np.full(len(mine), compiled.space.n + k))
            columns.append(mine)
    shape = (compiled.space.n + len(compiled.blocks), compiled.program.columns)
    row, column = np.concatenate(rows), np.concatenate(columns)
    return sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=shape)


def search_apart(
    relaxed: Relaxed, root: Outcome, x: np.ndarray | None, search: Callable[[Relaxed], Search]
) -> Found | None:
    """Each part with whole columns that the root divides, by a search of its own; None where there are not two parts.

    `x` the best point known, or none; `search(relaxed)` a new search of a program.
    """
    if root.x is None or root.duals is None or relaxed.compiled.space.aim.auxiliaries:
        return None
    root = _loosened(relaxed, root)
    assert root.x is not None and root.duals is not None
    compiled = relaxed.compiled
    program = compiled.program
    divided = program.integer & (np.abs(root.x - np.round(root.x)) > WHOLE)
    label = parts(compiled, root)
    open_parts = np.unique(label[divided])
    if len(np.unique(label)) < 2 or not len(open_parts):
        return None
    has = compiled.unit_column.max(axis=1, initial=-1)
    part_of = np.where(has >= 0, label[has], -1)  # (n,) of each demand
    rest = np.flatnonzero(~np.isin(part_of, open_parts))
    base = compiled.multipliers(root.duals)
    made = [(rest, Proof(base))] if len(rest) else []
    best = None if x is None else x.copy()
    complete, nodes = True, 0
    bound = float(program.objective[~np.isin(label, open_parts)] @ root.x[~np.isin(label, open_parts)]) + program.offset
    for part in open_parts.tolist():
        one = _alone(relaxed, label == part, root.x)
        mine = search(one)
        if x is not None:
            mine.best = float(one.compiled.program.objective @ x)
        start = one.solve()
        found = mine.run(start)
        made.append((np.flatnonzero(part_of == part), found.proof))
        complete, nodes, bound = complete and found.complete, nodes + found.nodes, bound + found.bound
        if found.x is not None:
            best = root.x.copy() if best is None else best
            best[label == part] = found.x[label == part]
    changed = best is not None and (x is None or not np.array_equal(best, x))
    return Found(Proof(base, parts=tuple(made)), best if changed else None, complete, nodes, bound)


def _alone(relaxed: Relaxed, inside: np.ndarray, x: np.ndarray) -> Relaxed:
    """The program of the columns `inside` (columns,) bool alone: the others stay at x, rows about others bind nobody."""
    program = relaxed.compiled.program
    about_others = np.asarray((abs(program.matrix) @ (~inside).astype(float)) > 0)
    part = replace(
        program,
        objective=np.where(inside, program.objective, 0.0),
        row_lower=np.where(about_others, -np.inf, program.row_lower),
        row_upper=np.where(about_others, np.inf, program.row_upper),
        lower=np.where(inside, program.lower, x),
        upper=np.where(inside, program.upper, x),
        integer=program.integer & inside,
        offset=0.0,
    )
    return Relaxed(replace(relaxed.compiled, program=part), relaxed.engine)
