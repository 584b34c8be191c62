"""What each rule costs, which ones limit the plan, what it would be enough to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allocator.explain.costs import Costs
from allocator.explain.explanation import Explanation
from allocator.explain.variants import listing
from allocator.report.note.places import Places
from allocator.report.note.words import PARAGRAPH, counted, cut, first_of, plural, table_of
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.plan import Plan


class Rules:
    """The rules of a plan. `reasons`: what `explain` says of their costs or, without a plan, of the conflict."""

    def __init__(self, plan: Plan, reasons: Explanation | None, places: Places) -> None:
        self.plan, self.reasons, self.places = plan, reasons, places

    def told(self, most: int, changes: int) -> dict[str, Any]:
        """`most`: rows of rules; `changes`: lines of what would make a plan possible."""
        if self.plan.reading is None:
            return {"lines": self._remedies(changes), "table": None, "after": None, "columns": []}
        if isinstance(self.reasons, Costs):
            return self._costs(self.reasons, most)
        limits = {rule.id: (rule, levels) for rule, levels in self.plan.certificate.levels if rule.kind != "fund"}
        binding = [name for name in self.plan.binding if name in limits]
        lines = [str(Text(
            "Le coût d'une règle est ce que le meilleur plan regagne sans elle ; il se calcule avec : allocator solve … --pdf --costs.",
            "The cost of a rule is what the best plan regains without it; computed with: allocator solve … --pdf --costs.",
        ))]  # fmt: skip
        shown = binding[:most]
        rows = []
        for name in shown:
            rule, levels = limits[name]
            tight = [self.places.group_text(rule, level.group) for level in levels if level.tight and level.group]
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
        after = str(Text(f"Et {counted(rest)} autre{plural(rest)} : plan.xlsx, feuille « Tenue des règles ».",
                         f"And {counted(rest)} more: plan.xlsx, sheet “Rules kept”.")) if rest else None  # fmt: skip
        heads = [Text("Règle", "Rule"), Text("Sorte", "Kind"), Text("À sa borne pour", "At its side for")]
        return {"lines": lines, "table": table_of(heads, rows, left=3), "after": after, "columns": [6, 2, 3]}

    def _costs(self, costs: Costs, most: int) -> dict[str, Any]:
        measured = costs.measured
        rows = []
        for each in measured[:most]:
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
            after.append(str(Text(f"Et {counted(rest)} autre{plural(rest)} : plan.xlsx, feuille « Tenue des règles ».",
                                  f"And {counted(rest)} more: plan.xlsx, sheet “Rules kept”.")))  # fmt: skip
        solved = [each.regained for each in costs.ranked if each.regained is not None and not each.measurable]
        free = sum(1 for gain in solved if gain.nothing)
        small = len(solved) - free
        if free:
            after.append(str(Text(f"Ne coûte{'nt' if free > 1 else ''} rien : {counted(free)} règle{plural(free)}.",
                                  f"Cost nothing: {counted(free)} rule{plural(free)}.")))  # fmt: skip
        if small:
            after.append(str(Text(f"Coût plus petit que l'écart garanti, donc non mesurable, peut-être nul : {counted(small)} règle{plural(small)}.",
                                  f"Cost smaller than the gap proved, hence not measurable, perhaps none: {counted(small)} rule{plural(small)}.")))  # fmt: skip
        lost = [each.label or each.rule for each in costs.ranked if each.regained is None]
        if lost:
            shown = listing([cut(name, 50) for name in lost], 2)
            after.append(
                str(
                    Text(f"Aucun plan trouvé à temps sans : {shown.fr}.", f"No plan found in time without: {shown.en}.")
                )
            )
        heads = [Text("Règle", "Rule"), Text("Sans elle", "Without it"), Text("Coût", "Cost")]
        table = table_of(heads, rows, left=2) if rows else None
        return {"lines": lines, "table": table, "after": " ".join(after) or None, "columns": [6, 5, 0]}

    def _remedies(self, most: int) -> list[str]:
        if self.reasons is not None and self.reasons.about == "infeasible":
            return first_of([cut(line, PARAGRAPH) for line in map(str, self.reasons.details)], most)
        how = Text(
            "Les plus petits changements qui rendent un plan possible se calculent : « allocator explain » ou « allocator solve … --pdf --costs ».",
            "The least changes that make a plan possible can be computed: “allocator explain” or “allocator solve … --pdf --costs”.",
        )
        return [str(how)]
