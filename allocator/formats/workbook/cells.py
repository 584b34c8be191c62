"""One cell and what it says: a text, a number, yes or no, a list, a few `key: value`. Nothing is ever evaluated.

What a field expects (its `Shape`) is read off its JSON schema, so that a field of tomorrow needs nothing here. `write`
gives the first way of writing a value that `read` gives back: whatever can be in a scenario can be in a cell, in the
last resort as JSON. A text in double quotes is that text as it stands (`"01"`, `" a"`, `"oui"`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from allocator.formats import yaml_text
from allocator.formats.workbook import words
from allocator.money import parse_decimal
from allocator.texts import Text

Cell = str | int | float | bool | date | None
MOST_LETTERS = 32_767  # in one cell, by the format
_RANGE = re.compile(r"(?:min\s+(?P<min>[^a-z]+?))?\s*(?:max\s+(?P<max>[^a-z]+))?", re.IGNORECASE)
_POINTS = Text("emplois : 1 ; hectares : 0,1", "jobs: 1; hectares: 0.1")
_PLACES = Text("region : Sud ; population : min 20000", "region: South; population: min 20000")
_YEARS = re.compile(r"([0-9]{4})\s*(?:-|–|à|to|…|\.\.)\s*([0-9]{4})")


class CellError(ValueError):
    """What a cell says cannot be understood: `message` and `remedy`."""

    def __init__(self, message: Text, remedy: Text | None = None) -> None:
        super().__init__(message)
        self.message, self.remedy = message, remedy


class Attributes:
    """The attributes that a `where` or a `per` may name, and whether each is number, text or boolean."""

    def __init__(self, kinds: Mapping[str, str] | None = None) -> None:
        self._kinds = dict(kinds or {})
        self._called = {words.fold(name): name for name in self._kinds}
        for key, word in words.PER.items():
            for name in (words.fold(key), *words.both(word)):
                self._called.setdefault(name, key)

    def kind(self, name: str) -> str | None:
        return self._kinds.get(name)

    def named(self, text: str) -> str:
        """The attribute meant by a text: itself, else one that differs by case, accents or language."""
        return text if text in self._kinds else self._called.get(words.fold(text), text)


NONE = Attributes()


@dataclass(frozen=True)
class Shape:
    """What a cell should hold: `form`, of `items` for lists and mappings, among `choices`, with `unit` in the header."""

    form: str
    items: Shape | None = None
    choices: tuple[str, ...] = ()
    unit: Text | None = None


TEXT, ANY = Shape("text"), Shape("any")
MAPPING = Shape("mapping", ANY)


def shape_of(schema: Mapping[str, Any], defs: Mapping[str, Any], key: str = "") -> Shape:
    """The shape of a JSON schema node; `defs` are the definitions that it refers to, `key` the field's name."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return Shape("selection") if name == "Selection" else MAPPING
    if schema.get("description") == "euros":
        return Shape("number", unit=words.EUROS)
    if str(schema.get("description", "")).startswith("0 … 1"):
        return Shape("number", unit=words.RATE)
    if "const" in schema or "enum" in schema:
        return Shape("choice", choices=tuple(map(str, schema.get("enum", [schema.get("const")]))))
    alternatives = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    if len(alternatives) == 1:
        return shape_of(alternatives[0], defs, key)
    types = {option.get("type") for option in alternatives}
    if types == {"number", "string"}:
        return Shape("number")
    lists = [option.get("items", {}).get("type") for option in alternatives if option.get("type") == "array"]
    if len(alternatives) == 2 and lists in (["string"], ["integer"]) and lists[0] in types:
        return Shape("names" if lists == ["string"] else "years")
    either = [shape_of(option, defs, key) for option in alternatives]
    if either:  # a number, or more than a number in brackets
        return next((shape for shape in either if shape.form == "number"), ANY)
    kind = schema.get("type")
    if key == "where":
        return Shape("where")
    if key in ("per", "within"):
        return Shape("attribute")
    if kind == "array":
        return Shape("list", shape_of(schema.get("items", {}), defs))
    if kind == "object":
        return Shape("mapping", shape_of(schema.get("additionalProperties") or {}, defs))
    known = {"string": TEXT, "boolean": Shape("truth"), "integer": Shape("whole"), "number": Shape("number")}
    return known.get(str(kind), ANY)


