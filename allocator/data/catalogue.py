"""The 28 propositions of the note and its other figures: what each becomes here, where each figure stands.

Facts are the note's; labels and sentences are ours. A figure that the note does not give has no `value`, and
is shown as « absent de la note »; `used` is then what the scenarios put in its place, a hypothesis.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.scenario import Scenario

_FILE = Path(__file__).parent / "propositions.yaml"

Kind = Literal["fonds", "mesure", "règle", "paramètre", "attribut", "recette", "statut", "gouvernance"]
Status = Literal["en place", "en partie", "sans effet budgétaire"]

KINDS = {
    "fonds": Text("fonds", "fund"),
    "mesure": Text("mesure", "measure"),
    "règle": Text("règle", "rule"),
    "paramètre": Text("paramètre", "parameter"),
    "attribut": Text("attribut", "attribute"),
    "recette": Text("recette", "income"),
    "statut": Text("statut des dossiers", "status of demands"),
    "gouvernance": Text("gouvernance", "governance"),
}
STATUSES = {
    "en place": Text("en place", "in place"),
    "en partie": Text("en partie", "in part"),
    "sans effet budgétaire": Text("sans effet budgétaire direct", "no direct budget effect"),
}
AXES = {  # ours: the note's own headings are not taken over
    "foncier": Text("Foncier et sols", "Land and soils"),
    "fiscalite": Text("Fiscalité locale", "Local taxes"),
    "competences": Text("Compétences et accompagnement", "Skills and support"),
    "financement": Text("Financements et programmes", "Funds and programmes"),
    "gouvernance": Text("Gouvernance", "Governance"),
}
ABSENT = Text("absent de la note", "not in the note")
WITHOUT = "sans-la-proposition"  # the id of the rule that refuses its measures


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _text(value: Any) -> Any:
    return Text(**value) if isinstance(value, dict) else value


class Figure(_Entry):
    """One figure: what it counts, how much, where it stands and when. `reading`: another reading of it."""

    what: Text
    value: float | str | None = None
    unit: str = ""
    where: str = ""
    as_of: str = ""
    hypothesis: bool = False
    reading: Text | None = None
    used: str = ""

    _texts = field_validator("what", "reading", mode="before")(_text)

    @model_validator(mode="after")
    def _sourced(self) -> Figure:
        if self.value is None:
            return self
        if not self.where:
            raise ValueError(f"{self.what.fr}: a figure stands somewhere")
        if not self.as_of and not self.hypothesis:
            raise ValueError(f"{self.what.fr}: a figure has a date, or is a hypothesis")
        return self

    @property
    def absent(self) -> bool:
        """Whether the note gives no figure."""
        return self.value is None


class Shown(_Entry):
    """A figure of a plan through which a proposition acts: euros on a selection, or their share of those on `of`; with
    `units`, an indicator's sum there, or how many units (`units: units`)."""

    what: Text
    on: dict[str, Any]
    of: dict[str, Any] | None = None
    units: str | None = None

    _texts = field_validator("what", mode="before")(_text)

    @model_validator(mode="after")
    def _one_kind(self) -> Shown:
        if self.of is not None and self.units is not None:
            raise ValueError(f"{self.what.fr}: a share (of) or units, not both")
        return self


class Switch(_Entry):
    """How to have a built-in scenario without a proposition: rules put aside, measures refused, fields of funds and rules
    changed (`funds.friches.income: null`). `shows`: the figures that tell what it does."""

    scenario: str
    disable: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    change: dict[str, Any] = {}
    shows: tuple[Shown, ...] = Field(min_length=1)

    def overrides(self) -> dict[str, Any]:
        """What a scenario.yaml says to be without the proposition: the keys laid over its `base`."""
        parts: dict[str, dict[str, dict[str, Any]]] = {"funds": {}, "constraints": {}}
        for path, value in self.change.items():
            part, name, field = path.split(".")
            parts[part].setdefault(name, {"id": name})[field] = value
        for name in self.disable:
            parts["constraints"].setdefault(name, {"id": name})["enabled"] = False
        if self.refuse:
            parts["constraints"][WITHOUT] = {
                "kind": "lock", "id": WITHOUT, "on": {"measures": list(self.refuse)}, "decision": "refuse",
            }  # fmt: skip
        return {"base": self.scenario} | {part: list(found.values()) for part, found in parts.items() if found}

    def without(self, scenario: Scenario) -> Scenario:
        """`scenario` as it would be without the proposition."""
        from allocator.scenario.entities import plain  # a list of propositions should not wait for tables

        laid = self.overrides()
        changed = {}
        for part, entries in (("funds", scenario.funds), ("constraints", scenario.constraints)):
            whole = {entry.id: plain(entry) for entry in entries}
            for keys in laid.get(part, ()):
                whole[keys["id"]] = whole.get(keys["id"], {}) | keys
            changed[part] = list(whole.values())
        return scenario.with_(**changed)


class Proposition(_Entry):
    """One proposition. `funds` … `indicators`: ids in the built-in `scenarios` that can serve it; `switch`: a scenario that
    shows it, and the same without it."""

    number: int = Field(ge=1, le=28)
    axis: str
    label: Text
    kinds: tuple[Kind, ...] = Field(min_length=1)
    status: Status
    becomes: Text
    figures: tuple[Figure, ...] = ()
    funds: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    switch: Switch | None = None

    _texts = field_validator("label", "becomes", mode="before")(_text)

    @model_validator(mode="after")
    def _placed(self) -> Proposition:
        if self.axis not in AXES:
            raise ValueError(f"proposition {self.number}: unknown axis {self.axis}")
        if (self.switch is None) != (self.status == "sans effet budgétaire"):
            raise ValueError(f"proposition {self.number}: a switch, or no budget effect")
        return self


class Catalogue(_Entry):
    """The whole file."""

    note: Text
    publisher: Text
    source: str
    as_of: str
    axes: Text
    limits: Text
    propositions: tuple[Proposition, ...]
    figures: tuple[Figure, ...]

    _texts = field_validator("note", "publisher", "axes", "limits", mode="before")(_text)


@cache
def catalogue() -> Catalogue:
    """The catalogue, read once."""
    from allocator.formats.yaml_text import read

    content, problems = read(_FILE.read_bytes(), _FILE.name)
    assert not problems, problems
    return Catalogue.model_validate(content.value)
