"""Several plans side by side: what each grants, and how far it is from the first one, to the cent.

The first plan is the reference. Tables have one column per plan, under the plan's name, and for each later
plan its difference from the reference, under `change_of(name)`; the differences of a table of euros add up to
the difference of the totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from allocator.compare import plain
from allocator.compare.groups import DEMAND_ATTRIBUTES, MARGINS, Groups, change_of, groups_of, labels_of
from allocator.inequality import Inequality
from allocator.plan import Plan
from allocator.problems import Problem, ScenarioError, did_you_mean
from allocator.space import Space
from allocator.texts import Text, language

PLACES = ("territory", "departement", "region")  # margins that divide people
_NOT_ATTRIBUTES = ("id", "name", "population")  # of territories
_NOT_NAMES = ("key", "label", "unit")  # columns that stand beside those of the plans

FATES = {
    "new": Text("nouvellement financés", "newly funded"),
    "more": Text("financés davantage", "funded more"),
    "same": Text("financés à l'identique", "funded the same"),
    "less": Text("financés moins", "funded less"),
    "gone": Text("ne sont plus financés", "no longer funded"),
    "none": Text("financés dans aucun des deux", "funded in neither"),
}
"""What becomes of a demand from the reference to a later plan."""


def compare(plans: Iterable[Plan], names: Sequence[str] | None = None) -> Comparison:
    """Two or more plans side by side; the first is the reference.

    Their scenarios may differ in anything: what one lacks counts for 0 there. So does everything in a plan
    without grants (infeasible, none found), which `notes` then says. Plans are called by their `names`, by default
    those of their scenarios, a second one of the same name "… (2)". Raises `ScenarioError` for fewer than two plans, `TypeError` for what
    is not a plan.
    """
    found = (plans,) if isinstance(plans, Plan) else tuple(plans)
    for plan in found:
        if not isinstance(plan, Plan):
            raise TypeError(f"a Plan is expected, not {type(plan).__name__}")
    if len(found) < 2:
        text = Text("il faut au moins deux plans à comparer", "it takes at least two plans to compare")
        raise ScenarioError([Problem("compare", text)])
    return Comparison(found, _distinct(names or [plan.scenario.name for plan in found]))


@dataclass(frozen=True, eq=False)
class Comparison:
    """`plans` (two or more) and their distinct `names`. Money in whole cents, never floats."""

    plans: tuple[Plan, ...]
    names: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.names[1:])} with {self.names[0]}>"

    @property
    def reference(self) -> str:
        """The name of the first plan."""
        return self.names[0]

    @cached_property
    def _summaries(self) -> list[dict[str, Any]]:
        """What `solve --json` says of each plan: one source for the figures of both commands."""
        return [plan.summary() for plan in self.plans]

    @property
    def totals(self) -> pd.DataFrame:
        """One row per plan: plan, status; objective, bound, gap (NaN where there is none); asked, granted,
        left and change (granted less the reference's) in cents, int64.
        """
        totals = [summary["totals"] for summary in self._summaries]
        table: dict[str, Any] = {"plan": list(self.names), "status": [plan.status for plan in self.plans]}
        for name in ("objective", "bound", "gap"):
            table[name] = np.array([getattr(plan, name) for plan in self.plans], np.float64)
        for name in ("asked", "granted", "left"):
            table[name] = np.array([total[name] for total in totals], np.int64)
        table["change"] = table["granted"] - table["granted"][0]
        return pd.DataFrame(table)

    @property
    def margins(self) -> tuple[str, ...]:
        """What `by` accepts: `MARGINS`, then attributes of territories and demands of any plan."""
        found = dict.fromkeys(MARGINS)
        for plan in self.plans:
            found |= dict.fromkeys(c for c in plan.scenario.territories.columns if c not in _NOT_ATTRIBUTES)
            found |= dict.fromkeys((*DEMAND_ATTRIBUTES, *plan.scenario.attributes))
        return tuple(found)

    def by(self, per: str) -> pd.DataFrame:
        """Cents granted for each value of `per` (one of `margins`): key, label (texts), then int64 columns.

        A row for each value that any plan's scenario knows, granted or not. A fund counts where it pays, not
        again under its parent. What has no such attribute stands under the key "". Columns add up to
        `granted` of the totals. `ScenarioError` for an unknown `per`.
        """
        return self._table(self._groups(per))

    def people(self, per: str) -> dict[str, int]:
        """Inhabitants of each value of `per`, by key, as the last plan's scenario knows them; empty for what is no place."""
        return {str(key): int(count) for each in self._groups(per) for key, count in each.people.items()}

    def _groups(self, per: str) -> list[Groups]:
        if per not in self.margins:
            unknown = Text(f"répartition inconnue « {per} »", f"unknown breakdown “{per}”")
            raise ScenarioError([Problem("per", unknown, did_you_mean(per, self.margins))])
        key = per, language()  # labels are in a language
        if key not in self._kept:
            self._kept[key] = [groups_of(plan, per) for plan in self.plans]
        return self._kept[key]

    @cached_property
    def _kept(self) -> dict[tuple[str, str], list[Groups]]:
        return {}

    def _table(self, groups: Sequence[Groups]) -> pd.DataFrame:
        labels = labels_of(groups)
        keys = list(labels)
        if any(each.ordered for each in groups):
            numeric = all(each.numeric for each in groups)
            keys.sort(key=lambda key: (key == "", float(key) if numeric and key else 0.0, key))
        table = pd.DataFrame({"key": keys, "label": [labels[key] for key in keys]}, dtype="str")
        for name, each in zip(self.names, groups, strict=True):
            table[name] = each.sums(keys)
        return self._with_changes(table)

    def _with_changes(self, table: pd.DataFrame) -> pd.DataFrame:
        for name in self.names[1:]:
            table[change_of(name)] = table[name] - table[self.reference]
        return table

    @property
    def indicators(self) -> pd.DataFrame:
        """Each indicator's total: key, label, a column per plan, and the differences (numbers, not money)."""
        return self._quantities("indicators", {})

    @property
    def units(self) -> pd.DataFrame:
        """Units granted per measure: key, label, unit, a column per plan, and the differences."""
        measures = {m.id: m for plan in reversed(self.plans) for m in plan.scenario.measures}
        table = self._quantities("units", {m.id: m.label for m in measures.values()})
        table.insert(2, "unit", [measures[key].unit for key in table["key"]])
        return table

    def _quantities(self, of: str, labels: dict[str, str]) -> pd.DataFrame:
        found = [summary[of] for summary in self._summaries]
        keys = list(dict.fromkeys(key for each in found for key in each))
        table = pd.DataFrame({"key": keys, "label": [labels.get(key, key) for key in keys]}, dtype="str")
        for name, each in zip(self.names, found, strict=True):
            table[name] = np.array([each.get(key, 0) for key in keys], np.float64)
        return self._with_changes(table).round(6)

    def gainers(self, k: int | None = 10, per: str = "territory", plan: str | None = None) -> pd.DataFrame:
        """The `k` largest increases (None: all) in `plan`, or in each later plan: plan, key, label, before,
        after, change (cents), population (0: unknown), per_inhabitant (euros of change; NaN without people).

        `per` is one of `margins`; territories come with their `region`. Equal changes in the order of `by`.
        """
        return self._movers(k, per, plan, 1)

    def losers(self, k: int | None = 10, per: str = "territory", plan: str | None = None) -> pd.DataFrame:
        """The `k` largest decreases, as `gainers`; `change` is negative."""
        return self._movers(k, per, plan, -1)

    def _movers(self, k: int | None, per: str, plan: str | None, sign: int) -> pd.DataFrame:
        groups = self._groups(per)
        table = self._table(groups)
        parts = []
        for position in self._later(plan):
            name = self.names[position]
            change = sign * table[change_of(name)].to_numpy(np.int64)
            count = int((change > 0).sum())
            order = np.argsort(-change, kind="stable")[: count if k is None else min(count, max(k, 0))]
            rows = table.iloc[order]
            people = groups[0].people | groups[position].people
            population = np.array([people.get(key, 0) for key in rows["key"]], np.int64)
            part = pd.DataFrame({"plan": name, "key": rows["key"], "label": rows["label"]})
            if per == "territory":
                called = labels_of(self._groups("region"))
                regions = _regions(self.plans[0]) | _regions(self.plans[position])
                part["region"] = [called[regions[key]] for key in rows["key"]]
            part["before"], part["after"] = rows[self.reference], rows[name]
            part["change"], part["population"] = rows[change_of(name)], population
            each = sign * change[order] / 100 / np.where(population > 0, population, 1)
            part["per_inhabitant"] = np.where(population > 0, each, np.nan)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def _later(self, plan: str | None) -> list[int]:
        if plan is None:
            return list(range(1, len(self.plans)))
        if plan not in self.names[1:]:
            unknown = Text(f"plan inconnu « {plan} »", f"unknown plan “{plan}”")
            raise ScenarioError([Problem("plan", unknown, did_you_mean(plan, self.names[1:]))])
        return [self.names.index(plan)]

    def demands(self) -> pd.DataFrame:
        """What becomes of each demand, by id, in each later plan: plan, demand, territory, measure, fate (see
        `FATES`), before, after, change (cents), eligible_before, eligible_after.

        A row for each demand of the two scenarios. Eligible: some fund may pay it, and no rule refuses it by
        itself. One that a scenario lacks is neither eligible nor funded there.
        """
        return pd.concat([self._fates(position) for position in self._later(None)], ignore_index=True)

    def _fates(self, position: int) -> pd.DataFrame:
        old, new = self.plans[0].units, self.plans[position].units
        ids = pd.Index(new["demand"]).union(pd.Index(old["demand"]))
        at_old, at_new = pd.Index(old["demand"]).get_indexer(ids), pd.Index(new["demand"]).get_indexer(ids)
        before, after = _at(old["cents"].to_numpy(), at_old), _at(new["cents"].to_numpy(), at_new)
        fates = {
            "none": (before == 0) & (after == 0), "new": before == 0, "gone": after == 0,
            "more": after > before, "less": after < before,
        }  # fmt: skip
        known = pd.concat([new, old]).drop_duplicates("demand").set_index("demand").loc[ids]
        return pd.DataFrame(
            {
                "plan": self.names[position], "demand": ids.to_numpy(),
                "territory": known["territory"].to_numpy(), "measure": known["measure"].to_numpy(),
                "fate": np.select(list(fates.values()), list(fates), "same"),
                "before": before, "after": after, "change": after - before,
                "eligible_before": _at(self._eligible[0], at_old),
                "eligible_after": _at(self._eligible[position], at_new),
            }
        )  # fmt: skip

    @cached_property
    def _eligible(self) -> list[np.ndarray]:
        spaces = [plan.reading.space if plan.reading else Space.of(plan.scenario) for plan in self.plans]
        return [space.boxes[1] > 0 for space in spaces]

    @property
    def inequality(self) -> pd.DataFrame:
        """How unequal each plan is, in euros per inhabitant between `PLACES`: per, plan, gini, theil, least, most (euros per
        inhabitant of the worst and best served), nobody (people of places that get nothing), change (of gini, from the
        reference). See `allocator.inequality`."""
        rows = []
        for per in PLACES:
            first = None
            for name, each in zip(self.names, self._groups(per), strict=True):
                keys = [key for key, count in each.people.items() if count > 0]
                people = np.array([each.people[key] for key in keys], np.int64)
                found = Inequality.of(self._granted(each, keys).astype(np.float64), people)
                first = found if first is None else first
                rows.append(
                    (per, name, found.gini, found.theil, found.least, found.most, found.nobody, found.gini - first.gini)
                )
        return pd.DataFrame(rows, columns=["per", "plan", "gini", "theil", "least", "most", "nobody", "change"])

    @staticmethod
    def _granted(groups: Groups, keys: Sequence[str]) -> np.ndarray:
        """(len(keys),) cents of these groups alone; others hold nobody."""
        every = list(dict.fromkeys([*keys, *groups.labels]))
        return groups.sums(every)[: len(keys)]

    @property
    def checks(self) -> list[tuple[str, bool]]:
        """What must add up, to the cent, and does: in every margin each plan comes to what it granted and the differences to
        the difference; so do what demands gain and lose, and territories."""
        totals = self.totals
        granted = dict(zip(self.names, totals["granted"].tolist(), strict=True))
        changes = {name: granted[name] - granted[self.reference] for name in self.names[1:]}
        found = []
        for per in MARGINS:
            table = self.by(per)
            sums = all(sum(table[name].tolist()) == cents for name, cents in granted.items())
            found.append((per, sums and all(sum(table[change_of(n)].tolist()) == c for n, c in changes.items())))
        moved = self.demands().groupby("plan")["change"].sum().to_dict()
        found.append(("demands", all(moved.get(name, 0) == cents for name, cents in changes.items())))
        both = pd.concat([self.gainers(None), self.losers(None)]).groupby("plan")["change"].sum().to_dict()
        found.append(("gainers and losers", all(both.get(name, 0) == cents for name, cents in changes.items())))
        return found

    @property
    def scarce(self) -> pd.DataFrame:
        """Funds asked for more than they hold: plan, id, label, asked (by demands they may pay), held: cents.

        Demands of several funds count in each.
        """
        rows = []
        for name, plan in zip(self.names, self.plans, strict=True):
            asked, held = plan.asked_by_fund(), plan.held_cents()
            short = [fund for fund in plan.scenario.funds if asked[fund.id] > held[fund.id]]
            rows += [(name, fund.id, fund.label, asked[fund.id], held[fund.id]) for fund in short]
        table = pd.DataFrame(rows, columns=["plan", "id", "label", "asked", "held"])
        return table.astype({"asked": np.int64, "held": np.int64})

    @property
    def binding(self) -> pd.DataFrame:
        """Rules and funds whose change could change the plan: plan, id, label, kind ("fund": an envelope)."""
        rows = []
        for name, plan in zip(self.names, self.plans, strict=True):
            rules: dict[str, Any] = {rule.id: rule for rule, _ in plan.certificate.levels}
            rows += [(name, id, rules[id].label or id, rules[id].kind) for id in plan.binding]
        return pd.DataFrame(rows, columns=["plan", "id", "label", "kind"])

    @property
    def notes(self) -> list[Text]:
        """What to know before reading the differences."""
        found = []
        for name, plan in zip(self.names, self.plans, strict=True):
            if plan.reading is None:
                found.append(
                    Text(
                        f"« {name} » n'a pas de plan : il compte pour zéro partout",
                        f"“{name}” has no plan: it counts as zero everywhere",
                    )
                )
        first, reference = self.plans[0].scenario, self.reference
        for name, plan in zip(self.names[1:], self.plans[1:], strict=True):
            if plan.scenario.objective != first.objective:
                found.append(
                    Text(
                        f"« {name} » n'a pas l'objectif de « {reference} » : ne pas comparer leurs points",
                        f"“{name}” and “{reference}” have different objectives: do not compare their points",
                    )
                )
            if plan.scenario.years != first.years:
                spans = [f"{min(years)}-{max(years)}" for years in (plan.scenario.years, first.years)]
                found.append(
                    Text(
                        f"« {name} » porte sur {spans[0]}, « {reference} » sur {spans[1]}",
                        f"“{name}” covers {spans[0]}, “{reference}” {spans[1]}",
                    )
                )
        return found

    def as_dict(self) -> dict[str, Any]:
        """The JSON of ``allocator compare --json``: cents as whole numbers, what does not exist as None.

        `by_territory` keeps to territories that some plan grants something.
        """
        return plain.as_dict(self)

    def fates(self) -> pd.DataFrame:
        """How many demands have each fate, and what it changes: plan, fate, count, change (cents)."""
        sums = self.demands().groupby(["plan", "fate"])["change"].agg(["size", "sum"])
        pairs = pd.MultiIndex.from_product([self.names[1:], list(FATES)], names=["plan", "fate"])
        table = sums.reindex(pairs, fill_value=0).reset_index()
        return table.rename(columns={"size": "count", "sum": "change"})


def _regions(plan: Plan) -> dict[str, str]:
    """The region of each territory."""
    table = plan.scenario.territories
    return dict(zip(table["id"], table["region"], strict=True))


def _at(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """`values[where]`, zero (or False) where `where` is −1."""
    if not len(values):
        return np.zeros(len(where), values.dtype)
    return np.where(where >= 0, values[where], values.dtype.type(0))


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names that tell plans, their columns and each other apart: a second "a" becomes "a (2)"."""
    taken = set(_NOT_NAMES)
    found = []
    for name in names:
        free, rank = name, 1
        while {free, change_of(free)} & taken:
            rank += 1
            free = f"{name} ({rank})"
        taken |= {free, change_of(free)}
        found.append(free)
    return tuple(found)


__all__ = ["FATES", "MARGINS", "Comparison", "change_of", "compare"]
