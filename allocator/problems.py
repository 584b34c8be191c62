"""What is wrong with an input, where, and what would be right; always all of it at once."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allocator.texts import UNSEEN, Text, language, visible

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


@dataclass(frozen=True)
class Problem:
    """One mistake, told to the person who can correct it.

    `file` is named as the user named it ("" for Python objects); `place` is a line and column of a table or
    the path of a key (`constraints[3].amount (ligne 40)`).
    """

    place: Text | str
    message: Text
    remedy: Text | None = None
    file: str = ""

    def text(self, lang: str | None = None) -> str:
        """One line: `file, place : message. remedy`."""
        lang = lang or language()
        where = ", ".join(part for part in (self.file, in_language(self.place, lang)) if part)
        line = self.message.in_(lang)
        if where:
            line = f"{where} : {line}" if lang == "fr" else f"{where}: {line}"
        if self.remedy is not None:
            line = f"{line.rstrip('.')}. {self.remedy.in_(lang)}"
        return visible(line)

    def as_dict(self, lang: str | None = None) -> dict[str, str | None]:
        """The four parts, for JSON."""
        remedy = None if self.remedy is None else self.remedy.in_(lang)
        return {
            "file": self.file,
            "place": in_language(self.place, lang or language()),
            "message": self.message.in_(lang),
            "remedy": remedy,
        }

    def __str__(self) -> str:
        return self.text()


def in_language(text: Text | str, lang: str) -> str:
    """A place is a path (the same in both languages) or a `Text`."""
    return text.in_(lang) if isinstance(text, Text) else text


class ScenarioError(ValueError):
    """The input is wrong; `problems` holds every reason found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: list[Problem] = list(problems)
        super().__init__(self.problems)

    def text(self, lang: str | None = None) -> str:
        """All problems, one a line."""
        return "\n".join(problem.text(lang) for problem in self.problems)

    def __str__(self) -> str:
        return self.text()

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[list[Problem]]]:
        return type(self), (self.problems,)


def near(name: object, names: Iterable[object], cutoff: float = 0.6) -> str | None:
    """The one of `names` that looks most like `name`, if any does (case and accents of no weight)."""
    known_names = [str(known) for known in names]
    if len(known_names) > 5000:  # comparing letters is slow: among many, look at those that begin alike
        start = str(name)[:3].casefold()
        known_names = [known for known in known_names if known[:3].casefold() == start][:5000]
    folded: dict[str, str] = {}
    for known in known_names:
        folded.setdefault(_folded(known), known)
    found = difflib.get_close_matches(_folded(str(name)), list(folded), n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c)).replace("_", "-").replace(" ", "-")


def letters(name: str) -> str:
    """What is left of a name without case, accents, spaces and signs."""
    return "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if c.isalnum()) or name


