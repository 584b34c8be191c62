"""Reading a scenario part by part, going on after a mistake: all of them are told, each where it stands."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from math import lcm
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from pydantic import BaseModel, ValidationError

from allocator import limits
from allocator.constraints import KINDS
from allocator.money import MAX_CENTS, format_euros
from allocator.objectives import OBJECTIVES, parse
from allocator.problems import (
    RETYPE,
    Finding,
    Problem,
    ScenarioError,
    did_you_mean,
    findings,
    in_language,
    near,
    path_text,
    unseen,
)
from allocator.scenario.entities import Fund, Measure, plain
from allocator.scenario.understood import understood
from allocator.selection import Columns, Known, Pick, Selection
from allocator.tables import (
    DEMAND_COLUMNS,
    TERRITORY_COLUMNS,
    CellFinding,
    Table,
    beneficiaries_of_aid,
    demands_table,
    prior_aid_table,
    sorted_aid,
    sorted_table,
    spread_over_years,
    territories_table,
)
from allocator.texts import UNSEEN, UNSHOWN, Text

if TYPE_CHECKING:
    from allocator.scenario import Scenario

Path = tuple[str | int, ...]
PER = ("region", "departement", "territory", "measure", "fund", "year", "beneficiary")
FINEST = 10**15  # parts of a cent: what the coefficients of payments may come to


class Places(Protocol):
    """Where in the user's own files a key or a cell stands: (file, place)."""

    def of_key(self, path: Path) -> tuple[str, Text | str]: ...

    def of_cell(self, table: str, row: int | None, column: str | None) -> tuple[str, Text | str]: ...


class PythonPlaces:
    """Places in Python objects: rows count from 1."""

    def of_key(self, path: Path) -> tuple[str, Text | str]:
        return "", path_text(path)

    def of_cell(self, table: str, row: int | None, column: str | None) -> tuple[str, Text | str]:
        fr = [
            table,
            *([f"ligne {row + 1}"] if row is not None else []),
            *([f"colonne {column}"] if column else []),
        ]
        en = [
            table,
            *([f"row {row + 1}"] if row is not None else []),
            *([f"column {column}"] if column else []),
        ]
        return "", Text(", ".join(fr), ", ".join(en))


class Tables:
    """The tables of a checked scenario, for variants that share them."""

    def __init__(self, territory_columns: tuple[str, ...], demand_columns: tuple[str, ...]) -> None:
        self.territory_columns, self.demand_columns = territory_columns, demand_columns
        self.territories = self.demands = pd.DataFrame()
        self.prior_aid: pd.DataFrame | None = None
        self.columns: tuple[Columns, Columns] | None = None
        self.indicators: list[str] = []
        self.attributes: list[str] = []
        self.exact: dict[str, tuple[np.ndarray, int]] = {}
        self.warned: list[Problem] = []


class Doubtful(Selection):
    """A selection of which some was refused: it keeps its fields, and picks nothing that could be reasoned on."""

    def pick(self, scenario: Scenario) -> Pick:
        raise LookupError


