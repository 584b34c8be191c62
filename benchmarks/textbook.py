"""The textbook program of a scenario, as arrays: a money column for each demand × eligible (fund, year).

Divisible units are money divided by what a unit costs, and have no column. Whole units have one for each year in which
they may be committed. Whether a demand is served, or a fund pays it, has a column where a rule asks. Written from what
rules say (`allocator.space`), demand by demand: no classes, no constants moved, rates as rows of each demand. Money is
counted in the same power of ten as in our own programs and rows are scaled alike, so that engines get numbers they like.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy import sparse

from allocator.engines.base import Program
from allocator.space import Space, Term


class NotWritten(Exception):
    """The textbook program of this scenario is not written here."""


def textbook(space: Space) -> Program:
    """The program; `NotWritten` where the objective has several levels or a rule counts demands served by year."""
    if len(space.aims) > 1:
        raise NotWritten("an objective of several levels")
    return _Writer(space).program()


class _Writer:
    """Columns are handed out first, rows are written onto them; `unit` cents make one in a money column."""

    def __init__(self, space: Space) -> None:
        self.space = space
        n, (funds, years) = space.n, space.shape
        self.low, self.high = space.boxes
        total = int((space.most.astype(object) * space.step).sum())
        self.unit = 10.0 ** min(6, max(0, len(str(total)) - 4))
        able = np.array([p.eligible for p in space.patterns], bool).reshape(-1, funds, years)[space.pattern]
        able[self.high <= 0] = False
        self.count = 0
        self.money = self._columns(able)
        self.units = self._columns(able.any(axis=1) & space.lumpy[:, None])
        self.cents = np.where(self.high > 0, self.high, 0) * space.step  # (n,) most

        served, paid = (space.least > 1) & (self.high > 0), np.zeros((n, funds), bool)
        for _, row in space.rows:
            for term in row.terms:
                if term.of == "served":
                    if not term.cells.all():
                        raise NotWritten("demands served by year")
                    served[term.demands] = True
                elif term.of == "paid":
                    paid[np.ix_(term.demands, term.cells.any(axis=1))] = True
        for k, pattern in enumerate(space.patterns):
            if pattern.tied:
                mine = [f for f in pattern.funds if pattern.least[f] > 1 or any(f in fs for fs, _ in pattern.few)]
                paid[np.ix_(space.pattern == k, mine)] = True
        self.served = self._columns(served & able.any(axis=(1, 2)))
        self.paid = self._columns(paid & able.any(axis=2))
        self.free = self.count + np.arange(len(space.auxiliaries))
        self.count += len(space.auxiliaries)

        self.rows: list[np.ndarray] = []
        self.columns: list[np.ndarray] = []
        self.values: list[np.ndarray] = []
        self.lower: list[np.ndarray] = []
        self.upper: list[np.ndarray] = []
        self.written = 0

    def _columns(self, wanted: np.ndarray) -> np.ndarray:
        """The next columns, where `wanted`; elsewhere −1."""
        found = np.where(wanted, self.count + np.cumsum(wanted.ravel()).reshape(wanted.shape) - 1, -1)
        self.count += int(wanted.sum())
        return found

    def _put(self, rows: np.ndarray | int, columns: np.ndarray, values: np.ndarray | float) -> None:
        """Entries of rows counted from the first that is not yet closed; columns −1 are none."""
        rows, columns, values = np.broadcast_arrays(rows, columns, values)
        keep = columns >= 0
        self.rows.append(rows[keep] + self.written)
        self.columns.append(columns[keep])
        self.values.append(values[keep].astype(float))

    def _close(self, lower: np.ndarray | float, upper: np.ndarray | float, rows: int = 1) -> None:
        self.lower.append(np.broadcast_to(np.asarray(lower, float), rows))
        self.upper.append(np.broadcast_to(np.asarray(upper, float), rows))
        self.written += rows

    def program(self) -> Program:
        space = self.space
        for _, row in space.rows:
            for term in row.terms:
                self._term(term)
            at = {auxiliary: k for k, auxiliary in enumerate(space.auxiliaries)}
            for auxiliary, coefficient in row.auxiliaries:
                self._put(0, self.free[[at[auxiliary]]], float(coefficient) * self._size[at[auxiliary]])
            self._close(
                -np.inf if row.lower is None else float(row.lower), np.inf if row.upper is None else float(row.upper)
            )
        stated = self.written
        self._own()
        self._rates()
        self._paying()
        return self._assembled(stated)

    @property
    def _size(self) -> np.ndarray:
        """Of auxiliaries: a power of ten that leaves them some thousands."""
        return np.array(
            [10.0 ** (len(str(int(a.reach))) - 4) if a.reach >= 1 else 1e-4 for a in self.space.auxiliaries]
        )

    def _term(self, term: Term) -> None:
        space, demands = self.space, term.demands
        weights = term.weights.astype(float)
        if term.of == "served":
            self._put(0, self.served[demands], weights)
            return
        if term.of == "paid":
            for f in np.flatnonzero(term.cells.any(axis=1)):
                self._put(0, self.paid[demands, f], weights * float(term.cells[f, 0]))
            return
        if term.of == "units":
            blind = (term.cells == term.cells[:1]).all()  # to funds: whole units have columns for that
            whole = space.lumpy[demands] & blind
            for y in np.flatnonzero(term.cells[0]) if whole.any() else ():
                self._put(0, self.units[demands[whole], y], weights[whole] * float(term.cells[0, y]))
            demands, weights = demands[~whole], (weights / space.asked[term.demands])[~whole]
        for f, y in np.argwhere(term.cells):
            self._put(0, self.money[demands, f, y], weights * float(term.cells[f, y]) * self.unit)

    def _own(self) -> None:
        """What a demand asks of itself: money is units times what they cost; no more than asked; nothing or its least."""
        space, unit = self.space, self.unit
        for y in range(space.shape[1]):
            mine = np.flatnonzero(self.units[:, y] >= 0)
            at = np.arange(len(mine))
            for f in range(space.shape[0]):
                self._put(at, self.money[mine, f, y], 1.0)
            self._put(at, self.units[mine, y], -space.asked[mine] / unit)
            self._close(0.0, 0.0, len(mine))
        mine = np.flatnonzero((self.money >= 0).any(axis=(1, 2)))
        at = np.arange(len(mine))
        self._all_of(at, mine)
        scale = np.where(space.lumpy[mine], 1.0, unit)
        self._close(np.maximum(self.low[mine], 0) / scale, self.high[mine] / scale, len(mine))
        mine = np.flatnonzero(self.served >= 0)
        at = np.arange(len(mine))
        scale = np.where(space.lumpy[mine], 1.0, unit)
        for bound, sides in ((self.high[mine], (-np.inf, 0.0)), (space.least[mine], (0.0, np.inf))):
            self._all_of(at, mine)
            self._put(at, self.served[mine], -bound / scale)
            self._close(*sides, len(mine))

    def _all_of(self, at: np.ndarray, mine: np.ndarray) -> None:
        """Units of demands where whole, else their money, in rows `at`."""
        whole = self.space.lumpy[mine]
        for y in range(self.space.shape[1]):
            self._put(at[whole], self.units[mine[whole], y], 1.0)
            for f in range(self.space.shape[0]):
                self._put(at[~whole], self.money[mine[~whole], f, y], 1.0)

    def _rates(self) -> None:
        """In each year, what a fund may pay of the cost of that year's units."""
        space = self.space
        for k, pattern in enumerate(space.patterns):
            members = np.flatnonzero((space.pattern == k) & (self.high > 0))
            if not pattern.capped or not len(members):
                continue
            caps, common = space.unit_caps(k, members)
            for f, y in np.argwhere(pattern.eligible):
                part = caps[f, y].astype(float) / common / space.asked[members]
                bound = part < 1
                mine, part = members[bound], part[bound]
                at, whole = np.arange(len(mine)), space.lumpy[mine]
                self._put(at, self.money[mine, f, y], 1.0)
                self._put(at[whole], self.units[mine[whole], y], -(part * space.asked[mine] / self.unit)[whole])
                for other in range(space.shape[0]):
                    self._put(at[~whole], self.money[mine[~whole], other, y], -part[~whole])
                self._close(-np.inf, 0.0, len(mine))

    def _paying(self) -> None:
        """A fund pays a demand nothing, or its least and at most all of it; of some funds only so many pay."""
        space = self.space
        for f in range(space.shape[0]):
            mine = np.flatnonzero(self.paid[:, f] >= 0)
            at = np.arange(len(mine))
            least = np.array([p.least[f] for p in space.patterns], float)[space.pattern[mine]]
            for bound, sides in ((self.cents[mine], (-np.inf, 0.0)), (np.where(least > 1, least, 0), (0.0, np.inf))):
                for y in range(space.shape[1]):
                    self._put(at, self.money[mine, f, y], 1.0)
                self._put(at, self.paid[mine, f], -bound / self.unit)
                self._close(*sides, len(mine))
        for k, pattern in enumerate(space.patterns):
            mine = np.flatnonzero(space.pattern == k)
            for funds, most in pattern.few:
                self._put(np.arange(len(mine))[:, None], self.paid[np.ix_(mine, funds)], 1.0)
                self._close(-np.inf, float(most), len(mine))

    def _assembled(self, stated: int) -> Program:
        space = self.space
        shape = (self.written, self.count)
        matrix = sparse.csr_matrix(
            (np.concatenate(self.values), (np.concatenate(self.rows), np.concatenate(self.columns))), shape=shape
        )
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        lower, upper = np.concatenate(self.lower), np.concatenate(self.upper)
        largest = np.abs(matrix).max(axis=1).toarray().ravel() if matrix.nnz else np.zeros(self.written)
        scale = 2.0 ** -np.floor(np.log2(np.where(largest > 0, largest, 1.0)))
        matrix = sparse.csr_matrix(sparse.diags(scale) @ matrix)

        per_unit = (space.aim.values / space.aim.scale).astype(float)
        value, most = np.zeros(self.count), np.zeros(self.count)
        whole = np.zeros(self.count, bool)
        for columns, each, top in (
            (self.money, np.where(space.lumpy, 0.0, per_unit / space.asked * self.unit), self.cents / self.unit),
            (self.units, per_unit, self.high),
            (self.served, 0 * per_unit, np.ones(space.n)),
            (self.paid, 0 * per_unit, np.ones(space.n)),
        ):
            owner = np.broadcast_to(np.arange(space.n).reshape(-1, *[1] * (columns.ndim - 1)), columns.shape)
            here = columns >= 0
            value[columns[here]], most[columns[here]] = each[owner[here]], top[owner[here]]
            whole[columns[here]] = columns is not self.money
        least = np.zeros(self.count)
        for k, auxiliary in enumerate(space.auxiliaries):
            least[self.free[k]] = float(auxiliary.lower) / self._size[k]
            most[self.free[k]] = float(auxiliary.upper) / self._size[k]
        weights = {a: float(weight) for a, weight in space.aim.auxiliaries}
        value[self.free] = [weights.get(a, 0.0) * size for a, size in zip(space.auxiliaries, self._size, strict=True)]

        missed = [
            (r, sign, price)
            for r, ((_, row), price) in enumerate(zip(space.rows, space.prices, strict=True))
            if price is not None
            for side, sign in ((row.lower, 1.0), (row.upper, -1.0))
            if side is not None
        ]
        assert all(r < stated for r, _, _ in missed)
        at = np.array([r for r, _, _ in missed], int)
        slack = sparse.csr_matrix(([sign for _, sign, _ in missed], (at, range(len(missed)))), (shape[0], len(missed)))
        cost = np.array([float(Fraction(price)) for _, _, price in missed]) / scale[at]
        ends = np.where(np.isfinite(lower), np.abs(lower), 0) + np.where(np.isfinite(upper), np.abs(upper), 0)
        reach = (np.abs(matrix) @ np.maximum(np.abs(least), most) + ends * scale)[at]
        none = np.zeros(len(missed))
        return Program(
            objective=np.concatenate([value, -cost]),
            matrix=sparse.csr_matrix(sparse.hstack([matrix, slack])),
            row_lower=lower * scale,
            row_upper=upper * scale,
            lower=np.concatenate([least, none]),
            upper=np.concatenate([most, 2 * reach + 1]),
            integer=np.concatenate([whole, none.astype(bool)]),
            grain=np.ones(self.count + len(missed)),
        )
