"""What can be understood of an object that its schema refuses: the rest of it, so that its other mistakes are told too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)
Path = tuple[str | int, ...]


def understood(
    read: Callable[[Mapping[Any, Any]], Model], value: Any, spare: Mapping[str, Any] | None = None
) -> tuple[Model, frozenset[str]] | None:
    """`value` read without what `read` refuses, and the fields this touches; None where no reading is left.

    A required field that is missing or refused is an attribute that is not there: `spare` fills it while the rest is
    read, and no longer.
    """
    if not isinstance(value, Mapping):
        return None
    kept, touched, borrowed = dict(value), set[str](), set[str]()
    while True:
        try:
            model = read(kept)
        except ValidationError as error:
            before = kept
            for item in error.errors(include_url=False):
                path = item["loc"] or ("",)
                name = str(path[0])
                if item["type"] == "missing" and len(path) == 1 and name in (spare or {}) and name not in borrowed:
                    kept = {**kept, name: (spare or {})[name]}
                    borrowed.add(name)
                else:
                    kept = _without(kept, path)
                touched.add(name)
            if kept == before:
                return None
        else:
            for name in borrowed:
                del model.__dict__[name]
            return model, frozenset(touched)


def _without(value: Mapping[Any, Any], path: Path) -> dict[Any, Any]:
    """The same but for what stands at `path`, as far down as keys go."""
    out = dict(value)
    for key in [key for key in value if str(key) == str(path[0])]:
        below = value[key]
        rest = _without(below, path[1:]) if isinstance(below, Mapping) and len(path) > 1 else below
        if rest == below:
            del out[key]
        else:
            out[key] = rest
    return out
