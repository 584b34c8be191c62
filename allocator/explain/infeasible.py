"""Why there is no plan: a smallest set of requirements that cannot hold together, and the least changes that make a plan
possible again, each verified by solving.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from allocator.explain.conflicts import Change, Conflicts, Remedy, within
from allocator.explain.explanation import Explanation
from allocator.explain.requirements import Requirement
from allocator.explain.variants import Variants
from allocator.plan import Plan
from allocator.texts import Text


@dataclass(frozen=True)
class Part:
    """One requirement of the conflict: what it asks for, and the nearest that can be where the others (so many) hold (None:
    it has no number, or none helps)."""

    requirement: Requirement
    asks: Text
    possible: Change | None
    others: int
    reason: Text | None = None

    def text(self) -> Text:
        name, asks = self.requirement.name, self.asks
        said = Text(f"{name.fr} : {asks.fr}", f"{name.en}: {asks.en}")
        if self.reason is not None:
            return Text(f"{said.fr} ; {self.reason.fr}", f"{said.en}; {self.reason.en}")
        if self.possible is None or self.possible.dial is None or self.possible.to is None:
            return said
        to = self.possible.dial.shown(self.possible.to)
        if not self.others:
            up = self.possible.dial.up
            can = Text("en demandent", "take") if up else Text("n'en permettent que", "allow for only")
            return Text(
                f"{said.fr} ; quels que soient les fonds et les autres règles, les dossiers {can.fr} {to.fr}",
                f"{said.en}; whatever the funds and the other rules, the demands {can.en} {to.en}",
            )
        rest = (
            Text("l'autre exigence", "the other requirement") if self.others == 1
            else Text(f"les {_small(self.others).fr} autres exigences", f"the {_small(self.others).en} other requirements")
        )  # fmt: skip
        some = self.others > 1
        if self.possible.dial.up:
            return Text(
                f"{said.fr} ; {rest.fr} en demande{'nt' if some else ''} {to.fr}",
                f"{said.en}; {rest.en} take{'' if some else 's'} {to.en}",
            )
        return Text(
            f"{said.fr} ; {rest.fr} ne permet{'tent' if some else ''} que {to.fr}",
            f"{said.en}; {rest.en} allow{'' if some else 's'} only {to.en}",
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "of": list(self.requirement.key), "name": str(self.requirement.name), "asks": str(self.asks),
            "possible": self.possible.as_dict() if self.possible else None,
        }  # fmt: skip


@dataclass(frozen=True)
class Infeasible(Explanation):
    """A scenario without a plan. `parts` cannot hold together, and, where `minimal`, any one being left out the rest can:
    both are certified. Each of `remedies` was solved. `others`: conflicts that stand beside this one."""

    about: ClassVar[str] = "infeasible"
    parts: tuple[Part, ...]
    minimal: bool
    remedies: tuple[Remedy, ...]
    others: tuple[tuple[Requirement, ...], ...]

    @property
    def answer(self) -> Text:
        names = [part.requirement.name for part in self.parts]
        if len(names) == 1:
            return Text(
                f"Aucun plan n'est possible. Cette exigence ne peut pas tenir, même seule : {_lower(names[0].fr)}.",
                f"No plan is possible. This requirement cannot hold, even by itself: {_lower(names[0].en)}.",
            )
        said = _enumerated(names)
        return Text(
            f"Aucun plan n'est possible. Ces {_small(len(names)).fr} exigences ne peuvent pas tenir ensemble : {said.fr}.",
            f"No plan is possible. These {_small(len(names)).en} requirements cannot hold together: {said.en}.",
        )

    @property
    def details(self) -> list[Text]:
        lines = [part.text() for part in self.parts]
        if self.minimal and len(self.parts) > 1:
            lines.append(Text(
                "Dès qu'on renonce à l'une d'elles, les autres peuvent tenir : vérifié pour chacune, plan recalculé et recompté.",
                "As soon as one of them is given up, the others can hold: verified for each, the plan solved and counted again.",
            ))  # fmt: skip
        elif not self.minimal:
            lines.append(Text(
                "La liste peut être plus longue que nécessaire : tous les cas n'ont pu être vérifiés.",
                "The list may be longer than needed: not all cases could be verified.",
            ))  # fmt: skip
        for other in self.others:
            said = _enumerated([r.name for r in other])
            also = (
                Text("Ne peuvent pas non plus tenir ensemble", "Cannot hold together either")
                if len(other) > 1
                else Text("Ne peut pas non plus tenir, même seule", "Cannot hold by itself either")
            )
            lines.append(Text(f"{also.fr} : {said.fr}.", f"{also.en}: {said.en}."))
        if self.remedies:
            several = len(self.remedies) > 1
            lines.append(
                Text("Il suffit de l'un de ces changements (plan recalculé et vérifié pour chacun) :",
                     "One of these changes is enough (plan solved again and verified for each):")
                if several
                else Text("Ce changement suffit (plan recalculé et vérifié) :", "This change is enough (plan solved again and verified):")
            )  # fmt: skip
            lines += self._changes
        else:
            lines.append(Text("Aucun changement suffisant n'a été trouvé.", "No change that is enough was found."))
        return lines

    @property
    def _changes(self) -> list[Text]:
        """One line each; rules that one may simply give up on one line together."""
        nearest = {part.requirement.key: part.possible for part in self.parts}
        dropped, lines = [], []
        for remedy in self.remedies:
            first, said = remedy.changes[0], remedy.text()
            if len(remedy.changes) == 1 and first.to is None:
                dropped.append(first.requirement.short)
                continue
            near = nearest[first.requirement.key]
            limited = len(remedy.changes) == 1 and first.to is not None
            if limited and near is not None and near.dial is not None and near.to is not None and first.to != near.to:
                shown = near.dial.shown(near.to)
                said = Text(
                    f"{said.fr} ; {shown.fr} ne suffit pas : d'autres fonds ou règles limitent aussi",
                    f"{said.en}; {shown.en} is not enough: other funds or rules set limits too",
                )
            lines.append(Text(f"- {said.fr}", f"- {said.en}"))
        if dropped:
            lines.append(Text(
                "- renoncer à " + ", ou à ".join(name.fr for name in dropped), "- give up " + ", or ".join(name.en for name in dropped)
            ))  # fmt: skip
        return lines

    def facts(self) -> dict[str, Any]:
        return {
            "parts": [part.as_dict() for part in self.parts],
            "minimal": self.minimal,
            "remedies": [remedy.as_dict() for remedy in self.remedies],
            "others": [[str(r.name) for r in other] for other in self.others],
        }


@dataclass(frozen=True)
class Unproved(Explanation):
    """No plan was found, and no proof that there is none."""

    about: ClassVar[str] = "infeasible"
    plan: Plan

    @property
    def answer(self) -> Text:
        return Text(
            "Aucun plan n'a été trouvé dans les limites données, et rien ne prouve qu'il n'y en ait pas.",
            "No plan was found within the limits given, and nothing proves that there is none.",
        )

    def facts(self) -> dict[str, Any]:
        return {"conflict": self.plan.conflict.as_dict() if self.plan.conflict else None}


def infeasible(variants: Variants, brief: bool = False) -> Explanation:
    """What cannot hold together, and what to change; `brief`: of the changes, only what one may give up altogether."""
    if variants.plan.status != "infeasible":
        return Unproved(variants.plan)
    search = Conflicts(variants)
    found = search.smallest(search.scenario)
    alone = search.only(found, search.scenario)
    minimal = search.impossible(alone) and all(search.possible(r.lifted(alone), r) for r in found)
    parts, remedies, others = [], list[Remedy](), list[tuple[Requirement, ...]]()
    for requirement in (search.narrowed(r, alone) for r in found):
        nearest = search.nearest(requirement, alone)
        reason = search.reason(requirement, alone) if len(found) == 1 and nearest is None else None
        parts.append(Part(requirement, requirement.asks(search.scenario), nearest, len(found) - 1, reason))
        for changes in [[Change(requirement)]] if brief else search.changes(requirement, nearest, others):
            remedy = search.verified(changes)
            if remedy is not None and not any(within(other.changes, remedy.changes) for other in remedies):
                remedies = [r for r in remedies if not within(remedy.changes, r.changes)] + [remedy]
    remedies.sort(key=lambda remedy: (len(remedy.changes), remedy.size))
    return Infeasible(tuple(parts), minimal, tuple(remedies), tuple(others))


def _small(count: int) -> Text:
    """A small number in letters."""
    french, english = ("deux", "trois", "quatre", "cinq", "six"), ("two", "three", "four", "five", "six")
    if 2 <= count <= 6:
        return Text(french[count - 2], english[count - 2])
    return Text(str(count), str(count))


def _lower(name: str) -> str:
    """Within a sentence: "part « … »", but "AE 2027 de « … »"."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _enumerated(names: Sequence[Text]) -> Text:
    """One, two and three."""

    def joined(parts: list[str], last: str) -> str:
        parts = [_lower(part) for part in parts]
        return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" {last} {parts[-1]}"

    return Text(joined([n.fr for n in names], "et"), joined([n.en for n in names], "and"))
