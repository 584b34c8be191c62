"""The whole plan in a few answers: what is left, what the rules cost, what a million more would buy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from allocator.explain.costs import costs
from allocator.explain.explanation import Explanation
from allocator.explain.left import left
from allocator.explain.money import next_million
from allocator.explain.variants import Variants
from allocator.texts import Text


@dataclass(frozen=True)
class Overview(Explanation):
    """Several explanations, each with its own short answer."""

    about: ClassVar[str] = "overview"
    parts: tuple[Explanation, ...]

    @property
    def answer(self) -> Text:
        return self.parts[0].answer

    @property
    def details(self) -> list[Text]:
        lines = []
        for k, part in enumerate(self.parts):
            lines += [*([part.answer] if k else []), *(Text(f"  {d.fr}", f"  {d.en}") for d in part.details)]
        return lines

    def facts(self) -> dict[str, Any]:
        return {"parts": [part.as_dict() for part in self.parts]}


def overview(variants: Variants, *, brief: bool = False) -> Overview:
    """One solve for each rule, each fund, and each fund that leaves money. `brief`: without the rules."""
    money = next_million(variants), left(variants)
    return Overview(money if brief else (costs(variants), *money))
