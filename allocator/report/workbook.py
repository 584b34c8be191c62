"""A plan as a workbook: what is granted, to notify and refused, margins, rules, provenance, charts, and the scenario itself.

It loads again as the scenario that it answers: same `input_hash`, same plan.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from math import isfinite
from typing import TYPE_CHECKING, Any

import pandas as pd

from allocator.explain.costs import Costs
from allocator.explain.limits import limits_on
from allocator.formats.decided import GRANTS, GRANTS_SHEET
from allocator.formats.workbook import Book, Sheets
from allocator.money import format_euros
from allocator.report.console import ACCOUNT, OFFICIAL, STATUS, number, proved_gap
from allocator.report.note.places import Places
from allocator.texts import Text, language

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

    from allocator.explain.explanation import Explanation
    from allocator.plan import Plan

HEAD = 3
_LIBRARIES = ("allocator-fonds-publics", "highspy", "ortools", "pulp", "numpy", "pandas", "scipy")

DEMAND, TERRITORY, NAME = (
    Text("Dossier", "Demand"),
    Text("Territoire", "Territory"),
    Text("Nom du territoire", "Name of territory"),
)
MEASURE, BENEFICIARY = Text("Mesure", "Measure"), Text("Bénéficiaire", "Beneficiary")
FUND, YEAR, UNIT = Text("Fonds", "Fund"), Text("Année", "Year"), Text("Unité", "Unit")
ASKED, GRANTED = Text("Demandé (€)", "Asked (€)"), Text("Accordé (€)", "Granted (€)")
LEFT = Text("Reste à attribuer (€)", "Left (€)")
CLAIMED = STATUS | {
    "optimal": Text("optimal", "optimal"),
    "feasible": Text("réalisable", "feasible"),
    "infeasible": Text("impossible", "infeasible"),
    "unbounded": Text("sans borne", "unbounded"),
    "nothing": Text("rien", "nothing"),
    "error": Text("erreur", "error"),
}  # by an engine: none of it is proved
UNITS_ASKED, UNITS = Text("Unités demandées", "Units asked"), Text("Unités accordées", "Units granted")


def write_workbook(plan: Plan, path: str, reasons: Explanation | None = None) -> None:
    """Write the plan to a `.xlsx` file, what its rules cost if `reasons` tell it (`explain(plan, about="costs")`).
    `ScenarioError` where it has no place in a workbook, `OSError` for the file."""
    ResultBook(plan, path, reasons).write()


class ResultBook:
    """The sheets of a plan, those of its scenario after them."""

    def __init__(self, plan: Plan, path: str, reasons: Explanation | None = None) -> None:
        self.plan, self.scenario, self.reasons = plan, plan.scenario, reasons
        self.book = Book(path)
        demands, territories = self.scenario.demands, self.scenario.territories
        self.demands = demands.set_index("id")
        self.names = territories.set_index("id")["name"]
        self.measures = {measure.id: measure for measure in self.scenario.measures}
        self.funds = {fund.id: fund.label or fund.id for fund in self.scenario.funds}
        self.granted = plan.reading is not None

    def write(self) -> None:
        self._summary()
        if self.granted:
            self._grants()
            self._notified()
            self._refused()
            self._units()
            self._margins()
            self._payments()
            self._rules()
        self._provenance()
        Sheets(self.book, self.scenario).write()
        self.book.close()

    # What every sheet of rows is made of

    def _rows(self, sheet: Worksheet, headers: Sequence[Text], rows: Iterable[Sequence[Any]], head: int = HEAD) -> int:
        """Headers and rows (money in cents, under headers in €), and a filter; the row after the last."""
        count = self.book.headers(sheet, map(str, headers), head)
        money = [header.fr.endswith("(€)") for header in headers]
        row = head + 1
        for cells in rows:
            for at, value in enumerate(cells):
                if money[at] and value is not None:
                    self.book.cell(sheet, row, at, euros_cell(value), self.book.euros)
                else:
                    self.book.cell(sheet, row, at, value)
            row += 1
        if head == HEAD:
            sheet.autofilter(head, 0, max(head + 1, row - 1), count - 1)
        return row

    def _sheet(self, name: Text, line: Text) -> Worksheet:
        return self.book.sheet(str(name), str(name), str(line))

    def _whole(self, measure: str, units: float) -> float:
        return round(units) if self.measures[measure].lumpy else units

    # Sheets

    def _summary(self) -> None:
        plan, scenario = self.plan, self.scenario
        sheet = self.book.sheet(str(Text("Synthèse", "Summary")), str(Text(f"Plan « {scenario.name} »", f"Plan “{scenario.name}”")),
                                str(STATUS[plan.status]))  # fmt: skip
        totals = plan.summary()["totals"]
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 1, 24)
        lines: list[tuple[Text, Any, bool]] = [
            *self._levels(),
            (Text("Certificat valable", "Certificate holds"), str(_yes(plan.certificate.ok)), False),
            (Text("Demandé (€)", "Asked (€)"), totals["asked"], True),
            (Text("Accordé (€)", "Granted (€)"), totals["granted"], True),
            (Text("Reste à attribuer (€)", "Left (€)"), totals["left"], True),
            (Text("Dossiers servis", "Demands served"), int((plan.units["cents"] > 0).sum()), False),
            (Text("Dossiers refusés", "Demands refused"), int((plan.units["cents"] == 0).sum()), False),
        ]
        row = HEAD
        for label, value, money in lines:
            sheet.write_string(row, 0, str(label), self.book.label)
            if value is not None:
                form = self.book.bold_euros if money else self.book.bold_number
                self.book.cell(sheet, row, 1, euros_cell(value) if money else value, form)
            row += 1
        for text in (plan.message, plan.conflict.text() if plan.conflict is not None else Text("", ""), OFFICIAL):
            if str(text):
                row += 1
                sheet.write_string(row, 0, str(text))
        sheet.activate()
        sheet.set_first_sheet()
        self.summary = sheet

    def _levels(self) -> Iterator[tuple[Text, Any, bool]]:
        """Each level of the objective, and what no plan exceeds."""
        for rank, level in enumerate(self.plan.levels, 1):
            told, aim = level.as_dict(), level.aim
            name = (
                Text("", "")
                if len(self.plan.levels) == 1
                else Text(f"{rank}. {aim.title.fr} : ", f"{rank}. {aim.title.en}: ")
            )
            unit = Text(f" ({aim.unit.fr})", f" ({aim.unit.en})")
            limit = (
                Text("Aucun plan ne coûte moins de", "No plan costs less than")
                if aim.sign < 0
                else Text("Aucun plan ne dépasse", "No plan exceeds")
            )
            reached = Text("Le plan atteint", "The plan reaches")
            yield Text(f"{name.fr}{reached.fr}{unit.fr}", f"{name.en}{reached.en}{unit.en}"), told["objective"], False
            yield Text(f"{name.fr}{limit.fr}{unit.fr}", f"{name.en}{limit.en}{unit.en}"), told["bound"], False

    def _grants(self) -> None:
        sheet = self._sheet(GRANTS_SHEET, Text("Une ligne par engagement : dossier, fonds, année ; chacun par son identifiant.",
                                               "One row a commitment: demand, fund, year; each by its id."))  # fmt: skip
        columns = [GRANTS["demand"], TERRITORY, NAME, BENEFICIARY, MEASURE, GRANTS["fund"], GRANTS["year"],
                   Text(f"{GRANTS['cents'].fr} (€)", f"{GRANTS['cents'].en} (€)")]  # fmt: skip
        self._rows(sheet, columns, (
            (g.demand, g.territory, self.names[g.territory], self._beneficiary(g), self._measure(g), g.fund, int(g.year), int(g.cents))
            for g in _each(self.plan.grants)
        ))  # fmt: skip

    def _notified(self) -> None:
        sheet = self._sheet(Text("À notifier", "To notify"), OFFICIAL)
        colon = Text(" : ", ": ")
        paid = {
            name: " ; ".join(f"{self.funds[g.fund]}, {g.year}{colon}{format_euros(int(g.cents), language())}" for g in _each(mine))
            for name, mine in self.plan.grants.groupby("demand", sort=False)
        }
        served = self.plan.units[self.plan.units["cents"] > 0]
        self._rows(sheet, [BENEFICIARY, DEMAND, NAME, MEASURE, UNITS_ASKED, UNITS, UNIT, ASKED, GRANTED,
                           Text("Payé par", "Paid by")], (
            (*self._who(u), self._whole(u.measure, u.asked_units), self._whole(u.measure, u.units),
             self.measures[u.measure].unit, int(asked), int(u.cents), paid[u.demand])
            for u, asked in zip(_each(served), self.plan.asked_cents()[served.index], strict=True)
        ))  # fmt: skip

    def _refused(self) -> None:
        sheet = self._sheet(
            Text("Refusés", "Refused"),
            Text("Les dossiers qui ne reçoivent rien. Limites : les enveloppes et règles qui limitent le plan et n'ont plus de place "
                 "pour le dossier ; la raison entière : allocator explain … --demand DOSSIER.",
                 "Demands that receive nothing. Limits: the envelopes and rules that limit the plan and have no room left for the "
                 "demand; the whole reason: allocator explain … --demand DEMAND."),
        )  # fmt: skip
        refused = self.plan.units[self.plan.units["cents"] == 0]
        limits = limits_on(self.plan, refused["demand"])
        none = str(Text("aucune n'est pleine pour lui", "none is full for it"))
        self._rows(sheet, [BENEFICIARY, DEMAND, NAME, MEASURE, UNITS_ASKED, UNIT, ASKED, Text("Limites", "Limits")], (
            (*self._who(u), self._whole(u.measure, u.asked_units), self.measures[u.measure].unit, int(asked),
             " ; ".join(limits[u.demand]) or none)
            for u, asked in zip(_each(refused), self.plan.asked_cents()[refused.index], strict=True)
        ))  # fmt: skip

    def _who(self, unit: Any) -> tuple[Any, ...]:
        return self._beneficiary(unit), unit.demand, self.names[unit.territory], self._measure(unit)

    def _beneficiary(self, row: Any) -> str:
        """Where nobody is named, the demand's territory, whose id the scenario keeps."""
        named = str(self.demands.at[row.demand, "beneficiary"])
        return str(self.names[named]) if named == row.territory else named

    def _measure(self, row: Any) -> str:
        measure = self.measures[row.measure]
        return measure.label or measure.id

    def _units(self) -> None:
        sheet = self._sheet(
            Text("Unités", "Units"), Text("Tous les dossiers : demandé, accordé.", "Every demand: asked, granted.")
        )
        self._rows(sheet, [DEMAND, TERRITORY, NAME, MEASURE, UNITS_ASKED, UNITS, ASKED, GRANTED], (
            (u.demand, u.territory, self.names[u.territory], self._measure(u), self._whole(u.measure, u.asked_units),
             self._whole(u.measure, u.units), int(asked), int(u.cents))
            for u, asked in zip(_each(self.plan.units), self.plan.asked_cents(), strict=True)
        ))  # fmt: skip

    def _margins(self) -> None:
        """By fund, measure and region, one below the other, each with its chart on the summary."""
        plan = self.plan
        name = Text("Marges", "Margins")
        sheet = self._sheet(name, Text("Un fonds compte ce que paient ceux qu'il contient : ne pas additionner les lignes.",
                                       "A fund counts what those inside it pay: rows are not to be added up."))  # fmt: skip
        held, eligible = plan.held_cents(), plan.asked_by_fund()
        granted = plan.grants.groupby("fund")["cents"].sum()
        children: dict[str, list[str]] = {}
        for fund in self.scenario.funds:
            children.setdefault(fund.parent or "", []).append(fund.id)

        def spent(fund: str) -> int:
            return int(granted.get(fund, 0)) + sum(map(spent, children.get(fund, [])))

        funds = [
            (f.label or f.id, held[f.id], eligible[f.id], spent(f.id), held[f.id] - spent(f.id))
            for f in self.scenario.funds
        ]
        end = self._rows(sheet, [FUND, Text("Enveloppe (€)", "Envelope (€)"), Text("Demandé, éligible (€)", "Asked, eligible (€)"),
                                 GRANTED, LEFT], funds)  # fmt: skip
        self._chart("bar", Text("Par fonds", "By fund"), str(name), HEAD, end, (3, 4), 0)

        units = plan.units.assign(asked=plan.asked_cents())
        sums: Any = units.groupby("measure")[["asked", "cents", "asked_units", "units"]].sum()
        measures = [
            (m.label or m.id, int(sums.at[m.id, "asked"]), int(sums.at[m.id, "cents"]),
             self._whole(m.id, float(sums.at[m.id, "asked_units"])), self._whole(m.id, float(sums.at[m.id, "units"])), m.unit)
            for m in self.scenario.measures if m.id in sums.index
        ]  # fmt: skip
        head = end + 1
        end = self._rows(sheet, [MEASURE, ASKED, GRANTED, UNITS_ASKED, UNITS, UNIT], measures, head)
        self._chart("bar", Text("Par mesure", "By measure"), str(name), head, end, (1, 2), 1)

        territories = self.scenario.territories
        region = territories.set_index("id")["region"]
        by_region: Any = units.groupby(units["territory"].map(region))[["asked", "cents"]].sum()
        people = territories.groupby("region")["population"].sum()
        called: Any = territories.groupby("region")["region_name"].first() if "region_name" in territories else {}
        regions = [
            (str(called.get(r, r)), int(by_region["asked"].get(r, 0)), int(by_region["cents"].get(r, 0)), int(people[r]),
             round(int(by_region["cents"].get(r, 0)) / int(people[r])) if people[r] else None)
            for r in sorted(people.index)
        ]  # fmt: skip
        head = end + 1
        end = self._rows(sheet, [Text("Région", "Region"), ASKED, GRANTED, Text("Population", "Population"),
                                 Text("Accordé par habitant (€)", "Granted per inhabitant (€)")], regions, head)  # fmt: skip
        self._chart("bar", Text("Par région", "By region"), str(name), head, end, (2,), 2)
        sheet.set_column(0, 0, 44)
        sheet.freeze_panes(0, 1)

    def _payments(self) -> None:
        plan = self.plan
        name = Text("Engagements et paiements", "Commitments and payments")
        sheet = self._sheet(name, Text("Engagements (AE) et paiements (CP) de chaque fonds, par année.",
                                       "Commitments and payments of each fund, by year."))  # fmt: skip
        committed = plan.grants.groupby(["fund", "year"])["cents"].sum()
        paid = plan.payments.groupby(["fund", "year_paid"])["cents"].sum()
        years = sorted({*self.scenario.years, *plan.payments["year_paid"].tolist()})
        both = [Text("Engagé (€)", "Committed (€)"), Text("Payé (€)", "Paid (€)")]
        totals = [(str(year), _sum(committed, 1, year), _sum(paid, 1, year)) for year in years]
        end = self._rows(sheet, [YEAR, *both], totals)
        self._chart(
            "column", Text("Engagements et paiements", "Commitments and payments"), str(name), HEAD, end, (1, 2), 3
        )
        kept = [Text(f"{_upper(word.fr)} (€)", f"{_upper(word.en)} (€)") for word in ACCOUNT.values()]
        rows = (
            (self.funds[line.fund], str(line.year), *(None if pd.isna(cents) else int(cents) for cents in line[3:]))
            for line in _each(plan.account[["fund", "year", *ACCOUNT]])
        )
        self._rows(sheet, [FUND, YEAR, *kept], rows, end + 1)
        sheet.set_column(0, 0, 34)
        sheet.freeze_panes(0, 1)

    def _rules(self) -> None:
        sheet = self._sheet(Text("Tenue des règles", "Rules kept"), Text(
            "Où en est chaque règle et chaque enveloppe ; marge : ce qui reste jusqu'à la borne la plus proche. "
            + ("Coût : ce que le meilleur plan regagne sans la règle." if self.reasons else "Coût de chaque règle : allocator solve … --out DOSSIER --costs."),
            "Where each rule and envelope stands; slack: what is left to the nearer side. "
            + ("Cost: what the best plan regains without the rule." if self.reasons else "Cost of each rule: allocator solve … --out FOLDER --costs.")))  # fmt: skip
        headers = [Text("Règle", "Rule"), Text("Identifiant", "Id"), Text("Libellé", "Label"), Text("Pour", "For"),
                   Text("Compté", "Counted"), Text("Au moins", "At least"), Text("Au plus", "At most"), Text("Marge", "Slack"),
                   Text("Non-respect", "Breach"), Text("Tenue", "Kept"), Text("Ferme ou souple", "Hard or soft")]  # fmt: skip
        limits = set(self.plan.binding)
        costs = self._costs()
        if costs:
            headers += [Text("Coût", "Cost"), Text("Coût, au moins", "Cost, at least"), Text("Coût, au plus", "Cost, at most"), Text("Sans elle", "Without it")]  # fmt: skip
        places = Places(self.plan)
        rows = (
            (str(rule.title), rule.id, rule.label or rule.id, places.group_text(rule, level.group), *(_scaled(x, level.scale) for x in (level.left, level.lower, level.upper)),
             None if level.slack is None else float(level.slack), float(level.breach), str(_yes(level.held)),
             str(Text("souple", "soft") if rule.soft is not None else Text("ferme", "hard"))
             + (str(Text(", limite le plan", ", limits the plan")) if rule.id in limits else ""),
             *(costs.get(rule.id, ()) if costs and not rank else ()))  # once a rule
            for rule, levels in self.plan.certificate.levels for rank, level in enumerate(levels)
        )  # fmt: skip
        self._rows(sheet, headers, rows)

    def _costs(self) -> dict[str, tuple[Any, ...]]:
        """Of each rule, if known: what the best plan without it regains, in words and between which limits; what changes."""
        if not isinstance(self.reasons, Costs):
            return {}
        found: dict[str, tuple[Any, ...]] = {}
        for each in self.reasons.ranked:
            if each.regained is None:
                said = Text("aucun plan trouvé sans elle à temps", "no plan found without it in time")
                found[each.rule] = (str(said), None, None, "")
                continue
            room = each.regained.over(each.counted.size)
            words = Text("rien", "nothing") if each.regained.nothing else each.counted.of(each.regained)
            ends = [value if isfinite(value) else None for value in (room.least, room.most)]
            found[each.rule] = (
                str(words),
                *ends,
                str(each.counted.changes(each.indicators)) if each.measurable else "",
            )
        return found

    def _provenance(self) -> None:
        plan = self.plan
        sheet = self._sheet(Text("Provenance", "Provenance"), Text(
            "De quoi ce plan est fait, et ce qui a été vérifié.", "What this plan was made from, and what was checked."))  # fmt: skip
        sheet.set_column(0, 0, 40)
        sheet.set_column(1, 1, 100)
        engine = plan.engine
        claimed = str(CLAIMED.get(engine.claimed_status, engine.claimed_status))
        if engine.claimed_bound is not None:
            claimed += f", {number(engine.claimed_bound, 4)}"
        rules = {f"{rule.kind}:{rule.id}": rule for rule, _ in plan.certificate.levels}
        lines = [
            (Text("Scénario", "Scenario"), self.scenario.name),
            (Text("Empreinte des données (SHA-256)", "Hash of the input (SHA-256)"), self.scenario.input_hash),
            (Text("Statut", "Status"), str(STATUS[plan.status])),
            (Text("Écart garanti", "Gap, proved"), str(proved_gap(plan.gap))),
            (Text("Moteur", "Engine"), f"{engine.name} {engine.version}"),
            (Text("Ce que le moteur affirme (non cru)", "What the engine claims (not believed)"), claimed),
            (Text("Programme (colonnes × lignes)", "Program (columns × rows)"), f"{plan.size[0]} × {plan.size[1]}"),
            (Text("Python", "Python"), platform.python_version()),
            *((Text(name, name), version(name)) for name in _LIBRARIES),
        ]  # fmt: skip
        row = HEAD
        for label, value in lines:
            sheet.write_string(row, 0, str(label), self.book.label)
            sheet.write_string(row, 1, value)
            row += 1
        row += 1
        self.book.headers(
            sheet,
            [str(Text("Vérification", "Check")), str(Text("Résultat", "Result")), str(Text("Tient", "Holds"))],
            row,
        )
        for check in plan.certificate.checks:
            row += 1
            rule = rules.get(check.name)
            said = str(check.label) if rule is None else f"{rule.title}{Text(' : ', ': ')}{rule.label or rule.id}"
            for at, text in enumerate((said, str(check.detail), str(_yes(check.ok)))):
                sheet.write_string(row, at, text)
        sheet.set_column(0, 0, 40)
        sheet.set_column(1, 1, 100)
        sheet.freeze_panes(0, 0)

    def _chart(
        self, kind: str, title: Text, sheet: str, head: int, end: int, columns: Sequence[int], rank: int
    ) -> None:
        """A native chart on the summary, of the rows between `head` and `end` (not included) of a sheet."""
        if end <= head + 1:
            return
        stacked = kind == "bar" and rank == 0  # granted and left make the envelope
        chart = self.book.book.add_chart({"type": kind, "subtype": "stacked"} if stacked else {"type": kind})
        for colour, at in zip(("#1F3864", "#9DB4D6"), columns, strict=False):
            chart.add_series({
                "name": [sheet, head, at], "categories": [sheet, head + 1, 0, end - 1, 0],
                "values": [sheet, head + 1, at, end - 1, at], "fill": {"color": colour}, "gap": 60,
            })  # fmt: skip
        chart.set_title({"name": str(title), "name_font": {"size": 12}})
        chart.set_legend({"position": "bottom"})
        large = self.plan.grants["cents"].sum() >= 10**9
        euros = {"num_format": '#,##0,," M€"' if large else '#,##0," k€"'}
        if kind == "bar":
            chart.set_y_axis({"reverse": True})
            chart.set_x_axis(euros)
        else:
            chart.set_y_axis(euros)
        chart.set_size({"width": 620, "height": max(300, 110 + 20 * (end - head) * len(columns))})
        self.summary.insert_chart(HEAD + 22 * (rank // 2), 3 + 9 * (rank % 2), chart,
                                  {"description": f"{title} : {Text('voir la feuille', 'see sheet')!s} {sheet}"})  # fmt: skip


def _each(frame: pd.DataFrame) -> Iterator[Any]:
    """Rows with a name for each cell."""
    yield from frame.itertuples()


def euros_cell(cents: int) -> int | float | str:
    """Euros as a number, exact to the cent below 10^13 euros; beyond, as a text."""
    return (
        cents // 100
        if cents % 100 == 0 and abs(cents) < 10**17
        else cents / 100
        if abs(cents) < 10**15
        else format_euros(cents)
    )


def _scaled(value: Any, scale: int) -> float | None:
    return None if value is None else float(value) / scale


def _sum(amounts: pd.Series, level: int, key: Any) -> int:
    return int(amounts[amounts.index.get_level_values(level) == key].sum()) if len(amounts) else 0


def _yes(held: bool) -> Text:
    return Text("oui", "yes") if held else Text("non", "no")


def _upper(text: str) -> str:
    """Its first letter as a capital, the others as they are."""
    return text[:1].upper() + text[1:]
