"""A plan as tables on a terminal, in French or English."""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from allocator.money import NO_BREAK, format_euros
from allocator.texts import Text, figure, language

if TYPE_CHECKING:
    from allocator.plan import Plan

STATUS = {
    "optimal": Text("optimal (certifié)", "optimal (certified)"),
    "feasible": Text("réalisable et certifié ; l'écart au mieux n'est pas fermé", "feasible and certified; the gap to the best is not closed"),
    "infeasible": Text("impossible (prouvé)", "infeasible (proved)"),
    "no_plan": Text("aucun plan", "no plan"),
}  # fmt: skip
LEAST_GAP = 1e-6  # shown as a figure
OFFICIAL = Text("Seuls les montants officiels font foi.", "Only official amounts are authoritative.")


def number(value: float, digits: int = 0) -> str:
    """1 234 567,8 in French, 1,234,567.8 in English."""
    text = f"{value:,.{digits}f}".replace("-", "−")
    return text.translate({ord(","): "\u202f", ord("."): ","}) if language() == "fr" else text


def euros(cents: int) -> str:
    return format_euros(cents, language())


def proved_gap(gap: float | None) -> Text:
    """A gap in per cent, 0,0015 %, whatever says it: what is not zero never reads as zero; — where nothing is known."""
    if gap is None or gap != gap:
        return Text("—", "—")
    if isinf(gap):
        return Text("∞", "∞")
    share = figure(100 * gap, 2) if gap == 0 or gap >= LEAST_GAP else Text("< 0,0001", "< 0.0001")
    return Text(f"{share.fr}{NO_BREAK}%", f"{share.en}%")


def print_plan(plan: Plan, console: Console) -> None:
    """The plan as tables: by fund, by measure, by region; what is short, what binds; the certificate."""
    heading = Text("Plan", "Plan")
    console.print(f"\n[bold]{heading} « {plan.scenario.name} »[/bold] : {STATUS[plan.status]}")
    if str(plan.message):
        console.print(str(plan.message))
    if plan.conflict is not None:
        console.print(str(plan.conflict.text()), markup=False, highlight=False)
    if plan.reading is None:
        return
    _points(plan, console)
    for table in (_by_fund(plan), *_accounts(plan, console.width), _by_measure(plan), _by_region(plan)):
        console.print()
        console.print(table)
    _scarce(plan, console)
    _binding(plan, console)
    _certificate(plan, console)


def _points(plan: Plan, console: Console) -> None:
    """Each level of the objective, and what no plan exceeds."""
    for rank, level in enumerate(plan.levels, 1):
        told = level.as_dict()
        unit, cost = level.aim.unit, level.aim.sign < 0
        reached = number(told["objective"], 2)
        bound = "—" if told["bound"] is None else number(told["bound"], 2)
        gap = proved_gap(told["gap"])
        name = "" if len(plan.levels) == 1 else f"{rank}. {level.aim.title} : "
        limit = Text("ne coûte moins de", "costs less than") if cost else Text("ne dépasse", "exceeds")
        console.print(
            Text(
                f"{name}{reached} {unit.fr} ; aucun plan {limit.fr} {bound} (écart garanti {gap.fr})",
                f"{name}{reached} {unit.en}; no plan {limit.en} {bound} (gap {gap.en})",
            ).in_(),
            highlight=False,
        )


def _table(title: Text, *columns: Text) -> Table:
    table = Table(title=str(title), title_justify="left", header_style="bold")
    for k, column in enumerate(columns):
        table.add_column(str(column), justify="left" if k == 0 else "right", no_wrap=k > 0)
    return table


ASKED = Text("demandé", "asked")
GRANTED = Text("accordé", "granted")
LEFT = Text("reste à attribuer", "left")


