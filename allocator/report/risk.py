"""What a plan risks and what it costs to be ready: tables on a terminal, a curve, files."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from allocator.money import format_euros
from allocator.objectives import Minimise
from allocator.report.console import STATUS, number
from allocator.report.files import replace_file
from allocator.spreadsheet import csv_of
from allocator.texts import Text, figure, language

if TYPE_CHECKING:
    from allocator.risk.assess import Risk
    from allocator.risk.regret import Regrets
    from allocator.risk.robust import Point, Price
    from allocator.risk.uncertainty import Uncertain

NOTHING = "—"
SHORT = STATUS | {"feasible": Text("réalisable (certifié)", "feasible (certified)")}
OWNERS = Text("propriétaires, en plus du prévu", "owners, beyond what was planned")


def as_dict(
    risk: Risk, influence: pd.DataFrame | None, price: Price | None = None, regrets: Regrets | None = None
) -> dict[str, Any]:
    """Everything, plain enough for JSON; figures in cents; what does not exist is null."""
    plan = risk.plan
    report: dict[str, Any] = {"scenario": plan.scenario.name, "status": plan.status, "risk": risk.as_dict()}
    report["influence"] = None if influence is None else influence.to_dict("records")
    report["robust"] = None if price is None else price.as_dict()
    report["regret"] = None if regrets is None else regrets.as_dict()
    plain: dict[str, Any] = _plain(report)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_risk(risk: Risk, influence: pd.DataFrame | None, console: Console) -> None:
    """Funds that may fall short, what costs and benefits may be, and which uncertain things matter."""
    said = Text(
        f"Ce que risque le plan « {risk.plan.scenario.name} » : {number(risk.samples)} tirages (graine {risk.seed})",
        f"What the plan “{risk.plan.scenario.name}” risks: {number(risk.samples)} draws (seed {risk.seed})",
    )
    console.print(f"\n[bold]{said}[/bold]", highlight=False)
    for item in risk.uncertainty.uncertain:
        console.print(f"  {item.title} ({_grounds(item)})", markup=False, highlight=False)
    console.print(_funds(risk), _others(risk))
    if influence is not None and len(influence):
        console.print(_influence(risk, influence))


def _grounds(item: Uncertain) -> Text:
    if not (item.hypothesis or item.source):
        return Text("sans source", "no source")
    mark = Text("hypothèse", "hypothesis") if item.hypothesis else Text("source", "source")
    said = item.source
    return Text(f"{mark.fr} : {said}", f"{mark.en}: {said}") if said else mark


def _table(title: Text, *headings: Text | str) -> Table:
    table = Table(title=str(title), title_justify="left", header_style="bold")
    for k, heading in enumerate(headings):
        table.add_column(str(heading), justify="left" if k == 0 else "right", overflow="fold")
    return table


def _funds(risk: Risk) -> Table:
    table = _table(
        Text("Besoin de chaque fonds", "What each fund needs"),
        Text("fonds", "fund"), Text("enveloppe", "envelope"), Text("accordé", "granted"), "P10", "P50", "P90",
        Text("moyenne des 5 % pires", "mean of the worst 5%"), Text("dépasse", "overruns"),
        Text("dépassement moyen", "mean overrun"),
    )  # fmt: skip
    labels = {fund.id: fund.label or fund.id for fund in risk.plan.scenario.funds}
    for row in risk.funds.to_dict("records"):
        names = ("envelope", "granted", "need_p10", "need_p50", "need_p90", "worst")
        chance = _chance(row["probability"], row["low"], row["high"])
        table.add_row(labels[row["fund"]], *(_money(row[n]) for n in names), chance, _money(row["expected_overrun"]))
    table.caption = str(
        Text(
            "Dépasse : part des tirages où le besoin passe l'enveloppe ; entre crochets, l'intervalle à 95 % de ce tirage",
            "Overruns: share of draws whose need exceeds the envelope; in brackets, its 95% interval",
        )
    )
    return table


def _chance(probability: float, low: float, high: float) -> str:
    digits = 1 if high - low > 0.002 else 2
    shown = [number(100 * value, digits) for value in (probability, low, high)]
    return f"{shown[0]} % [{shown[1]} ; {shown[2]}]" if language() == "fr" else f"{shown[0]}% [{shown[1]}, {shown[2]}]"


def _others(risk: Risk) -> Table:
    """Indicators, and owners."""
    table = _table(
        Text("Résultats", "Results"),
        Text("indicateur", "indicator"), Text("prévu", "planned"), "P10", "P50", "P90",
        Text("moyenne (± erreur type)", "mean (± standard error)"),
    )  # fmt: skip
    for row in risk.indicators.to_dict("records"):
        if row["mean_error"] == 0 and row["p10"] == row["p90"]:
            continue
        mean = f"{number(row['mean'], 1)} ± {number(row['mean_error'], 1)}"
        table.add_row(row["indicator"], *(number(row[n], 1) for n in ("planned", "p10", "p50", "p90")), mean)
    owners = risk.owners.to_dict("records")[0]
    mean = f"{_money(owners['mean'])} ± {_money(owners['mean_error'])}"
    table.add_row(str(OWNERS), _money(0), *(_money(owners[n]) for n in ("p10", "p50", "p90")), mean)
    return table


def _influence(risk: Risk, influence: pd.DataFrame) -> Table:
    morris = (influence["method"] == "morris").any()
    first = Text("σ", "σ") if morris else Text("seul", "alone")
    total = Text("μ*", "μ*") if morris else Text("en tout", "in all")
    title = Text("Ce qui compte (Morris)", "What matters (Morris)") if morris else Text(
        "Ce qui compte : part de la variance (Sobol)", "What matters: share of the variance (Sobol)"
    )  # fmt: skip
    table = _table(title, Text("résultat", "outcome"), Text("incertitude", "uncertain"), first, total)
    titles = {item.id: item.title for item in risk.uncertainty.uncertain}
    funds = {f"fund:{fund.id}": fund.label or fund.id for fund in risk.plan.scenario.funds}
    for row in influence.sort_values(["outcome", "total"], ascending=[True, False], kind="stable").to_dict("records"):
        outcome = str(OWNERS) if row["outcome"] == "owners" else funds.get(row["outcome"], row["outcome"])
        cells = [
            number(row[n], 2) + (f" ± {number(row[f'{n}_error'], 2)}" if math.isfinite(row[f"{n}_error"]) else "")
            for n in ("first", "total")
        ]
        table.add_row(outcome, titles[row["id"]], *cells)
    return table


def _money(cents: float) -> str:
    return ("−" if cents < 0 else "") + format_euros(abs(round(cents)), language(), compact=True)


def _rule(point: Point) -> Text:
    if point.at_once is None:
        return Text("moyenne des 5 pires de 100 cas", "mean of the worst 5 of 100 cases")
    return Text(f"{point.at_once} à la fois", f"{point.at_once} at once")


def print_price(price: Price, console: Console) -> None:
    """One plan a line: what it is ready for, its worth, what it needs then and what the ordinary plan would need."""
    points = [] if _in_euros(price) else [Text("points", "points")]
    table = _table(
        Text("Le prix de la robustesse", "The price of robustness"),
        Text("prêt à : dépassements", "ready for: overruns"), Text("plan", "plan"), *points, Text("accordé", "granted"),
        Text("besoin alors", "need then"), Text("sans y être prêt", "need unready"), Text("besoin P90", "need P90"),
        Text("risque", "risk"),
    )  # fmt: skip
    for point in price.points:
        worth, plan = point.as_dict()["objective"], point.plan
        shown = [NOTHING if worth is None else number(worth, 1)] if points else []
        shown += [NOTHING if c is None else _money(c) for c in (point.granted, point.need, point.unready, point.p90)]
        risk = NOTHING
        if point.probability is not None:
            risk = f"{number(100 * point.probability, 1)} % ± {number(100 * (point.error or 0), 1)}"
        table.add_row(str(_rule(point)), SHORT[plan.status].in_(), *shown, risk)
    table.caption = str(
        Text(
            "Besoin alors : du fonds le plus près de sa limite ; risque : probabilité qu'un fonds ne suffise pas, à 95 %",
            "Need then: of the fund nearest its limit; risk: probability that some fund falls short, at 95%",
        )
    )
    console.print(table)
    if price.interrupted:
        console.print(
            str(Text("Interrompu : d'autres plans devaient suivre.", "Interrupted: other plans were to follow."))
        )


def print_regret(regrets: Regrets, console: Console) -> None:
    """What the plan to regret least loses in each future, beside the plans made for one of them."""
    names = [future.id for future in regrets.futures]
    table = _table(
        Text("Regret : points perdus dans chaque avenir", "Regret: points lost in each future"),
        Text("avenir", "future"), Text("au mieux", "at best"), Text("plan prudent", "prudent plan"),
        *(Text(f"plan « {name} »", f"plan “{name}”") for name in names),
    )  # fmt: skip
    for row in regrets.table.to_dict("records"):
        cells = [row["best"], row["regret_plan"], *(row[f"regret_{name}"] for name in names)]
        shown = [NOTHING if v is None or not math.isfinite(v) else number(v, 1) for v in cells]
        table.add_row(row["label"], *shown)
    if regrets.regret is not None and regrets.bound is not None:
        worst, least, room = (number(v, 1) for v in (regrets.regret, regrets.bound, regrets.room or 0.0))
        table.caption = str(
            Text(
                f"Regret du plan prudent : {worst} au plus ; aucun plan ne descend sous {least} "
                f"(les meilleurs plans de chaque avenir sont connus à {room} points près)",
                f"The prudent plan's regret: at most {worst}; no plan is below {least} (the best plans of each future are"
                f" known within {room} points)",
            )
        )
    console.print(table)


def write_risk(
    folder: str | os.PathLike[str],
    risk: Risk,
    influence: pd.DataFrame | None,
    price: Price | None,
    regrets: Regrets | None,
) -> list[Path]:
    """Write funds.csv, indicators.csv, influence.csv, robustness.csv and .svg, regret.csv (those there are) and risk.json, each
    replaced whole. Raises OSError when the folder cannot be written."""
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    tables = {"funds": risk.funds, "indicators": risk.indicators}
    tables |= {} if influence is None else {"influence": influence}
    tables |= {} if price is None else {"robustness": price.table}
    tables |= {} if regrets is None else {"regret": regrets.table}
    files = {f"{name}.csv": csv_of(table) for name, table in tables.items()}
    if price is not None:
        files["robustness.svg"] = curve(price)
    report = as_dict(risk, influence, price, regrets)
    files["risk.json"] = json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    return [replace_file(root / name, text) for name, text in files.items()]


# ------------------------------------------------------------------------------------------------ the curve

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 96, 24, 64, 84
READY, UNREADY = "#000091", "#ce0500"


def curve(price: Price) -> str:
    """SVG: what a plan is worth, or what it needs where euros are minimised, against how many overruns come at once; below,
    the risk of each."""
    points = [point for point in price.points if point.at_once is not None]
    if _in_euros(price):
        lines = [
            (READY, Text("plan prêt", "ready plan"), [_scaled(point.need, 1e11) for point in points]),
            (UNREADY, Text("plan ordinaire", "ordinary plan"), [_scaled(point.unready, 1e11) for point in points]),
        ]
        unit = Text("besoin, Md€", "need, € billion")
    else:
        lines = [(READY, Text("meilleur plan prêt", "best ready plan"), [point.plan.objective for point in points])]
        unit = Text("points", "points")
    body = "\n".join(_drawn(points, lines, str(unit)))
    title = Text("Le prix de la robustesse", "The price of robustness")
    name = escape(f"{title} — {price.nominal.scenario.name}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name}" '
        f'font-family="sans-serif" font-size="13">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
        f'<text x="{LEFT}" y="24" font-size="16" font-weight="bold">{name}</text>\n{body}\n</svg>\n'
    )


def _in_euros(price: Price) -> bool:
    return isinstance(price.nominal.scenario.objective, Minimise)


def _scaled(cents: int | None, by: float) -> float | None:
    return None if cents is None else cents / by


def _drawn(points: Sequence[Point], lines: Sequence[tuple[str, Text, list[float | None]]], unit: str) -> Iterator[str]:
    known = [value for _, _, values in lines for value in values if value is not None]
    ticks = _ticks(min(known, default=0.0), max(known, default=1.0))
    low, high = ticks[0], ticks[-1]
    step = (WIDTH - LEFT - RIGHT) / max(len(points) - 1, 1)

    def x(k: int) -> float:
        return round(LEFT + k * step, 1)

    def y(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    yield f'<text x="{LEFT}" y="{TOP - 14}" fill="#555">{escape(unit)}</text>'
    for tick in ticks:
        shown = number(
            tick, 0 if ticks[1] - tick >= 1 or ticks[1] - ticks[0] >= 1 else 1 if ticks[1] - ticks[0] >= 0.1 else 2
        )
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick)}" y2="{y(tick)}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y(tick) + 4}" text-anchor="end" fill="#555">{shown}</text>'
    for k, point in enumerate(points):
        yield f'<text x="{x(k)}" y="{HEIGHT - BOTTOM + 22}" text-anchor="middle">{point.at_once}</text>'
        if point.plan.reading is None:
            yield f'<text x="{x(k)}" y="{HEIGHT - BOTTOM - 8}" text-anchor="middle">✗</text>'
        elif point.probability is not None:
            risk = str(figure(100 * point.probability, 2))
            yield f'<text x="{x(k)}" y="{HEIGHT - BOTTOM + 40}" text-anchor="middle" fill="#555">{risk} %</text>'
    below = Text(
        "dépassements à la fois ; dessous, probabilité qu'un fonds ne suffise pas ; ✗ : aucun plan",
        "overruns at once; below, probability that some fund falls short; ✗: no plan",
    )
    yield f'<text x="{LEFT}" y="{HEIGHT - 14}" fill="#555">{escape(str(below))}</text>'
    for rank, (colour, label, values) in enumerate(lines):
        there = [(x(k), y(value)) for k, value in enumerate(values) if value is not None]
        path = " ".join(f"{a},{b}" for a, b in there)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        yield from (f'<circle cx="{a}" cy="{b}" r="4" fill="{colour}"/>' for a, b in there)
        yield f'<text x="{LEFT + 150 * (rank + 1)}" y="{TOP - 14}" fill="{colour}">● {escape(str(label))}</text>'


def _ticks(low: float, high: float) -> list[float]:
    """Five or so round numbers around both."""
    room = (high - low) or abs(high) or 1.0
    size = 10 ** math.floor(math.log10(room / 4))
    step = next(size * k for k in (1, 2, 5, 10) if room / (size * k) <= 5)
    first = math.floor(low / step)
    return [k * step for k in range(first, max(math.ceil(high / step), first + 1) + 1)]
