"""YAML as people mean it: texts, numbers, true/false, lists and keys, each with the line where it stands.

The YAML 1.2 core rules, not 1.1's: `on` and `no` are texts, `01` is a text (a code keeps its zero), `1e6`
is a number, a date is a text. No tags, no aliases; a key given twice is a mistake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml

from allocator import limits
from allocator.problems import RETYPE, Problem, path_text, unseen
from allocator.texts import Text, composed

Path = tuple[str | int, ...]
_PLAIN_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)?\.[0-9]+|(?:0|[1-9][0-9]*)\.?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = {".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}


class _Loader(yaml.SafeLoader):
    """Leaves every scalar a text: what it means is decided here."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the library's own name and form


@dataclass
class Content:
    """What a YAML text says, and the line of each key and item (from 1)."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """The line of a path, or of the nearest thing above it that is there."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


def line_place(line: int) -> Text:
    return Text(f"ligne {line}", f"line {line}")


def read(data: bytes, file: str) -> tuple[Content, list[Problem]]:
    """Read YAML; problems of form come beside what could be read."""
    content = Content()
    problems: list[Problem] = []
    try:
        text = composed(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return content, [not_utf8(data, error, file)]
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > limits.YAML_DEPTH:
                return content, [Problem("", Text("YAML trop imbriqué", "YAML nested too deeply"), None, file)]
            if isinstance(event, yaml.AliasEvent):
                line = event.start_mark.line + 1 if event.start_mark else 1
                return content, [
                    Problem(line_place(line),
                            Text(f"renvoi « *{event.anchor} » : les renvois ne sont pas lus",
                                 f"alias “*{event.anchor}”: aliases are not read"),
                            Text("Répétez la valeur.", "Repeat the value."), file)
                ]  # fmt: skip
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark: yaml.Mark | None = error.problem_mark or error.context_mark
        place = line_place(mark.line + 1) if mark else Text("", "")
        said = ", ".join(part for part in (error.context, error.problem) if part)
        fr = "YAML illisible" + (
            " : une tabulation sert de retrait" if "'\\t'" in said else f" : guillemets, retrait ou « : » ? ({said})"
        )
        remedy = Text(
            "Les retraits se font avec des espaces ; les textes avec « : » ou « # » vont entre guillemets.",
            "Indent with spaces; put texts with “:” or “#” in quotes.",
        )
        return content, [Problem(place, Text(fr, f"unreadable YAML: {said}"), remedy, file)]
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        return content, [
            Problem(
                line_place(line),
                Text("caractère interdit dans un YAML", "character not allowed in YAML"),
                None,
                file,
            )
        ]
    except yaml.YAMLError as error:
        return content, [Problem("", Text(f"YAML illisible ({error})", f"unreadable YAML: {error}"), None, file)]
    if node is not None:
        content.value = _value(node, (), content.lines, problems, file)
    return content, problems


def not_utf8(data: bytes, error: UnicodeDecodeError, file: str) -> Problem:
    """The place of the first byte that is not UTF-8, and the way out."""
    line = data[: error.start].count(b"\n") + 1
    return Problem(
        line_place(line),
        Text("le fichier n'est pas en UTF-8", "the file is not UTF-8"),
        Text(
            "Enregistrez-le en « UTF-8 » (dans Excel : « CSV UTF-8 »).",
            "Save it as “UTF-8” (in Excel: “CSV UTF-8”).",
        ),
        file,
    )


def _value(node: yaml.Node, path: Path, lines: dict[Path, int], problems: list[Problem], file: str) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if node.tag not in _PLAIN_TAGS and node.tag != "!":
        problems.append(
            Problem(
                _at(path, node),
                Text(f"étiquette « {node.tag} » non lue", f"tag “{node.tag}” is not read"),
                Text("Retirez-la.", "Remove it."),
                file,
            )
        )
        return None
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, rank), lines, problems, file) for rank, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        out: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = plain(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if key is None or (isinstance(key, float) and key != key):
                problems.append(
                    Problem(
                        _at(path, key_node),
                        Text("clé illisible", "unreadable key"),
                        Text("Une clé est un mot.", "A key is a word."),
                        file,
                    )
                )
                continue
            if not isinstance(key, int) or isinstance(key, bool):
                key = key_node.value
            below = (*path, key)
            if key in out:
                first = lines[below]
                problems.append(
                    Problem(
                        _at(below, key_node),
                        Text(
                            f"clé « {key} » donnée deux fois (déjà ligne {first})",
                            f"key “{key}” is given twice (already line {first})",
                        ),
                        Text("Gardez-en une.", "Keep one."),
                        file,
                    )
                )
                continue
            lines[below] = key_node.start_mark.line + 1
            out[key] = _value(value_node, below, lines, problems, file)
        return out
    assert isinstance(node, yaml.ScalarNode)
    if any("\ud800" <= sign <= "\udfff" for sign in node.value):  # "\ud800": half a character
        problems.append(Problem(_at(path, node), unseen(node.value), RETYPE, file))
        return None
    return plain(node)


def _at(path: Path, node: yaml.Node) -> Text:
    line, name = node.start_mark.line + 1, path_text(path)
    if not name:
        return line_place(line)
    return Text(f"{name} (ligne {line})", f"{name} (line {line})")


def plain(node: yaml.ScalarNode) -> Any:
    text = node.value
    if node.style is not None or node.tag == "!":  # quoted or block: a text
        return text
    folded = text.casefold()
    if folded in _WORDS and text in (folded, folded.capitalize(), folded.upper()):
        return _WORDS[folded]
    if folded in _SPECIAL:
        return _SPECIAL[folded]
    if len(text) > 300:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        # A decimal that a float cannot hold stays as written; whoever reads it, reads it exactly.
        try:
            return number if Decimal(repr(number)) == Decimal(text) else text
        except InvalidOperation:  # an exponent that no decimal has
            return text
    return text