class Reader:
    """Fills a scenario part by part; goes on after a mistake, so that all are found."""

    def __init__(self, scenario: Scenario, places: Places, problems: list[Problem]) -> None:
        self.scenario, self.places, self.problems = scenario, places, problems
        self.warnings: list[Problem] = []
        self.fund_ids: list[str] | None = []
        self.measure_ids: list[str] | None = []
        self.tables_complete = False
        self.refused: list[tuple[Path, Any]] = []  # funds and constraints of which nothing is understood but selections

    # Telling

    def tell(self, path: Path, message: Text, remedy: Text | None = None) -> None:
        file, place = self.places.of_key(path)
        self.problems.append(Problem(place, message, remedy, file))

    def tell_all(self, path: Path, found: Iterable[Finding]) -> None:
        for finding in found:
            self.tell((*path, *finding.path), finding.message, finding.remedy)

    def warn(self, path: Path, message: Text, remedy: Text | None = None) -> None:
        file, place = self.places.of_key(path)
        self.warnings.append(Problem(place, message, remedy, file))

    def cell(self, finding: CellFinding) -> Problem:
        file, place = self.places.of_cell(finding.table, finding.row, finding.column)
        return Problem(place, finding.message, finding.remedy, file)

    # Reading

    def texts(self, name: Any, base: Any, label: Any, description: Any) -> None:
        if not isinstance(name, str) or not name:
            self.tell(
                ("name",),
                Text("un nom est attendu", "a name is expected"),
                Text("Écrivez par exemple name: mon-scenario.", "Write for example name: my-scenario."),
            )
        else:
            self._shown(("name",), name, UNSEEN)
        if base is not None and not isinstance(base, str):
            self.tell(("base",), Text("un texte est attendu", "a text is expected"))
        for key, value in (("label", label), ("description", description)):
            setattr(self.scenario, key, self._text((key,), value))
        self.scenario.name, self.scenario.base = name, base
        self.scenario._exact = {}

    def _text(self, path: Path, value: Any) -> Any:
        """A text, or one in each language."""
        pair = isinstance(value, Mapping) and set(value) == {"fr", "en"}
        if not isinstance(value, str) and not (pair and all(isinstance(v, str) for v in value.values())):
            self.tell(path, Text("un texte, ou fr et en, sont attendus", "a text, or fr and en, are expected"))
        for said in value.values() if pair else [value]:
            self._shown(path, said)
        return dict(value) if pair else value

    def _shown(self, path: Path, value: Any, banned: re.Pattern[str] = UNSHOWN) -> bool:
        """Whether a text can be shown to people as it is; else it is told."""
        fine = not isinstance(value, str) or not banned.search(value)
        if not fine:
            self.tell(path, unseen(value), RETYPE)
        return fine

    def labels(self, value: Any) -> None:
        """What indicators are called in sentences. One that no demand has is a warning: a base may name more."""
        self.scenario.labels = {}
        if value is not None and not isinstance(value, Mapping):
            self.tell(
                ("labels",),
                Text("des libellés d'indicateurs sont attendus", "labels of indicators are expected"),
                Text("Écrivez par exemple labels: {emplois: emplois créés}.", "Write for example labels: {jobs: jobs created}."),
            )  # fmt: skip
            return
        for name, said in (value or {}).items():
            self.scenario.labels[str(name)] = self._text(("labels", str(name)), said)
            if str(name) not in self.scenario.indicators:
                self.warn(
                    ("labels", str(name)),
                    Text(f"aucun indicateur « {name} » à nommer ainsi", f"no indicator “{name}” to be called so"),
                    did_you_mean(str(name), self.scenario.indicators),
                )

    def years(self, value: Any) -> None:
        remedy = Text("Écrivez par exemple years: [2026, 2027, 2028].", "Write for example years: [2026, 2027, 2028].")
        if isinstance(value, int) and not isinstance(value, bool):
            value = [value]
        given = list(value) if isinstance(value, Iterable) and not isinstance(value, (str, Mapping)) else []
        good: list[int] = []
        if not given:
            self.tell(
                ("years",),
                Text("les années de l'horizon sont attendues", "the years of the horizon are expected"),
                remedy,
            )
        for rank, year in enumerate(given):
            if isinstance(year, bool) or not isinstance(year, (int, np.integer)) or not 1900 <= int(year) <= 2200:
                self.tell(("years", rank), Text(f"{year!r} n'est pas une année", f"{year!r} is not a year"), remedy)
            elif int(year) in good:
                self.tell(("years", rank), Text(f"année {year} donnée deux fois", f"year {year} is given twice"))
            else:
                good.append(int(year))
        self.scenario.years = sorted(good)

    def _at_most(self, path: Path, value: Iterable[Any], most: int) -> list[Any]:
        """The items, none where they are more than are read."""
        items = list(value)
        if len(items) > most:
            self.tell(path, Text(f"{len(items)} entrées : {most} au plus", f"{len(items)} entries: at most {most}"))
            return []
        return items

    def _models(self, key: str, value: Any, schema: type[Any]) -> tuple[list[Any], list[int], list[str] | None]:
        """(those understood, whole or in part; their ranks; all ids as given)."""
        if value is None:
            self.tell((key,), Text("champ obligatoire absent", "required field is missing"))
            return [], [], None
        if not isinstance(value, Iterable) or isinstance(value, (str, Mapping)):
            self.tell((key,), Text("une liste est attendue", "a list is expected"))
            return [], [], None
        models, ranks, ids = [], [], []
        value = self._at_most((key,), value, limits.FUNDS)
        for rank, item in enumerate(value):
            raw_id = item.get("id") if isinstance(item, Mapping) else getattr(item, "id", None)
            if isinstance(raw_id, int) and not isinstance(raw_id, bool):
                raw_id = str(raw_id)
            if isinstance(raw_id, str) and raw_id:
                if raw_id in ids:
                    self.tell(
                        (key, rank, "id"),
                        Text(f"identifiant « {raw_id} » déjà utilisé", f"id “{raw_id}” is already used"),
                    )
                    continue
                ids.append(raw_id)
                if not self._shown((key, rank, "id"), raw_id, UNSEEN):
                    continue
            self._shown(
                (key, rank, "label"), item.get("label") if isinstance(item, Mapping) else getattr(item, "label", None)
            )
            try:
                models.append(item if isinstance(item, schema) else schema.model_validate(item))
                ranks.append(rank)
            except ValidationError as error:
                self.tell_all((key, rank), findings(error, schema))
                part = understood(schema.model_validate, item)
                if part is None:
                    self.refused.append(((key, rank), item))
                else:
                    models.append(_marked(*part))
                    ranks.append(rank)
        return models, ranks, ids

    def funds(self, value: Any) -> None:
        funds, ranks, self.fund_ids = self._models("funds", value, Fund)
        self._fund_ranks = ranks
        self.scenario.funds = funds
        total = 0
        for rank, fund in zip(ranks, funds, strict=True):
            self._years_of(("funds", rank), {key: getattr(fund, key) for key in Fund.model_fields})
            for problem in fund.problems():
                self.tell(("funds", rank), problem.message, problem.remedy)
            if fund.parent is not None and self.fund_ids is not None and fund.parent not in self.fund_ids:
                self.tell(
                    ("funds", rank, "parent"),
                    Text(f"fonds inconnu « {fund.parent} »", f"unknown fund “{fund.parent}”"),
                    did_you_mean(fund.parent, [i for i in self.fund_ids if i != fund.id]),
                )
            total += fund.amount if fund.amount is not None else sum((fund.amounts or {}).values())
        if total >= MAX_CENTS:
            self.tell(
                ("funds",),
                Text("le total des fonds est trop grand", "the total of the funds is too large"),
                Text(
                    f"Moins de {format_euros(MAX_CENTS, 'fr', True)}.",
                    f"Less than {format_euros(MAX_CENTS, 'en', True)}.",
                ),
            )
        for path, raw in self.refused:
            if path[0] == "funds" and isinstance(raw, Mapping):
                self._years_of(path, raw)
        self._no_cycle(funds, ranks)
        self._transfers(funds, ranks)

    def _years_of(self, path: Path, fund: Mapping[str, Any]) -> None:
        """The years that a fund names are those of the horizon; what is committed may be paid after it."""
        start = min(self.scenario.years, default=0)
        for key in ("amounts", "income", "payments"):
            named = fund.get(key)
            for year in named if isinstance(named, Mapping) else ():
                if isinstance(year, int) and not (key == "payments" and year > start):
                    self._in_horizon(year, (*path, key, year))
        if isinstance(fund.get("notified_until"), int):
            self._in_horizon(fund["notified_until"], (*path, "notified_until"))

    def _no_cycle(self, funds: list[Fund], ranks: list[int]) -> None:
        parent = {fund.id: fund.parent for fund in funds}
        told: set[str] = set()
        for rank, fund in zip(ranks, funds, strict=True):
            chain = [fund.id]
            while (above := parent.get(chain[-1])) is not None and above not in chain:
                chain.append(above)
            if above == fund.id and not told & set(chain):
                told |= set(chain)
                loop = " → ".join([*chain, fund.id])
                self.tell(
                    ("funds", rank, "parent"),
                    Text(
                        f"ces fonds se contiennent l'un l'autre : {loop}",
                        f"these funds contain each other: {loop}",
                    ),
                )

    def _in_horizon(self, year: int, path: Path) -> None:
        years = self.scenario.years
        if years and year not in years:
            self.tell(
                path,
                Text(f"année {year} hors de l'horizon", f"year {year} is outside the horizon"),
                Text(f"Années : {', '.join(map(str, years))}.", f"Years: {', '.join(map(str, years))}."),
            )

    def _transfers(self, funds: list[Fund], ranks: list[int]) -> None:
        """Money moves to another fund that is neither around nor inside this one."""
        parent = {fund.id: fund.parent for fund in funds}

        def around(name: str | None) -> list[str]:
            chain: list[str] = []
            while name is not None and name not in chain:
                chain.append(name)
                name = parent.get(name)
            return chain

        for rank, fund in zip(ranks, funds, strict=True):
            for target in fund.transfers or {}:
                path = ("funds", rank, "transfers", target)
                if self.fund_ids is not None and target not in self.fund_ids:
                    self.tell(
                        path,
                        Text(f"fonds inconnu « {target} »", f"unknown fund “{target}”"),
                        did_you_mean(target, [i for i in self.fund_ids if i != fund.id]),
                    )
                elif target in around(fund.id) or fund.id in around(target):
                    self.tell(
                        path,
                        Text(
                            "l'argent ne se déplace pas entre un fonds et celui qui le contient",
                            "money does not move between a fund and the one around it",
                        ),
                        Text("Nommez un fonds extérieur.", "Name a fund outside it."),
                    )

    def measures(self, value: Any) -> None:
        self.scenario.measures, ranks, self.measure_ids = self._models("measures", value, Measure)
        self._fine_enough(ranks)

    def _fine_enough(self, ranks: list[int]) -> None:
        """Parts of payments and what comes back of them are weighed together in whole numbers, which have an end."""
        funds, measures = self.scenario.funds, self.scenario.measures
        if not any(fund.payments or fund.returns for fund in funds):
            return
        paid: dict[Path, int] = {
            ("measures", rank, "payment_profile"): lcm(*(share.denominator for share in measure.payment_profile))
            for rank, measure in zip(ranks, measures, strict=True)
        }
        back: dict[Path, int] = {
            ("funds", rank, "returns"): lcm(*(share.denominator for share in (fund.returns or {}).values()))
            for rank, fund in zip(self._fund_ranks, funds, strict=True)
        }
        fineness = paid | back
        if lcm(*paid.values()) * lcm(*back.values()) > FINEST:
            self.tell(
                max(fineness, key=lambda path: fineness[path]),
                Text(
                    "les parts de payment_profile et de returns sont, toutes ensemble, trop fines",
                    "the shares of payment_profile and returns are too fine, all taken together",
                ),
                Text(
                    'Arrondissez-les à quatre décimales, ou écrivez-les "1/3".',
                    'Round them to four decimals, or write them "1/3".',
                ),
            )

    def tables(
        self, territories: Any, demands: Any, prior_aid: Any, counted: frozenset[str], kept: Tables | None
    ) -> None:
        """`counted`: columns of demands that the objective or a rule takes for numbers."""
        scenario = self.scenario
        if kept is None:
            kept = self._read_tables(territories, demands, prior_aid, counted)
        else:
            self.tables_complete = True
            self.warnings.extend(kept.warned)
        scenario._tables = kept
        scenario.territories, scenario.demands = kept.territories, kept.demands
        scenario.prior_aid = kept.prior_aid
        scenario.indicators, scenario.attributes = kept.indicators, kept.attributes
        scenario._exact = kept.exact
        columns = kept.columns if self.tables_complete else None
        self.known = Known(
            self.fund_ids,
            self.measure_ids,
            scenario.years or None,
            columns[0] if columns else None,
            columns[1] if columns else None,
        )

    def _read_tables(self, territories: Any, demands: Any, prior_aid: Any, counted: frozenset[str]) -> Tables:
        years = self.scenario.years
        for table in (territories, demands, prior_aid):
            if isinstance(table, pd.DataFrame):
                self._size(len(table), limits.ROWS, Text("lignes d'une table", "rows of a table"))
        of_territories, whole = territories_table(territories)
        ids = (
            of_territories.frame["id"].tolist()
            if "id" in of_territories.frame.columns and territories is not None
            else None
        )
        lumpy = None if self.measure_ids is None else dict.fromkeys(self.measure_ids, False)
        for measure in self.scenario.measures:
            (lumpy or {})[measure.id] = measure.lumpy
        of_demands = demands_table(demands, years=years, territories=ids, measures=lumpy, counted=counted)
        of_prior = prior_aid_table(prior_aid)
        if of_prior is not None and not of_demands.table.absent:
            beneficiaries_of_aid(of_prior, of_demands.table)
        self.tables_complete = whole and of_demands.complete
        spread = of_demands.table
        if self.tables_complete:
            spread = spread_over_years(spread, [m.id for m in self.scenario.measures if m.annual], years)
        kept = Tables(of_territories.given, spread.given)
        for table in (of_territories, of_demands.table, of_prior):
            if isinstance(table, Table):
                self.problems.extend(self.cell(finding) for finding in table.found)
                kept.warned.extend(self.cell(finding) for finding in table.warned)
        self.warnings.extend(kept.warned)
        kept.indicators, kept.attributes = of_demands.indicators, of_demands.attributes
        kept.prior_aid = None if of_prior is None else sorted_aid(of_prior)
        if self.tables_complete:
            kept.territories = sorted_table(of_territories, TERRITORY_COLUMNS)
            kept.demands = sorted_table(spread, DEMAND_COLUMNS)
            kept.columns = (Columns(kept.territories), Columns(kept.demands))
        return kept

    def selections_of_funds(self) -> None:
        regions = sorted(self.scenario.territories["region"].unique()) if self.tables_complete else None
        for rank, fund in zip(self._fund_ranks, self.scenario.funds, strict=True):
            for region in fund.notified or {} if regions is not None else ():
                if region not in (regions or ()):
                    self.tell(
                        ("funds", rank, "notified", region),
                        Text(f"région inconnue « {region} »", f"unknown region “{region}”"),
                        did_you_mean(region, regions or []),
                    )
            if fund.on is None:
                continue
            self._selection(fund.on, ("funds", rank, "on"))
            for key in ("funds", "years"):
                if getattr(fund.on, key) is not None:
                    fr, en = {"funds": ("de fonds", "funds")}.get(key, ("d'années", "years"))
                    self.tell(
                        ("funds", rank, "on", key),
                        Text(
                            f"on dit quels dossiers le fonds peut payer : pas de choix {fr}",
                            f"on says which demands the fund may pay: it selects no {en}",
                        ),
                        Text(f"Retirez « {key} ».", f"Remove “{key}”."),
                    )

    def _selection(self, selection: Selection, path: Path) -> bool:
        """Whether it holds; else it is told why."""
        found = selection.findings(self.known)
        self.tell_all(path, found)
        return not found

    def constraints(self, value: Any) -> None:
        scenario = self.scenario
        scenario.constraints, scenario._constraints_as_given = [], []
        if value is None:
            value = []
        if not isinstance(value, Iterable) or isinstance(value, (str, Mapping)):
            self.tell(("constraints",), Text("une liste est attendue", "a list is expected"))
            return
        value = self._at_most(("constraints",), value, limits.RULES)
        rows = len(scenario.demands) if self.tables_complete else 0
        self._size(len(value) * rows, limits.PICKS, Text("règles × dossiers", "constraints × demands"))
        cells = rows * len(scenario.funds) * len(scenario.years)
        self._size(cells, limits.CELLS, Text("dossiers × fonds × années", "demands × funds × years"))
        self._size(cells * limits.CELL_BYTES, limits.memory(), Text("octets de mémoire pour le calcul", "bytes of memory to solve it"))
        kinds = {kind: schema for kind, schema in KINDS.items() if isinstance(kind, str)}
        read: list[tuple[int, Any]] = []
        for rank, item in enumerate(value):
            constraint = self._constraint(rank, item, kinds)
            if constraint is not None:
                read.append((rank, constraint))
        self._selections_of_refused()
        self._name(read)
        self._constraint_ranks = [rank for rank, _ in read]
        for (rank, _), constraint in zip(read, scenario.constraints, strict=True):
            doubtful: dict[str, Selection] = {}
            for path, selection in _selections(constraint, ()):
                holds = self._selection(selection, ("constraints", rank, *path))
                if not holds or path[0] in constraint._unread:
                    doubtful[str(path[0])] = Doubtful.model_construct(**dict(selection))
            told = self._per(constraint, rank)
            self._own_problems(constraint.model_copy(update=doubtful), ("constraints", rank), told)

    def _size(self, size: int, most: int, what: Text) -> None:
        """Raises `ScenarioError` where a scenario is too large to go on with."""
        if size > most:
            message = Text(f"scénario trop grand : {what.fr} = {size}, {most} au plus",
                           f"scenario too large: {what.en} = {size}, at most {most}")  # fmt: skip
            self.tell((), message, Text("Partagez-le.", "Split it."))
            raise ScenarioError(self.problems)

    def _selections_of_refused(self) -> None:
        """The names used by what could not be read: their mistakes are told in the same list."""
        for path, item in self.refused:
            for key, value in item.items() if isinstance(item, Mapping) else ():
                if key in ("on", "of", "when", "then") and isinstance(value, Mapping):
                    try:
                        self._selection(Selection.model_validate(value), (*path, key))
                    except ValidationError:
                        continue  # told with the rest of its schema

    def _constraint(self, rank: int, item: Any, kinds: Mapping[str, type[Any]]) -> Any:
        path = ("constraints", rank)
        if isinstance(item, tuple(kinds.values())):
            return item
        if not isinstance(item, Mapping):
            self.tell(path, Text("des clés et des valeurs sont attendues", "keys and values are expected"))
            return None
        if not self._shown((*path, "id"), item.get("id"), UNSEEN) or not self._shown(
            (*path, "label"), item.get("label")
        ):
            return None
        kind = item.get("kind")
        if kind is None:
            self.tell(
                (*path, "kind"),
                Text("champ obligatoire absent", "required field is missing"),
                Text(f"Possibles : {', '.join(kinds)}.", f"Possible: {', '.join(kinds)}."),
            )
            return None
        if not isinstance(kind, str) or kind not in kinds:
            self.tell(
                (*path, "kind"),
                Text(f"règle inconnue « {kind} »", f"unknown constraint “{kind}”"),
                self._kind_meant(kind, kinds),
            )
            self.refused.append((path, item))
            return None
        schema = kinds[kind]
        try:
            return schema.model_validate(dict(item))
        except ValidationError as error:
            self.tell_all(path, findings(error, schema))
            part = understood(schema.model_validate, item, schema.example.fields)
            if part is None:
                self.refused.append((path, item))
            return None if part is None else _marked(*part)

    @staticmethod
    def _kind_meant(kind: object, kinds: Mapping[str, type[Any]]) -> Text | None:
        """The kind that is called so, in either language, or nearly."""
        called = {title: name for name, schema in kinds.items() for title in (schema.title.fr, schema.title.en, name)}
        close = near(kind, called, cutoff=0.75)
        return did_you_mean(kind, kinds) if close is None else did_you_mean(called[close], [called[close]])

    def _name(self, read: list[tuple[int, Any]]) -> None:
        """Give each constraint its id (kind and rank among its kind) and label."""
        given = {constraint.id for _, constraint in read if constraint.id}
        seen: set[str] = set()
        rank_of_kind: dict[str, int] = {}
        for rank, constraint in read:
            rank_of_kind[constraint.kind] = n = rank_of_kind.get(constraint.kind, 0) + 1
            name = constraint.id
            if not name:
                while f"{constraint.kind}-{n}" in given | seen:
                    n += 1
                name = f"{constraint.kind}-{n}"
            elif name in seen:
                self.tell(
                    ("constraints", rank, "id"),
                    Text(f"identifiant « {name} » déjà utilisé", f"id “{name}” is already used"),
                )
            seen.add(name)
            self.scenario._constraints_as_given.append(constraint)
            self.scenario.constraints.append(
                constraint.model_copy(update={"id": name, "label": getattr(constraint, "label", "") or name})
            )

    def _per(self, constraint: Any, rank: int) -> set[str]:
        """The fields whose attribute is unknown, which is told."""
        told = set()
        for key in ("per", "within"):
            value = getattr(constraint, key, None)
            if not isinstance(value, str) or not self.tables_complete:
                continue
            scenario = self.scenario
            columns = [c for c in scenario.territories.columns if c not in ("id", "name", "population")]
            allowed = [*PER, "beneficiary_kind", "project", *scenario.attributes, *columns]
            if value not in allowed:
                told.add(key)
                remedy = did_you_mean(value, dict.fromkeys(allowed))
                if value in scenario.indicators:
                    remedy = Text(
                        "C'est une colonne de nombres : un attribut est un texte ou true/false.",
                        "It is a column of numbers: an attribute is a text or true/false.",
                    )
                self.tell(
                    ("constraints", rank, key),
                    Text(f"attribut inconnu « {value} »", f"unknown attribute “{value}”"),
                    remedy,
                )
        return told

    def _own_problems(self, item: Any, path: Path, told: Collection[str] = ()) -> None:
        """What a constraint or objective finds wrong with itself in this scenario, but for the fields in `told`."""
        if not self.tables_complete:
            return
        self.scenario.__dict__["_known"] = self.known
        known = len(self.problems)
        try:
            for problem in item.problems(self.scenario):
                at = _path_of(in_language(problem.place, "fr"))
                if not at or at[0] not in told:
                    self.tell((*path, *at), problem.message, problem.remedy)
        except Exception:
            if not known:
                raise
            # it met what was told already

    def objective(self, value: Any) -> None:
        path: Path = ("objective",)
        self.scenario.objective = None
        if value is None:
            self.tell(
                path,
                Text("champ obligatoire absent", "required field is missing"),
                Text(
                    "Écrivez par exemple objective: {maximise: {emplois: 1}}.",
                    "Write for example objective: {maximise: {jobs: 1}}.",
                ),
            )
            return
        if not isinstance(value, (Mapping, BaseModel)):
            self.tell(
                path,
                Text("des clés et des valeurs sont attendues", "keys and values are expected"),
                Text(f"Possibles : {', '.join(OBJECTIVES)}.", f"Possible: {', '.join(OBJECTIVES)}."),
            )
            return
        try:
            self.scenario.objective = objective = parse(value)
        except ValidationError as error:
            for finding in findings(error):
                remedy = finding.remedy
                if remedy is None and finding.path and len(finding.path) == 1 and finding.path[0] not in OBJECTIVES:
                    remedy = did_you_mean(finding.path[0], OBJECTIVES)
                self.tell((*path, *finding.path), finding.message, remedy)
            part = understood(parse, value)
            if part is not None:
                self._own_problems(part[0], path)
            return
        except ScenarioError as error:
            for problem in error.problems:
                self.tell((*path, *_path_of(in_language(problem.place, "fr"))), problem.message, problem.remedy)
            return
        except ValueError as error:
            said = error.args[0] if error.args and isinstance(error.args[0], Text) else Text(str(error), str(error))
            self.tell(path, said)
            return
        self._own_problems(objective, path)

    # Warnings

    def all_warnings(self) -> list[Problem]:
        """What looks wrong in a scenario that holds together."""
        scenario = self.scenario
        scenario.__dict__["_known"] = self.known
        payable = np.zeros(len(scenario.demands), bool)
        for fund in scenario.funds:
            if fund.amount or any((fund.amounts or {}).values()):
                payable |= True if fund.on is None else fund.on.pick(scenario).demands
        unpaid = scenario.demands["id"][~payable].tolist()
        if unpaid:
            shown = ", ".join(unpaid[:5]) + (" …" if len(unpaid) > 5 else "")
            file, place = self.places.of_cell("demands", None, None)
            self.warnings.append(
                Problem(
                    place,
                    Text(
                        f"{len(unpaid)} dossier(s) qu'aucun fonds ne peut payer : {shown}",
                        f"{len(unpaid)} demand(s) that no fund may pay: {shown}",
                    ),
                    Text("Vérifiez `on` des fonds.", "Check the funds' `on`."),
                    file,
                )
            )
        for rank, constraint in zip(self._constraint_ranks, scenario.constraints, strict=True):
            if not constraint.enabled:
                continue
            for path, selection in _selections(constraint, ()):
                if len(scenario.demands) and not selection.pick(scenario).demands.any():
                    self.warn(
                        ("constraints", rank, *path),
                        Text("aucun dossier dans cette sélection", "no demand in this selection"),
                    )
            for problem in constraint.warnings(scenario):
                at = _path_of(in_language(problem.place, "fr"))
                self.warn(("constraints", rank, *at), problem.message, problem.remedy)
            per = getattr(constraint, "per", None)
            for frame in (scenario.demands, scenario.territories):
                if isinstance(per, str) and per in frame.columns:
                    empty = int((frame[per] == "").sum())
                    if empty:
                        self.warn(
                            ("constraints", rank, "per"),
                            Text(
                                f"{empty} ligne(s) sans « {per} » forment un groupe à part",
                                f"{empty} row(s) without “{per}” make a group of their own",
                            ),
                        )
                    break
        return self.warnings


