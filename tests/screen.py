"""What tests of screens without a browser share."""

from __future__ import annotations

import time
from typing import Any


def settled(at: Any) -> Any:
    """An `AppTest` once no work is on its way any more."""
    until = time.monotonic() + 60
    while at.get("progress"):
        assert time.monotonic() < until
        time.sleep(0.2)
        at.run()
    assert not at.exception
    return at


def text(at: Any) -> str:
    """All that stands on the screen, HTML included."""
    kinds = ("header", "subheader", "markdown", "error", "warning", "info")
    return "\n".join([*(e.value for kind in kinds for e in at.get(kind)), *(e.proto.body for e in at.get("html"))])
