"""The exact trade-off between two or three aims: certified plans, none of which another one beats.

Two aims: from the plan with most of the first to the plan with most of the second, both ends lexicographic. Between them,
where whole units alone count, every point there is while `points` suffice; where everything is divisible, every corner
of the line; else, and for what is left of `points`, plans spread evenly. Three aims: a grid. See docs/frontier.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from allocator.certify import relative_gap
from allocator.engines.base import Engine, Stop
from allocator.frontier.axes import Axis, Points, axes
from allocator.frontier.knee import knee
from allocator.frontier.search import OnPoint, Point, Search
from allocator.plan import Plan
from allocator.problems import Problem
from allocator.scenario import Scenario
from allocator.scenario.entities import plain
from allocator.solver import Session, interruptible
from allocator.texts import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Frontier", "frontier"]

MOST_POINTS = 1000


def frontier(
    scenario: Scenario,
    x: str,
    y: str,
    z: str | None = None,
    *,
    points: int = 20,
    engine: str | Engine = "auto",
    gap: float = 1e-4,
    time_limit: float | None = None,
    on_point: OnPoint | None = None,
    on_found: Callable[[Frontier], None] | None = None,
    stop: Stop | None = None,
) -> Frontier:
    """The trade-off between two or three aims of a scenario, at most about `points` plans.

    An aim: an indicator ("emplois"), "points" (the scenario's own objective), "euros" (as few as can be),
    "maximin:region" (euros per inhabitant of the worst-off value of any `per`), "units:friche" (units of a measure).
    `gap`, `time_limit` (seconds) and `engine`: of each plan, as for `solve`; `gap=0` where points may lie closer together
    than a ten-thousandth. `on_found` is given the frontier so far after each plan found. Once `stop()` is true, or at Ctrl-C,
    the points found by then (`interrupted`). Raises `ScenarioError` for what is wrong with the aims, ValueError for the rest.
    """
    names = {"x": x, "y": y} | ({} if z is None else {"z": z})
    wrong: list[Problem] = []
    if not isinstance(points, int) or not 2 <= points <= MOST_POINTS:
        wanted = Text(
            f"un nombre entier de 2 à {MOST_POINTS} est attendu", f"a whole number from 2 to {MOST_POINTS} is expected"
        )
        wrong.append(Problem("points", wanted, Text("Par exemple 20.", "For example 20.")))
    prepared, named = axes(scenario, names, wrong)
    # what soft rules take is in points: the scenario's own points carry it, or the first aim
    ranked = sorted(named, key=lambda place: not isinstance(named[place], Points))
    session = Session(engine=engine, gap=gap, time_limit=time_limit, interruptible=False)

    with interruptible() as interrupted:

        def ended() -> bool:
            return interrupted() or (stop is not None and stop())

        def solve(scenario: Scenario, seconds: float | None) -> Plan:
            session.time_limit = seconds
            return session.solve(scenario, stop=ended)

        def found() -> None:
            if on_found is not None:
                on_found(Frontier(scenario, named, tuple(ranked), replace(search, found=list(search.found))))

        aims = tuple(named[place] for place in ranked)
        search = Search(prepared, aims, solve, time_limit, points, on_point, ended, found)
        nothing = search.run()
    return Frontier(scenario, named, tuple(ranked), search, nothing)


@dataclass(frozen=True, eq=False)
class Frontier:
    """Points in the order of the first aim, from most to least; none where there is no plan (`nothing` says why)."""

    scenario: Scenario
    axes: Mapping[str, Axis]
    ranked: tuple[str, ...]  # "x", "y", "z" in the order in which plans were made: the last ones by rules
    search: Search = field(repr=False)
    nothing: Plan | None = None

    @property
    def status(self) -> str:
        """ "optimal" where every point is proved to the gap, else "feasible"; "infeasible" or "no_plan" without any."""
        if self.nothing is not None:
            return self.nothing.status
        proved = all(point.plan.status == "optimal" for point in self.points)
        return "optimal" if proved and not self.search.failed and not self.interrupted else "feasible"

    @cached_property
    def points(self) -> list[Point]:
        """By x from most to least (from least, where less is better), then y, then z."""
        order = [self.ranked.index(place) for place in self.axes]
        return sorted(self.search.kept, key=lambda p: tuple(p.values[k] for k in order), reverse=True)

    @property
    def plans(self) -> list[Plan]:
        """A plan for each row of the table."""
        return [point.plan for point in self.points]

    @property
    def dominated(self) -> int:
        """How many plans were found that another one beats or equals, and left out."""
        return len(self.search.found) - len(self.points)

    @property
    def complete(self) -> bool:
        """Whether every point that no plan beats is here, to the gap."""
        return self.nothing is None and self.search.complete

    @property
    def interrupted(self) -> bool:
        """Whether the search was stopped before its end: these are the points found by then."""
        return self.search.stopped

    @property
    def straight(self) -> bool:
        """Whether, to the gap, the frontier is the straight line between neighbours: every corner is here."""
        return self.nothing is None and self.search.straight

    @cached_property
    def knee(self) -> int | None:
        """Row of the point farthest beyond the plane through the ends; None under three points, or where none is beyond.
        Points without a bound on the first aim do not count: how far they are from the frontier is not known."""
        rows = [k for k, point in enumerate(self.points) if point.bounds[0] is not None]
        found = knee([self.values(self.points[k]) for k in rows])
        return None if found is None else rows[found]

    def values(self, point: Point) -> tuple[Fraction, ...]:
        """Of x, y (and z), more being better."""
        return tuple(point.values[self.ranked.index(place)] for place in self.axes)

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row per point: each aim as it is shown, and what no plan exceeds that has as much of the others (as `asked`);
        status, gap (of the aim that no rule asks for: x, or points), knee, granted (cents), input_hash."""
        rows = []
        for k, point in enumerate(self.points):
            row: dict[str, Any] = {}
            for place, axis in self.axes.items():
                rank = self.ranked.index(place)
                row[place] = float(point.values[rank]) * axis.sign
                bound = point.bounds[rank]
                row[f"{place}_bound"] = None if bound is None else float(bound) * axis.sign
                asked = point.asked[rank - 1] if rank else None
                row[f"{place}_asked"] = None if asked is None else float(asked) * axis.sign
            plan = point.plan
            assert plan.reading is not None
            row |= {
                "status": plan.status,
                "gap": relative_gap(point.values[0], point.bounds[0]),  # of the aim that no rule asks for
                "knee": k == self.knee,
                "granted": int(plan.reading.cents.sum()),
                "input_hash": plan.scenario.input_hash,
                "seconds": round(point.seconds, 3),
            }
            rows.append(row)
        columns = [name for place in self.axes for name in (place, f"{place}_bound", f"{place}_asked")]
        table = pd.DataFrame(rows, columns=[*columns, "status", "gap", "knee", "granted", "input_hash", "seconds"])
        return table.astype(dict.fromkeys([*columns, "gap", "seconds"], float) | {"knee": bool, "granted": "int64"})

    @cached_property
    def grants(self) -> pd.DataFrame:
        """The grants of every point (`point`: its row), in cents."""
        parts = [plan.grants.assign(point=k) for k, plan in enumerate(self.plans)]
        columns = ["point", "demand", "territory", "measure", "fund", "year", "cents"]
        return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)

    @property
    def says(self) -> list[Text]:
        """What is proved, and what is not."""
        return list(_said(self)) if self.nothing is None else []

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values: what `--json` prints."""
        records = self.table.astype(object).where(self.table.notna(), None).to_dict("records")
        for record, point in zip(records, self.points, strict=True):
            if record["gap"] == float("inf"):
                record["gap"] = None
            rules = {rule.id for rule in self.scenario.constraints}
            own = point.plan.scenario
            record["rules"] = [_told(plain(c)) for c in own.constraints if c.id not in rules]
            record["objective"] = _told(plain(own.objective))
        report: dict[str, Any] = {
            "scenario": self.scenario.name,
            "input_hash": self.scenario.input_hash,
            "status": self.status,
            "aims": {
                place: {
                    "name": axis.name,
                    "title": str(axis.title),
                    "unit": str(axis.unit),
                    "more_is_better": axis.sign > 0,
                }
                for place, axis in self.axes.items()
            },
            "points": [{str(key): value for key, value in record.items()} for record in records],
            "most": {
                place: {"found": plan.objective, "bound": plan.bound}
                for place, axis in self.axes.items()
                if (plan := self.search.best.get(axis)) is not None
            },
            "knee": self.knee,
            "complete": self.complete,
            "interrupted": self.interrupted,
            "straight": self.straight,
            "dominated": self.dominated,
            "not_found": len(self.search.failed),
            "solves": self.search.solves,
            "says": [str(text) for text in self.says],
        }
        if self.nothing is not None:
            report["conflict"] = self.nothing.conflict.as_dict() if self.nothing.conflict else None
        return report


def _told(value: Any) -> Any:
    """Exact numbers as people write them."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    if isinstance(value, dict):
        return {str(key): _told(each) for key, each in value.items()}
    return [_told(each) for each in value] if isinstance(value, (list, tuple)) else value


