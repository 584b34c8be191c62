"""What the two pages of a plan say: words and figures, ready to be set, in the current language.

The question, the plan, the map, who gets what, what each rule costs, what is not known. Only what the plan, its
scenario and, where given, `reasons` hold; the figures are those of `Plan.summary()`, to the cent.
"""

from __future__ import annotations

import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from allocator.explain.explanation import Explanation
from allocator.explain.points import spoken, weights
from allocator.money import NO_BREAK, format_euros
from allocator.report.console import OFFICIAL, STATUS, number, proved_gap
from allocator.report.note.places import Places
from allocator.report.note.rules import Rules
from allocator.report.note.words import PARAGRAPH, SENTENCE, counted, cut, first_of, in_euros, plural, table_of
from allocator.space import Space
from allocator.texts import Text, figure, language

if TYPE_CHECKING:
    from allocator.plan import Plan
    from allocator.scenario import Scenario

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


class Note:
    """The two pages of a plan; `reasons`: what `explain` says of the costs of its rules or, without a plan, of the conflict."""

    def __init__(self, plan: Plan, reasons: Explanation | None, day: datetime.date) -> None:
        self.plan, self.reasons, self.day = plan, reasons, day
        self.first, self.second = FIRST[0], SECOND[0]
        self.scenario: Scenario = plan.scenario
        self.summary = plan.summary()
        self.totals = self.summary["totals"]
        self.granted = plan.reading is not None
        self.places = Places(plan)
        self.rules = Rules(plan, reasons, self.places)

    def content(self, first: First, second: Second) -> tuple[dict[str, Any], str]:
        """(words and figures for pages with this much room, plain enough for JSON; the map in SVG, or nothing)"""
        self.first, self.second = first, second
        plan, scenario = self.plan, self.scenario
        label = scenario.label
        title = label if isinstance(label, str) else label.get(language(), "")
        drawn, svg = self.places.map(first.map) if self.granted else (None, "")
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
            "places": self.places.places(first.places) if self.granted and drawn is None else None,
            "measures": self.places.measures(second.measures) if self.granted else None,
            "regions": self.places.regions(second.regions) if self.granted else None,
            "largest": self.places.largest(second.largest) if self.granted and self.totals["granted"] else None,
            "rules": self.rules.told(second.rules, second.changes),
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
            Text(f"en respectant {counted(rules)}{NO_BREAK}règle{plural(rules)}", f"keeping {counted(rules)}{NO_BREAK}rule{plural(rules)}") if rules
            else Text("sans autre règle que les enveloppes", "with no rule beside the envelopes")
        )  # fmt: skip
        question = Text(
            f"Comment répartir {money.fr} {when.fr} entre {counted(n)} dossier{plural(n)} de {counted(m)} territoire{plural(m)}, pour "
            f"{asked.fr} demandés, {kept.fr}{NO_BREAK}?",
            f"How to share {money.en} {when.en} between {counted(n)} demand{plural(n)} of {counted(m)} territor{'y' if m == 1 else 'ies'}, for "
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
        if len(said) == 1 and points:
            return str(Text(f"Le meilleur plan est celui qui a {said[0].fr}.", f"The best plan is the one with {said[0].en}."))  # fmt: skip
        return str(Text("Le meilleur plan vise : " + ", puis ".join(each.fr for each in said) + ".",
                        "The best plan aims at: " + ", then ".join(each.en for each in said) + "."))  # fmt: skip

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
            f"{granted} accordés à {counted(served)} dossier{plural(served)} dans {counted(places)} territoire{plural(places)}.",
            f"{granted} granted to {counted(served)} demand{plural(served)} in {counted(places)} territor{'y' if places == 1 else 'ies'}.",
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
            unit, gap = level.aim.unit, proved_gap(told["gap"])
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

    def _figures(self) -> list[dict[str, str]]:
        cents = self.plan.units["cents"]
        money = [
            (Text("Demandé", "Asked"), self.totals["asked"]),
            (Text("Accordé", "Granted"), self.totals["granted"]),
            (Text("Reste à attribuer", "Left"), self.totals["left"]),
        ]
        count = f"{counted(int((cents > 0).sum()))} / {counted(int((cents == 0).sum()))}"
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
        return first_of(lines, self.first.conflict)

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
                f"Et {counted(rest)} autre{plural(rest)} fonds, ceux qui sont dans un autre compris ; les autres fonds à part : {format_euros(others, 'fr')}.",
                f"And {counted(rest)} more fund{plural(rest)}, those inside others included; the others by themselves: {format_euros(others, 'en')}.",
            ))  # fmt: skip
        cells = [
            [("› " * depth) + cut(label[name]), *map(in_euros, (held[name], eligible[name], *((spent(name), held[name] - spent(name)) if self.granted else ())))]
            for name, depth in rows
        ]  # fmt: skip
        heads = [Text("Fonds", "Fund"), Text("Enveloppe", "Envelope"), Text("Demandé (éligible)", "Asked (eligible)")]
        whole = sum(held[name] for name in roots)
        total = [str(Text("Ensemble", "Together")), in_euros(whole), in_euros(self.totals["asked"])]
        if self.granted:
            heads += [Text("Accordé", "Granted"), Text("Reste à attribuer", "Left")]
            total += [in_euros(self.totals["granted"]), in_euros(self.totals["left"])]
        nested = any(depth for _, depth in rows)
        notes = (
            [str(Text("« › » : compris dans le fonds au-dessus.", "“›”: included in the fund above."))]
            if nested
            else []
        )
        return table_of(heads, cells, " ".join([*notes, *([more] if more else [])]), total=total)

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
            rest = Text(f" ({more} autre{plural(more)} sorte{plural(more)} de règle : « allocator list --kinds »)" if more else "",
                        f" ({more} more kind{plural(more)} of rule: “allocator list --kinds”)" if more else "")  # fmt: skip
            lines.append(Text(f"Droit non couvert, {kind.title.fr.lower()} : {cut(said.fr, 170)}{rest.fr}",
                              f"Law not covered, {kind.title.en.lower()}: {cut(said.en, 170)}{rest.en}"))  # fmt: skip
        if scenario.warnings:
            n = len(scenario.warnings)
            lines.append(Text(f"{n} avertissement{plural(n)} à la lecture, dont : {cut(scenario.warnings[0].text(), 170)}",
                              f"{n} warning{plural(n)} on reading, such as: {cut(scenario.warnings[0].text(), 170)}"))  # fmt: skip
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
        gap = Text(f"écart garanti {proved_gap(self.plan.gap)}", f"gap {proved_gap(self.plan.gap)}")
        return " · ".join([f"allocator {version('allocator-fonds-publics')}", f"{engine.name} {engine.version}", str(gap), self._date(),
                           f"SHA-256 {self.scenario.input_hash}"])  # fmt: skip

    def _provenance(self) -> list[str]:
        engine, gap = self.plan.engine, proved_gap(self.plan.gap)
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
