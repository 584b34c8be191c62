"""Funds and measures: their fields, and what each must be by itself."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
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

    Either `amount`, for the whole horizon, or `amounts` by year (a year not named holds 0).
    """

    amount: Annotated[Euros, Field(ge=0)] | None = None
    amounts: EurosPerYear | None = None
    carry_over: bool = False
    payments: EurosPerYear | None = None
    parent: Id | None = None
    reserve: Rate = Fraction(0)
    income: EurosPerYear | None = None
    returns: dict[int, Rate] | None = None
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
        return self


class Measure(_Named):
    """What is asked for, in units. `lumpy`: whole units only (a school), each committed in one year.

    `payment_profile`: shares of a grant paid in its year and the following ones.
    """

    unit: str = ""
    propositions: tuple[Proposition, ...] = ()
    lumpy: bool = False
    payment_profile: tuple[Exact, ...] = (Fraction(1),)
    steps: Any = None

    @model_validator(mode="after")
    def _checked(self) -> Measure:
        if any(share < 0 for share in self.payment_profile):
            raise ValueError(
                Text("payment_profile a une part négative", "payment_profile has a negative share")
            )
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
