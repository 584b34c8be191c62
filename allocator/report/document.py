"""A plan as a two-page PDF for who decides: A4, accessible (PDF/UA-1), the same on every machine.

Typst sets it, with the fonts that it carries itself; it refuses to write what breaks the rules of PDF/UA-1 that it knows.
"""

from __future__ import annotations

import datetime
import json
import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.problems import Problem, ScenarioError
from allocator.report.note import FIRST, SECOND, Note
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.explain.explanation import Explanation
    from allocator.plan import Plan

_TEMPLATE = Path(__file__).parent / "note.typ"
_COMMON = frozenset(map(chr, [*range(32, 127), *range(0xA0, 0x180)])) | frozenset("\u202f\u2019–—…•›œŒ€−")

_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def available() -> None:
    """`ScenarioError` where typst is not installed."""
    if find_spec("typst") is None:
        missing = Text(
            "le PDF demande la bibliothèque typst, qui n'est pas installée",
            "a PDF needs the library typst, which is not installed",
        )
        remedy = Text(
            "pip install 'allocator-fonds-publics[pdf]' ; depuis les sources : make ui",
            "pip install 'allocator-fonds-publics[pdf]'; from the sources: make ui",
        )
        raise ScenarioError([Problem("--pdf", missing, remedy)])  # fmt: skip


def write_document(plan: Plan, path: str | os.PathLike[str], reasons: Explanation | None = None) -> None:
    """Write the plan's two pages, in the current language. `reasons`: what `explain` says of the costs of its rules
    (`about="costs"`) or, where there is no plan, of what conflicts. `ScenarioError` without typst; `OSError` for the file.
    """
    Path(path).write_bytes(render(plan, reasons))


def render(
    plan: Plan, reasons: Explanation | None = None, *, format: str = "pdf", day: datetime.date | None = None
) -> Any:
    """The document as bytes; as a list of pictures with `format="png"`. `day`: of its date, today without it."""
    available()
    import typst

    day = day or datetime.date.today()
    options: dict[str, Any] = {"ignore_system_fonts": True}
    note, first, second = Note(plan, reasons, day), 0, 0
    while True:
        content, svg = note.content(FIRST[first], SECOND[second])
        inputs = {"data": json.dumps(_settable(content), ensure_ascii=False), "map": svg}
        empty = inputs | {"map": svg[: svg.find(">") + 1] + "</svg>"}  # as large, and read at once
        ends = typst.query(str(_TEMPLATE), "<pages>", field="value", one=True, sys_inputs=empty, **options)
        over = [k > 1 for k in json.loads(ends)]
        fuller = min(first + over[0], len(FIRST) - 1), min(second + over[1], len(SECOND) - 1)
        if fuller == (first, second):
            break
        first, second = fuller
    if format == "png":
        return typst.compile(str(_TEMPLATE), format="png", ppi=110, sys_inputs=inputs, **options)
    noon = datetime.datetime(day.year, day.month, day.day, 12, tzinfo=datetime.UTC)
    return typst.compile(
        str(_TEMPLATE), format="pdf", pdf_standards=["ua-1"], timestamp=noon, sys_inputs=inputs, **options
    )


def _settable(content: Any) -> Any:
    """The content without what would turn around the text that follows it (an amount, say), and with a replacement
    character for those that no font here has: an accessible PDF may not hold them."""
    if isinstance(content, str):
        return "".join(c if _has_glyph(c) else "\ufffd" for c in content if c not in _OVERRIDES)
    if isinstance(content, dict):
        return {key: _settable(value) for key, value in content.items()}
    return [_settable(value) for value in content] if isinstance(content, (list, tuple)) else content


@lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    if character in _COMMON:
        return True
    import typst

    source = b'#set document(title: "-")\n#text(font: ("Libertinus Serif", "New Computer Modern", "DejaVu Sans Mono"), sys.inputs.c)'
    try:
        typst.compile(
            source, format="pdf", pdf_standards=["ua-1"], sys_inputs={"c": character}, ignore_system_fonts=True
        )
    except typst.TypstError:
        return False
    return True