def read(cell: Cell, shape: Shape, known: Attributes = NONE) -> Any:
    """What a cell says, as plain keys and values. `known`: the attributes that there are.

    A cell that does not have the shape comes back as it is where the schema will say so, else raises `CellError`.
    """
    return _READERS[shape.form](cell, shape, known)


def write(value: Any, shape: Shape, known: Attributes = NONE) -> Cell:
    """A cell that `read` gives back as `value`, in the current language. `CellError` where no cell can hold it."""
    for candidate in _candidates(value, shape):
        if isinstance(candidate, str) and len(candidate) > MOST_LETTERS:
            continue
        try:
            if _same(read(candidate, shape, known), value):
                return candidate
        except CellError:
            continue
    raise CellError(Text(f"{value!r} ne s'écrit pas dans une cellule", f"{value!r} cannot be written in a cell"))


def _same(a: Any, b: Any, nested: bool = False) -> bool:
    """Equal as scenarios mean it: lists and tuples, a cell's 1 and 1.0; never a text and a number, or true and 1."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        left, right = ({str(k): v for k, v in side.items()} for side in (a, b))
        return list(left) == list(right) and all(_same(left[k], right[k], True) for k in left)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(_same(x, y, True) for x, y in zip(a, b, strict=True))
    numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (a, b))
    return (type(a) is type(b) or (numbers and not nested)) and bool(a == b)


def plain_text(cell: Cell) -> str:
    """A cell as the text that people see; what stands in double quotes is taken as it is."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str):
        quoted = _quoted(cell.strip())
        return cell.strip() if quoted is None else quoted
    return "" if cell is None else str(cell)


def _quoted(text: str) -> str | None:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            value = json.loads(text)
        except ValueError:
            return text[1:-1] if '"' not in text[1:-1] else None
        return value if isinstance(value, str) else None
    return None


def flow(text: str) -> Any:
    """A list in square brackets or keys in braces, as in YAML or JSON."""
    content, problems = yaml_text.read(text.encode("utf-8", "replace"), "")
    if problems:
        raise CellError(problems[0].message, problems[0].remedy)
    return content.value


