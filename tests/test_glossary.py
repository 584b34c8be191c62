"""One term for one thing: the words that CONTRIBUTING.md sets aside are in no code and no page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "CONTRIBUTING.md"
ROOMS = ("allocator", "ui", "examples", "docs")
KINDS = (".py", ".md", ".yaml", ".yml")
# Where a word means what it means to the machine, not to people: messages between processes, and over HTTP.
ELSEWHERE = {"request": ("allocator/engines/", "allocator/importers/fetching.py", "docs/decisions/", "docs/deploy.md")}
VAGUE = {"utils", "helpers", "helper", "manager", "model"}


def set_aside() -> dict[str, str]:
    """Word → the term to use instead, from the table of the page."""
    table = PAGE.read_text(encoding="utf-8").partition("## One term for one thing")[2]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    return {word.strip(): f"{right} / {french}" for right, french, words in rows[2:] for word in words.split(",")}


def files() -> Iterator[Path]:
    yield from (ROOT / "README.md", ROOT / "CHANGELOG.md")
    for room in ROOMS:
        yield from (path for path in sorted((ROOT / room).rglob("*")) if path.suffix in KINDS)


def test_words_set_aside_are_not_used() -> None:
    words = set_aside()
    assert {"contrainte", "request", "subsidy"} <= words.keys()
    sought = re.compile(rf"(?<![\w./-])({'|'.join(map(re.escape, words))})s?(?![\w-])", re.IGNORECASE)
    found = []
    for path in files():
        place = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        for hit in sought.finditer(text):
            word = hit[1].lower()
            if not place.startswith(ELSEWHERE.get(word, ("\0",))):
                line = text.count("\n", 0, hit.start()) + 1
                found.append(f"{place}:{line}: “{hit[1]}”; say {words[word]}")
    assert not found, "\n".join(found)


def test_names_say_what_a_thing_does() -> None:
    found = []
    for path in files():
        if path.suffix != ".py":
            continue
        named = [path.stem, *(path.relative_to(ROOT).parts[:-1])]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                named.append(node.name)
        found += [f"{path.relative_to(ROOT)}: {name}" for name in named if name.lower().strip("_") in VAGUE]
    assert not found, "\n".join(found)
