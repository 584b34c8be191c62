"""How much is read and solved at most. Past a limit an input is refused with the number and the limit, before the work.

Each lies well above what the tool is for, a million demands × six funds × six years: it stops mistakes and malice.
"""

from __future__ import annotations

import os
from pathlib import Path

# Files
FILE_BYTES = 500 * 2**20  # of a table: a million demands are about 100 MB
YAML_BYTES = 20 * 2**20  # of a YAML file: rules and funds; rows have tables
YAML_DEPTH = 50  # levels of lists and keys; no scenario needs ten
WORKBOOK_BYTES = 100 * 2**20  # of a workbook as it lies
UNPACKED_BYTES = 600 * 2**20  # of what a workbook holds: a million rows of ten cells
INDEX_BYTES = 5 * 2**20  # of the parts of a workbook that say where its sheets are
MEMBERS = 10_000  # files in a zip
SHEET_CELLS = 20_000_000  # of all sheets of a workbook, each from its first to its last corner
PUBLIC_BYTES = 4 * 2**30  # of a public table, unpacked: the largest that is imported has 1 GB
LINE_LETTERS = 16 * 2**20  # of a line of a public table: outlines of sites are long

# Scenarios
ROWS = 5_000_000  # of a table
FUNDS = 10_000  # as of measures
RULES = 200_000
CELLS = 200_000_000  # demands × funds × years
CELL_BYTES = 60  # of memory that solving takes at the very least (300 000 × 6 × 6 divisible: docs/benchmarks.md)
PICKS = 10_000_000_000  # rules × demands
VARIANTS = 1_000_000  # of a sweep


def memory() -> int:
    """Bytes of memory that this machine has, or its container may use; a very large number where nobody says."""
    most = 2**63
    try:
        most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        most = min(most, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (AttributeError, OSError, ValueError):  # no POSIX, no container, or one without a limit
        pass
    return most