def _scalar(token: str) -> Any:
    """A word of a list: true or false, a number, or a text."""
    text = token.strip()
    quoted = _quoted(text)
    if quoted is not None:
        return quoted
    if text[:1] in "[{" and text:
        return flow(text)
    if fold_truth(text) is not None:
        return fold_truth(text)
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,15})(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?", text):
        return number(parse_decimal(text), text)
    return text


def fold_truth(text: str) -> bool | None:
    """oui, non, vrai, faux, yes, no, true, false; None for anything else."""
    return words.TRUTHS.get(words.fold(text))


def number(value: Decimal, otherwise: str) -> int | float | str:
    """An int, or where it is written with decimals a float, that is exactly this decimal; else the text."""
    if value == value.to_integral_value() and abs(value) < 10**15 and not re.search("[.,eE]", otherwise):
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else otherwise


def _parts(text: str, commas: bool) -> list[str]:
    """Split at semicolons and new lines (and commas), outside quotes and brackets."""
    parts, depth, quote, start = [], 0, False, 0
    for k, letter in enumerate(text):
        if letter == '"':
            quote = not quote
        elif not quote:
            depth = max(0, depth + (letter in "[{") - (letter in "]}"))
            if depth == 0 and (letter in ";\n" or (commas and letter == ",")):
                parts.append(text[start:k])
                start = k + 1
    return [part.strip() for part in (*parts, text[start:]) if part.strip()]


def _text(cell: Cell, _: Shape, __: Attributes) -> Any:
    return plain_text(cell)


def _truth(cell: Cell, _: Shape, __: Attributes) -> Any:
    if isinstance(cell, str):
        found = fold_truth(cell)
        if found is None:
            raise CellError(Text(f"oui ou non est attendu, et non « {cell} »", f"yes or no is expected, not “{cell}”"))
        return found
    return bool(cell) if cell in (0, 1) else cell


def _number(cell: Cell, _: Shape, __: Attributes) -> Any:
    if isinstance(cell, str) and cell.strip()[:1] in ("[", "{"):
        return flow(cell)
    return plain_text(cell) if isinstance(cell, (str, date)) else cell


def _whole(cell: Cell, _: Shape, __: Attributes) -> Any:
    if not isinstance(cell, str):
        return _number(cell, _, __)
    try:
        return number(parse_decimal(plain_text(cell)), cell)
    except ValueError:
        return plain_text(cell)


def _choice(cell: Cell, shape: Shape, _: Attributes) -> Any:
    text = plain_text(cell)
    found = [key for key in shape.choices if fold_in(text, words.CHOICES.get(key), key)]
    if found:
        return found[0]
    called = [words.CHOICES.get(key, Text(key, key)) for key in shape.choices]
    possible = Text(f"Possibles : {', '.join(w.fr for w in called)}.", f"Possible: {', '.join(w.en for w in called)}.")
    raise CellError(Text(f"valeur inconnue « {text} »", f"unknown value “{text}”"), possible)


def fold_in(text: str, word: Text | None, key: str) -> bool:
    """Whether a text is a key, or its word in either language."""
    return words.fold(text) in (words.fold(key), *(words.both(word) if word else ()))


def _names(cell: Cell, _: Shape, __: Attributes) -> Any:
    if not isinstance(cell, str):
        return [plain_text(cell)]
    if cell.strip().startswith("["):
        value = flow(cell)
        return [str(item) if isinstance(item, int) else item for item in value] if isinstance(value, list) else value
    return [plain_text(part) for part in _parts(cell, commas=True)]


def _years(cell: Cell, _: Shape, __: Attributes) -> Any:
    if not isinstance(cell, str):
        return [cell]
    years: list[Any] = []
    for part in _parts(cell.strip().strip("[]"), commas=True):
        span = _YEARS.fullmatch(part)
        if span and 0 <= int(span[2]) - int(span[1]) <= 100:
            years.extend(range(int(span[1]), int(span[2]) + 1))
        else:
            years.append(int(part) if re.fullmatch("[0-9]{1,9}", part) else part)
    return years


def _list(cell: Cell, shape: Shape, known: Attributes) -> Any:
    if not isinstance(cell, str):
        return [cell]
    if cell.strip().startswith("["):
        return flow(cell)
    return [_item(part, shape.items or ANY, known) for part in _parts(re.sub(r",\s", ";", cell), commas=False)]


def _item(token: str, shape: Shape, known: Attributes) -> Any:
    value = _scalar(token)
    if shape.form in ("any", "number") or not isinstance(value, (str, int, float)):
        return value
    return read(token, shape, known)


def _mapping(cell: Cell, shape: Shape, known: Attributes) -> Any:
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if text.startswith(("{", "[")):
        return flow(text)
    return {key: _item(value, shape.items or ANY, known) for key, value in _pairs(text)}


def _pairs(text: str, such_as: Text = _POINTS) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for part in _parts(text, commas=False):
        match = re.match(r'\s*("(?:[^"\\]|\\.)*"|[^:=]+?)\s*[:=]\s*(.+)', part, re.DOTALL)
        if not match:
            raise CellError(
                Text(f"« {part} » : « nom : valeur » est attendu", f"“{part}”: “name: value” is expected"),
                Text(f"Écrivez par exemple {such_as.fr}.", f"Write for example {such_as.en}."),
            )
        key = plain_text(match[1])
        if key in dict(pairs):
            raise CellError(Text(f"« {key} » est donné deux fois", f"“{key}” is given twice"))
        pairs.append((key, match[2]))
    return pairs


def _any(cell: Cell, _: Shape, __: Attributes) -> Any:
    if isinstance(cell, str):
        text = cell.strip()
        if _quoted(text) is None and text[:1] not in "[{" and re.match(r"[^:]+:\s", text):
            return {key: _scalar(value) for key, value in _pairs(text)} if ";" in text else text
        return _scalar(text)
    return cell.isoformat() if isinstance(cell, date) else cell


def _selection(cell: Cell, _: Shape, known: Attributes) -> Any:
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if words.fold(text) in ("tout", "tous", "toutes", "everything", "all"):
        return {}
    if text.startswith("{"):
        return flow(text)
    forms = {"years": Shape("years"), "where": Shape("where")}
    out = {}
    for key, value in _pairs(text):
        field = next(
            (k for k in _SELECTION if fold_in(key, words.SHEETS.get(k) or words.FIELDS.get(f"on.{k}"), k)), key
        )
        field = "years" if words.fold(key) in ("annees", "annee") else field
        out[field] = flow(value) if value.strip()[:1] in "{[" else read(value, forms.get(field, Shape("names")), known)
    return out


_SELECTION = ("funds", "measures", "territories", "years", "demands", "where")


def _where(cell: Cell, _: Shape, known: Attributes) -> Any:
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if text.startswith("{"):
        return flow(text)
    meant = [(known.named(key), value) for key, value in _pairs(text, _PLACES)]
    return {key: _wanted(value, known.kind(key)) for key, value in meant}


def _attribute(cell: Cell, _: Shape, known: Attributes) -> Any:
    return known.named(plain_text(cell))


def _wanted(text: str, kind: str | None) -> Any:
    """The values of one attribute, of its column's kind: a list, or `min 10 max 20`."""
    bounds = _RANGE.fullmatch(text.strip())
    if bounds and (bounds["min"] or bounds["max"]) and kind in (None, "number"):
        return {side: _of_kind(bounds[side].strip(), "number") for side in ("min", "max") if bounds[side]}
    if text.strip().startswith("["):
        return flow(text)
    parts = _parts(text if kind == "text" else re.sub(r",\s", ";", text), commas=kind == "text")
    return [_of_kind(part, kind) for part in parts]


def _of_kind(token: str, kind: str | None) -> Any:
    quoted = _quoted(token)
    if quoted is not None or kind == "text":
        return token if quoted is None else quoted
    if kind == "number":
        try:
            return number(parse_decimal(token), token)
        except ValueError:
            return token
    found = fold_truth(token) if kind == "boolean" else _scalar(token)
    return token if found is None else found


_READERS: dict[str, Callable[[Cell, Shape, Attributes], Any]] = {
    "text": _text, "truth": _truth, "number": _number, "whole": _whole, "choice": _choice, "names": _names,
    "years": _years, "list": _list, "mapping": _mapping, "any": _any, "selection": _selection, "where": _where,
    "attribute": _attribute,
}  # fmt: skip


def _candidates(value: Any, shape: Shape) -> list[Cell]:
    """Ways of writing a value, the most readable first."""
    if isinstance(value, bool):
        return [str(words.YES if value else words.NO), value]
    if isinstance(value, str):
        called = {"choice": words.CHOICES, "attribute": words.PER}.get(shape.form, {})
        return [str(called.get(value, value)), value, to_json(value)]
    if isinstance(value, (int, float, Fraction)):
        long = float(value) >= 1e15 or float(f"{float(value):.15g}") != value
        return [str(value) if long or isinstance(value, Fraction) else value]
    as_json = to_json(value)
    if isinstance(value, (list, tuple)) and len(value) == 1 and not isinstance(value[0], (list, tuple, Mapping)):
        return [*_candidates(value[0], TEXT), _short(value), as_json]
    if not value:
        return [as_json]
    return [_short(value), as_json]


def to_json(value: Any) -> str:
    """JSON that a cell and YAML can hold: letters as they are, control characters as escapes."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return "".join(c if c.isprintable() or ord(c) > 0xFFFF else f"\\u{ord(c):04x}" for c in text)


def _short(value: Any) -> str:
    """`a ; b`, `emplois : 1 ; hectares : 0.1`, `region : 11, 52 ; population : min 1000`."""
    if isinstance(value, Mapping):
        return " ; ".join(f"{_token(k)} : {_short_value(v)}" for k, v in value.items())
    return " ; ".join(map(_token, value))


def _short_value(value: Any) -> str:
    if isinstance(value, Mapping) and value and set(value) <= {"min", "max"}:
        return " ".join(f"{side} {value[side]}" for side in ("min", "max") if side in value)
    if isinstance(value, (list, tuple)) and value and not any(isinstance(v, (list, tuple, Mapping)) for v in value):
        return ", ".join(map(_token, value))
    return _token(value)


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return str(words.YES if value else words.NO)
    if isinstance(value, str):
        return to_json(value) if re.search(r'[][{};,:="\n]|^\s|\s$|^$', value) else value
    return to_json(value) if isinstance(value, (list, tuple, Mapping)) else str(value)
