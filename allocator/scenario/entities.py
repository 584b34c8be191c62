"""Funds and measures: their fields, and what each must be by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from allocator.money import Euros, Exact, Rate
from allocator.problems import Problem
from allocator.selection import Selection
from allocator.texts import Text


def _dated(value: object) -> object:
    """Years and dates are often left unquoted."""
    return (
        str(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else getattr(value, "isoformat", lambda: value)()
    )


def _as_id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[str, BeforeValidator(_as_id), Field(min_length=1)]


def _hypothesis(value: object) -> bool | str:
    if isinstance(value, (bool, str)):
        return value
    raise ValueError(Text("true, false ou un texte est attendu", "true, false or a text is expected"))


def _proposition(value: object) -> int | str:
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        return value
    raise ValueError(Text("un numéro de proposition est attendu", "the number of a proposition is expected"))


def _less_than_all(reserve: Fraction) -> Fraction:
    if reserve == 1:
        raise ValueError(Text("reserve doit être inférieure à 1", "reserve must be less than 1"))
    return reserve


def _more_than_nothing(max_rate: Fraction) -> Fraction:
    if max_rate == 0:
        raise ValueError(Text("max_rate doit être supérieur à 0", "max_rate must be more than 0"))
    return max_rate


def _at_most_paid(returns: dict[int, Fraction]) -> dict[int, Fraction]:
    if sum(returns.values(), Fraction(0)) > 1:
        raise ValueError(
            Text(
                "returns rend plus que ce qui est payé : les parts dépassent 1",
                "returns gives back more than is paid: the shares exceed 1",
            )
        )
    return returns


def _parts_of_one(payment_profile: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    if any(share < 0 for share in payment_profile):
        raise ValueError(Text("payment_profile a une part négative", "payment_profile has a negative share"))
    total = sum(payment_profile, Fraction(0))
    if total != 1:
        raise ValueError(
            Text(
                f"les parts de payment_profile font {float(total):g}, et non 1",
                f"the shares of payment_profile add up to {float(total):g}, not 1",
            ),
            Text(
                'Écrivez par exemple [0.3, 0.7] ou ["1/3", "2/3"].',
                'Write for example [0.3, 0.7] or ["1/3", "2/3"].',
            ),
        )
    return payment_profile


def _concave(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    ends, values = [step.up_to for step in steps], [step.value for step in steps]
    if not ends or ends[-1] != 1 or any(a >= b for a, b in pairwise(ends)):
        raise ValueError(
            Text("up_to doit croître et finir à 1", "up_to must grow and end at 1"),
            Text(
                "Écrivez par exemple [{up_to: 0.5, value: 1}, {up_to: 1, value: 0.4}].",
                "Write for example [{up_to: 0.5, value: 1}, {up_to: 1, value: 0.4}].",
            ),
        )
    if any(a < b for a, b in pairwise(values)):
        raise ValueError(
            Text("value ne peut pas croître : la réponse est concave", "value cannot grow: the response is concave")
        )
    return steps


def _at_odds(fr: str, en: str) -> Problem:
    return Problem("", Text(fr, en))


Hypothesis = Annotated[bool | str, PlainValidator(_hypothesis)]
Proposition = Annotated[int | str, PlainValidator(_proposition)]
When = Annotated[str, BeforeValidator(_dated)]
EurosPerYear = dict[int, Annotated[Euros, Field(ge=0)]]


class _Named(BaseModel):
    """What funds and measures share. `label` is the id when none is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    label: str = ""
    source: str = ""
    as_of: When = ""
    hypothesis: Hypothesis = False
    _unread: frozenset[str] = frozenset()  # fields that the reader could not understand, and has told

    @model_validator(mode="before")
    @classmethod
    def _label(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and not value.get("label") and value.get("id"):
            return {**value, "label": str(value["id"])}
        return value


class Fund(_Named):
    """Money and its rules. Amounts are stored in whole cents.

    Either `amount`, for the whole horizon, or `amounts` by year (a year not named holds 0): what may be committed (AE).
    `payments`: what may be paid in a year (CP), a year not named being unlimited. `income`: more to commit from that
    year on. `returns`: {years after payment, at least one: share repaid}, which may be committed again; at `reference_rate` (a year)
    the grant equivalent of such money is counted. `transfers`: {fund: at most so much may be moved there}. `notified`:
    {region: announced to it in advance}, up to and including the year `notified_until`; what is unused then is
    anybody's again.
    """

    amount: Annotated[Euros, Field(ge=0)] | None = None
    amounts: EurosPerYear | None = None
    carry_over: bool = False
    payments: EurosPerYear | None = None
    parent: Id | None = None
    reserve: Annotated[Rate, AfterValidator(_less_than_all)] = Fraction(0)
    income: EurosPerYear | None = None
    returns: Annotated[dict[Annotated[int, Field(ge=1, le=100)], Rate], AfterValidator(_at_most_paid)] | None = None
    reference_rate: Rate | None = None
    transfers: dict[Id, Annotated[Euros, Field(ge=0)]] | None = None
    notified: dict[Id, Annotated[Euros, Field(ge=0)]] | None = None
    notified_until: int | None = None
    on: Selection | None = None
    max_rate: Annotated[Rate, AfterValidator(_more_than_nothing)] = Fraction(1)

    def problems(self) -> Iterator[Problem]:
        """What its fields say against each other; nothing about those that could not be read."""

        def given(name: str) -> bool:
            return getattr(self, name) is not None or name in self._unread

        if given("amount") == given("amounts"):
            yield _at_odds(
                "donnez amount (tout l'horizon) ou amounts (par année), l'un des deux",
                "give amount (whole horizon) or amounts (by year), one of the two",
            )
        if given("reference_rate") and not given("returns"):
            yield _at_odds("reference_rate va avec returns", "reference_rate goes with returns")
        if given("notified_until") and not given("notified"):
            yield _at_odds("notified_until va avec notified", "notified_until goes with notified")
        if self.notified and not {"amount", "amounts", "notified"} & self._unread:
            total = self.amount if self.amount is not None else sum((self.amounts or {}).values())
            if sum(self.notified.values()) > total:
                yield _at_odds(
                    "les enveloppes de notified dépassent ce que le fonds contient",
                    "the envelopes of notified exceed what the fund holds",
                )

    @property
    def grant_equivalent(self) -> Fraction:
        """Gross grant equivalent of a euro of this fund: 1, less what comes back at its value when it is paid.

        Rounded up to a millionth; 1 without a `reference_rate`, the careful reading.
        Source: Commission communication 2008/C 14/02 on reference and discount rates.
        """
        if not self.returns or self.reference_rate is None:
            return Fraction(1)
        worth = sum((share / (1 + self.reference_rate) ** years for years, share in self.returns.items()), Fraction(0))
        return max(Fraction(0), Fraction(ceil((1 - worth) * 10**6), 10**6))


class Step(BaseModel):
    """Units up to this share of those asked for count `value` times."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    up_to: Annotated[Exact, Field(gt=0, le=1)]
    value: Annotated[Exact, Field(ge=0)]


class Measure(_Named):
    """What is asked for, in units. `lumpy`: whole units only (a school), each committed in one year.

    `payment_profile`: shares of a grant paid in its year and the following ones. `annual`: asked again every year: each
    of its demands becomes one per year. `steps`: concave response, as in "the first half counts in full, the rest for a
    third": what later units are worth to `maximise`.
    """

    unit: str = ""
    propositions: tuple[Proposition, ...] = ()
    lumpy: bool = False
    payment_profile: Annotated[tuple[Exact, ...], AfterValidator(_parts_of_one)] = (Fraction(1),)
    annual: bool = False
    steps: Annotated[tuple[Step, ...], AfterValidator(_concave)] | None = None


def plain(item: Any) -> Any:
    """A model as keys and values for YAML or JSON, without what is left at its default."""
    if not isinstance(item, BaseModel):
        return item
    out = item.model_dump(exclude_defaults=True)
    for key in ("kind", "id"):
        if key in type(item).model_fields:
            out = {key: getattr(item, key), **out}
    return out
