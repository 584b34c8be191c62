"""Who gets what in a plan: the map, and tables of measures, regions, places and the largest amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from allocator import data
from allocator.explain.variants import called
from allocator.money import format_euros
from allocator.report import map as chart
from allocator.report.note.words import counted, cut, each_euros, in_euros, plural, quantity, table_of
from allocator.texts import Text, language

if TYPE_CHECKING:
    from allocator.plan import Plan
    from allocator.space import Rule


class Places:
    """Where a plan's money goes. Each method is told how much room there is: rows, or centimetres of map."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.scenario = plan, plan.scenario
        self.totals = plan.summary()["totals"]
        units = plan.units.assign(asked=plan.asked_cents())
        territories = self.scenario.territories.set_index("id")
        self.units = units.join(territories[["region", "population"]], on="territory")
        self._names: dict[str, dict[str, str]] = {}

    def _per_head(self, by: str) -> pd.DataFrame:
        """Places by id: cents, people, value (euros per inhabitant, 0 without inhabitants)."""
        people = self.scenario.territories.groupby("id" if by == "territory" else by)["population"].sum()
        cents = self.units.groupby(by)["cents"].sum().reindex(people.index).fillna(0).astype(np.int64)
        table = pd.DataFrame({"cents": cents, "people": people})
        table["value"] = np.where(table["people"] > 0, table["cents"] / 100 / table["people"].clip(lower=1), 0.0)
        return table

    def map(self, width: float) -> tuple[dict[str, Any] | None, str]:
        """By EPCI where territories are EPCI, else by region where regions are known ones, else none."""
        for level, by in (("epci", "territory"), ("regions", "region")):
            table = self._per_head(by)
            table.index = table.index.astype(str)
            known = table[table.index.isin(chart.places(level))]
            if len(known) and 2 * len(known) >= len(table) and known["people"].sum() > 0:
                asking = known[known.index.isin(self._asking(by))]
                return self._drawn(level, table, known if asking.empty else asking, width)
        return None, ""

    def _asking(self, by: str) -> set[str]:
        """Territories, or regions, that some demand is in."""
        territories = self.scenario.territories
        mine = territories[territories["id"].isin(self.scenario.demands["territory"].unique())]
        return set(mine["id" if by == "territory" else by].astype(str))

    def _drawn(self, level: str, table: pd.DataFrame, known: pd.DataFrame, width: float) -> tuple[dict[str, Any], str]:
        shading = chart.shading({str(name): float(value) for name, value in known["value"].items()})
        what = Text("intercommunalité", "EPCI") if level == "epci" else Text("région", "region")
        many = Text("intercommunalités", "EPCIs") if level == "epci" else Text("régions", "regions")
        names = self.names("territory" if level == "epci" else "region")
        some = known[known["value"] > 0].sort_values("value", ascending=False)
        reading = [str(Text(f"{counted(len(some))} {many.fr} sur {counted(len(known))} qui demandent reçoivent quelque chose.",
                            f"{counted(len(some))} {many.en} out of {counted(len(known))} that ask receive something."))]  # fmt: skip
        if len(some):
            top = [
                f"{cut(names.get(str(name), name), 40)} ({each_euros(value)})"
                for name, value in some["value"].head(3).items()
            ]
            high = Text("Le plus par habitant : ", "Most per inhabitant: ").in_() + " ; ".join(top) + "."
            middle = float(np.median(known["value"]))
            reading += [high, str(Text(f"Médiane : {each_euros(middle)}.", f"Median: {each_euros(middle)}."))]
        lines = Text("Traits foncés : les régions. ", "Dark lines: regions. ").in_() if level == "epci" else ""
        box = chart.close_up(level, map(str, known.index))
        frames = Text("Cadres : l'outre-mer.", "Frames: overseas.").in_() if box is None else ""
        white = (
            Text("Blanc : pas de demande. ", "White: no demand. ").in_()
            if len(known) < len(chart.places(level))
            else ""
        )
        if about := (lines + white + frames).strip():
            reading.append(about)
        reading.append(str(Text("Contours : IGN, Licence Ouverte 2.0.", "Outlines: IGN, Licence Ouverte 2.0.")))
        off = table[~table.index.isin(chart.places(level))]
        away = len(off)
        if away:
            cents = format_euros(int(off["cents"].sum()), language())
            reading.append(str(Text(f"Hors de la carte : {counted(away)} territoire{plural(away)} ou région{plural(away)}, {cents} accordés.",
                                    f"Not on the map: {counted(away)} territories or regions, {cents} granted.")))  # fmt: skip
        title = Text(
            f"La carte : euros accordés par habitant, par {what.fr}",
            f"The map: euros granted per inhabitant, by {what.en}",
        )
        alt = Text(
            f"Carte de France : euros accordés par habitant, par {what.fr}. ",
            f"Map of France: euros granted per inhabitant, by {what.en}. ",
        )
        return {
            "title": str(title),
            "alt": str(alt) + " ".join(reading),
            "legend-title": str(Text("€ par habitant", "€ per inhabitant")),
            "legend": shading.legend,
            "reading": reading,
            "width": width,
        }, chart.svg(level, shading.colours, box)  # fmt: skip

    def names(self, by: str) -> dict[str, str]:
        """What the values of `by` are called, where it is known: read once, for some rules have a level a territory."""
        if by not in self._names:
            self._names[by] = self._called(by)
        return self._names[by]

    def _called(self, by: str) -> dict[str, str]:
        table = self.scenario.territories
        if by == "territory":
            return dict(zip(table["id"].astype(str), table["name"].astype(str), strict=True))
        called = f"{by}_name"
        if called in table:
            return {str(key): str(name) for key, name in table.groupby(by)[called].first().items()}
        return data.regions() if by == "region" else {}

    def group_text(self, rule: Rule, group: str) -> str:
        """What one of a rule's rows is about: the name of a place, fund or measure, else in the rule's own words."""
        per = getattr(rule, "per", None)
        if per in ("region", "departement", "territory"):
            return self.names(per).get(group, group)
        if per in ("fund", "measure"):
            named = self.scenario.funds if per == "fund" else self.scenario.measures
            return next((each.label or each.id for each in named if each.id == group), group)
        return rule.group_text(group)

    def measures(self, most: int) -> dict[str, Any]:
        sums: Any = self.units.groupby("measure")[["asked", "cents", "asked_units", "units"]].sum()
        served = self.units[self.units["cents"] > 0].groupby("measure").size()
        order = [m for m in self.scenario.measures if m.id in sums.index]
        kept = {m.id for m in sorted(order, key=lambda m: -sums.at[m.id, "cents"])[:most]}
        rows = []
        for measure in order:
            if measure.id in kept:
                row: Any = sums.loc[measure.id]
                amount = f"{quantity(row['units'])} / {quantity(row['asked_units'])} {cut(measure.unit, 18)}"
                rows.append([cut(measure.label or measure.id), counted(int(served.get(measure.id, 0))), amount.strip(),
                             in_euros(int(row["asked"])), in_euros(int(row["cents"]))])  # fmt: skip
        rest = [m.id for m in order if m.id not in kept]
        more = None
        if rest:
            cents = int(sums.loc[rest, "cents"].sum())
            more = str(Text(f"Et {counted(len(rest))} autre{plural(len(rest))} mesure{plural(len(rest))} : {in_euros(cents)} accordés.",
                            f"And {counted(len(rest))} more measure{plural(len(rest))}: {in_euros(cents)} granted."))  # fmt: skip
        total = [
            str(Text("Ensemble", "Together")),
            counted(int(served.sum())),
            "",
            in_euros(self.totals["asked"]),
            in_euros(self.totals["granted"]),
        ]
        return table_of(
            [Text("Mesure", "Measure"), Text("Dossiers servis", "Served"), Text("Unités accordées / demandées", "Units granted / asked"),
             Text("Demandé", "Asked"), Text("Accordé", "Granted")],
            rows, more, total=total,
        )  # fmt: skip

    def _bars(self, by: str, title: Text, head: Text, most: int) -> dict[str, Any]:
        """A row a place, with euros per inhabitant where people are known, in euros where they are not."""
        table, names = self._per_head(by), self.names(by)
        inhabited = bool((table["people"] > 0).any())
        table["key"] = table["value"] if inhabited else table["cents"] / 100
        table = table.sort_values(["key", "cents"], ascending=False, kind="stable")
        shown, rest = table.head(most), table.iloc[most:]
        top = float(table["key"].max()) or 1.0
        rows = [
            {
                "label": cut(names.get(str(name), str(name)), 40),
                "granted": in_euros(int(row["cents"])),
                "each": each_euros(row["value"]) if row["people"] > 0 else "—",
                "share": round(100 * float(row["key"]) / top, 2) / 100,
            }
            for name, row in zip(shown.index, shown.to_dict("records"), strict=True)
        ]  # fmt: skip
        more = None
        if len(rest):
            cents = in_euros(int(rest["cents"].sum()))
            more = str(
                Text(
                    f"Et {counted(len(rest))} autre{plural(len(rest))} : {cents}.",
                    f"And {counted(len(rest))} more: {cents}.",
                )
            )
        people = int(table["people"].sum())
        each = each_euros(self.totals["granted"] / 100 / people) if people else "—"
        return {
            "title": str(title), "more": more, "rows": rows,
            "heads": [str(head), str(Text("Accordé", "Granted")), str(Text("€ par habitant", "€ per inhabitant"))],
            "total": [str(Text("Ensemble", "Together")), in_euros(self.totals["granted"]), each],
        }  # fmt: skip

    def regions(self, most: int) -> dict[str, Any]:
        return self._bars("region", Text("Par région", "By region"), Text("Région", "Region"), most)

    def places(self, most: int) -> dict[str, Any]:
        """Instead of a map."""
        title, head = (
            Text("Qui reçoit le plus, par territoire", "Who receives most, by territory"),
            Text("Territoire", "Territory"),
        )
        why = Text("Pas de carte : ces territoires ne sont ni des intercommunalités ni dans des régions dont les contours sont connus.",
                   "No map: these territories are neither EPCIs nor in regions whose outlines are known.")  # fmt: skip
        return self._bars("territory", title, head, most) | {"notes": [str(why)]}

    def largest(self, most: int) -> dict[str, Any]:
        served = self.units[self.units["cents"] > 0]
        top = served.nlargest(most, "cents")
        names = [_without_id(called(self.scenario, demand), demand) for demand in top["demand"]]
        rows = [[cut(name, 60) + (f" ({cut(demand, 40)})" if names.count(name) > 1 else ""), in_euros(int(cents))]
                for name, demand, cents in zip(names, top["demand"], top["cents"], strict=True)]  # fmt: skip
        rest = len(served) - len(top)
        cents = int(served["cents"].sum() - top["cents"].sum())
        more = str(Text(f"Et {counted(rest)} autre{plural(rest)} : {in_euros(cents)}. Liste à notifier : plan.xlsx, feuille « À notifier ».",
                        f"And {counted(rest)} more: {in_euros(cents)}. List to notify: plan.xlsx, sheet “To notify”.")) if rest else None  # fmt: skip
        return table_of([Text("Dossier", "Demand"), Text("Accordé", "Granted")], rows, more) | {
            "title": str(Text("Les plus gros montants", "The largest amounts")),
        }


def _without_id(name: str, demand: str) -> str:
    return name.removesuffix(f" ({demand})")
