"""Shares of a demand's cost, or of its public money: intensities of aid, what an owner pays itself."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Any, Literal
from unicodedata import combining, normalize

import numpy as np
from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator, TypeAdapter, model_serializer

from allocator.constraints import Constraint, Example, all_cells, whole_demands
from allocator.kinds.aid import grant_equivalents
from allocator.money import Rate as Share
from allocator.money import written
from allocator.problems import Problem, listed
from allocator.reading import Level, Reading
from allocator.selection import Selection, Where
from allocator.space import Exact, Rate, Row, Space, Statement, Term
from allocator.texts import Text

AUTHORITIES = (
    "collectivite", "commune", "epci", "communaute de communes", "communaute d'agglomeration", "communaute urbaine",
    "metropole", "departement", "region", "syndicat", "syndicat mixte", "pole metropolitain", "petr",
)  # fmt: skip
OVERSEAS = ("971", "972", "973", "974", "975", "976", "977", "978")


def _plain(text: str) -> str:
    """Without case or accents."""
    return "".join(c for c in normalize("NFKD", text.strip().casefold()) if not combining(c)).replace("\u2019", "'")


class Line(BaseModel):
    """The rate of the demands that `where` describes, as in a selection; without it, of all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    where: Where = {}
    rate: Share

    @property
    def on(self) -> Selection:
        return Selection(where=self.where or None)

    @model_serializer
    def _written(self) -> dict[str, Any]:
        return {**self.on.model_dump(), "rate": written(self.rate)}


_LINES: TypeAdapter[tuple[Line, ...]] = TypeAdapter(tuple[Line, ...])
_RATE: TypeAdapter[Fraction] = TypeAdapter(Share)


def _rate_or_lines(value: object) -> Fraction | tuple[Line, ...]:
    return _LINES.validate_python(value) if isinstance(value, (list, tuple)) else _RATE.validate_python(value)


def _as_written(value: Fraction | tuple[Line, ...]) -> Any:
    return written(value) if isinstance(value, Fraction) else [line.model_dump() for line in value]


RateOrLines = Annotated[
    Fraction | tuple[Line, ...],
    PlainValidator(_rate_or_lines, json_schema_input_type=Share | tuple[Line, ...]),
    PlainSerializer(_as_written, return_type=Any),
]


