"""The least change of a demand's score, of what it asks for, or of a fund, that turns its decision over."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

from allocator.explain.explanation import exactly, money
from allocator.explain.nouns import agreeing, of
from allocator.explain.points import Gain, counted, spoken, weights
from allocator.explain.variants import Variants, called, enclosed, enclosing, granted, raised, total
from allocator.plan import Plan
from allocator.scenario import Fund, Scenario
from allocator.texts import Text

PRECISION = 0.01  # of a flip: the steps in which figures are tried
CLOSE, CLOSER = (
    0.2,
    0.05,
)  # of a change: between what flips the decision and what does not yet, good enough after two tries
SYMBOLS = ("", "ha", "km", "m²", "m2", "€", "k€", "M€")  # units that need no translation
WIDE = 0.1  # of a change: room between the two that is told
DEAREST = 100  # times what is asked now, of amounts that are tried
PROBES = (
    6  # solves at most to bring a flip that close (where it is `rough`, two more); brief or not: one figure, not two
)


@dataclass(frozen=True)
class Spent:
    """What comes of money added to a fund that is paid back: cents that return to it sooner, by year, and cents more that
    it commits to the demand (`mine`) and to others, by year; `left`: cents of it all that stay in the fund (below zero:
    that were left in it before)."""

    back: tuple[tuple[int, int], ...]
    mine: tuple[tuple[int, int], ...]
    others: tuple[tuple[int, int], ...]
    left: int = 0

    @property
    def committed(self) -> int:
        return sum(cents for _, cents in (*self.mine, *self.others))

    def text(self) -> Text:
        back, committed = money(sum(cents for _, cents in self.back)), money(self.committed)
        when, mine, others = _by_year(self.back), _by_year(self.mine), _by_year(self.others, signed=True)
        rest = Text(f" ; pour les autres : {others.fr}", f"; to others: {others.en}") if self.others else Text("", "")
        if self.left:
            size, cents = money(abs(self.left)), Text("", "")
            if abs(self.left) < 100:
                cents = Text(" (arrondis au centime)", " (whole cents)")
            said = Text(f"il y reste {size.fr} de plus", f"{size.en} more are left in it")
            if self.left < 0:
                said = Text(f"il y restait {size.fr}, qui servent aussi", f"{size.en} were left in it and serve too")
            rest = Text(f"{rest.fr} ; {said.fr}{cents.fr}", f"{rest.en}; {said.en}{cents.en}")
        return Text(
            f" : avec les remboursements en plus qui y reviennent ({back.fr} : {when.fr}), le fonds engage {committed.fr} de "
            f"plus ; pour ce dossier : {mine.fr}{rest.fr}",
            f": with the further repayments that come back to it ({back.en}: {when.en}), the fund commits {committed.en} "
            f"more; to this demand: {mine.en}{rest.en}",
        )


def _by_year(cents: tuple[tuple[int, int], ...], *, signed: bool = False) -> Text:
    """ "21 333,33 € en 2027, 22 755,56 € en 2028", or with the sign of each."""
    plus = "+" if signed else ""
    said = [(year, "−" if size < 0 else plus, money(abs(size))) for year, size in cents]
    return Text(
        ", ".join(f"{sign}{size.fr} en {year}" for year, sign, size in said),
        ", ".join(f"{sign}{size.en} in {year}" for year, sign, size in said),
    )


@dataclass(frozen=True)
class Flip:
    """A change that turns the decision over, verified by solving: the decision is another at `to` and not yet at `short`
    (`now` itself where nothing nearer was tried), and in between nobody looked. Without `to`, all was tried in vain, up to
    `short`. Money in cents, an indicator in its own unit; `units`: asked for."""

    what: Literal["score", "asked", "fund"]
    of: str  # the indicator, or the fund
    label: Text
    unit: str
    now: float
    to: float | None
    short: float
    units: float = 1.0
    worth: Text = Text("", "")  # of a score: what the change is worth in points, where that is another figure
    together: bool = False  # in vain, and with the other funds at once
    around: tuple[str, ...] = ()  # envelopes around the fund, given as much
    years: Text = Text("", "")  # in which years a fund is given it
    spent: Spent | None = None  # of a fund whose money comes back

    @property
    def earned(self) -> int:
        """Cents that the fund commits beyond the money added, out of what is paid back to it."""
        added = 0 if self.to is None else round(self.to - self.now)
        return max(self.spent.committed - added, 0) if self.spent is not None else 0

    @property
    def wide(self) -> bool:
        """Whether much lies between what turns the decision over and what is known not to."""
        return self.to is not None and abs(self.to - self.short) > WIDE * abs(self.to - self.now)

    def text(self, *, bracket: bool = True) -> Text:
        """The change, of a flip that was found: "400 000 € demandés par ha au lieu de 500 000 € (avec 401 000 €, la
        décision reste la même)"; `bracket`: with what does not do yet."""
        assert self.to is not None
        if self.what == "fund":
            said = self._moved(self.to)
            if self.spent is not None and self.spent.back:
                more = self.spent.text()
                said = Text(said.fr + more.fr, said.en + more.en)
        else:
            now, to, per = self._figure(self.now), self._figure(self.to), self._per
            noun = agreeing(self.to, self.label)
            asked = Text(" demandés", " asked") if self.what == "asked" else Text(f" {noun.fr}", f" {noun.en}")
            said = Text(
                f"{to.fr}{asked.fr}{per.fr} au lieu de {now.fr}{self.worth.fr}",
                f"{to.en}{asked.en}{per.en} instead of {now.en}{self.worth.en}",
            )
        tail = self._until() if bracket else Text("", "")
        return Text(said.fr + tail.fr, said.en + tail.en)

    def _until(self) -> Text:
        """What does not do yet, and that nobody looked in between where that is much."""
        if self.short == self.now:
            return Text(" (aucun changement plus petit n'a été essayé)", " (no smaller change was tried)")
        short = self._figure(self.short)
        open_ = Text("", "")
        if self.wide:
            open_ = Text(" ; entre les deux, rien n'a été calculé", "; nothing was solved in between")
        return Text(
            f" (avec {short.fr}, la décision reste la même{open_.fr})",
            f" (with {short.en}, the decision stays the same{open_.en})",
        )

    def vain(self) -> Text:
        """What was tried in vain, to its end."""
        if self.what == "fund":
            return self._moved(self.short)
        now, far = self._figure(self.now), self._figure(self.short)
        ends = Text(f"de {now.fr} à {far.fr}", f"from {now.en} to {far.en}")
        if self.what == "score":
            return Text(
                f"Aucun des nombres {of(self.label.fr)} essayés{self._per.fr}, {ends.fr}, n'y suffit.",
                f"None of the numbers of {self.label.en} tried{self._per.en}, {ends.en}, is enough.",
            )
        return Text(
            f"Aucun des montants demandés essayés{self._per.fr}, {ends.fr}, n'y suffit.",
            f"None of the amounts asked that were tried{self._per.en}, {ends.en}, is enough.",
        )

    @property
    def _whole(self) -> bool:
        """Whether what is said is of the whole demand: "1 M€ par M€" says nothing."""
        return self.units == 1 or (self.what == "asked" and "€" in self.unit)

    @property
    def _per(self) -> Text:
        if self._whole:
            return Text("", "")
        said = self.unit if self.unit in SYMBOLS else f"“{self.unit}”"  # the scenario's own word, whatever its language
        return Text(f" par {self.unit or 'unité'}", f" per {said or 'unit'}")

    def _figure(self, value: float) -> Text:
        """As it was tried: nothing is rounded to the wrong side."""
        if self.what == "score":
            return exactly(value)
        if self.what == "fund":
            return money(abs(round(value - self.now)))
        return money(round(value * (self.units if self._whole else 1.0)))

    def _moved(self, to: float) -> Text:
        moved = self._figure(to)
        more = Text("de plus", "more") if to > self.now else Text("de moins", "less")
        around = enclosing(self.around)
        return Text(
            f"{moved.fr} {more.fr} dans « {self.label.fr} »{self.years.fr}{around.fr}",
            f"{moved.en} {more.en} in “{self.label.en}”{self.years.en}{around.en}",
        )

    def as_dict(self) -> dict[str, Any]:
        to = self.to
        return {
            "what": self.what, "of": self.of, "label": str(self.label), "now": self.now, "to": to,
            "short": None if to is None else self.short, "tried": self.short if to is None else None,
            "earned_cents": self.earned,
        }  # fmt: skip