def _said(found: Frontier) -> Any:
    count = len(found.points)
    if found.interrupted:
        yield Text(
            f"Interrompu : {'le point trouvé' if count == 1 else f'les {count} points trouvés'} jusque-là ; il en manque.",
            f"Interrupted: {'the point' if count == 1 else f'the {count} points'} found by then; others are missing.",
        )
    elif count == 1 and len(found.axes) == 2 and found.complete:
        yield Text(
            "Ces objectifs ne s'opposent pas : un même plan donne le plus des deux (à l'écart garanti près).",
            "These aims are not at odds: one plan gives most of both (to the gap).",
        )
    elif found.complete:
        yield Text(
            f"Les {count} points sont tous ceux qu'aucun plan ne domine (à l'écart garanti près).",
            f"These {count} points are all that no plan dominates (to the gap).",
        )
    elif found.straight:
        yield Text(
            "Tous les angles y sont : entre deux points voisins, la frontière est le segment (à l'écart garanti près).",
            "Every corner is here: between neighbours the frontier is the straight line (to the gap).",
        )
    else:
        yield Text(
            "D'autres points existent entre ceux-ci ; demander davantage de points les montre.",
            "There are other points between these; asking for more points shows them.",
        )
    yield Text(
        "Pour chaque point : aucun plan n'a autant des autres objectifs et davantage du premier que sa borne.",
        "For each point: no plan has as much of the other aims and more of the first than its bound.",
    )
    if len(found.axes) == 3:
        yield Text(
            "Trois objectifs : une grille entre les extrêmes trouvés ; des points peuvent lui échapper.",
            "Three aims: a grid between the ends that were found; points may lie outside it.",
        )
    if found.dominated:
        yield Text(
            f"{found.dominated} plan(s) trouvé(s) en chemin, dominés ou égaux à un autre, sont écartés.",
            f"{found.dominated} plan(s) found on the way, dominated by or equal to another, are left out.",
        )
    if found.search.failed and not found.interrupted:
        yield Text(
            f"{len(found.search.failed)} calcul(s) sans plan dans le temps donné : davantage de temps montrerait peut-être d'autres points.",
            f"{len(found.search.failed)} solve(s) without a plan in the time given: more time might show other points.",
        )
    if len(found.points) >= 3 and found.knee is None:
        yield Text(
            "Pas de coude : aucun point n'est au-delà de la droite (du plan) qui joint les extrêmes.",
            "No knee: no point lies beyond the line (or plane) through the ends.",
        )