def _selections(item: Any, path: Path) -> Iterable[tuple[Path, Selection]]:
    """Every selection within a constraint, with its path."""
    if isinstance(item, Selection):
        yield path, item
    elif isinstance(item, BaseModel):
        for key in type(item).model_fields:
            yield from _selections(getattr(item, key, None), (*path, key))
    elif isinstance(item, (list, tuple)):
        for rank, part in enumerate(item):
            yield from _selections(part, (*path, rank))


def _path_of(place: str) -> Path:
    """`on.funds[1]` → ("on", "funds", 1)."""
    parts = re.findall(r"\[(\d+)\]|([^.\[\]]+)", place)
    return tuple(int(number) if number else key for number, key in parts)


def counted(objective: Any, constraints: Any) -> frozenset[str]:
    """The columns of demands that an objective and rules, as given, take for numbers."""
    found: set[Any] = set()
    given = constraints if isinstance(constraints, (list, tuple)) else ()
    for item in (plain(objective), *(plain(constraint) for constraint in given)):
        found |= _counted(item)
    return frozenset(name for name in found if isinstance(name, str))


def _counted(item: Any) -> set[Any]:
    if not isinstance(item, Mapping):
        return set()
    parts = item.get("lexicographic")
    found = set().union(*(_counted(plain(part)) for part in parts)) if isinstance(parts, (list, tuple)) else set()
    for key, field in (("maximise", None), ("maximin", "of")):
        named = item.get(key)
        if isinstance(named, Mapping):
            found |= set(named) if field is None else {named.get(field)}
    return found | {item.get("indicator")}


def _marked(model: Any, unread: frozenset[str]) -> Any:
    """The model with the fields that could not be read noted on it."""
    model._unread = unread
    return model
