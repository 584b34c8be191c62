"""What an engine is given and what it says: one program in, one honest outcome out."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Program:
    """Maximise ``objective @ x + offset`` under ``row_lower <= matrix @ x <= row_upper``, ``lower <= x <= upper``.

    Shapes: n columns, m rows; ``matrix`` is (m, n) CSR without duplicates; ``integer`` (n,) bool marks whole
    columns; ``grain`` (n,) is the step in which a continuous column is counted in the end (one cent), which integer
    engines need, and 1 where whole. Missing sides are ±inf; column bounds of integer columns are finite and whole. Units of rows and columns
    are the compiler's affair (money in thousands of euros or so, for the sake of float engines).
    """

    objective: np.ndarray
    matrix: sparse.csr_matrix
    row_lower: np.ndarray
    row_upper: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    integer: np.ndarray
    grain: np.ndarray
    offset: float = 0.0

    @property
    def columns(self) -> int:
        return self.matrix.shape[1]

    @property
    def rows(self) -> int:
        return self.matrix.shape[0]

    def relaxed(self) -> Program:
        """The same program without whole columns."""
        return replace(self, integer=np.zeros(self.columns, bool))


class Reason(enum.Enum):
    """Why an engine stopped. Claims, all of them: the certificate believes none."""

    OPTIMAL = "optimal"  # it says: nothing better, within the gap asked for
    FEASIBLE = "feasible"  # stopped (clock, nodes, Ctrl-C) with a point
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    NOTHING = "nothing"  # stopped without a point
    ERROR = "error"  # it refused, crashed or returned nonsense; see message


@dataclass(frozen=True)
class Progress:
    """What is known while an engine works: best objective and bound (None while unknown), seconds so far."""

    stage: str
    seconds: float
    objective: float | None = None
    bound: float | None = None


@dataclass(frozen=True)
class Outcome:
    """An engine's word.

    ``x`` (n,) or None. ``duals`` (m,) or None: d objective / d right-hand side of the maximisation, so a binding
    ``<=`` row has a dual ``>= 0``, a binding ``>=`` row one ``<= 0``; only for programs without whole columns.
    ``objective`` is recomputed from ``x``; ``bound`` is the engine's claim, an upper bound, None when it makes none.
    """

    reason: Reason
    x: np.ndarray | None = None
    duals: np.ndarray | None = None
    objective: float | None = None
    bound: float | None = None
    engine: str = ""
    version: str = ""
    seconds: float = 0.0
    message: str = ""


Stop = Callable[[], bool]
OnProgress = Callable[[Progress], None]


class Session(Protocol):
    """One program kept open while its column bounds, row bounds and objective move."""

    def solve(
        self,
        *,
        lower: np.ndarray | None = None,
        upper: np.ndarray | None = None,
        row_lower: np.ndarray | None = None,
        row_upper: np.ndarray | None = None,
        objective: np.ndarray | None = None,
        time_limit: float | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """Solve the *relaxed* program again; what is None stays as it was last set."""
        ...

    def add_rows(self, matrix: sparse.csr_matrix, row_lower: np.ndarray, row_upper: np.ndarray) -> None:
        """Append rows (k, n)."""
        ...


class Engine(Protocol):
    """A library that solves programs. Stateless; ``session`` holds state where the library can keep it."""

    name: str
    whole_units: bool  # can it do integer columns itself?
    distribution: str  # the package on PyPI that brings it

    @property
    def version(self) -> str: ...

    def solve(
        self,
        program: Program,
        *,
        gap: float = 1e-4,
        time_limit: float | None = None,
        start: np.ndarray | None = None,
        on_progress: OnProgress | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """Solve; never raise for what the library did: say ``Reason.ERROR`` instead.

        ``start`` (n,) is a hint. ``stop`` is polled where the library allows it (at least between its own steps).
        Duals are given when no column is whole and the library gives true ones.
        """
        ...

    def session(self, program: Program) -> Session: ...
