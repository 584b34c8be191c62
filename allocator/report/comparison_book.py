"""A comparison as a workbook: a sheet a margin, with native charts on the first; amounts in euros, exact to the cent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from allocator.compare import FATES, MARGINS, change_of
from allocator.formats.workbook import Book
from allocator.report.comparison import PLACES, SHORT_STATUS, costs_of
from allocator.report.workbook import euros_cell
from allocator.texts import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from xlsxwriter.worksheet import Worksheet

    from allocator.compare import Comparison
    from allocator.explain.explanation import Explanation

HEAD = 3
COLOURS = ("#1F3864", "#C55A11", "#548235", "#7F6000", "#7030A0", "#2E75B6")
NAMES = {
    "fund": Text("Fonds", "Funds"),
    "measure": Text("Mesures", "Measures"),
    "region": Text("Régions", "Regions"),
    "departement": Text("Départements", "Departments"),
    "territory": Text("Territoires", "Territories"),
    "year": Text("Années", "Years"),
}
KEY, LABEL = Text("Identifiant", "Id"), Text("Libellé", "Label")
CHARTED = ("fund", "measure", "region")


def write_comparison_book(comparison: Comparison, path: str, reasons: Mapping[str, Explanation] | None = None) -> None:
    """Write the workbook; `OSError` for the file."""
    ComparisonBook(comparison, path, reasons or {}).write()


class ComparisonBook:
    """The sheets of a comparison. A plan's amounts stand beside their difference from the reference."""

    def __init__(self, comparison: Comparison, path: str, reasons: Mapping[str, Explanation]) -> None:
        self.comparison, self.reasons = comparison, reasons
        self.book = Book(path)

    def write(self) -> None:
        summary = self._totals()
        for rank, per in enumerate(MARGINS):
            first, end = self._margin(per)
            if per in CHARTED:
                self._chart(summary, per, first, end, rank)
        self._quantities(Text("Unités", "Units"), self.comparison.units)
        self._quantities(Text("Indicateurs", "Indicators"), self.comparison.indicators)
        self._movers()
        self._demands()
        self._inequality()
        self._rules()
        self.book.close()

    def _sheet(
        self, name: Text, line: Text, headers: Sequence[str], rows: Iterable[Sequence[Any]], money: Sequence[int]
    ) -> int:
        """A sheet of rows, those columns `money` in cents; the row after the last."""
        sheet = self.book.sheet(str(name), str(name), str(line))
        count = self.book.headers(sheet, headers)
        row = HEAD + 1
        for cells in rows:
            for at, value in enumerate(cells):
                if at in money and value is not None:
                    self.book.cell(sheet, row, at, euros_cell(value), self.book.euros)
                else:
                    self.book.cell(sheet, row, at, value)
            row += 1
        sheet.autofilter(HEAD, 0, max(HEAD + 1, row - 1), count - 1)
        sheet.set_column(0, 1, 30)
        return row

    def _beside(self, unit: str = " (€)") -> list[str]:
        """The headers of the plans' columns."""
        first, *later = self.comparison.names
        return [f"{first}{unit}", *(f"{name}{unit}" for n in later for name in (n, change_of(n)))]

    def _values(self, row: dict[str, Any]) -> list[Any]:
        first, *later = self.comparison.names
        return [row[first], *(row[name] for n in later for name in (n, change_of(n)))]

    def _totals(self) -> Worksheet:
        totals = self.comparison.totals
        title = Text("Ensemble", "Overall")
        sheet = self.book.sheet(str(title), " / ".join(self.comparison.names), "")
        heads = (Text("Plan", "Plan"), Text("Résultat", "Result"), Text("Points", "Points"), Text("Aucun plan ne dépasse", "No plan exceeds"),
                 Text("Demandé (€)", "Asked (€)"), Text("Accordé (€)", "Granted (€)"), Text("Reste à attribuer (€)", "Left (€)"),
                 Text("Écart d'accordé (€)", "Change of granted (€)"))  # fmt: skip
        self.book.headers(sheet, [str(head) for head in heads])
        row = HEAD
        for each in totals.to_dict("records"):
            row += 1
            points = [
                None if each[key] != each[key] or abs(each[key]) == float("inf") else each[key]
                for key in ("objective", "bound")
            ]
            self.book.cell(sheet, row, 0, each["plan"], self.book.bold)
            for at, value in enumerate((str(SHORT_STATUS[each["status"]]), *points), 1):
                self.book.cell(sheet, row, at, value)
            for at, key in enumerate(("asked", "granted", "left", "change"), 4):
                self.book.cell(sheet, row, at, euros_cell(int(each[key])), self.book.euros)
        for note in self.comparison.notes:
            row += 1
            sheet.write_string(row, 0, str(note))
        sums = Text("Sommes vérifiées au centime", "Sums checked to the cent")
        held = Text("oui", "yes") if all(ok for _, ok in self.comparison.checks) else Text("NON", "NO")
        sheet.write_string(row + 1, 0, str(sums), self.book.label)
        sheet.write_string(row + 1, 1, str(held))
        sheet.set_column(0, 1, 30)
        self.below = row + 4
        return sheet

    def _margin(self, per: str) -> tuple[int, int]:
        """The column of the first plan, and the row after the last value."""
        table = self.comparison.by(per)
        people = self.comparison.people(per) if per in PLACES else {}
        more = [str(Text("Population", "Population"))] if people else []
        rows = [
            [
                row["key"],
                row["label"],
                *([people.get(str(row["key"]), 0)] if people else []),
                *self._values(_plain(row)),
            ]
            for row in table.to_dict("records")
        ]
        first = 2 + len(more)
        sums = [sum(row[at] for row in rows) for at in range(first, first + len(self._beside()))]
        end = self._sheet(
            NAMES[per],
            Text("Accordé, et écart avec le premier plan ; la dernière ligne est la somme.",
                 "Granted, and the difference from the first plan; the last row is the sum."),
            [str(KEY), str(LABEL), *more, *self._beside()],
            [*rows, [str(Text("total", "total")), "", *([sum(people.values())] if people else []), *sums]],
            range(first, first + len(sums)),
        )  # fmt: skip
        return first, end - 1  # without the sum

    def _quantities(self, name: Text, table: pd.DataFrame) -> None:
        units = ["unit"] if "unit" in table else []
        rows = (
            [row["key"], row["label"], *(row[u] for u in units), *self._values(_plain(row))]
            for row in table.to_dict("records")
        )
        heads = [str(KEY), str(LABEL), *([str(Text("Unité", "Unit"))] if units else []), *self._beside("")]
        self._sheet(
            name, Text("Et écart avec le premier plan.", "And the difference from the first plan."), heads, rows, ()
        )

    def _movers(self) -> None:
        """Every territory that gains or loses, the largest first."""
        comparison = self.comparison
        rows = [
            [row["plan"], row["label"], row["region"], row["population"], row["before"], row["after"], row["change"],
             None if row["per_inhabitant"] != row["per_inhabitant"] else round(row["per_inhabitant"], 2)]
            for table in (comparison.gainers(None), comparison.losers(None)) for row in map(_plain, table.to_dict("records"))
        ]  # fmt: skip
        heads = [Text("Plan", "Plan"), Text("Territoire", "Territory"), Text("Région", "Region"), Text("Population", "Population"),
                 Text("Avant (€)", "Before (€)"), Text("Après (€)", "After (€)"), Text("Écart (€)", "Change (€)"),
                 Text("Écart par habitant (€)", "Change per inhabitant (€)")]  # fmt: skip
        self._sheet(Text("Qui gagne, qui perd", "Who gains, who loses"),
                    Text("Chaque territoire qui gagne, puis chaque territoire qui perd, le plus grand écart d'abord.",
                         "Every territory that gains, then every one that loses, the largest difference first."),
                    [str(head) for head in heads], rows, (4, 5, 6))  # fmt: skip

    def _demands(self) -> None:
        table = self.comparison.demands()
        table = table[~table["fate"].isin(["none", "same"])]
        heads = [Text("Plan", "Plan"), Text("Dossier", "Demand"), Text("Territoire", "Territory"), Text("Mesure", "Measure"),
                 Text("Ce qu'il devient", "What becomes of it"), Text("Avant (€)", "Before (€)"), Text("Après (€)", "After (€)"),
                 Text("Écart (€)", "Change (€)")]  # fmt: skip
        rows = (
            [row["plan"], row["demand"], row["territory"], row["measure"], str(FATES[row["fate"]]), row["before"], row["after"],
             row["change"]]
            for row in map(_plain, table.to_dict("records"))
        )  # fmt: skip
        self._sheet(Text("Dossiers", "Demands"), Text("Ceux dont la part change.", "Those whose share changes."),
                    [str(head) for head in heads], rows, (5, 6, 7))  # fmt: skip

    def _inequality(self) -> None:
        table = self.comparison.inequality
        heads = [Text("Entre", "Between"), Text("Plan", "Plan"), Text("Gini", "Gini"), Text("Theil", "Theil"),
                 Text("Le moins servi (€ par habitant)", "Worst served (€ per inhabitant)"),
                 Text("Le mieux servi (€ par habitant)", "Best served (€ per inhabitant)"),
                 Text("Habitants sans rien", "People without anything"), Text("Écart de Gini", "Change of Gini")]  # fmt: skip
        rows = ([str(PLACES[row["per"]]), *list(_plain(row).values())[1:]] for row in table.to_dict("records"))
        self._sheet(Text("Inégalités", "Inequality"), Text("En euros par habitant ; 0 : égal.", "In euros per inhabitant; 0: equal."),
                    [str(head) for head in heads], rows, ())  # fmt: skip

    def _rules(self) -> None:
        costs = {(row["plan"], row["rule"]): row for row in costs_of(self.reasons)}
        heads = [
            Text("Plan", "Plan"),
            Text("Règle", "Rule"),
            Text("Libellé", "Label"),
            Text("Limite le plan", "Limits the plan"),
        ]
        if costs:
            heads += [
                Text("Coût", "Cost"),
                Text("Coût, au moins", "Cost, at least"),
                Text("Coût, au plus", "Cost, at most"),
            ]
        binding = {(row["plan"], row["id"]): row["label"] for row in self.comparison.binding.to_dict("records")}
        rows = []
        for plan, rule in dict.fromkeys([*binding, *costs]):
            cost: dict[str, Any] = costs.get((plan, rule), {})
            limits = Text("oui", "yes") if (plan, rule) in binding else Text("non", "no")
            label = cost.get("label") or binding.get((plan, rule))
            rows.append(
                [plan, rule, label, str(limits), *(cost.get(key) for key in ("cost", "at_least", "at_most") if costs)]
            )
        self._sheet(Text("Règles", "Rules"), Text("Ce qui limite chaque plan, et ce que chaque règle lui coûte si c'est demandé (--costs).",
                                                  "What limits each plan, and what each rule costs it where asked for (--costs)."),
                    [str(head) for head in heads], rows, ())  # fmt: skip

    def _chart(self, summary: Worksheet, per: str, first: int, end: int, rank: int) -> None:
        """A bar a plan for each value of a margin, on the first sheet."""
        name = str(NAMES[per])
        chart = self.book.book.add_chart({"type": "bar"})
        columns = [first] + [first + 1 + 2 * k for k in range(len(self.comparison.names) - 1)]
        for k, at in enumerate(columns):
            chart.add_series({
                "name": [name, HEAD, at], "categories": [name, HEAD + 1, 1, end - 1, 1],
                "values": [name, HEAD + 1, at, end - 1, at], "fill": {"color": COLOURS[k % len(COLOURS)]}, "gap": 60,
            })  # fmt: skip
        chart.set_title({"name": name, "name_font": {"size": 12}})
        chart.set_legend({"position": "bottom"})
        chart.set_y_axis({"reverse": True})
        chart.set_x_axis({"num_format": '#,##0,," M€"', "label_position": "low"})
        chart.set_size({"width": 620, "height": max(300, 110 + (8 + 10 * len(columns)) * (end - HEAD - 1))})
        summary.insert_chart(
            self.below, 9 * rank, chart, {"description": f"{name} : {', '.join(self.comparison.names)}"}
        )


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(key): value.item() if hasattr(value, "item") else value for key, value in row.items()}