def spelt_alike(names: Iterable[str]) -> list[list[str]]:
    """Groups of names that differ in case, accents, spaces or signs alone."""
    groups: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        groups.setdefault(letters(name), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def listed(names: Sequence[object], most: int = 8) -> str:
    """`a, b, c …` for a sentence: at most `most` names."""
    shown = ", ".join(str(name) for name in names[:most])
    return shown + (" …" if len(names) > most else "")


def did_you_mean(name: object, names: Iterable[object]) -> Text | None:
    """The remedy for an unknown name: its nearest neighbour, else the names there are, else nothing."""
    known = list(dict.fromkeys(str(n) for n in names if str(n)))
    if not known:
        return None
    yearly = [
        each for each in known if each[: len(str(name)) + 1] == f"{name} " and each[len(str(name)) + 1 :].isdigit()
    ]
    if yearly:
        shown = listed(yearly)
        return Text(f"Il est demandé chaque année, sous ces noms : {shown}", f"It is asked for every year, as: {shown}")
    close = near(name, known)
    if close is not None and close != str(name) and unicodedata.normalize("NFC", str(name)) == unicodedata.normalize("NFC", close):
        return Text(f"« {close} » s'y écrit avec d'autres signes Unicode (accents séparés) : recopiez-le.",
                    f"“{close}” is written with other Unicode signs there (separate accents): copy it.")  # fmt: skip
    if close is not None:
        return Text(f"Vouliez-vous dire « {close} » ?", f"Did you mean “{close}”?")
    return Text(f"Possibles : {listed(known)}.", f"Possible: {listed(known)}.")


def unseen(text: str) -> Text:
    """What is wrong with a text that holds signs which cannot be seen."""
    shown = visible(text, UNSEEN)
    return Text(f"« {shown} » contient un signe invisible", f"“{shown}” holds a sign that cannot be seen")


RETYPE = Text("Écrivez-le de nouveau, au clavier.", "Type it anew.")


def path_text(path: Iterable[str | int]) -> str:
    """`("on", "funds", 1)` as people read it: `on.funds[1]`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out


@dataclass(frozen=True)
class Finding:
    """A problem whose place is still a path (keys and positions) below the object that was read."""

    path: tuple[str | int, ...]
    message: Text
    remedy: Text | None = None


# Messages of the schema library, by its error type, for the people who write the files.
_SAID: dict[str, Text] = {
    "missing": Text("champ obligatoire absent", "required field is missing"),
    "int_type": Text("un nombre entier est attendu", "a whole number is expected"),
    "int_parsing": Text("un nombre entier est attendu", "a whole number is expected"),
    "int_from_float": Text("un nombre entier est attendu", "a whole number is expected"),
    "float_type": Text("un nombre est attendu", "a number is expected"),
    "float_parsing": Text("un nombre est attendu", "a number is expected"),
    "finite_number": Text("un nombre fini est attendu", "a finite number is expected"),
    "bool_type": Text("true ou false est attendu", "true or false is expected"),
    "bool_parsing": Text("true ou false est attendu", "true or false is expected"),
    "string_type": Text("un texte est attendu", "a text is expected"),
    "string_too_short": Text("un texte non vide est attendu", "a text that is not empty is expected"),
    "list_type": Text("une liste est attendue", "a list is expected"),
    "tuple_type": Text("une liste est attendue", "a list is expected"),
    "too_short": Text("la liste est trop courte", "the list is too short"),
    "too_long": Text("la liste est trop longue", "the list is too long"),
    "dict_type": Text("des clés et des valeurs sont attendues", "keys and values are expected"),
    "model_type": Text("des clés et des valeurs sont attendues", "keys and values are expected"),
    "model_attributes_type": Text("des clés et des valeurs sont attendues", "keys and values are expected"),
}


def _compared(kind: str, context: dict[str, Any]) -> Text | None:
    words = {
        "greater_than": ("gt", "supérieure à", "more than"),
        "greater_than_equal": ("ge", "supérieure ou égale à", "at least"),
        "less_than": ("lt", "inférieure à", "less than"),
        "less_than_equal": ("le", "inférieure ou égale à", "at most"),
    }
    if kind not in words:
        return None
    key, fr, en = words[kind]
    return Text(f"la valeur doit être {fr} {context[key]}", f"the value must be {en} {context[key]}")


def findings(error: ValidationError, schema: type[BaseModel] | None = None) -> list[Finding]:
    """The errors of a pydantic validation, in plain words. `schema` gives the near names of unknown keys."""
    found: list[Finding] = []
    missing: set[tuple[str | int, ...]] = set()
    misspelt: set[tuple[str | int, ...]] = set()  # fields whose name was meant by an unknown key
    for item in error.errors(include_url=False):
        kind, context = str(item["type"]), dict(item.get("ctx") or {})
        path = tuple(p for p in item["loc"] if isinstance(p, int) or _is_key(p))
        if kind == "extra_forbidden":  # the last is the user's word, whatever it looks like
            path = (*(p for p in item["loc"][:-1] if isinstance(p, int) or _is_key(p)), str(item["loc"][-1]))
        message = _SAID.get(kind) or _compared(kind, context)
        remedy: Text | None = None
        cause = context.get("error")
        if kind in ("value_error", "assertion_error") and isinstance(cause, Exception) and cause.args:
            said = cause.args[0]
            message = said if isinstance(said, Text) else Text(str(said), str(said))
            if len(cause.args) > 1 and isinstance(cause.args[1], Text):
                remedy = cause.args[1]
        elif kind == "extra_forbidden":
            message = Text(f"clé inconnue « {path[-1]} »", f"unknown key “{path[-1]}”")
            remedy = did_you_mean(path[-1], _keys(schema, path[:-1]))
        elif kind in ("literal_error", "enum"):
            expected = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
            message = Text(f"valeur inconnue {_shown(item['input'])}", f"unknown value {_shown(item['input'])}")
            remedy = did_you_mean(item["input"], [e.strip() for e in expected.split(",") if e.strip()])
        elif message is not None and kind != "missing":
            shown = _shown(item["input"])
            message = Text(f"{message.fr}, et non {shown}", f"{message.en}, not {shown}")
        if message is None:
            message = Text(f"valeur refusée ({item['msg']})", str(item["msg"]))
        found.append(Finding(path, message, remedy))
        if kind == "extra_forbidden":
            meant = near(path[-1], _keys(schema, path[:-1]) or [str(p[-1]) for p in missing if p[:-1] == path[:-1]])
            misspelt.add((*path[:-1], meant or ""))
        elif kind == "missing":
            missing.add(path)
    return [f for f in found if not (f.path in missing and f.path in misspelt)]


def _is_key(part: object) -> bool:
    # The library also puts the names of its own validators and union branches into paths.
    text = str(part)
    return "[" not in text and "(" not in text and not text.startswith(("function-", "lax-or-strict"))


def _shown(value: object) -> str:
    text = repr(value) if not isinstance(value, str) else f"« {value} »"
    return text if len(text) <= 60 else text[:57] + "…"


def _keys(schema: type[BaseModel] | None, path: tuple[str | int, ...]) -> list[str]:
    """The keys a schema knows at `path`."""
    from pydantic import BaseModel

    current: Any = schema
    for part in path:
        if isinstance(part, int) or not (isinstance(current, type) and issubclass(current, BaseModel)):
            continue
        field = current.model_fields.get(str(part))
        current = None if field is None else _model_within(field.annotation)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [field.alias or name for name, field in current.model_fields.items()]
    return []


def _model_within(annotation: Any) -> Any:
    from typing import get_args

    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        inner = _model_within(argument)
        if inner is not None:
            return inner
    return None