@dataclass(eq=False)
class Flips:
    """The decision on a demand that is to be turned over; `contrary`: the best plan that decides the other way, `loss`
    what it loses. `whole`: it has all it asks for now."""

    variants: Variants
    demand: str
    whole: bool
    turned: Callable[[Plan], bool]
    contrary: Plan
    loss: Gain

    def __post_init__(self) -> None:
        scenario = self.variants.scenario
        self.at = int((scenario.demands["id"] == self.demand).to_numpy().argmax())
        self.row: Any = scenario.demands.iloc[self.at]
        self.name = called(scenario, self.demand)
        measure = next(m for m in scenario.measures if m.id == self.row["measure"])
        self.unit = measure.unit
        self.units = float(self.row["units"])
        self.weights = {} if measure.steps else weights(scenario)
        before, after = (share(plan, self.demand) for plan in (self.variants.plan, self.contrary))
        self.moved = abs(float(after - before)) * self.units or 1.0
        least = max(float(self.row.get("min_units", 0) or 0), 1.0 if measure.lumpy else 0.0)
        self.all_or_nothing = abs(float(after - before)) == 1 and least >= self.units

    def all(self) -> Iterator[Flip]:
        yield from self.of_itself()
        yield from self.of_funds()

    def of_itself(self) -> Iterator[Flip]:
        """Its score, where the objective counts one, and what it asks for."""
        scored = self.score()
        if scored is not None:
            yield scored
        yield self.asked()

    def score(self) -> Flip | None:
        """Of the indicator that brings it most points."""
        if not self.weights:
            return None
        best = max(self.weights, key=lambda k: (abs(self.weights[k] * float(self.row[k])), self.weights[k]))
        now, worth = float(self.row[best]), self.weights[best]
        if worth <= 0 or (self.whole and now <= 0):
            return None
        scenario = self.variants.scenario

        def counting(value: float) -> Plan:
            what = Text(f"{self.name}, autre {best}", f"{self.name}, other {best}")
            return self.variants.solve(changed(scenario, self.demand, best, round(value, 6)), what)

        needed = max(self.loss.found, 0.0) / self.moved / worth
        way = -1 if self.whole else 1
        finest = max(tenth(abs(now) / 10_000), 1e-6)
        to: float | None
        proved = self._proved(best, now, worth * self.moved, way, finest)
        # a plan within the gap may turn sooner than the best one: both ends are solved
        if proved is not None and self.turned(counting(proved[0])) and not self.turned(counting(proved[1])):
            to, short = proved
        else:
            far = 0.0 if self.whole else now + 4 * needed + 0.1 * abs(now)  # nobody has less than none
            to, short = search(counting, self.turned, now, far, now + way * needed, finest)
        label, points = spoken(scenario, best), Text("", "")
        if to is not None and worth * self.moved != counted(self.variants.plan).size:
            points = self._in_points(abs(to - now) * worth * self.moved)
        return Flip("score", best, label, self.unit, now, to, short, self.units, points)

    def _in_points(self, points: float) -> Text:
        """What a change of score is worth to the plan, in what its losses are told in: never less than it is."""
        size = 10.0 ** (math.floor(math.log10(max(points, 1e-9))) - 2)
        points = math.ceil(points / size - 1e-9) * size
        said = counted(self.variants.plan).of(Gain(points, points, points))
        more = Text("de moins", "less") if self.whole else Text("de plus", "more")
        return Text(f", soit {said.fr} {more.fr}", f", that is {said.en} {more.en}")

    def _proved(self, indicator: str, now: float, worth: float, way: int, finest: float) -> tuple[float, float] | None:
        """Where the two bounds settle it, all or nothing: the plans that fund it gain `worth` points per unit of the
        indicator and the others none, so the decision turns between the least loss and the most, as the answer tells
        them. None where a rule counts the indicator too, or the bounds say too little."""
        size = counted(self.variants.plan).size
        least, most = (size * end / worth for end in self.loss.over(size).told)
        if not self.all_or_nothing or not 0 < least <= most < math.inf or self._ruled(indicator):
            return None
        step = max(10.0 ** math.floor(math.log10(max(most - least, PRECISION * most))) / 10, finest)
        # in steps away from 0 on the way: at the least loss itself both decisions tie, so what still stands is short of it
        beyond, tie = (way * (now + way * change) / step for change in (most, least))
        to, short = way * math.ceil(beyond - 1e-9) * step, way * (math.ceil(tie - 1e-9) - 1) * step
        short = max(short, now) if way > 0 else min(short, now)
        return (to, short) if to >= 0 else None

    def _ruled(self, indicator: str) -> bool:
        rules = [c for c in self.variants.scenario.constraints if c.enabled]
        return any(indicator in map(str, rule.model_dump().values()) for rule in rules)

    def asked(self) -> Flip:
        scenario = self.variants.scenario
        loss = max(self.loss.found, 0.0)
        points = self.moved * sum(weight * float(self.row[name]) for name, weight in self.weights.items())
        rival = points - loss if self.whole else points + loss  # what the same money buys elsewhere
        price = int(scenario.cents("asked")[self.at])

        def asking(cents: float) -> Plan:
            what = Text(f"{self.name}, autre montant", f"{self.name}, other amount")
            return self.variants.solve(changed(scenario, self.demand, "asked", round(cents) / 100), what)

        even = price * points / rival if points > 0 and rival > 0 else price * (1.3 if self.whole else 0.8)
        even = min(even, DEAREST * price)
        far = max(3.0 * price, 1.5 * even) if self.whole else min(price / 20, even / 2)
        found = search(asking, self.turned, float(price), far, even, max(tenth(price / 1000), 100.0))
        return Flip("asked", "asked", Text("asked", "asked"), self.unit, float(price), *found, units=self.units)

    def of_funds(self) -> Iterator[Flip]:
        """Each fund that may pay it and has nothing to spare; all of them at once first: where that changes nothing, that
        is the answer."""
        variants, scenario = self.variants, self.variants.scenario
        wanted = int(variants.plan.asked_cents()[self.at])
        finest = max(tenth(wanted / 100), 100.0)
        step, way = grid(wanted, finest), -1 if self.whole else 1
        may = [
            fund
            for fund in scenario.funds
            if fund.id in variants.plan.binding and (fund.on is None or bool(fund.on.pick(scenario).demands[self.at]))
        ]
        far = {
            f.id: math.floor((total(f) if self.whole else max(8 * wanted, total(f) // 2)) / step) * step for f in may
        }
        vain = False
        if len(may) > 1:
            moved = scenario
            for fund in may:
                moved = raised(moved, fund.id, round(way * far[fund.id]))
            together = variants.solve(moved, Text("tous ces fonds, autres montants", "all these funds, other amounts"))
            vain = together.reading is not None and not self.turned(together)
        for fund in may:
            held = total(fund)

            def holding(cents: float, fund: Any = fund, held: int = held) -> Plan:
                what = Text(f"{fund.label}, autre montant", f"{fund.label}, other amount")
                return variants.solve(raised(scenario, fund.id, round(cents) - held), what)

            end, guess = held + way * far[fund.id], max(held + way * wanted, 0)
            to, short = None, float(end)
            if not vain:
                to, short = search(holding, self.turned, float(held), end, float(guess), finest, rough=True)
            spent = None
            if to is not None and to > held and fund.returns:
                spent = self._spent(fund.id, holding(to), round(to) - held)
            around = tuple(f.label for f in enclosed(scenario, fund.id))
            label = Text(fund.label, fund.label)
            yield Flip(
                "fund", fund.id, label, self.unit, float(held), to, short, self.units, together=vain, around=around,
                years=_when(fund, scenario), spent=spent,
            )  # fmt: skip

    def _spent(self, fund: str, after: Plan, added: int) -> Spent:
        """What a fund of money that comes back does with `added` cents."""
        plans, last = (self.variants.plan, after), self.variants.scenario.years[-1]
        accounts = [plan.account[(plan.account["fund"] == fund) & (plan.account["year"] <= last)] for plan in plans]
        back = _more(*(dict(zip(a["year"], a["returned"], strict=True)) for a in accounts))
        rows = [plan.grants[plan.grants["fund"] == fund] for plan in plans]

        def more(mine: bool) -> tuple[tuple[int, int], ...]:
            chosen = [table[(table["demand"] == self.demand) == mine] for table in rows]
            return _more(*(table.groupby("year")["cents"].sum().to_dict() for table in chosen))

        found = Spent(back, more(True), more(False))
        return replace(found, left=added + sum(cents for _, cents in back) - found.committed)


def _more(before: dict[Any, Any], after: dict[Any, Any]) -> tuple[tuple[int, int], ...]:
    """Cents more by year, where they differ."""
    found = ((int(year), int(after.get(year, 0) - before.get(year, 0))) for year in sorted({*before, *after}))
    return tuple((year, cents) for year, cents in found if cents)


def _when(fund: Fund, scenario: Scenario) -> Text:
    """In which years a fund is given more: those in which it has money, in the same proportions."""
    years = [year for year, cents in (fund.amounts or {}).items() if cents] or list(scenario.years)
    if fund.amounts is None or len(years) < 2:
        return Text("", "")
    return Text(
        f", répartis sur {years[0]}-{years[-1]} comme ce qu'il a",
        f", shared over {years[0]}–{years[-1]} as what it has",
    )


def share(plan: Plan, demand: str) -> Fraction:
    """The part of the units asked for that a demand is granted."""
    asked = dict(zip(plan.scenario.demands["id"], plan.asked_cents(), strict=True))[demand]
    return Fraction(granted(plan)[demand], max(int(asked), 1))


def changed(scenario: Scenario, demand: str, column: str, value: float) -> Scenario:
    """The scenario where a demand has another figure. A project keeps its cost: the owner pays what is not asked for."""
    demands = scenario.demands.copy()
    at = demands["id"] == demand
    if column == "asked" and "own" in demands:
        demands["own"] = demands["own"].astype(float)
        less = float(demands.loc[at, "asked"].iloc[0]) - value
        demands.loc[at, "own"] = (demands.loc[at, "own"] + less).clip(lower=0).round(2)
    if column == "asked":
        demands.loc[at, "cost"] = demands.loc[at, "cost"].clip(lower=value)
    demands[column] = demands[column].astype(float)
    demands.loc[at, column] = value
    return scenario.with_(demands=demands)


def tenth(value: float) -> float:
    """The power of ten at or below a positive number."""
    return float(10.0 ** math.floor(math.log10(max(value, 1e-9))))


def grid(size: float, finest: float) -> float:
    """The step in which a change of about this size is searched."""
    return max(10.0 ** math.floor(math.log10(max(PRECISION * size, finest))), finest)


def search(
    solve: Callable[[float], Plan],
    turned: Callable[[Plan], bool],
    now: float,
    far: float,
    guess: float,
    finest: float,
    *,
    rough: bool = False,
) -> tuple[float | None, float]:
    """Between `now`, where the decision stands, and `far`: the nearest value found that turns it over, the last one
    nearer where it stands still; None and the farthest tried where all was in vain. Round figures only, `PRECISION` of the change or finer; `guess` and what lies just
    before it are tried first, bisection does the rest until the two are `CLOSE`; where the guess is `rough`, `far` comes
    first."""
    size = abs(guess - now) or abs(far - now)
    step = grid(size, finest)
    way = 1 if far > now else -1
    last = math.floor(abs(far - now) / step + 1e-9)
    made: set[int] = set()

    def flips(steps: int) -> bool:
        made.add(steps)
        return turned(solve(now + way * steps * step))

    low, high = 0, None
    exact = abs(guess - now) / step
    first = min(max(math.ceil(exact), 1), last)
    beyond = first + 1 if abs(exact - first) < 1e-6 else 0  # the guess itself may be a tie
    order = (last, first) if rough else (first, first - 1 if first > 1 else 0, beyond, last)
    for steps in order:
        if low < steps <= last and (high is None or steps < high) and steps not in made:
            if flips(steps):
                high = steps
            elif rough and steps == last:
                return None, now + way * last * step
            else:
                low = steps
    if high is None:
        return None, now + way * last * step
    while high - low > max(1, (CLOSER if rough else CLOSE) * high) and len(made) < (PROBES + 2 if rough else PROBES):
        middle = _round_steps(low, high)
        if flips(middle):
            high = middle
        else:
            low = middle
    return now + way * high * step, now + way * low * step


def _round_steps(low: int, high: int) -> int:
    """The roundest number of steps near the middle of two."""
    for power in (100, 50, 10, 5):
        middle = round((low + high) / 2 / power) * power
        if low + (high - low) / 4 <= middle <= high - (high - low) / 4:
            return middle
    return (low + high) // 2