class FundRate(Constraint):
    """In each year, each fund of `on` pays at most `max_rate` of the cost of a demand's units of that year.

    `max_rate`: a rate, or lines [{where, rate}] of which the first that fits a demand counts; 0 refuses (a firm in
    difficulty). Rates limit aid, that is gross grant equivalent: a fund whose money comes back may pay more (the rate
    divided by its equivalent). A rate of all aid limits nothing, whatever the cost. Rounded up to the cent. A breach is
    counted in euros.
    """

    title = Text("Taux maximal d'un fonds", "Fund rate")
    says = Text(
        "chaque fonds paie au plus cette part du coût, par année d'engagement",
        "each fund pays at most this share of the cost, per year of commitment",
    )
    law = Text(
        "intensités des aides d'État, règlement (UE) 651/2014 (RGEC), art. 4 à 7 et 14, et carte des aides à "
        "finalité régionale ; entreprises en difficulté, son art. 1, § 4, c ; règles de chaque fonds",
        "State-aid intensities, Regulation (EU) 651/2014 (GBER), art. 4 to 7 and 14, and the regional aid map; firms"
        " in difficulty, its art. 1(4)(c); rules of each fund",
    )
    not_covered = Text(
        "quels coûts sont éligibles ; les seuils de notification ; le total des aides de plusieurs fonds devant un "
        "même taux",
        "which costs are eligible; notification thresholds; aid from several funds added up against one rate",
    )
    example = Example(
        {"on": {"funds": ["g"]}, "max_rate": [{"where": {"sol": "vert"}, "rate": "60 %"}, {"rate": 0.5}]},
        (("b-friche", "g", 2026, 50), ("a-friche", "g", 2026, 18), ("a-friche", "f", 2026, 12)),
        (("a-friche", "g", 2026, 18), ("a-friche", "f", 2027, 12)),
    )
    kind: Literal["fund_rate"] = "fund_rate"
    on: Selection = Selection()
    max_rate: RateOrLines

    def problems(self, scenario: Any) -> Iterator[Problem]:
        if isinstance(self.max_rate, Fraction):
            return
        wrong = [
            problem for k, line in enumerate(self.max_rate) for problem in line.on.problems(scenario, f"max_rate[{k}]")
        ]
        yield from wrong
        if wrong:
            return
        fits = np.zeros(len(scenario.demands), bool)
        for line in self.max_rate:
            fits |= line.on.pick(scenario).demands
        bare = scenario.demands["id"][self.on.pick(scenario).demands & ~fits].tolist()
        if bare:
            yield Problem(
                "max_rate",
                Text(
                    f"{len(bare)} dossier(s) sans taux : {listed(bare, 5)}",
                    f"{len(bare)} demand(s) without a rate: {listed(bare, 5)}",
                ),
                Text(
                    "ajouter une dernière ligne sans `where`, ou restreindre `on`",
                    "add a last line without `where`, or narrow `on`",
                ),
            )

    def _rated(self, space: Space) -> Iterator[tuple[np.ndarray, Fraction]]:
        """Demands of `on` (k,) and their rate, line by line."""
        left = np.zeros(space.n, bool)
        left[space.groups(self.on)[0].demands] = True
        if isinstance(self.max_rate, Fraction):
            yield np.flatnonzero(left), self.max_rate
            return
        for line in self.max_rate:
            mine = left & line.on.pick(space.scenario).demands
            left &= ~mine
            yield np.flatnonzero(mine), line.rate

    def rows(self, space: Space) -> Iterator[Statement]:
        cells = space.groups(self.on)[0].cells
        equivalents = grant_equivalents(space)
        for demands, rate in self._rated(space):
            for equivalent in dict.fromkeys(equivalents):
                if equivalent and rate < equivalent and len(demands):
                    alike = np.array([e == equivalent for e in equivalents], bool)
                    yield Rate(demands, cells & alike[:, None], rate / equivalent)

    def check(self, reading: Reading) -> Iterator[Level]:
        """Cents paid beyond rate × cost × units, per demand, fund and year; units of a year are its cents / asked."""
        space = reading.space
        cells, equivalents = space.groups(self.on)[0].cells, grant_equivalents(space)
        parts: dict[int, dict[int, Fraction]] = {}  # of the cost, by demand and fund that it holds back
        for demands, rate in self._rated(space):
            held = {f: rate / aid for f, aid in enumerate(equivalents) if aid and rate < aid}
            parts |= dict.fromkeys(demands.tolist(), held)
        of_year: dict[tuple[int, int], int] = {}
        paid: dict[tuple[int, int, int], int] = {}
        columns = (reading.demand.tolist(), reading.fund.tolist(), reading.year.tolist(), reading.cents.tolist())
        for i, f, y, cents in zip(*columns, strict=True):
            of_year[i, y] = of_year.get((i, y), 0) + cents
            paid[i, f, y] = paid.get((i, f, y), 0) + cents
        excess: Exact = 0
        for (i, f, y), cents in paid.items():
            part = parts.get(i, {}).get(f)
            if part is None or not cells[f, y]:
                continue
            limit, whole = part.numerator * int(space.cost[i]) * of_year[i, y], part.denominator * int(space.asked[i])
            if self.soft is None:
                excess += max(0, cents - -(-limit // whole))
            else:
                excess += max(Fraction(0), cents - Fraction(limit, whole))
        yield Level("", int(excess) if excess == int(excess) else excess, None, 0, 100)


class Cofunding(Constraint):
    """Public money (asked + other) is at most `max_public_rate` of all public and own money, or of the cost, where the
    beneficiary is a local authority.

    Decided per demand: those that cannot pass are refused. `authorities`: the values of `beneficiary_kind` that are local
    authorities; a blank one is taken for one. Overseas territories only with `overseas: true`. A breach is counted in
    percentage points per served demand.
    """

    title = Text("Cofinancement", "Cofunding")
    says = Text(
        "une collectivité paie elle-même au moins 20 % de l'argent public de son projet",
        "a local authority pays itself at least 20% of its project's public money",
    )
    law = Text(
        "CGCT, art. L1111-10, III : une collectivité ou un groupement supporte au moins 20 % des financements que "
        "les personnes publiques apportent à son investissement, le sien compris (base: public), sauf en Guadeloupe,"
        " Guyane, à La Réunion, en Martinique, à Mayotte, Saint-Barthélemy, Saint-Martin et Saint-Pierre-et-Miquelon",
        "CGCT art. L1111-10 III: a local authority or grouping bears at least 20 % of the financing that public "
        "persons bring to its investment, itself included (base: public), except those of Guadeloupe, Guyane, La "
        "Réunion, Martinique, Mayotte, Saint-Barthélemy, Saint-Martin and Saint-Pierre-et-Miquelon",
    )
    not_covered = Text(
        "les dérogations du préfet (monuments, catastrophes, liste du III), la rénovation urbaine (loi n° 2003-710, "
        "art. 9), les 30 % de l'art. L1111-9 pour les compétences partagées : `max_public_rate: 70 %` sur ces "
        "dossiers",
        "derogations by the prefect (monuments, disasters, the list of III), urban renewal (law 2003-710 art. 9), "
        "the 30 % of L1111-9 for shared competences: `max_public_rate: 70 %` on these demands",
    )
    example = Example(
        {"on": {"measures": ["friche"]}, "max_public_rate": 0.8},
        (("b-friche", "f", 2026, 50), ("a-ecole", "f", 2026, 100)),
        (("a-friche", "f", 2026, 30),),
    )
    kind: Literal["cofunding"] = "cofunding"
    on: Selection = Selection()
    max_public_rate: Share = Fraction(4, 5)
    base: Literal["public", "cost"] = "public"
    authorities: tuple[str, ...] = AUTHORITIES
    overseas: bool = False

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from whole_demands(self)

    def _concerned(self, scenario: Any) -> np.ndarray:
        """(n,) bool: demands of `on` whose owner the law speaks of."""
        demands, territories = scenario.demands, scenario.territories
        kinds = demands["beneficiary_kind"].astype(str).str.strip().map(_plain)
        mine = self.on.pick(scenario).demands & kinds.isin({"", *map(_plain, self.authorities)}).to_numpy()
        if not self.overseas:
            away = {
                name
                for name, *codes in territories[["id", "departement", "region"]].astype(str).itertuples(index=False)
                if any(code in OVERSEAS for code in codes)
            }
            mine &= ~demands["territory"].isin(away).to_numpy()
        return np.asarray(mine)

    def breaches(self, space: Space) -> tuple[np.ndarray, list[Fraction]]:
        """Positions (k,) of the demands that cannot pass, and their percentage points in excess."""
        asked, other, own = (space.money(name).astype(object) for name in ("asked", "other_public", "own"))
        public = asked + other
        base = public + own if self.base == "public" else space.cost.astype(object)
        rate = self.max_public_rate
        chosen = np.flatnonzero(self._concerned(space.scenario))
        over = public[chosen] * rate.denominator > base[chosen] * rate.numerator
        failing = chosen[over.astype(bool)]
        # without any base, all of it is public money
        excess = [100 * ((Fraction(public[i], base[i]) if base[i] > 0 else Fraction(1)) - rate) for i in failing]
        return failing, excess

    def rows(self, space: Space) -> Iterator[Statement]:
        for i, excess in zip(*self.breaches(space), strict=True):
            term = Term(np.array([i]), excess.numerator, all_cells(space), "served")
            yield Row((term,), None, 0, excess.denominator, str(space.scenario.demands["id"].iat[int(i)]))

    def check(self, reading: Reading) -> Iterator[Level]:
        space, rate = reading.space, self.max_public_rate
        chosen = self._concerned(space.scenario)
        own, other = space.money("own"), space.money("other_public")
        for i in np.flatnonzero(chosen & reading.served):
            public = int(space.asked[i]) + int(other[i])
            base = public + int(own[i]) if self.base == "public" else int(space.cost[i])
            if public > rate * base:
                excess = 100 * ((Fraction(public, base) if base > 0 else Fraction(1)) - rate)
                yield Level(
                    str(space.scenario.demands["id"].iat[int(i)]), excess.numerator, None, 0, excess.denominator
                )
