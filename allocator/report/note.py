"""What the two pages of a plan say: words and figures, ready to be set, in the current language.

The question, the plan, the map, who gets what, what each rule costs, what is not known. Only what the plan, its
scenario and, where given, `reasons` hold; the figures are those of `Plan.summary()`, to the cent.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from allocator import data
from allocator.explain.costs import Costs
from allocator.explain.explanation import Explanation
from allocator.explain.points import spoken, weights
from allocator.explain.variants import called, listing
from allocator.money import NO_BREAK, format_euros
from allocator.report import map as chart
from allocator.report.console import OFFICIAL, STATUS, number
from allocator.space import Space
from allocator.texts import Text, figure, language

if TYPE_CHECKING:
    from allocator.plan import Plan
    from allocator.scenario import Scenario

NAME, SENTENCE, PARAGRAPH = 70, 260, 420  # characters, beyond which a text is cut short
_LINES = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_MONTHS = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]


class First(NamedTuple):
    """How much page 1 holds: rows of funds, lines of a conflict, rows of places, centimetres of map."""

    funds: int
    conflict: int
    places: int
    map: float


class Second(NamedTuple):
    """How much page 2 holds: rows of measures, regions, largest amounts, rules; lines of changes."""

    measures: int
    regions: int
    largest: int
    rules: int
    changes: int


FIRST = (
    First(14, 14, 24, 13.2), First(14, 14, 20, 12.2), First(12, 12, 16, 11.2), First(10, 9, 12, 10.0),
    First(8, 6, 8, 9.0), First(5, 4, 5, 7.0), First(3, 2, 3, 5.0),
)  # fmt: skip
SECOND = (
    Second(20, 20, 9, 12, 24), Second(18, 18, 9, 9, 18), Second(16, 18, 8, 6, 14), Second(15, 18, 8, 4, 11),
    Second(10, 18, 8, 5, 9), Second(8, 18, 7, 4, 8), Second(6, 10, 5, 3, 6), Second(3, 5, 2, 2, 3),
)  # fmt: skip
"""From much to little: the first that fits its page is taken."""


def cut(text: object, most: int = NAME) -> str:
    """On one line, and not longer than `most`."""
    words = _LINES.sub(" ", str(text)).strip()
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


class Note:
    """The two pages of a plan; `reasons`: what `explain` says of the costs of its rules or, without a plan, of the conflict."""

    def __init__(self, plan: Plan, reasons: Explanation | None, day: datetime.date) -> None:
        self.plan, self.reasons, self.day = plan, reasons, day
        self.first, self.second = FIRST[0], SECOND[0]
        self.scenario: Scenario = plan.scenario
        self.summary = plan.summary()
        self.totals = self.summary["totals"]
        self.granted = plan.reading is not None
        units = plan.units.assign(asked=plan.asked_cents())
        territories = self.scenario.territories.set_index("id")
        self.units = units.join(territories[["region", "population"]], on="territory")
        self.territories = territories

    def content(self, first: First, second: Second) -> tuple[dict[str, Any], str]:
        """(words and figures for pages with this much room, plain enough for JSON; the map in SVG, or nothing)"""
        self.first, self.second = first, second
        plan, scenario = self.plan, self.scenario
        label = scenario.label
        title = label if isinstance(label, str) else label.get(language(), "")
        drawn, svg = self._map() if self.granted else (None, "")
        return {
            "lang": language(),
            "title": cut(title or scenario.name, 120),
            "kicker": cut(f"{Text('Note de décision', 'Decision note')} · {scenario.name} · {self._date()}", 140),
            "official": str(OFFICIAL),
            "footer": self._footer(),
            "words": {key: str(text) for key, text in self._headings().items()},
            "question": self._question(),
            "answer": self._answer(),
            "proof": self._proof(),
            "figures": self._figures() if self.granted else [],
            "conflict": [] if self.granted else self._conflict(),
            "funds": self._funds(),
            "map": drawn,
            "places": self._places() if self.granted and drawn is None else None,
            "measures": self._measures() if self.granted else None,
            "regions": self._regions() if self.granted else None,
            "largest": self._largest() if self.granted and self.totals["granted"] else None,
            "rules": self._rules(),
            "unknown": self._unknown(),
            "provenance": self._provenance(),
            "status": plan.status,
        }, svg

    def _headings(self) -> dict[str, Text]:
        rules = (
            Text("Ce que coûte chaque règle", "What each rule costs")
            if self.granted
            else Text("Ce qu'il suffirait de changer", "What it would be enough to change")
        )
        return {
            "question": Text("La question", "The question"),
            "plan": Text("Le plan", "The plan"),
            "funds": Text("Ce que paie chaque fonds", "What each fund pays") if self.granted
                     else Text("Les fonds et ce qui leur est demandé", "The funds and what is asked of them"),
            "who": Text("Qui reçoit quoi", "Who gets what"),
            "rules": rules,
            "unknown": Text("Ce que l'on ne sait pas", "What is not known"),
            "provenance": Text("De quoi ce document est fait", "What this document is made of"),
        }  # fmt: skip

    # Page 1

    def _question(self) -> list[str]:
        scenario, description = self.scenario, self.scenario.description
        said = description if isinstance(description, str) else description.get(language(), "")
        held = self.plan.held_cents()
        roots = sum(held[f.id] for f in scenario.funds if f.parent is None)
        first, last = scenario.years[0], scenario.years[-1]
        when = (
            Text(f"en {first}", f"in {first}")
            if first == last
            else Text(f"de {first} à {last}", f"from {first} to {last}")
        )
        money, asked = (Text(format_euros(c, "fr"), format_euros(c, "en")) for c in (roots, self.totals["asked"]))
        rules = sum(1 for c in scenario.constraints if c.enabled)
        n, m = len(scenario.demands), scenario.demands["territory"].nunique()
        kept = (
            Text(f"en respectant {_count(rules)} règle{_s(rules)}", f"keeping {_count(rules)} rule{_s(rules)}") if rules
            else Text("sans autre règle que les enveloppes", "with no rule beside the envelopes")
        )  # fmt: skip
        question = Text(
            f"Comment répartir {money.fr} {when.fr} entre {_count(n)} dossier{_s(n)} de {_count(m)} territoire{_s(m)}, pour "
            f"{asked.fr} demandés, {kept.fr} ?",
            f"How to share {money.en} {when.en} between {_count(n)} demand{_s(n)} of {_count(m)} territor{'y' if m == 1 else 'ies'}, for "
            f"{asked.en} asked, {kept.en}?",
        )
        return [*([cut(said, PARAGRAPH)] if said else []), str(question), self._aim()]

    def _aim(self) -> str:
        """What the best plan is the best at: each level, and the points of the first."""
        weighed = [
            f"{cut(spoken(self.scenario, name), 30)}{NO_BREAK}×{NO_BREAK}{figure(w, 4)}"
            for name, w in weights(self.scenario).items()
        ]
        more = len(weighed) - 6
        points = ", ".join(weighed[:6]) + (str(Text(f" et {more} autres", f" and {more} more")) if more > 0 else "")
        said = []
        aims = [level.aim for level in self.plan.levels] or self.scenario.objective.aims(Space.of(self.scenario))
        for rank, aim in enumerate(aims):
            if rank == 0 and points:
                said.append(Text(f"le plus de points ({points})", f"the most points ({points})"))
            else:
                fr, en = (
                    ("le moins possible", "as little as possible")
                    if aim.sign < 0
                    else ("le plus possible", "as much as possible")
                )
                said.append(Text(f"{cut(aim.title.fr)} ({fr})", f"{cut(aim.title.en)} ({en})"))
        return str(Text("Le meilleur plan est celui qui atteint : " + ", puis ".join(each.fr for each in said) + ".",
                        "The best plan is the one that reaches: " + ", then ".join(each.en for each in said) + "."))  # fmt: skip

    def _answer(self) -> str:
        plan = self.plan
        if not self.granted:
            if plan.status == "infeasible":
                return str(Text("Aucun plan n'est possible : les exigences se contredisent, et c'est prouvé.",
                                "No plan is possible: the requirements contradict each other, and this is proved."))  # fmt: skip
            return str(Text("Aucun plan n'a été trouvé, et rien ne prouve qu'il n'y en ait pas.",
                            "No plan was found, and nothing proves that there is none."))  # fmt: skip
        served = int((plan.units["cents"] > 0).sum())
        granted = format_euros(self.totals["granted"], language())
        if not served:
            return str(Text("Le meilleur plan n'accorde rien.", "The best plan grants nothing."))
        places = plan.units.loc[plan.units["cents"] > 0, "territory"].nunique()
        return str(Text(
            f"{granted} accordés à {_count(served)} dossier{_s(served)} dans {_count(places)} territoire{_s(places)}.",
            f"{granted} granted to {_count(served)} demand{_s(served)} in {_count(places)} territor{'y' if places == 1 else 'ies'}.",
        ))  # fmt: skip

    def _proof(self) -> list[str]:
        plan = self.plan
        lines = [str(plan.message)] if str(plan.message) else []
        for level in plan.levels if self.granted else ():
            told = level.as_dict()
            if told["bound"] is None or told["objective"] is None:
                continue
            reached, bound = number(told["objective"], 2), number(told["bound"], 2)
            limit = (
                Text("ne coûte moins de", "costs less than")
                if level.aim.sign < 0
                else Text("n'en fait plus de", "exceeds")
            )
            unit, gap = level.aim.unit, self._gap(told["gap"])
            lines.append(str(Text(
                f"Il atteint {reached} {unit.fr} ; aucun plan possible {limit.fr} {bound} (écart garanti : {gap}).",
                f"It reaches {reached} {unit.en}; no possible plan {limit.en} {bound} (gap proved: {gap}).",
            )))  # fmt: skip
        if self.granted:
            state = STATUS[plan.status]
            checks = len(plan.certificate.checks)
            lines.append(str(Text(
                f"Résultat {state.fr} : chaque centime et chaque règle ont été recomptés à part du calcul ({checks} vérifications).",
                f"Result {state.en}: every cent and every rule was counted again apart from the solver ({checks} checks).",
            )))  # fmt: skip
        return [cut(line, SENTENCE) for line in lines[:4]]

    def _gap(self, gap: float | None) -> str:
        """In per cent: 0,0015 %."""
        if gap is None or gap == float("inf"):
            return "—"
        said = figure(100 * gap, 2) if gap == 0 or gap >= 1e-8 else Text("< 0,000001", "< 0.000001")
        return str(Text(f"{said.fr}{NO_BREAK}%", f"{said.en}%"))

    def _figures(self) -> list[dict[str, str]]:
        cents = self.plan.units["cents"]
        money = [
            (Text("Demandé", "Asked"), self.totals["asked"]),
            (Text("Accordé", "Granted"), self.totals["granted"]),
            (Text("Reste à attribuer", "Left"), self.totals["left"]),
        ]
        count = f"{_count(int((cents > 0).sum()))} / {_count(int((cents == 0).sum()))}"
        return [
            *({"label": str(label), "value": format_euros(value, language())} for label, value in money),
            {"label": str(Text("Dossiers servis / refusés", "Demands served / refused")), "value": count},
        ]

    def _conflict(self) -> list[str]:
        """What cannot hold together."""
        if self.reasons is not None and self.reasons.about == "infeasible":
            lines = [cut(self.reasons.answer, PARAGRAPH)]
        elif self.plan.conflict is not None:
            parties = self.plan.conflict.parties
            head = (
                Text("Cette exigence ne peut pas tenir :", "This requirement cannot hold:") if len(parties) == 1
                else Text("Ces exigences ne peuvent pas tenir ensemble :", "These requirements cannot hold together:")
            )  # fmt: skip
            lines = [str(head)]
            for party in parties:
                group = f" ({cut(party.group, 40)})" if party.group else ""
                lines.append(
                    f"{party.rule.title}, {cut(party.rule.label or party.rule.id)}{group} : {cut(party.asks, 160)}"
                )
        else:
            lines = []
        return _some(lines, self.first.conflict)

    def _funds(self) -> dict[str, Any]:
        """Each fund with those inside it below it; where there are too many, the largest that stand by themselves."""
        plan, funds = self.plan, self.scenario.funds
        held, eligible = plan.held_cents(), plan.asked_by_fund()
        granted = self.totals["by_fund"]
        inside: dict[str | None, list[str]] = {}
        for fund in funds:
            inside.setdefault(fund.parent, []).append(fund.id)
        label = {f.id: f.label or f.id for f in funds}

        def spent(name: str) -> int:
            return int(granted[name]) + sum(map(spent, inside.get(name, [])))

        def tree(name: str, depth: int) -> list[tuple[str, int]]:
            return [(name, depth), *(row for child in inside.get(name, []) for row in tree(child, depth + 1))]

        roots = inside.get(None, [])
        rows = [row for root in roots for row in tree(root, 0)]
        more = None
        if len(rows) > self.first.funds:
            largest = sorted(roots, key=lambda name: -held[name])[: self.first.funds]
            rows = [(name, 0) for name in roots if name in largest]
            rest = len(funds) - len(rows)
            others = sum(held[name] - 0 for name in roots if name not in largest)
            more = str(Text(
                f"Et {_count(rest)} autre{_s(rest)} fonds, ceux qui sont dans un autre compris ; les autres fonds à part : {format_euros(others, 'fr')}.",
                f"And {_count(rest)} more fund{_s(rest)}, those inside others included; the others by themselves: {format_euros(others, 'en')}.",
            ))  # fmt: skip
        cells = [
            [("› " * depth) + cut(label[name]), *map(_money, (held[name], eligible[name], *((spent(name), held[name] - spent(name)) if self.granted else ())))]
            for name, depth in rows
        ]  # fmt: skip
        heads = [Text("Fonds", "Fund"), Text("Enveloppe", "Envelope"), Text("Demandé (éligible)", "Asked (eligible)")]
        whole = sum(held[name] for name in roots)
        total = [str(Text("Ensemble", "Together")), _money(whole), _money(self.totals["asked"])]
        if self.granted:
            heads += [Text("Accordé", "Granted"), Text("Reste à attribuer", "Left")]
            total += [_money(self.totals["granted"]), _money(self.totals["left"])]
        nested = any(depth for _, depth in rows)
        notes = (
            [str(Text("« › » : compris dans le fonds au-dessus.", "“›”: included in the fund above."))]
            if nested
            else []
        )
        return _table(heads, cells, " ".join([*notes, *([more] if more else [])]), total=total)

    # The map

    def _per_head(self, by: str) -> pd.DataFrame:
        """Places by id: cents, people, value (euros per inhabitant, 0 without inhabitants)."""
        people = self.scenario.territories.groupby("id" if by == "territory" else by)["population"].sum()
        cents = self.units.groupby(by)["cents"].sum().reindex(people.index).fillna(0).astype(np.int64)
        table = pd.DataFrame({"cents": cents, "people": people})
        table["value"] = np.where(table["people"] > 0, table["cents"] / 100 / table["people"].clip(lower=1), 0.0)
        return table

    def _map(self) -> tuple[dict[str, Any] | None, str]:
        """By EPCI where territories are EPCI, else by region where regions are known ones, else none."""
        for level, by in (("epci", "territory"), ("regions", "region")):
            table = self._per_head(by)
            table.index = table.index.astype(str)
            known = table[table.index.isin(chart.places(level))]
            if len(known) and 2 * len(known) >= len(table) and known["people"].sum() > 0:
                asking = known[known.index.isin(self._asking(by))]
                return self._drawn(level, table, known if asking.empty else asking)
        return None, ""

    def _asking(self, by: str) -> set[str]:
        """Territories, or regions, that some demand is in."""
        territories = self.scenario.territories
        mine = territories[territories["id"].isin(self.scenario.demands["territory"].unique())]
        return set(mine["id" if by == "territory" else by].astype(str))

    def _drawn(self, level: str, table: pd.DataFrame, known: pd.DataFrame) -> tuple[dict[str, Any], str]:
        shading = chart.shading({str(name): float(value) for name, value in known["value"].items()})
        what = Text("intercommunalité", "EPCI") if level == "epci" else Text("région", "region")
        many = Text("intercommunalités", "EPCIs") if level == "epci" else Text("régions", "regions")
        names = self._names("territory" if level == "epci" else "region")
        some = known[known["value"] > 0].sort_values("value", ascending=False)
        reading = [str(Text(f"{_count(len(some))} {many.fr} sur {_count(len(known))} qui demandent reçoivent quelque chose.",
                            f"{_count(len(some))} {many.en} out of {_count(len(known))} that ask receive something."))]  # fmt: skip
        if len(some):
            top = [
                f"{cut(names.get(str(name), name), 40)} ({_each(value)})"
                for name, value in some["value"].head(3).items()
            ]
            high = Text("Le plus par habitant : ", "Most per inhabitant: ").in_() + " ; ".join(top) + "."
            middle = float(np.median(known["value"]))
            reading += [high, str(Text(f"Médiane : {_each(middle)}.", f"Median: {_each(middle)}."))]
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
            reading.append(str(Text(f"Hors de la carte : {_count(away)} territoire{_s(away)} ou région{_s(away)}, {cents} accordés.",
                                    f"Not on the map: {_count(away)} territories or regions, {cents} granted.")))  # fmt: skip
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
            "width": self.first.map,
        }, chart.svg(level, shading.colours, box)  # fmt: skip

    # Who gets what

    def _names(self, by: str) -> dict[str, str]:
        table = self.scenario.territories
        if by == "territory":
            return dict(zip(table["id"].astype(str), table["name"].astype(str), strict=True))
        called = f"{by}_name"
        if called in table:
            return {str(key): str(name) for key, name in table.groupby(by)[called].first().items()}
        return data.regions() if by == "region" else {}

    def _measures(self) -> dict[str, Any]:
        sums: Any = self.units.groupby("measure")[["asked", "cents", "asked_units", "units"]].sum()
        served = self.units[self.units["cents"] > 0].groupby("measure").size()
        order = [m for m in self.scenario.measures if m.id in sums.index]
        kept = {m.id for m in sorted(order, key=lambda m: -sums.at[m.id, "cents"])[: self.second.measures]}
        rows = []
        for measure in order:
            if measure.id in kept:
                row: Any = sums.loc[measure.id]
                amount = f"{_quantity(row['units'])} / {_quantity(row['asked_units'])} {cut(measure.unit, 18)}"
                rows.append([cut(measure.label or measure.id), _count(int(served.get(measure.id, 0))), amount.strip(),
                             _money(int(row["asked"])), _money(int(row["cents"]))])  # fmt: skip
        rest = [m.id for m in order if m.id not in kept]
        more = None
        if rest:
            cents = int(sums.loc[rest, "cents"].sum())
            more = str(Text(f"Et {_count(len(rest))} autre{_s(len(rest))} mesure{_s(len(rest))} : {_money(cents)} accordés.",
                            f"And {_count(len(rest))} more measure{_s(len(rest))}: {_money(cents)} granted."))  # fmt: skip
        total = [
            str(Text("Ensemble", "Together")),
            _count(int(served.sum())),
            "",
            _money(self.totals["asked"]),
            _money(self.totals["granted"]),
        ]
        return _table(
            [Text("Mesure", "Measure"), Text("Dossiers servis", "Served"), Text("Unités accordées / demandées", "Units granted / asked"),
             Text("Demandé", "Asked"), Text("Accordé", "Granted")],
            rows, more, total=total,
        )  # fmt: skip

    def _bars(self, by: str, title: Text, head: Text, most: int) -> dict[str, Any]:
        """A row a place, with euros per inhabitant where people are known, in euros where they are not."""
        table, names = self._per_head(by), self._names(by)
        inhabited = bool((table["people"] > 0).any())
        table["key"] = table["value"] if inhabited else table["cents"] / 100
        table = table.sort_values(["key", "cents"], ascending=False, kind="stable")
        shown, rest = table.head(most), table.iloc[most:]
        top = float(table["key"].max()) or 1.0
        rows = [
            {
                "label": cut(names.get(str(name), str(name)), 40),
                "granted": _money(int(row["cents"])),
                "each": _each(row["value"]) if row["people"] > 0 else "—",
                "share": round(100 * float(row["key"]) / top, 2) / 100,
            }
            for name, row in zip(shown.index, shown.to_dict("records"), strict=True)
        ]  # fmt: skip
        more = None
        if len(rest):
            cents = _money(int(rest["cents"].sum()))
            more = str(
                Text(
                    f"Et {_count(len(rest))} autre{_s(len(rest))} : {cents}.", f"And {_count(len(rest))} more: {cents}."
                )
            )
        people = int(table["people"].sum())
        each = _each(self.totals["granted"] / 100 / people) if people else "—"
        return {
            "title": str(title), "more": more, "rows": rows,
            "heads": [str(head), str(Text("Accordé", "Granted")), str(Text("€ par habitant", "€ per inhabitant"))],
            "total": [str(Text("Ensemble", "Together")), _money(self.totals["granted"]), each],
        }  # fmt: skip

    def _regions(self) -> dict[str, Any]:
        return self._bars("region", Text("Par région", "By region"), Text("Région", "Region"), self.second.regions)

    def _places(self) -> dict[str, Any]:
        """Instead of a map."""
        title, head = (
            Text("Qui reçoit le plus, par territoire", "Who receives most, by territory"),
            Text("Territoire", "Territory"),
        )
        why = Text("Pas de carte : ces territoires ne sont ni des intercommunalités ni dans des régions dont les contours sont connus.",
                   "No map: these territories are neither EPCIs nor in regions whose outlines are known.")  # fmt: skip
        return self._bars("territory", title, head, self.first.places) | {"notes": [str(why)]}

    def _largest(self) -> dict[str, Any]:
        served = self.units[self.units["cents"] > 0]
        top = served.nlargest(self.second.largest, "cents")
        rows = [[cut(_without_id(called(self.scenario, demand), demand), 60), _money(int(cents))]
                for demand, cents in zip(top["demand"], top["cents"], strict=True)]  # fmt: skip
        rest = len(served) - len(top)
        cents = int(served["cents"].sum() - top["cents"].sum())
        more = str(Text(f"Et {_count(rest)} autre{_s(rest)} : {_money(cents)}. Liste à notifier : plan.xlsx, feuille « À notifier ».",
                        f"And {_count(rest)} more: {_money(cents)}. List to notify: plan.xlsx, sheet “To notify”.")) if rest else None  # fmt: skip
        return _table([Text("Dossier", "Demand"), Text("Accordé", "Granted")], rows, more) | {
            "title": str(Text("Les plus gros montants", "The largest amounts")),
        }

    # What rules cost

    def _rules(self) -> dict[str, Any]:
        if not self.granted:
            return {"lines": self._remedies(), "table": None, "after": None, "columns": []}
        if isinstance(self.reasons, Costs):
            return self._costs(self.reasons)
        limits = {rule.id: (rule, levels) for rule, levels in self.plan.certificate.levels if rule.kind != "fund"}
        binding = [name for name in self.plan.binding if name in limits]
        lines = [str(Text(
            "Le coût d'une règle est ce que le meilleur plan regagne sans elle ; il se calcule avec : allocator solve … --pdf --costs.",
            "The cost of a rule is what the best plan regains without it; computed with: allocator solve … --pdf --costs.",
        ))]  # fmt: skip
        shown = binding[: self.second.rules]
        rows = []
        for name in shown:
            rule, levels = limits[name]
            tight = [self._group(rule, level.group) for level in levels if level.tight and level.group]
            where = ", ".join(cut(group, 28) for group in tight[:2]) + (
                f" + {len(tight) - 2}" if len(tight) > 2 else ""
            )
            rows.append(
                [cut(rule.label or rule.id, 90), str(rule.title), where or str(Text("l'ensemble", "the whole"))]
            )
        if not rows:
            lines.append(
                str(
                    Text(
                        "Aucune règle, hors des enveloppes, ne limite ce plan.",
                        "No rule beside the envelopes limits this plan.",
                    )
                )
            )
            return {"lines": lines, "table": None, "after": None, "columns": []}
        lines.append(
            str(
                Text(
                    "Les règles qui limitent le plan, hors des enveloppes :",
                    "The rules that limit the plan, beside the envelopes:",
                )
            )
        )
        rest = len(binding) - len(shown)
        after = str(Text(f"Et {_count(rest)} autre{_s(rest)} : plan.xlsx, feuille « Tenue des règles ».",
                         f"And {_count(rest)} more: plan.xlsx, sheet “Rules kept”.")) if rest else None  # fmt: skip
        heads = [Text("Règle", "Rule"), Text("Sorte", "Kind"), Text("À sa borne pour", "At its side for")]
        return {"lines": lines, "table": _table(heads, rows, left=3), "after": after, "columns": [6, 2, 3]}

    def _group(self, rule: Any, group: str) -> str:
        per = getattr(rule, "per", None)
        if per in ("region", "departement", "territory"):
            return self._names(per).get(group, group)
        return rule.group_text(group)

    def _costs(self, costs: Costs) -> dict[str, Any]:
        measured = costs.measured
        rows = []
        for each in measured[: self.second.rules]:
            assert each.regained is not None
            said = each.counted.changes(dict(sorted(each.indicators.items(), key=lambda item: -abs(item[1]))[:2]))
            rows.append(
                [cut(each.label or each.rule, 90), cut(said, 80) or "—", cut(each.counted.of(each.regained), 60)]
            )
        lines = [str(Text("Le coût d'une règle est ce que regagne le meilleur plan sans elle, toutes les autres gardées. Les coûts ne s'additionnent pas.",
                          "The cost of a rule is what the best plan without it regains, all others kept. Costs do not add up."))]  # fmt: skip
        if not rows:
            lines.append(str(costs.answer))
        after = []
        rest = len(measured) - len(rows)
        if rest:
            after.append(str(Text(f"Et {_count(rest)} autre{_s(rest)} : plan.xlsx, feuille « Tenue des règles ».",
                                  f"And {_count(rest)} more: plan.xlsx, sheet “Rules kept”.")))  # fmt: skip
        solved = [each.regained for each in costs.ranked if each.regained is not None and not each.measurable]
        free = sum(1 for gain in solved if gain.nothing)
        small = len(solved) - free
        if free:
            after.append(str(Text(f"Ne coûte{'nt' if free > 1 else ''} rien : {_count(free)} règle{_s(free)}.",
                                  f"Cost nothing: {_count(free)} rule{_s(free)}.")))  # fmt: skip
        if small:
            after.append(str(Text(f"Coût plus petit que l'écart garanti, donc non mesurable, peut-être nul : {_count(small)} règle{_s(small)}.",
                                  f"Cost smaller than the gap proved, hence not measurable, perhaps none: {_count(small)} rule{_s(small)}.")))  # fmt: skip
        lost = [each.label or each.rule for each in costs.ranked if each.regained is None]
        if lost:
            shown = listing([cut(name, 50) for name in lost], 2)
            after.append(
                str(
                    Text(f"Aucun plan trouvé à temps sans : {shown.fr}.", f"No plan found in time without: {shown.en}.")
                )
            )
        heads = [Text("Règle", "Rule"), Text("Sans elle", "Without it"), Text("Coût", "Cost")]
        table = _table(heads, rows, left=2) if rows else None
        return {"lines": lines, "table": table, "after": " ".join(after) or None, "columns": [6, 5, 0]}

    def _remedies(self) -> list[str]:
        if self.reasons is not None and self.reasons.about == "infeasible":
            return _some([cut(line, PARAGRAPH) for line in map(str, self.reasons.details)], self.second.changes)
        how = Text(
            "Les plus petits changements qui rendent un plan possible se calculent : « allocator explain » ou « allocator solve … --pdf --costs ».",
            "The least changes that make a plan possible can be computed: “allocator explain” or “allocator solve … --pdf --costs”.",
        )
        return [str(how)]

    # What is not known

    def _unknown(self) -> list[str]:
        plan, scenario = self.plan, self.scenario
        lines: list[Text] = []
        if plan.status == "feasible":
            lines.append(Text("L'écart au meilleur plan n'est pas fermé : un plan un peu meilleur existe peut-être.",
                              "The gap to the best plan is not closed: a slightly better plan may exist."))  # fmt: skip
        figures = [*scenario.funds, *scenario.measures]
        supposed = sum(1 for each in figures if each.hypothesis)
        rules = [c for c in scenario.constraints if c.enabled]
        guessed = sum(1 for c in rules if c.source.lower().startswith("hypoth"))
        bare = sum(1 for each in (*figures, *rules) if not each.source)
        if supposed or guessed:
            parts = [
                *([Text(f"{supposed} des {len(figures)} fonds et mesures", f"{supposed} of the {len(figures)} funds and measures")] if supposed else []),
                *([Text(f"{guessed} des {len(rules)} règles", f"{guessed} of the {len(rules)} rules")] if guessed else []),
            ]  # fmt: skip
            lines.append(Text("Hypothèses, à discuter : " + ", ".join(part.fr for part in parts) + ".",
                              "Hypotheses, open to debate: " + ", ".join(part.en for part in parts) + "."))  # fmt: skip
        if bare:
            lines.append(Text(f"Sans source indiquée : {bare} des {len(figures) + len(rules)} fonds, mesures et règles.",
                              f"No source given: {bare} of the {len(figures) + len(rules)} funds, measures and rules."))  # fmt: skip
        lines.append(Text(
            "Les dossiers (montants, unités, effets attendus) sont pris tels que donnés : ni leur réalité ni leur éligibilité n'ont été instruites.",
            "Demands (amounts, units, expected effects) are taken as given: neither their reality nor their eligibility was examined.",
        ))  # fmt: skip
        if len(weights(scenario)) > 1:
            lines.append(Text("Le poids de chaque point est un choix politique : un autre poids donne un autre plan.",
                              "The weight of each point is a political choice: another weight gives another plan."))  # fmt: skip
        seen = {type(c): c for c in rules if c.not_covered is not None}
        if seen:
            kind = next(iter(seen.values()))
            said = kind.not_covered
            assert said is not None
            more = len(seen) - 1
            rest = Text(f" ({more} autre{_s(more)} sorte{_s(more)} de règle : « allocator list --kinds »)" if more else "",
                        f" ({more} more kind{_s(more)} of rule: “allocator list --kinds”)" if more else "")  # fmt: skip
            lines.append(Text(f"Droit non couvert, {kind.title.fr.lower()} : {cut(said.fr, 170)}{rest.fr}",
                              f"Law not covered, {kind.title.en.lower()}: {cut(said.en, 170)}{rest.en}"))  # fmt: skip
        if scenario.warnings:
            n = len(scenario.warnings)
            lines.append(Text(f"{n} avertissement{_s(n)} à la lecture, dont : {cut(scenario.warnings[0].text(), 170)}",
                              f"{n} warning{_s(n)} on reading, such as: {cut(scenario.warnings[0].text(), 170)}"))  # fmt: skip
        if self.granted:
            lines.append(Text("D'autres plans valent peut-être presque autant et servent d'autres dossiers : « allocator explain … --about near » les cherche.",
                              "Other plans may be worth almost as much and serve other demands: “allocator explain … --about near” looks for them."))  # fmt: skip
        return [str(line) for line in lines]

    # Provenance

    def _date(self) -> str:
        day = self.day
        first = "1er" if day.day == 1 else str(day.day)
        return str(Text(f"{first} {_MONTHS[day.month - 1]} {day.year}", day.isoformat()))

    def _footer(self) -> str:
        engine = self.plan.engine
        gap = Text(f"écart garanti {self._gap(self.plan.gap)}", f"gap {self._gap(self.plan.gap)}")
        return " · ".join([f"allocator {version('allocator-fonds-publics')}", f"{engine.name} {engine.version}", str(gap), self._date(),
                           f"SHA-256 {self.scenario.input_hash}"])  # fmt: skip

    def _provenance(self) -> list[str]:
        engine, gap = self.plan.engine, self._gap(self.plan.gap)
        own, digest = version("allocator-fonds-publics"), self.scenario.input_hash
        return [
            str(Text(f"{OFFICIAL.fr} Empreinte des données (SHA-256) : {digest}.", f"{OFFICIAL.en} Hash of the input (SHA-256): {digest}.")),
            str(Text(
                f"allocator {own}, moteur {engine.name} {engine.version}, écart garanti {gap}, le {self._date()}. Les mêmes chiffres, "
                "dossier par dossier : plan.xlsx et les fichiers CSV et JSON écrits avec ce document.",
                f"allocator {own}, engine {engine.name} {engine.version}, gap proved {gap}, on {self._date()}. The same figures, "
                "demand by demand: plan.xlsx and the CSV and JSON files written with this document.",
            )),
        ]  # fmt: skip


def _table(heads: Sequence[Text], rows: list[list[str]], more: str | None = None, *, left: int = 1, total: list[str] | None = None) -> dict[str, Any]:  # fmt: skip
    found: dict[str, Any] = {"heads": [str(head) for head in heads], "rows": rows, "left": left, "more": more or None}
    return found | ({"total": total} if total else {})


def _money(cents: int) -> str:
    return format_euros(cents, language())


def _each(euros: float) -> str:
    said = number(euros, 2)
    return str(Text(f"{said}{NO_BREAK}€", f"€{said}"))


def _count(n: int) -> str:
    return number(n)


def _quantity(units: float) -> str:
    """With a decimal where it is not whole."""
    return number(units, 0 if abs(units - round(units)) < 1e-6 else 1)


def _s(n: int) -> str:
    return "s" if n > 1 else ""


def _without_id(name: str, demand: str) -> str:
    return name.removesuffix(f" ({demand})")


def _some(lines: list[str], most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    rest = len(lines) - most
    return [*lines[:most], str(Text(f"… et {rest} ligne{_s(rest)} de plus.", f"… and {rest} more line{_s(rest)}."))]
