"""State aid: how much of it a beneficiary may have had, and what of a repayable grant is aid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from math import lcm
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from allocator.constraints import Constraint, Example
from allocator.money import Euros
from allocator.problems import Problem, listed, spelt_alike
from allocator.reading import Level, Reading
from allocator.selection import Selection
from allocator.space import Group, Row, Space, Statement, Term
from allocator.texts import Text


def grant_equivalents(space: Space) -> list[Fraction]:
    """For each fund, the gross grant equivalent of a euro that it pays: 1 for what is never paid back."""
    return [fund.grant_equivalent for fund in space.scenario.funds]


class Window(NamedTuple):
    """Aid that counts together: grants of these years (Y,) bool, and at most so many more cents."""

    end: date
    years: np.ndarray
    limit: int


class DeMinimis(Constraint):
    """For each beneficiary, gross grant equivalent on `on` over any `window` years, date to date ≤ `amount`, with
    `prior_aid`.

    Grants are known by calendar year only, so a year counts as soon as one of its days lies in the window: `window` + 1
    calendar years. A prior aid dated by its year alone counts likewise. A breach is counted in euros, for each window that
    is not inside another with as little room.
    """

    title = Text("Aides de minimis", "De minimis aid")
    says = Text(
        "par bénéficiaire, les aides ne dépassent pas ce montant sur trois ans glissants, aides passées comprises",
        "per beneficiary, aid does not exceed this amount over any three years, earlier aid included",
    )
    law = Text(
        "règlement (UE) 2023/2831, art. 3, § 2 (300 000 € par entreprise unique et par État membre sur toute période"
        " de trois ans), art. 4 (équivalent-subvention brut)",
        "Regulation (EU) 2023/2831 art. 3(2) (300 000 € per single undertaking and Member State over any period of "
        "three years), art. 4 (gross grant equivalent)",
    )
    not_covered = Text(
        "l'entreprise unique, que `beneficiary` représente ; fusions et scissions ; si le bénéficiaire est bien une "
        "entreprise : dites-le dans `on`",
        "the single undertaking (entreprise unique), which `beneficiary` stands for; mergers and splits; whether the"
        " beneficiary is an undertaking at all: say so in `on`",
    )
    example = Example(
        {"amount": 150},
        (("a-ecole", "f", 2026, 100), ("c-ecole", "f", 2026, 80), ("c-friche", "g", 2027, 70)),
        (("a-ecole", "f", 2026, 100), ("a-friche", "f", 2027, 0.01)),
    )
    kind: Literal["de_minimis"] = "de_minimis"
    on: Selection = Selection()
    amount: Annotated[Euros, Field(ge=0)] = 300_000_00
    window: Annotated[int, Field(ge=1)] = 3
    per: str = "beneficiary"

    def problems(self, scenario: Any) -> Iterator[Problem]:
        if self.per in ("fund", "year"):
            yield Problem(
                "per",
                Text("une aide se compte par bénéficiaire", "aid is counted per beneficiary"),
                Text("retirer `per`", "remove `per`"),
            )
            return
        if self.per != "beneficiary" and scenario.prior_aid is not None:
            yield Problem(
                "per",
                Text(
                    f"les aides passées sont par bénéficiaire, non par « {self.per} »",
                    f"earlier aid is told per beneficiary, not per “{self.per}”",
                ),
                Text("retirer `per`, ou `prior_aid`", "remove `per`, or `prior_aid`"),
            )
        if self.per in scenario.demands:
            chosen = scenario.demands[self.on.pick(scenario).demands]
            values = chosen[self.per]
            blank = chosen["id"][values.isna() | (values.astype(str).str.strip() == "")].tolist()
            if blank:
                yield Problem(
                    "per",
                    Text(
                        f"{len(blank)} dossier(s) sans « {self.per} » : {listed(blank, 5)}",
                        f"{len(blank)} demand(s) without “{self.per}”: {listed(blank, 5)}",
                    ),
                    Text(
                        "dire qui reçoit l'aide, ou restreindre `on`",
                        "say who receives the aid, or narrow `on`",
                    ),
                )

    def warnings(self, scenario: Any) -> Iterator[Problem]:
        if self.per != "beneficiary":
            return
        chosen = scenario.demands[self.on.pick(scenario).demands]
        if "beneficiary" not in scenario._tables.demand_columns:
            yield Problem(
                "per",
                Text(
                    "les dossiers n'ont pas de colonne beneficiary : l'aide se compte par territoire",
                    "the demands have no column beneficiary: aid is counted per territory",
                ),
                Text("Dire qui reçoit l'aide.", "Say who receives the aid."),
            )
        for names in spelt_alike(chosen["beneficiary"].unique().tolist()):
            yield Problem(
                "per",
                Text(
                    f"comptés comme {len(names)} bénéficiaires : {listed(names, 5)}",
                    f"counted as {len(names)} beneficiaries: {listed(names, 5)}",
                ),
                Text("Si c'est le même, écrivez-le de même.", "If it is the same, write it alike."),
            )

    def _windows(self, space: Space, who: str) -> list[Window]:
        """Every window to look at for one beneficiary."""
        prior = space.scenario.prior_aid
        mine: list[tuple[str, int]] = []
        if prior is not None:
            of = prior[prior["beneficiary"] == who]
            mine = list(zip(of["date"].tolist(), map(int, of["cents"]), strict=True))
        years = np.array(space.scenario.years)
        ends = {date(int(year), 1, 1) for year in years}
        dated = {date.fromisoformat(day if len(day) > 4 else f"{day}-01-01") for day, _ in mine}
        ends |= {day for day in dated if day.year >= years[0]}
        found = []
        for end in sorted(ends):
            first = _years_before(end, self.window) + timedelta(days=1)
            had = sum(cents for day, cents in mine if _within(day, first, end))
            counted = (years >= first.year) & (years <= end.year)
            if counted.any():
                found.append(Window(end, counted, max(0, self.amount - had)))
        return [
            one
            for k, one in enumerate(found)
            if not any(_inside(one, other, j > k) for j, other in enumerate(found) if j != k)
        ]

    def _limits(self, space: Space) -> Iterator[tuple[Group, Window]]:
        with_prior = set() if space.scenario.prior_aid is None else set(space.scenario.prior_aid["beneficiary"])
        plain = self._windows(space, "")
        for group in space.groups(self.on, self.per):
            if len(group.demands):
                for window in self._windows(space, group.value) if group.value in with_prior else plain:
                    yield group, window

    def rows(self, space: Space) -> Iterator[Statement]:
        equivalents = grant_equivalents(space)
        common = lcm(*(e.denominator for e in equivalents))
        weights = np.array([int(e * common) for e in equivalents], np.int64)[:, None]
        largest = max(equivalents, default=Fraction(0))
        asked = space.most.astype(object) * space.step
        for group, window in self._limits(space):
            if largest * sum(asked[group.demands].tolist()) > window.limit:  # else it always holds
                cells = group.cells * window.years * weights
                term = Term(group.demands, 1, cells)
                yield Row((term,), None, window.limit * common, 100 * common, _named(group, window))

    def check(self, reading: Reading) -> Iterator[Level]:
        space = reading.space
        equivalents = grant_equivalents(space)
        common = lcm(*(e.denominator for e in equivalents))
        grants: dict[int, list[int]] = {}
        for rank, i in enumerate(reading.demand.tolist()):
            grants.setdefault(i, []).append(rank)
        for group, window in self._limits(space):
            total = Fraction(0)
            for i in group.demands.tolist():
                for rank in grants.get(i, ()):
                    f, y = int(reading.fund[rank]), int(reading.year[rank])
                    if group.cells[f, y] and window.years[y]:
                        total += int(reading.cents[rank]) * equivalents[f]
            if total:
                limit = window.limit * common
                yield Level(_named(group, window), int(total * common), None, limit, 100 * common)


def _inside(one: Window, other: Window, later: bool) -> bool:
    """Whether what the other asks for says all that this one asks for; of two alike, the later one does."""
    alike = (one.years == other.years).all() and one.limit == other.limit
    return bool((one.years <= other.years).all()) and other.limit <= one.limit and (later or not alike)


def _named(group: Group, window: Window) -> str:
    return f"{group.value}, {window.end.isoformat()}"


def _years_before(day: date, years: int) -> date:
    """The same day so many years before; 28 February for the 29th where there is none."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _within(day: str, first: date, end: date) -> bool:
    """Whether a day, or some day of a year, lies between two days, both included."""
    if len(day) == 4:
        return first.year <= int(day) <= end.year
    return first <= date.fromisoformat(day) <= end
