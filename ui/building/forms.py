"""A form for any kind of constraint, made from its class: a kind that is added appears by itself.

Fields are drawn by their types; what has no widget of its own is written in YAML. What was typed is not interpreted here:
the scenario reads it, as it reads a file, and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import streamlit as st
import yaml
from pydantic.fields import FieldInfo

import allocator
from allocator import money
from allocator.constraints import KINDS, Constraint
from allocator.formats import yaml_text
from allocator.scenario import Scenario
from allocator.scenario.entities import plain
from allocator.selection import Selection
from allocator.texts import Text
from ui.texts import plain_number

COMMON = ("label", "soft", "source")  # that every rule has; its id and kind are not edited
WORDS = {
    "amount": Text("Montant", "Amount"),
    "at_most": Text("Au plus", "At most"),
    "authorities": Text("Collectivités", "Local authorities"),
    "base": Text("Assiette", "Base"),
    "comment": Text("Commentaire", "Comment"),
    "decision": Text("Décision", "Decision"),
    "indicator": Text("Indicateur", "Indicator"),
    "incompatible": Text("Fonds incompatibles", "Incompatible funds"),
    "label": Text("Intitulé", "Label"),
    "lag": Text("Délai (années)", "Delay (years)"),
    "max": Text("Au plus", "At most"),
    "max_change": Text("Écart maximal", "Largest change"),
    "max_funds": Text("Nombre de fonds, au plus", "Number of funds, at most"),
    "max_gap": Text("Écart maximal par habitant", "Largest gap per inhabitant"),
    "max_public_rate": Text("Part publique maximale", "Largest public share"),
    "max_rate": Text("Taux maximal", "Largest rate"),
    "max_ratio": Text("Rapport maximal", "Largest ratio"),
    "min": Text("Au moins", "At least"),
    "of": Text("De quoi", "Of what"),
    "on": Text("Sur quoi", "On what"),
    "overseas": Text("Règles de l'outre-mer", "Overseas rules"),
    "per": Text("Pour chaque", "For each"),
    "per_inhabitant": Text("Par habitant", "Per inhabitant"),
    "reference": Text("Plan de référence", "Plan referred to"),
    "soft": Text("Souple : points perdus par euro ou unité d'écart", "Soft: points lost per euro or unit of breach"),
    "source": Text("Source", "Source"),
    "then": Text("Alors", "Then"),
    "units": Text("Unités", "Units"),
    "until": Text("Jusqu'en", "Until"),
    "weights": Text("Pondérations", "Weights"),
    "when": Text("Quand", "When"),
    "window": Text("Fenêtre (années)", "Window (years)"),
    "within": Text("Dans le même", "Within the same"),
}
CHOICES: dict[str, dict[str, Text]] = {  # what a field may say, where the same word means another thing elsewhere
    "decision": {
        "fund": Text("financer", "fund"), "refuse": Text("refuser", "refuse"),
        "units": Text("tant d'unités", "so many units"),
    },
}  # fmt: skip
PLACES = {
    "region": Text("Régions", "Régions"),
    "departement": Text("Départements", "Départements"),
}
NOBODY = Text("(tout)", "(everything)")
MOST_CHOICES = 400  # of an attribute that is offered as a list

Widget = Callable[[], Any]
"""Draws a field and gives what was entered; None: nothing."""


def written(value: Any) -> str:
    """As YAML."""
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False) if value not in (None, "", {}, []) else ""


def read(text: str) -> Any:
    """What YAML says, read as scenario files are. `ScenarioError` where it is none."""
    content, problems = yaml_text.read(text.encode(), str(Text("ce qui est écrit", "what is written")))
    if problems:
        raise allocator.ScenarioError(problems)
    return content.value


def title(kind: str) -> str:
    return str(KINDS[kind].title)


def about(kind: str) -> None:
    """What the kind says, where it comes from, what it leaves out."""
    found = KINDS[kind]
    said = str(found.says)
    st.write(said[:1].upper() + said[1:] + ".")
    st.caption(str(Text("Source : ", "Source: ")) + str(found.law))
    if found.not_covered is not None:
        st.caption(str(Text("Non couvert : ", "Not covered: ")) + str(found.not_covered))


def form(scenario: Scenario, kind: str, rule: Constraint | None, key: str) -> dict[str, Any]:
    """The fields of a rule, drawn; what was entered, as a scenario file would say it. `rule`: what they show first."""
    given: dict[str, Any] = {} if rule is None else dict(plain(rule))
    out: dict[str, Any] = {"kind": kind}
    if rule is not None:
        out |= {name: given[name] for name in ("id", "enabled") if name in given}
    own = [name for name in KINDS[kind].model_fields if name not in Constraint.model_fields]
    for name in ("label", *own):
        out[name] = _field(scenario, KINDS[kind].model_fields[name], name, given.get(name), f"{key}-{name}")
    with st.expander(str(Text("Règle souple, source", "Soft rule, source"))):
        for name in ("soft", "source"):
            out[name] = _field(scenario, KINDS[kind].model_fields[name], name, given.get(name), f"{key}-{name}")
    return {name: value for name, value in out.items() if value not in (None, "", {}, [])}


def _field(scenario: Scenario, field: FieldInfo, name: str, value: Any, key: str) -> Any:
    label = str(WORDS.get(name, Text(name, name)))
    if field.is_required():
        label += str(Text(" (obligatoire)", " (required)"))
    default = None if field.is_required() else field.default
    kinds = _types(field.annotation)
    if Selection in kinds:
        return _selection(scenario, label, value or {}, key)
    if name == "indicator":
        return _one_of(label, scenario.indicators, value, key)
    if name in ("per", "within"):
        return _one_of(label, _groupings(scenario), value, key, str(NOBODY))
    choices = next((get_args(one) for one in kinds if get_origin(one) is Literal), None)
    if choices is not None:
        return _one_of(label, list(choices), value if value is not None else default, key, told=CHOICES.get(name, {}))
    if bool in kinds:
        return st.checkbox(label, bool(default if value is None else value), key=key)
    if kinds <= {int, Fraction, str, NoneType}:
        shown = default if value is None else value
        shown = "" if shown is None else money.written(shown) if isinstance(shown, Fraction) else shown
        typed = st.text_input(
            label, str(shown) if kinds & {str} else plain_number(shown), key=key, placeholder=_example(field)
        )
        return typed.strip() or None
    return _in_yaml(label, value, key)


def _types(annotation: Any) -> set[Any]:
    """The types that a field may take, without what is said about them."""
    origin = get_origin(annotation)
    if origin is Literal:
        return {annotation}
    if hasattr(annotation, "__metadata__"):
        return _types(annotation.__origin__)
    if args := [one for one in get_args(annotation) if one is not Ellipsis]:
        if origin in (tuple, list, dict):
            return {origin}
        return set().union(*map(_types, args))
    return {annotation}


def _example(field: FieldInfo) -> str:
    schema = str(field.metadata) + str(field.annotation)
    if "parse_cents" in schema:
        return str(Text("par exemple 2,5 M€", "for example 2.5 M€"))
    if "_rate" in schema:
        return str(Text("par exemple 40 %", "for example 40%"))
    return ""


def _one_of(
    label: str, choices: list[Any], value: Any, key: str, none: str = "", told: Mapping[str, Text] | None = None
) -> Any:
    """One of these; `none`: what stands for nothing; `told`: how some are called here."""
    known = {} if told is None else told
    options: list[Any] = ([None] if none else []) + choices
    if value is not None and value not in options:
        options.append(value)
    at = options.index(value) if value in options else 0 if options else None
    return st.selectbox(
        label, options, index=at, key=key,
        format_func=lambda one: none if one is None else str(known[one]) if one in known else _called(one),
    )  # fmt: skip


def _called(name: Any) -> str:
    known = {
        "region": Text("région", "région"), "departement": Text("département", "département"),
        "territory": Text("intercommunalité", "EPCI"), "measure": Text("mesure", "measure"),
        "fund": Text("fonds", "fund"), "year": Text("année", "year"),
        "demands": Text("dossiers", "demands"), "units": Text("unités", "units"),
        "public": Text("aides publiques", "public money"), "cost": Text("coût", "cost"),
    }  # fmt: skip
    return str(known.get(str(name), Text(str(name), str(name))))


def _groupings(scenario: Scenario) -> list[str]:
    return list(
        dict.fromkeys(["region", "departement", "territory", "measure", "fund", "year", *_attributes(scenario)])
    )


def _attributes(scenario: Scenario) -> list[str]:
    """Of territories and demands, those with few enough values to choose among."""
    found = []
    for table, names in (
        (scenario.territories, [c for c in scenario.territories.columns if c not in ("id", "name", "population")]),
        (scenario.demands, scenario.attributes),
    ):
        found += [name for name in names if 1 < table[name].nunique() <= MOST_CHOICES]
    return list(dict.fromkeys(found))


def _selection(scenario: Scenario, label: str, given: Any, key: str) -> dict[str, Any]:
    """Funds, measures, years, places and one more attribute; what else is said of it stays as it is, in YAML."""
    said = dict(plain(given)) if not isinstance(given, dict) else dict(given)
    where = dict(said.pop("where", {}))
    out: dict[str, Any] = {}
    with st.container(border=True):
        st.markdown(f"**{label}**")
        listed: dict[str, tuple[Text, dict[Any, str]]] = {
            "funds": (Text("Fonds", "Funds"), {fund.id: fund.label or fund.id for fund in scenario.funds}),
            "measures": (Text("Mesures", "Measures"), {one.id: one.label or one.id for one in scenario.measures}),
            "years": (Text("Années", "Years"), {year: str(year) for year in scenario.years}),
        }
        for name, (text, choices) in listed.items():
            out[name] = _several(str(text), choices, said.pop(name, []), f"{key}-{name}")
        for name, text in PLACES.items():
            if name in scenario.territories and _listed(where.get(name, [])):
                out.setdefault("where", {})[name] = _several(
                    str(text), _values(scenario, name), where.pop(name, []), f"{key}-{name}"
                )
        more = [name for name in _attributes(scenario) if name not in PLACES and name not in where]
        extra = st.selectbox(
            str(Text("Autre critère", "Another criterion")), [None, *more], key=f"{key}-more",
            format_func=lambda one: str(Text("aucun", "none")) if one is None else one,
        )  # fmt: skip
        if extra is not None:
            out.setdefault("where", {})[extra] = _several(extra, _values(scenario, extra), [], f"{key}-{extra}")
        if said or where:
            rest = {**said, **({"where": where} if where else {})}
            kept = _in_yaml(str(Text("Autres conditions", "Other conditions")), rest, f"{key}-rest") or {}
            out["where"] = {**out.get("where", {}), **kept.pop("where", {})}
            out |= kept
    if "where" in out:
        out["where"] = {name: values for name, values in out["where"].items() if values not in (None, [])}
    return {name: value for name, value in out.items() if value not in (None, [], {})}


def _listed(values: Any) -> bool:
    """Whether a condition is a list of values, and not a range."""
    return not isinstance(values, Mapping)


def _values(scenario: Scenario, name: str) -> dict[Any, str]:
    table = scenario.territories if name in scenario.territories else scenario.demands
    called = f"{name}_name"
    pairs = table[[name, called]] if called in table else table[[name]].assign(**{called: table[name]})
    found = pairs.dropna().drop_duplicates(name).sort_values(called, kind="stable")
    return {key: str(label) for key, label in zip(found[name], found[called], strict=True) if key != ""}


def _several(label: str, choices: dict[Any, str], given: Any, key: str) -> list[Any]:
    wanted = list(given) if isinstance(given, list | tuple) else [given]
    choices = choices | {one: str(one) for one in wanted if one not in choices}
    return st.multiselect(
        label, list(choices), wanted, key=key, format_func=lambda one: choices.get(one, str(one)),
        placeholder=str(Text("tous", "all")),
    )  # fmt: skip


def _in_yaml(label: str, value: Any, key: str) -> Any:
    typed = st.text_area(label + " (YAML)", written(value), key=key, height=120)
    return read(typed) if typed.strip() else None