def _by_fund(plan: Plan) -> Table:
    """Each fund with what is inside it; a parent's row counts its children's euros, so rows are not to be added up."""
    held, eligible = plan.held_cents(), plan.asked_by_fund()
    granted = plan.grants.groupby("fund")["cents"].sum()
    table = _table(
        Text("Par fonds", "By fund"), Text("fonds", "fund"), Text("enveloppe", "envelope"),
        Text("demandé (éligible)", "asked (eligible)"), GRANTED, LEFT,
    )  # fmt: skip
    children: dict[str | None, list[str]] = {}
    labels = {f.id: f.label or f.id for f in plan.scenario.funds}
    for fund in plan.scenario.funds:
        children.setdefault(fund.parent, []).append(fund.id)

    def spent(fund: str) -> int:
        return int(granted.get(fund, 0)) + sum(spent(child) for child in children.get(fund, []))

    def walk(fund: str, depth: int) -> None:
        used = spent(fund)
        name = "  " * depth + ("└ " if depth else "") + labels[fund]
        table.add_row(name, *(euros(c) for c in (held[fund], eligible[fund], used, held[fund] - used)))
        for child in children.get(fund, []):
            walk(child, depth + 1)

    for root in children.get(None, []):
        walk(root, 0)
    return table


ACCOUNT = {
    "brought": Text("report", "brought"),
    "opened": Text("ouvert (AE)", "opened (AE)"),
    "frozen": Text("gelé", "frozen"),
    "income": Text("recettes", "income"),
    "returned": Text("retours", "repaid"),
    "moved": Text("redéployé", "moved"),
    "committed": Text("engagé", "committed"),
    "left": LEFT,
    "payable": Text("CP ouverts", "payable (CP)"),
    "paid": Text("payé", "paid"),
    "due": Text("reste à payer", "still due"),
}


