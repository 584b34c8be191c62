"""Why there is no plan: the named rules that cannot hold together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from allocator.explain.explanation import Explanation
from allocator.explain.variants import Variants
from allocator.plan import Plan
from allocator.texts import Text


@dataclass(frozen=True)
class NoPlan(Explanation):
    """A scenario without a plan."""

    about: ClassVar[str] = "infeasible"
    plan: Plan

    @property
    def answer(self) -> Text:
        if self.plan.status != "infeasible":
            return Text(
                "Aucun plan n'a été trouvé, et rien ne prouve qu'il n'y en ait pas.",
                "No plan was found, and nothing proves that there is none.",
            )
        return Text("Aucun plan n'est possible : c'est prouvé.", "No plan is possible: it is proved.")

    @property
    def details(self) -> list[Text]:
        return [self.plan.conflict.text()] if self.plan.conflict else []

    def facts(self) -> dict[str, Any]:
        return {"conflict": self.plan.conflict.as_dict() if self.plan.conflict else None}


def infeasible(variants: Variants) -> NoPlan:
    """What conflicts."""
    return NoPlan(variants.plan)
