"""What an import leaves in its folder: tables, perhaps a whole scenario, the account."""

from __future__ import annotations

import argparse
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from allocator.importers.reading import decimal_text
from allocator.importers.report import Account
from allocator.spreadsheet import csv_rows
from allocator.texts import Text

NOT_PLACED, ACCOUNT = "non-places.csv", "import.json"


class Table(NamedTuple):
    """A CSV file to be: headers, and rows of texts, whole numbers, booleans or fractions (with all their digits)."""

    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def column(self, name: str) -> list[Any]:
        at = list(self.headers).index(name)
        return [row[at] for row in self.rows]

    def text(self) -> str:
        return csv_rows(self.headers, (map(cell_text, row) for row in self.rows))


@dataclass
class Import:
    """What an importer gives: tables by file name, the text of a scenario.yaml if there is one, the account."""

    account: Account
    tables: dict[str, Table]
    scenario: str | None = None
    next_step: Text | None = None  # what the user does with the folder
    extra: dict[str, Any] = field(default_factory=dict)  # more keys of import.json

    def files(self, form: str) -> dict[str, str]:
        """File name → text of everything that is written."""
        if not self.account.closed:
            raise AssertionError("the account was not closed")
        out = {name: table.text() for name, table in self.tables.items()}
        if self.scenario is not None:
            out["scenario.yaml"] = self.scenario
        out[NOT_PLACED] = Table(*self.account.not_placed()).text()
        report = {"format": form, **self.account.as_dict(), **self.extra, "written": [*out, ACCOUNT]}
        out[ACCOUNT] = json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        return out


def write(files: dict[str, str], folder: str) -> list[Path]:
    """Write the files; each is replaced whole or not at all. `OSError` when the folder cannot be written.

    What an earlier import left there and this one does not write is removed: its tables would contradict these.
    """
    from allocator.report.files import replace_file

    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    for name in _written_before(root):
        if name not in files:
            (root / name).unlink(missing_ok=True)
    return [replace_file(root / name, text) for name, text in files.items()]


def _written_before(root: Path) -> list[str]:
    """The files that the import.json of a folder names, of those that lie in the folder itself."""
    try:
        names = json.loads((root / ACCOUNT).read_text(encoding="utf-8"))["written"]
        return [name for name in names if isinstance(name, str) and Path(name).name == name and (root / name).is_file()]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def cell_text(cell: object) -> str:
    """A cell of a scenario's CSV: `true`, all the digits of a fraction, "" for None."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return decimal_text(cell) if isinstance(cell, Fraction) else str(cell)


def fund_option(parser: argparse.ArgumentParser) -> None:
    """--fund, for formats that make a whole scenario; the command reads it into cents."""
    parser.add_argument("--fund", metavar="MONTANT", help=str(Text(
        "montant du fonds, par exemple « 1 Md€ » ; sans lui, 0 € à remplacer dans scenario.yaml",
        "the fund's amount, such as “1 Md€”; without it, 0 € to replace in scenario.yaml")))  # fmt: skip


def fund_lines(amount: int | None, ident: str, label: str) -> str:
    """The `funds` of a scenario.yaml: the user's amount in cents, or 0 € and where to write it."""
    if amount is None:
        worth = (
            '0 €  # À VOUS : le montant n\'est pas dans le fichier importé (option --fund, par exemple --fund "1 Md€")'
        )
    else:
        worth = f"{decimal_text(Fraction(amount, 100))}  # euros, donnés par --fund"
    return f"funds:\n  - id: {ident}\n    label: {yaml_text(label)}\n    amount: {worth}\n"


def yaml_text(text: str) -> str:
    """A text as a YAML scalar in double quotes (JSON's are YAML's)."""
    return json.dumps(text, ensure_ascii=False)


def slug(text: str) -> str:
    """A text as an id: unaccented small letters and digits, joined by hyphens; "" if it holds none."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
