"""What funds may pay together of the demands of a block, where each may pay only part of a unit (docs/theorem.md).

For a set of cells and the units of the block's members, a cap is  Σ money of the cells − Σ room · units ≤ 0,  the room of a
unit being what these cells may pay of it together. There are many; a program holds those that its points broke.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import sparse

from allocator.space import Space


@dataclass(frozen=True, eq=False)
class Block:
    """Cells of a class whose money must add up to its members' steps: those of one year where units are by year."""

    demand_class: int
    year: int  # position, -1 for all years
    members: np.ndarray  # (k,) demands
    units: np.ndarray  # (k,) their unit columns
    money: np.ndarray  # (c,) money columns
    funds: np.ndarray  # (c,) positions
    years: np.ndarray  # (c,) positions


class Cap(NamedTuple):
    """These cells (positions in the block) pay together no more than what they may."""

    block: Block
    cells: tuple[int, ...]


class Parts(NamedTuple):
    """Of each member's unit (k,): cents asked, what each cell may pay (c of (k,)), and how many of those make a cent."""

    asked: np.ndarray
    cells: list[np.ndarray]
    common: int


@dataclass(frozen=True, eq=False)
class Caps:
    """All caps of a program; its columns count `column_steps` (columns,) steps or cents, its money `money_unit` cents."""

    space: Space
    blocks: tuple[Block, ...]
    column_steps: np.ndarray
    money_unit: float
    columns: int

    @cached_property
    def parts(self) -> dict[Block, Parts]:
        """Blocks where some fund may pay only part of a unit."""
        found = {}
        for block in self.blocks:
            if self.space.capped[block.members].any():
                caps, common = self.space.unit_caps(int(self.space.pattern[block.members[0]]), block.members)
                cells = [caps[f, y] for f, y in zip(block.funds, block.years, strict=True)]
                found[block] = Parts(self.space.asked[block.members].astype(object), cells, common)
        return found

    def __len__(self) -> int:
        return len(self._all[0])

    @property
    def entries(self) -> int:
        """Of the rows of all caps."""
        return int(self._all[1].nnz)

    @cached_property
    def _all(self) -> tuple[tuple[Cap, ...], sparse.csr_matrix]:
        """Every cap that may be broken, and its row (caps, columns)."""
        caps: list[Cap] = []
        columns: list[np.ndarray] = []
        values: list[np.ndarray] = []
        for block, (asked, cells, common) in self.parts.items():
            whole = (asked * common).astype(float)
            each = np.array([cell.astype(float) for cell in cells])
            tight = np.flatnonzero((each < whole).any(axis=1)).tolist()
            steps = self.column_steps[block.units] / np.where(self.space.lumpy[block.members], 1.0, asked.astype(float))
            for size in range(1, len(tight) + 1):
                for chosen in combinations(tight, size):
                    together = each[list(chosen)].sum(axis=0)
                    short = together < whole * (1 - 1e-12)
                    if short.any():  # else it says no more than that money adds up
                        room = np.where(short, together, whole) / common * steps / self.money_unit
                        caps.append(Cap(block, chosen))
                        columns.append(np.concatenate([block.money[list(chosen)], block.units]))
                        values.append(np.concatenate([np.ones(size), -room]))
        rows = np.repeat(np.arange(len(caps)), [len(v) for v in values]) if caps else np.array([], int)
        entries = [np.concatenate(part) if part else np.array([]) for part in (values, columns)]
        matrix = sparse.csr_matrix((entries[0], (rows, entries[1].astype(int))), shape=(len(caps), self.columns))
        return tuple(caps), matrix

    @cached_property
    def _rounding(self) -> np.ndarray:
        """(caps,) what rounding each part up to the cent may add at most, in money columns."""
        found = np.zeros(len(self._all[0]))
        for k, cap in enumerate(self._all[0]):
            asked, _, common = self.parts[cap.block]
            parts = np.where(self.space.lumpy[cap.block.members], common, asked * common).astype(float)
            found[k] = (1 - 1 / parts).sum() * len(cap.cells) / self.money_unit
        return found

    def rows(self, caps: Iterable[int], *, generous: bool) -> tuple[sparse.csr_matrix, np.ndarray]:
        """Rows (k, columns) of these caps, and their upper sides (k,)."""
        at = list(caps)
        return self._all[1][at], self._rounding[at] if generous else np.zeros(len(at))

    def broken(self, x: np.ndarray, *, generous: bool, tolerance: float = 1e-7) -> list[int]:
        """The caps that x (columns or more,) breaks: none, or as many as are found at once."""
        if not self.parts:
            return []
        x = x[: self.columns]
        matrix = self._all[1]
        over = matrix @ x - (self._rounding if generous else 0.0)
        return np.flatnonzero(over > tolerance * (1 + abs(matrix) @ np.abs(x) / 2)).tolist()

    def broken_in_cents(self, steps: np.ndarray) -> list[int]:
        """The caps that whole `steps` (columns,) break although each fund's part is rounded up to the cent."""
        found = []
        for k in self.broken(steps / self.column_steps, generous=False, tolerance=1e-12):
            block, cells = self._all[0][k]
            room = self._rooms(k, steps, np.ones(len(block.members), bool))[0].sum()
            if steps[block.money[list(cells)]].sum() > room:
                found.append(k)
        return found

    def cents_beyond(self, cap: int, steps: np.ndarray, free: np.ndarray, *, generous: bool = False) -> float:
        """Cents by which a cap's cells may exceed its side, each part being rounded up to the cent, with `steps` (columns,)
        granted. For members that stay to a float's last digit; those `free` (columns,) bool to move count for nothing or,
        `generous`, for a cent each cell, which is more than can be."""
        block, cells = self._all[0][cap]
        moving = free[block.units]
        cents, parts, whole = self._rooms(cap, steps, ~moving)
        beyond = float(((cents * whole - parts) / whole).sum())
        return beyond + (len(cells) * int(moving.sum()) if generous else 0)

    def _rooms(self, cap: int, steps: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What a cap's cells may pay for each member served among `of` (k,) bool: in cents, each part rounded up; and exactly,
        as parts of a cent and how many make one. In Python's own integers."""
        block, cells = self._all[0][cap]
        asked, caps, common = self.parts[block]
        granted = steps[block.units].astype(np.int64) * self.space.step[block.members]
        served = (granted > 0) & of
        cents, whole = granted[served].astype(object), asked[served] * common
        parts = [caps[k][served].astype(object) * cents for k in cells]
        rounded = sum(-(-part // whole) for part in parts)
        return np.minimum(cents, rounded), np.minimum(whole * cents, sum(parts)), whole
