"""`Store`: scenarios, plans and decisions saved by many at once, read back, replayed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Column, Connection, Table, func, insert, select

from allocator.problems import ScenarioError, listed
from allocator.store import content, records, tables
from allocator.store.errors import refused, shown, told
from allocator.store.opened import opened
from allocator.store.places import address, connected, reading, writing
from allocator.store.records import Decision, SavedPlan
from allocator.store.replay import Replay, replay
from allocator.store.roles import Role, known_role, require
from allocator.store.schema import prepare
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.plan import Plan
    from allocator.scenario import Scenario

_LISTED = (
    "id",
    "version",
    "at",
    "who",
    "scenario",
    "status",
    "objective",
    "gap",
    "granted",
    "engine",
    "decisions",
    "words",
)
_OF_SCENARIOS = ("input_hash", "at", "who", "name", "label", "base")
_ASKED = Text("que décide-t-on ?", "what is decided?")


class Store:
    """Saved plans at a place: a file, `sqlite:///file`, `postgresql://user@server/database`; without one,
    `ALLOCATOR_STORE` or this user's own file (`default_place`).

    Its tables are made at first use (with `create=False`, a place without any is an error). Everything is added, nothing
    changed: the database refuses. Any number of processes may save at once; what `save` has returned the id of is kept.
    Ids may be shortened to their first characters (four at least) wherever one is read. Everything raises `StoreError`.

    `role`: "read" (saves nothing, makes no tables), "edit" (saves plans and scenarios), "decide" (decides too). It
    guards against mistakes; against others, the database's own rights do (docs/store.md).
    """

    def __init__(
        self, place: str | os.PathLike[str] | None = None, *, create: bool = True, role: Role = "decide"
    ) -> None:
        self._url, self._role = address(place), known_role(role)
        create = create and role != "read"
        if create and place is None:
            with suppress(OSError):  # what is wrong with the folder, the database says
                Path(str(self._url.database)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with told(self._url):
            self._engine = connected(self._url)
            prepare(self._engine, create, upgrade=role != "read")
        self._process = os.getpid()

    @property
    def place(self) -> str:
        """Where it is, without passwords."""
        return shown(self._url)

    def __repr__(self) -> str:
        return f"<Store {self.place}>"

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the database; a later use connects again."""
        self._engine.dispose()

    # Saving

    def save(self, plan: Plan, *, who: str | None = None, words: str = "", decided: str | None = None) -> str:
        """Save a plan and its scenario, whatever its status; the id. Once this returns, it is kept.

        `who`: without it `ALLOCATOR_WHO`, or the name of the session. `decided`: the words of a decision on it, by the
        same person, kept together with it or not at all; takes the role that `decide` does.
        """
        require(self.place, self._role, "edit" if decided is None else "decide")
        who, words = records.person(who), records.spoken(words, "words")
        said = None if decided is None else records.spoken(decided, "decided", _ASKED)
        row, grants = records.plan_row(plan, who, words)
        scenario, needed = self._scenario_row(plan.scenario, who)
        with told(self._here), writing(self._engine) as connection:
            _keep(connection, scenario, {row["grants"]: grants, **needed})
            connection.execute(insert(tables.plans).values(row))
            if said is not None:
                connection.execute(insert(tables.decisions).values(records.decision_row(row["id"], who, said)))
        return str(row["id"])

    def save_scenario(self, scenario: Scenario, *, who: str | None = None) -> str:
        """Save a scenario alone, once; its input hash."""
        require(self.place, self._role, "edit")
        row, needed = self._scenario_row(scenario, records.person(who))
        with told(self._here), writing(self._engine) as connection:
            _keep(connection, row, needed)
        return scenario.input_hash

    def decide(self, plan_id: str, words: str, *, who: str | None = None) -> str:
        """Add the words of a decision to a plan; the decision's id."""
        require(self.place, self._role, "decide")
        said = records.spoken(words, "words", _ASKED)
        by = records.person(who)
        with told(self._here), writing(self._engine) as connection:
            plan = self._one(connection, tables.plans.c.id, plan_id)
            row = records.decision_row(plan, by, said)
            connection.execute(insert(tables.decisions).values(row))
        return str(row["id"])

    # Reading

    def plan(self, plan_id: str) -> SavedPlan:
        """The plan saved under this id."""
        plans, contents = tables.plans, tables.contents
        with told(self._here), reading(self._engine) as connection:
            found = self._one(connection, plans.c.id, plan_id)
            row = dict(connection.execute(select(plans).where(plans.c.id == found)).mappings().one())
            data = connection.execute(select(contents.c.data).where(contents.c.sha256 == row["grants"])).scalar_one()
        return records.saved_plan(row, bytes(data))

    def opened(self, plan_id: str) -> Plan:
        """The saved plan as a `Plan` again, to compare or explain; nothing is solved, its bound is the one proved then."""
        saved = self.plan(plan_id)
        return opened(saved, self.scenario(saved.id))

    def scenario(self, any_id: str) -> Scenario:
        """The scenario of a plan's id or of an input hash, the very same. `ScenarioError` where today's rules refuse it."""
        plans, scenarios = tables.plans, tables.scenarios
        with told(self._here), reading(self._engine) as connection:
            try:
                plan = self._one(connection, plans.c.id, any_id)
                key = connection.execute(select(plans.c.input_hash).where(plans.c.id == plan)).scalar_one()
            except ScenarioError:
                if not _matches(connection, scenarios.c.input_hash, any_id):
                    raise
                key = self._one(connection, scenarios.c.input_hash, any_id)
            row = connection.execute(select(scenarios).where(scenarios.c.input_hash == key)).mappings().one()
            kept = {name: row[name] for name in content.TABLES if row[name] is not None}
            found = connection.execute(select(tables.contents).where(tables.contents.c.sha256.in_(kept.values())))
            data = {sha: bytes(held) for sha, held in found}
        return records.saved_scenario(dict(row), {name: data.get(sha, b"") for name, sha in kept.items()})

    def decisions(self, plan_id: str | None = None) -> tuple[Decision, ...]:
        """What was decided about a plan, or at all, in order."""
        table = tables.decisions
        with told(self._here), reading(self._engine) as connection:
            asked = select(table).order_by(table.c.seq)
            if plan_id is not None:
                asked = asked.where(table.c.plan == self._one(connection, tables.plans.c.id, plan_id))
            rows = connection.execute(asked).mappings().all()
        return tuple(records.saved_decision(dict(row)) for row in rows)

    def list(self, last: int | None = None) -> pd.DataFrame:
        """The plans in the order in which they were saved, or the `last` of them: id, version (among the plans of this
        scenario's name), at, who, scenario, status, objective, gap, granted (cents), engine, decisions, words."""
        plans, decisions = tables.plans, tables.decisions
        version = func.row_number().over(partition_by=plans.c.scenario, order_by=plans.c.seq)
        count = select(func.count()).where(decisions.c.plan == plans.c.id).scalar_subquery()
        columns = [plans.c[name] for name in _LISTED if name in plans.c]
        asked = (
            select(*columns, version.label("version"), count.label("decisions"))
            .order_by(plans.c.seq.desc())
            .limit(last)
        )
        with told(self._here), reading(self._engine) as connection:
            rows = [dict(row) for row in reversed(connection.execute(asked).mappings().all())]
        for row in rows:
            row["objective"] = records.number(row["objective"])
        whole = {"version": "int64", "granted": "int64", "decisions": "int64", "objective": "float64", "gap": "float64"}
        return pd.DataFrame(rows, columns=[*_LISTED]).astype(whole)

    def scenarios(self) -> pd.DataFrame:
        """The scenarios that were saved, with a plan or alone, by the time of their first save: input_hash, at, who, name,
        label (in the current language; the name where there is none), base (its name, or none). Tables are not read."""
        table = tables.scenarios
        columns = [table.c[name] for name in ("input_hash", "at", "who", "name", "parts")]
        with told(self._here), reading(self._engine) as connection:
            found = connection.execute(select(*columns).order_by(table.c.at, table.c.input_hash)).mappings()
            rows = [records.scenario_listed(dict(row)) for row in found]
        return pd.DataFrame(rows, columns=[*_OF_SCENARIOS], dtype=object)

    def replay(self, plan_id: str) -> Replay:
        """Solve a saved plan's scenario again, as it was solved then, and say what changed."""
        saved = self.plan(plan_id)
        return replay(saved, self.scenario(saved.id))

    # Parts

    @property
    def _here(self) -> Any:
        """The URL; a child of the process that opened the store has connections of its own."""
        if os.getpid() != self._process:
            self._engine.dispose(close=False)
            self._process = os.getpid()
        return self._url

    def _scenario_row(self, scenario: Scenario, who: str) -> tuple[dict[str, Any], Mapping[str, bytes]]:
        """What to save of a scenario: its row and its tables; nothing where it is there already."""
        table = tables.scenarios
        with told(self._here), reading(self._engine) as connection:
            key = table.c.input_hash == scenario.input_hash
            if connection.execute(select(table.c.input_hash).where(key)).first() is not None:
                return {}, {}
        parts, data = content.of_scenario(scenario)
        if content.rebuilt(parts, data).input_hash != scenario.input_hash:
            raise refused(self.place, Text(f"le scénario « {scenario.name} » ne peut pas être relu tel quel : non enregistré",
                                           f"the scenario “{scenario.name}” cannot be read back as it is: not saved"))  # fmt: skip
        names = {name: content.sha256(held) for name, held in data.items()}
        row = {"input_hash": scenario.input_hash, "at": records.now(), "who": who, "parts": parts, "parts_sha256": content.sha256(parts.encode()),
               "name": records.clean(scenario.name), **dict.fromkeys(content.TABLES), **names}  # fmt: skip
        return row, {names[name]: held for name, held in data.items()}

    def _one(self, connection: Connection, column: Column[Any], given: str) -> str:
        """The only id that begins so."""
        found = _matches(connection, column, given)
        if len(found) == 1 or given in found:
            return given if given in found else found[0]
        if found:
            several = Text(f"« {given} » peut être : {listed(found)}", f"“{given}” may be: {listed(found)}")
            raise refused(self.place, several, Text("Donnez-en plus.", "Give more of it."))
        if re.fullmatch(r"[0-9a-f]{1,3}|[pd][0-9a-f]{0,2}", given):
            short = Text(f"identifiant trop court « {given} »", f"id too short “{given}”")
            raise refused(
                self.place, short, Text("Donnez-en quatre signes au moins.", "Give four signs of it at least.")
            )
        wrong = Text(f"identifiant inconnu « {given} »", f"unknown id “{given}”")
        raise refused(self.place, wrong, Text("« allocator history » les donne.", "“allocator history” lists them."))


def _matches(connection: Connection, column: Column[Any], given: str) -> list[str]:
    if not re.fullmatch(r"[0-9a-f]{4,64}|[pd][0-9a-f]{3,15}", given):
        return []
    return [*connection.execute(select(column).where(column.startswith(given)).order_by(column).limit(9)).scalars()]


def _keep(connection: Connection, scenario: Mapping[str, Any], contents: Mapping[str, bytes]) -> None:
    """Add what is not there yet; nobody else writes meanwhile."""
    there = _there(connection, tables.contents, tables.contents.c.sha256, contents)
    new = [{"sha256": name, "data": data} for name, data in contents.items() if name not in there]
    if new:
        connection.execute(insert(tables.contents), new)
    if scenario:
        key = scenario["input_hash"]
        if not _there(connection, tables.scenarios, tables.scenarios.c.input_hash, [key]):
            connection.execute(insert(tables.scenarios).values(dict(scenario)))


def _there(connection: Connection, table: Table, column: Column[Any], names: Any) -> set[str]:
    return set(connection.execute(select(column).select_from(table).where(column.in_([*names]))).scalars())
