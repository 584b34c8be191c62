"""Funds and measures: their fields, and what each must be by itself."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from allocator.money import Euros, Exact, Rate
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
    reserve: Rate = Fraction(0)
    income: EurosPerYear | None = None
    returns: dict[Annotated[int, Field(ge=1, le=100)], Rate] | None = None
    reference_rate: Rate | None = None
    transfers: dict[Id, Annotated[Euros, Field(ge=0)]] | None = None
    notified: dict[Id, Annotated[Euros, Field(ge=0)]] | None = None
    notified_until: int | None = None
    on: Selection | None = None
    max_rate: Rate = Fraction(1)

    @model_validator(mode="after")
    def _checked(self) -> Fund:
        if (self.amount is None) == (self.amounts is None):
            raise ValueError(
                Text(
                    "donnez amount (tout l'horizon) ou amounts (par année), l'un des deux",
                    "give amount (whole horizon) or amounts (by year), one of the two",
                )
            )
        if self.reserve == 1:
            raise ValueError(Text("reserve doit être inférieure à 1", "reserve must be less than 1"))
        if self.max_rate == 0:
            raise ValueError(Text("max_rate doit être supérieur à 0", "max_rate must be more than 0"))
        if self.returns and sum(self.returns.values(), Fraction(0)) > 1:
            raise ValueError(
                Text(
                    "returns rend plus que ce qui est payé : les parts dépassent 1",
                    "returns gives back more than is paid: the shares exceed 1",
                )
            )
        if self.reference_rate is not None and not self.returns:
            raise ValueError(
                Text("reference_rate va avec returns", "reference_rate goes with returns"),
            )
        if self.notified_until is not None and not self.notified:
            raise ValueError(Text("notified_until va avec notified", "notified_until goes with notified"))
        if self.notified:
            total = self.amount if self.amount is not None else sum((self.amounts or {}).values())
            if sum(self.notified.values()) > total:
                raise ValueError(
                    Text(
                        "les enveloppes de notified dépassent ce que le fonds contient",
                        "the envelopes of notified exceed what the fund holds",
                    )
                )
        return self

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
    payment_profile: tuple[Exact, ...] = (Fraction(1),)
    annual: bool = False
    steps: tuple[Step, ...] | None = None

    @model_validator(mode="after")
    def _checked(self) -> Measure:
        if self.steps is not None:
            ends, values = [step.up_to for step in self.steps], [step.value for step in self.steps]
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
                    Text(
                        "value ne peut pas croître : la réponse est concave",
                        "value cannot grow: the response is concave",
                    )
                )
        if any(share < 0 for share in self.payment_profile):
            raise ValueError(Text("payment_profile a une part négative", "payment_profile has a negative share"))
        total = sum(self.payment_profile, Fraction(0))
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
        return self


def plain(item: Any) -> Any:
    """A model as keys and values for YAML or JSON, without what is left at its default."""
    if not isinstance(item, BaseModel):
        return item
    out = item.model_dump(exclude_defaults=True)
    for key in ("kind", "id"):
        if key in type(item).model_fields:
            out = {key: getattr(item, key), **out}
    return out
