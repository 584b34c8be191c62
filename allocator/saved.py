"""Plans kept under an id: the layer that keeps them says here how one is read; rules that look back to one ask here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Read = Callable[[str], Any]
"""From an id, or its first characters, to something with `grants`; `ScenarioError` where there is no such plan."""

_keeper: Read | None = None
_for_now: ContextVar[Read | None] = ContextVar("allocator_saved", default=None)


def is_id(text: str) -> bool:
    """Whether a text can be the id of a saved plan, or its beginning: p and 3 to 15 of 0-9 and a-f. Never a number."""
    return re.fullmatch(r"p[0-9a-f]{3,15}", text) is not None


def kept_by(read: Read) -> None:
    """Saved plans are read so from now on."""
    global _keeper
    _keeper = read


@contextmanager
def reading(read: Read) -> Iterator[None]:
    """Saved plans are read so for a while: from a store other than the usual one."""
    token = _for_now.set(read)
    try:
        yield
    finally:
        _for_now.reset(token)


def plan(plan_id: str) -> Any:
    """The saved plan of an id. `LookupError` where nobody keeps plans."""
    read = _for_now.get() or _keeper
    if read is None:
        raise LookupError(plan_id)
    return read(plan_id)
