"""Saved plans, their decisions and a replay, on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from allocator.money import format_euros
from allocator.report.console import STATUS, euros, number, proved_gap
from allocator.texts import Text, figure

CODE = "code"  # `allocator.store.records.CODE`

if TYPE_CHECKING:
    from allocator.store import Decision, Replay, SavedPlan

_SHORT = {"optimal": Text("optimal", "optimal"), "feasible": Text("réalisable", "feasible"),
          "infeasible": Text("impossible", "infeasible"), "no_plan": Text("aucun plan", "no plan")}  # fmt: skip
_TITLES = (Text("plan", "plan"), Text("scénario", "scenario"), Text("quand (UTC)", "when (UTC)"), Text("qui", "who"),
           Text("résultat", "result"), Text("accordé", "granted"), Text("écart", "gap"), Text("mots", "words"))  # fmt: skip


def listed(plans: pd.DataFrame, decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """The rows of `Store.list` for JSON, each with its decisions."""
    rows = plans.astype(object).where(plans.notna(), None).to_dict("records")
    of = {row["id"]: [d.as_dict() for d in decisions if d.plan == row["id"]] for row in rows}
    finite = {row["id"]: row["gap"] if row["gap"] not in (None, float("inf")) else None for row in rows}
    return [
        {**{str(k): v for k, v in row.items()}, "gap": finite[row["id"]], "decisions": of[row["id"]]} for row in rows
    ]


def print_list(place: str, plans: pd.DataFrame, decisions: Sequence[Decision], console: Console) -> None:
    """Plans as they were saved, oldest first; under each, what was decided."""
    table = Table(title=escape(place), title_justify="left", header_style="bold")
    for title in _TITLES:
        table.add_column(str(title), justify="right" if title.en in ("granted", "gap") else "left", overflow="fold")
    rows: Any = plans.itertuples()
    for row in rows:
        table.add_row(row.id, escape(f"{row.scenario} ({row.version})"), _when(row.at), escape(row.who), str(_SHORT[row.status]),
                      euros(row.granted), str(proved_gap(row.gap)), escape(row.words))  # fmt: skip
        for decision in decisions:
            if decision.plan == row.id:
                table.add_row("", "", _when(decision.at), escape(decision.who), str(Text("décision", "decision")), "", "",
                              escape(decision.words))  # fmt: skip
    console.print(table)


def print_saved(saved: SavedPlan, decisions: Sequence[Decision], console: Console) -> None:
    """All that is known of one plan."""
    limit = "" if saved.time_limit is None else f" ; {figure(saved.time_limit)} s"
    certified = sum(bool(check["ok"]) for check in saved.checks)
    facts = {
        Text("Scénario", "Scenario"): saved.scenario,
        Text("Empreinte des données (SHA-256)", "Hash of the input (SHA-256)"): saved.input_hash,
        Text("Enregistré (UTC)", "Saved (UTC)"): f"{_when(saved.at)}, {saved.who}",
        Text("Mots", "Words"): saved.words or "—",
        Text("Résultat", "Result"): str(STATUS[saved.status]),
        Text("Objectif ; borne", "Objective; bound"): f"{_number(saved.objective)} ; {_number(saved.bound)}",
        Text("Écart", "Gap"): str(proved_gap(saved.gap)),
        Text("Accordé", "Granted"): str(_granted(saved)),
        Text("Certificat", "Certificate"): f"{certified}/{len(saved.checks)}",
        Text("Moteur", "Engine"): f"{saved.engine} ({Text('écart', 'gap')} {proved_gap(saved.gap_allowed)}{limit})",
        Text("Versions", "Versions"): ", ".join(f"{name} {known}" for name, known in saved.versions.items()),
    }
    console.print(f"\n[bold]Plan {saved.id}[/bold]")
    for name, value in facts.items():
        console.print(f"  {name} : {value}", markup=False, highlight=False)
    for decision in decisions:
        said = (
            f"  {Text('Décision', 'Decision')} {decision.id}, {_when(decision.at)}, {decision.who} : {decision.words}"
        )
        console.print(said, markup=False, highlight=False)


def print_replay(replay: Replay, console: Console) -> None:
    """The same, or what changed."""
    saved = replay.saved
    head = f"« {saved.scenario} » {saved.id}, {_when(saved.at)}, {saved.who}"
    if replay.same:
        granted = _granted(saved)
        told = Text(
            f"Plan {head} : retrouvé au centime ({granted.fr})", f"Plan {head}: the same to the cent ({granted.en})"
        )
    else:
        told = Text(f"Plan {head} : ce qui a changé", f"Plan {head}: what changed")
    console.print(str(told), markup=False, highlight=False)
    for text in replay.changed:
        console.print(f"  {text}", markup=False, highlight=False)
    if replay.versions:
        console.print(str(Text("Versions qui diffèrent", "Versions that differ")))
        for name, (then, now) in replay.versions.items():
            called = str(Text("code d'allocator", "allocator's code")) if name == CODE else name
            console.print(f"  {called} {then} → {now}", markup=False, highlight=False)
    else:
        console.print(str(Text("Mêmes versions, même machine.", "Same versions, same machine.")))


def _granted(saved: SavedPlan) -> Text:
    count = len(saved.grants)
    s = "s" if count > 1 else ""
    fr, en = (format_euros(saved.granted, lang) for lang in ("fr", "en"))
    return Text(f"{count} subvention{s}, {fr}", f"{count} grant{'' if count == 1 else 's'}, {en}")


def _when(at: str) -> str:
    return at[:19].replace("T", " ")


def _number(value: Any) -> str:
    return "—" if value is None else number(float(value), 2)
