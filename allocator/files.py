"""Files that people name, and how much of them is read: regular ones, of a stated size, and only tables or scenarios.

A scenario may come from a stranger. What it names is read with the rights of whoever runs it, so it may name a table, a
scenario or a plan (by the suffix of the file that a link leads to), and never a device, a pipe, or a system's own file,
whose lines an error message would show.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from allocator.texts import Text

MOST_BYTES = 500 * 2**20  # of a table: a million demands are about 100 MB
MOST_YAML = 20 * 2**20  # of a YAML file: rules and funds; rows have tables
TABLES = (".csv", ".txt")
YAML = (".yaml", ".yml")


class Refused(Exception):
    """A file that is not read: (why, what would be right)."""

    def __init__(self, message: Text, remedy: Text | None = None) -> None:
        super().__init__(message, remedy)
        self.message, self.remedy = message, remedy


def content(path: Path, kinds: Collection[str] = ()) -> bytes:
    """A file's bytes. `kinds`: the suffixes that it may have, where a file names it.

    `Refused` where it is no such file, is too large or cannot be read; `FileNotFoundError` where there is none.
    """
    try:
        real = path.resolve()
        if real.exists() and not real.is_file():  # a folder, or a device without an end
            wrong = Text("fichier illisible (pas un fichier ordinaire)", "unreadable file (not a regular file)")
            raise Refused(wrong, Text("donner un fichier CSV ou YAML", "give a CSV or YAML file"))
        if kinds and real.exists() and real.suffix.lower() not in kinds:
            among = ", ".join(kinds)
            wrong = Text(f"ce n'est pas un fichier {among}", f"this is no {among} file")
            raise Refused(wrong, Text(f"Donnez un fichier {among}.", f"Give a {among} file."))
        most = MOST_YAML if real.suffix.lower() in YAML else MOST_BYTES
        with real.open("rb") as file:
            known = os.fstat(file.fileno()).st_size  # 0 for what the system makes up as it is read
            data = file.read(most + 1) if known <= most else None
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links; a name that no file can have
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Refused(Text(f"fichier illisible ({said})", f"unreadable file ({said})")) from None
    if data is None or len(data) > most:
        size = most >> 20
        wrong = Text(f"fichier trop grand : {size} Mo au plus", f"file too large: at most {size} MB")
        raise Refused(
            wrong, Text("Partagez-le, ou mettez les lignes dans un CSV.", "Split it, or put the rows in a CSV.")
        )
    return data
