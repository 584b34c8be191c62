"""What all kinds of constraint share: the base class, the registry, the words for their problems.

A kind is one small class in `kinds/` and registers itself by being defined; its name is public here too. `rows` says
what the program must contain, `check` counts cents on a finished plan; tests hold their left sides equal. Hard or soft
is not the kind's affair: `soft` prices a breach, the compiler adds what that takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from allocator.money import Exact as Number
from allocator.problems import Problem
from allocator.space import Rule, Space
from allocator.texts import Text, figure

KINDS: dict[str, type[Constraint]] = {}
Paid = tuple[str, str, int, float]  # demand, fund, year, euros


class Example(NamedTuple):
    """A constraint on the scenario of `kinds/example.py`, a plan that keeps it and one that breaks it."""

    fields: Mapping[str, Any]
    keeps: tuple[Paid, ...]
    breaks: tuple[Paid, ...]


class Constraint(BaseModel, Rule):
    """What all kinds share. `soft`: points lost per euro or unit of breach, summed over `per`; absent: hard."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: ClassVar[Text]
    says: ClassVar[Text]
    law: ClassVar[Text]  # where such rules come from: the text of law, or who decides
    not_covered: ClassVar[Text | None] = None  # of that law
    example: ClassVar[Example]

    kind: str
    id: str = ""
    label: str = ""
    source: str = ""
    enabled: bool = True
    soft: Annotated[Number, Field(ge=0)] | None = None
    _unread: frozenset[str] = frozenset()  # fields that the reader could not understand, and has told

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        kind = cls.model_fields["kind"]
        if not kind.is_required():  # a base class of several kinds names none
            KINDS[kind.default] = cls

    def problems(self, scenario: Any) -> Iterator[Problem]:
        """What is wrong with it in this scenario beyond its schema, selections and `per`."""
        return iter(())

    def warnings(self, scenario: Any) -> Iterator[Problem]:
        """What looks wrong with it in this scenario, but can be computed."""
        return iter(())


def all_cells(space: Space) -> np.ndarray:
    """(F, Y) ones."""
    return np.ones(space.shape, np.int64)


def needs_one_of(constraint: Constraint, *names: str, exactly: bool = False) -> Iterator[Problem]:
    """A problem where none of the fields is given, or, with `exactly`, more than one."""
    given = [name for name in names if getattr(constraint, name) is not None or name in constraint._unread]
    if not given or (exactly and len(given) > 1):
        listed = ", ".join(names)
        yield Problem(
            place=names[0],
            message=Text(f"il manque une borne parmi : {listed}", f"one of {listed} is missing")
            if not given
            else Text(f"un seul de {listed} est permis", f"only one of {listed} is allowed"),
            remedy=Text(f"donner {names[0]}", f"give {names[0]}"),
        )


def sides_in_order(constraint: Constraint) -> Iterator[Problem]:
    """`min` or `max` must be given, and `min` may not be above `max`."""
    yield from needs_one_of(constraint, "min", "max")
    least, most = (getattr(constraint, name) for name in ("min", "max"))
    if least is not None and most is not None and least > most:
        low, high = figure(float(least)), figure(float(most))
        yield Problem(
            place="min",
            message=Text(f"min ({low.fr}) est supérieur à max ({high.fr})", f"min ({low.en}) is above max ({high.en})"),
            remedy=Text("baisser min, ou relever max", "lower min, or raise max"),
        )


def whole_demands(constraint: Constraint, *fields: str) -> Iterator[Problem]:
    """A rule on demands as such selects neither funds nor years, in any of `fields` (absent: `on`)."""
    for field in fields or ("on",):
        yield from no_funds(constraint, field)
        yield from no_years(constraint, field)


def no_years(constraint: Constraint, field: str = "on") -> Iterator[Problem]:
    """A problem where the selection names years."""
    if getattr(constraint, field).selects_years:
        yield Problem(
            place=f"{field}.years",
            message=Text("cette règle porte sur tout l'horizon, pas sur des années",
                         "this rule is about the whole horizon, not years"),
            remedy=Text("retirer `years`", "remove `years`"),
        )  # fmt: skip


def no_funds(constraint: Constraint, field: str = "on") -> Iterator[Problem]:
    """A problem where the selection names funds."""
    if getattr(constraint, field).selects_funds:
        yield Problem(
            place=f"{field}.funds",
            message=Text("cette règle ne peut pas choisir de fonds", "this rule cannot select funds"),
            remedy=Text("retirer `funds`", "remove `funds`"),
        )


for _found in iter_modules([str(Path(__file__).parent / "kinds")]):
    import_module(f"allocator.kinds.{_found.name}")
globals().update({_kind.__name__: _kind for _kind in KINDS.values()})