def _accounts(plan: Plan, width: int) -> list[Table]:
    """The account of each fund for which years matter: a column a year, as many side by side as `width` takes; without
    the lines that say nothing."""
    found = []
    for fund in plan.scenario.funds:
        rows = plan.account[plan.account["fund"] == fund.id]
        spread = fund.amounts is not None and len(plan.scenario.years) > 1
        if not (spread or fund.payments or rows[["income", "returned", "moved"]].any(axis=None) or rows["due"].any()):
            continue
        said = [name for name in ACCOUNT if rows[name].fillna(0).any()] or ["opened"]
        if not rows["due"].any() and "paid" in said and not fund.payments:
            said = [name for name in said if name != "paid"]  # paid as it is committed
        cells = [
            ["—" if pd.isna(row[name]) else euros(int(row[name])) for name in said]
            for row in rows.to_dict("records")
        ]
        years = rows["year"].tolist()
        wide = 3 + max(4, *(len(cell) for column in cells for cell in column))
        beside = max(1, (width - 4 - max(len(str(ACCOUNT[name])) for name in said)) // wide)
        for first in range(0, len(years), beside):
            shown = slice(first, first + beside)
            table = _table(
                Text(f"Compte : {fund.label or fund.id}", f"Account: {fund.label or fund.id}"),
                Text("année", "year"), *(Text(str(year), str(year)) for year in years[shown]),
            )  # fmt: skip
            for name, *line in zip(said, *cells[shown], strict=True):
                table.add_row(str(ACCOUNT[name]), *line)
            found.append(table)
    return found


def _by_measure(plan: Plan) -> Table:
    units = plan.units.assign(asked=plan.asked_cents()).groupby("measure")
    sums = units[["asked", "cents", "asked_units", "units"]].sum()
    table = _table(
        Text("Par mesure", "By measure"), Text("mesure", "measure"), ASKED, GRANTED,
        Text("unités demandées", "units asked"), Text("unités accordées", "units granted"), Text("unité", "unit"),
    )  # fmt: skip
    for measure in plan.scenario.measures:
        if measure.id in sums.index:
            row: Any = sums.loc[measure.id]
            digits = 0 if measure.lumpy else 1
            table.add_row(
                measure.label or measure.id, euros(int(row["asked"])), euros(int(row["cents"])),
                number(row["asked_units"], digits), number(row["units"], digits), measure.unit,
            )  # fmt: skip
    return table


def _by_region(plan: Plan) -> Table:
    territories = plan.scenario.territories
    region = territories.set_index("id")["region"]
    sums = (
        plan.units.assign(asked=plan.asked_cents())
        .groupby(plan.units["territory"].map(region))[["asked", "cents"]]
        .sum()
    )
    people = territories.groupby("region")["population"].sum()
    table = _table(
        Text("Par région", "By region"),
        Text("région", "region"),
        ASKED,
        GRANTED,
        Text("€ par habitant", "€ per inhabitant"),
    )
    called: Any = territories.groupby("region")["region_name"].first() if "region_name" in territories else {}
    for name in sorted(people.index):
        asked, cents = (int(sums[c].get(name, 0)) for c in ("asked", "cents"))
        each = number(cents / 100 / people[name], 2) if people[name] else "—"
        table.add_row(str(called.get(name, name)), euros(asked), euros(cents), each)
    return table


def _scarce(plan: Plan, console: Console) -> None:
    held, eligible = plan.held_cents(), plan.asked_by_fund()
    short = [f for f in plan.scenario.funds if eligible[f.id] > held[f.id]]
    console.print(
        f"\n[bold]{Text('Fonds demandés au-delà de leur enveloppe', 'Funds asked for more than they hold')}[/bold]"
    )
    for fund in short:
        ratio = number(eligible[fund.id] / held[fund.id], 2) if held[fund.id] else "∞"
        text = Text(f"{fund.label} : {ratio} fois l'enveloppe", f"{fund.label}: {ratio} times the envelope")
        console.print(f"  {text}", markup=False, highlight=False)
    if not short:
        console.print(f"  {Text('aucun', 'none')}")


def _binding(plan: Plan, console: Console) -> None:
    console.print(f"\n[bold]{Text('Ce qui limite le plan', 'What limits the plan')}[/bold]")
    standing, colon = {rule.id: (rule, levels) for rule, levels in plan.certificate.levels}, Text(" : ", ": ")
    for name in plan.binding:
        rule, levels = standing[name]
        groups = sorted((level.group for level in levels if level.tight), key=bool)  # what has no name is the total
        tight = [] if groups == [""] else [said for group in groups if (said := rule.group_text(group))]
        where = f" — {', '.join(tight[:6])}{' …' if len(tight) > 6 else ''}" if tight else ""
        console.print(f"  {rule.title}{colon}{rule.label or rule.id}{where}", markup=False, highlight=False)
    broken = [
        (rule, sum((level.breach for level in levels), 0))
        for rule, levels in plan.certificate.levels
        if rule.soft is not None
    ]
    for rule, breach in broken:
        if breach:
            text = Text(
                f"non-respect de {rule.label or rule.id} : {number(float(breach), 2)}",
                f"breach of {rule.label or rule.id}: {number(float(breach), 2)}",
            )
            console.print(f"  {text}", markup=False, highlight=False)


def _certificate(plan: Plan, console: Console) -> None:
    certificate = plan.certificate
    verdict = (
        Text("certificat valable", "certificate holds")
        if certificate.ok
        else Text("certificat refusé", "certificate refused")
    )
    console.print(
        f"\n[bold]{Text('Certificat', 'Certificate')}[/bold] : {verdict} ({len(certificate.checks)} {Text('vérifications', 'checks')})"
    )
    for check in certificate.checks:
        if not check.ok or ":" not in check.name:
            console.print(f"  {'✓' if check.ok else '✗'} {check.label} : {check.detail}", markup=False, highlight=False)
    held = sum(1 for check in certificate.checks if check.ok and ":" in check.name)
    console.print(f"  ✓ {held} {Text('règles et enveloppes tenues', 'rules and envelopes held')}", highlight=False)
    engine, seconds = plan.engine, plan.seconds
    console.print(
        Text(
            f"Moteur {engine.name} {engine.version} ({engine.why}), programme {plan.size[0]} × {plan.size[1]} : "
            f"compilation {number(seconds.compile, 2)} s, calcul {number(seconds.solve, 2)} s, mise au centime {number(seconds.settle, 2)} s, "
            f"certificat {number(seconds.certify, 2)} s",
            f"Engine {engine.name} {engine.version} ({engine.why}), program {plan.size[0]} × {plan.size[1]}: "
            f"compile {number(seconds.compile, 2)} s, solve {number(seconds.solve, 2)} s, settle {number(seconds.settle, 2)} s, "
            f"certify {number(seconds.certify, 2)} s",
        ).in_(),
        highlight=False,
    )


__all__ = ["number", "print_plan"]
