"""The account of an import: rows, euros and hectares read = placed + reported, exactly.

An importer reads its rows through an `Account`, refuses those that it cannot place, and hands over the tables that
it made. Where a file holds the same figures in many cuts, those that were not asked for are counted, aside. `close` compares three sums that are counted apart: what the file holds (added up while reading), what was
refused (added up from the refusals) and what the tables hold (told by the importer from the tables themselves).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from allocator.importers.reading import Row, Source, decimal_text
from allocator.problems import Problem, ScenarioError
from allocator.texts import Text

MOST_DECIMALS = 6  # printed; import.json has all of them
ROWS_TOLD = 12  # reasons printed; all of them are in non-places.csv


class Quantity(NamedTuple):
    """What is counted beside rows: the sum of `columns`, read by `read` (`number`, `euros`, `hectares` …) in `unit`."""

    name: str
    columns: tuple[str, ...]
    read: Callable[[str], Fraction]
    unit: Text
    label: Text


@dataclass(frozen=True)
class Refusal:
    """A row that lies in no table, and why."""

    row: Row
    reason: Text
    kind: Text  # the reason without the row's own values: refusals are counted by it


@dataclass
class Account:
    """Counts what is read and what is refused. `quantities` are summed over every row, readable or not."""

    quantities: Sequence[Quantity] = ()
    sources: list[Source] = field(default_factory=list)
    rows_of: Counter[str] = field(default_factory=Counter)
    held: dict[str, Fraction] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    aside: Counter[Text] = field(default_factory=Counter)
    remarks: list[Text] = field(default_factory=list)
    placed: dict[str, Fraction] = field(default_factory=dict)
    closed: bool = False

    def read(self, source: Source, other: Callable[[Row], Text | None] = lambda row: None) -> Iterator[Row]:
        """The rows of a file, with their amounts; those that cannot be read at all are refused here and not given.

        What cannot be read as an amount counts 0 on both sides, and its row is refused with the reason. `other` names
        the cut to which a row belongs when it is not the one asked for: such rows are counted by it, and no more.
        """
        self.sources.append(source)
        self.rows_of[source.file] += 0
        for row in source.rows():
            self.rows_of[source.file] += 1
            if row.broken is None and (cut := other(row)) is not None:
                self.aside[cut] += 1
                continue
            unreadable = None
            for quantity in self.quantities:
                mine = [name for name in quantity.columns if name in source.found]
                if not mine:
                    continue
                try:
                    amount = sum((quantity.read(row[name]) for name in mine if row[name]), Fraction(0))
                except ValueError as error:
                    amount = Fraction(0)
                    unreadable = (
                        error.args[0],
                        Text(f"{quantity.label.fr} illisible", f"{quantity.label.en} unreadable"),
                    )
                row.amounts[quantity.name] = amount
                self.held[quantity.name] = self.held.get(quantity.name, Fraction(0)) + amount
            if row.broken is not None:
                self.refuse(row, row.broken, Text("nombre de champs faux", "wrong number of fields"))
            elif unreadable is not None:
                self.refuse(row, *unreadable)
            else:
                yield row

    def refuse(self, row: Row, reason: Text | ValueError, kind: Text | None = None) -> None:
        """Report a row that is placed nowhere. `kind` groups reasons that differ by a value only."""
        said = reason if isinstance(reason, Text) else reason.args[0]
        self.refusals.append(Refusal(row, said, kind or said))

    def remark(self, text: Text) -> None:
        """Something about rows that were placed, which the user should know."""
        self.remarks.append(text)

    @property
    def rows(self) -> int:
        """Rows read."""
        return sum(self.rows_of.values())

    @property
    def rows_placed(self) -> int:
        return self.rows - len(self.refusals) - self.aside.total()

    def refused(self, name: str) -> Fraction:
        """The sum of a quantity over the refusals."""
        return sum((refusal.row.amounts.get(name, Fraction(0)) for refusal in self.refusals), Fraction(0))

    def close(self, rows: int, placed: Mapping[str, Fraction]) -> None:
        """Compare with what the tables hold: the rows of the files that lie in them, and each quantity's sum there.

        `AssertionError` when something was lost or counted twice: a mistake of the importer, never of the file.
        """
        seen = {(refusal.row.file, refusal.row.line) for refusal in self.refusals}
        if len(seen) != len(self.refusals):
            raise AssertionError("a row was refused twice")
        if rows != self.rows_placed:
            raise AssertionError(
                f"{self.rows} rows read, {len(self.refusals)} refused, {self.aside.total()} aside, {rows} placed"
            )
        for quantity in self.quantities:
            held, refused = self.held.get(quantity.name, Fraction(0)), self.refused(quantity.name)
            self.placed[quantity.name] = placed.get(quantity.name, Fraction(0))
            if held != refused + self.placed[quantity.name]:
                raise AssertionError(
                    f"{quantity.name}: {float(held)} read, {float(refused)} refused, "
                    f"{float(self.placed[quantity.name])} placed"
                )
        self.closed = True

    # Told -----------------------------------------------------------------------------------------

    def reasons(self) -> list[tuple[Text, int, dict[str, Fraction]]]:
        """(kind, rows, amounts), the most frequent first."""
        count: Counter[Text] = Counter()
        sums: dict[Text, dict[str, Fraction]] = {}
        for refusal in self.refusals:
            count[refusal.kind] += 1
            mine = sums.setdefault(refusal.kind, {})
            for name, amount in refusal.row.amounts.items():
                mine[name] = mine.get(name, Fraction(0)) + amount
        return [(kind, rows, sums[kind]) for kind, rows in count.most_common()]

    def nothing_placed(self, message: Text, file: str) -> ScenarioError:
        """What to raise where no row of a file can be placed: the reasons, the most frequent first, say what would be right."""
        kinds = [kind for kind, _, _ in self.reasons()]
        why = Text(" ; ".join(kind.fr for kind in kinds), "; ".join(kind.en for kind in kinds)) if kinds else None
        return ScenarioError([Problem("", message, why, file)])

    def as_dict(self) -> dict[str, Any]:
        """For import.json. Amounts are texts, so that no reader rounds them."""
        return {
            "files": [
                {"file": source.file, "sha256": source.sha256(), "rows": self.rows_of[source.file]}
                for source in self.sources
            ],
            "rows": {
                "read": self.rows,
                "placed": self.rows_placed,
                "reported": len(self.refusals),
                **({"aside": self.aside.total()} if self.aside else {}),
            },
            "quantities": {
                quantity.name: {
                    "unit": str(quantity.unit),
                    "read": decimal_text(self.held.get(quantity.name, Fraction(0))),
                    "placed": decimal_text(self.placed[quantity.name]),
                    "reported": decimal_text(self.refused(quantity.name)),
                }
                for quantity in self.quantities
            },
            "reasons": [
                {"reason": str(kind), "rows": rows, **{name: decimal_text(sums[name]) for name in sums}}
                for kind, rows, sums in self.reasons()
            ],
            **({"aside": {str(cut): rows for cut, rows in self.aside.most_common()}} if self.aside else {}),
            "remarks": [str(remark) for remark in self.remarks],
        }

    def not_placed(self) -> tuple[list[str], list[list[str]]]:
        """Headers and rows of non-places.csv: file, line, reason, amounts, what the row says."""
        names = [quantity.name for quantity in self.quantities]
        headers = ["fichier", "ligne", "raison", *names, "contenu"]
        published = {
            source.file: {name: source.headers[at] for name, at in source.found.items()} for source in self.sources
        }
        rows = []
        for refusal in sorted(self.refusals, key=lambda r: (r.row.file, r.row.line)):
            row = refusal.row
            said = " ; ".join(f"{published[row.file][name]}={value}" for name, value in row.cells.items() if value)
            amounts = [decimal_text(row.amounts.get(name, Fraction(0))) for name in names]
            rows.append([row.file, str(row.line), str(refusal.reason), *amounts, said])
        return headers, rows

    def lines(self) -> list[str]:
        """What is printed: read = placed + reported for rows and each quantity, the reasons, the remarks."""
        counts = (self.rows, self.rows_placed, len(self.refusals))
        told = [_balance(Text("lignes", "rows"), *(str(grouped(count)) for count in counts))]
        if self.aside:
            cuts, apart = (
                "; ".join(f"{rows} × {cut}" for cut, rows in self.aside.most_common()),
                grouped(self.aside.total()),
            )
            told[0] += str(Text(f" + {apart.fr} d'autres coupes ({cuts})", f" + {apart.en} of other cuts ({cuts})"))
        for q in self.quantities:
            three = (self.held.get(q.name, Fraction(0)), self.placed[q.name], self.refused(q.name))
            told.append(_balance(q.label, *(f"{grouped(amount)} {q.unit}".rstrip() for amount in three)))
        reasons = self.reasons()
        if reasons:
            told.append(str(Text("Non placées :", "Not placed:")))
        for kind, rows, sums in reasons[:ROWS_TOLD]:
            amounts = ", ".join(
                f"{q.label} {grouped(sums[q.name])} {q.unit}".rstrip() for q in self.quantities if sums.get(q.name)
            )
            told.append(f"  {rows} × {kind}" + (f" ({amounts})" if amounts else ""))
        if len(reasons) > ROWS_TOLD:
            more = len(reasons) - ROWS_TOLD
            told.append(f"  … {Text(f'et {more} autres raisons', f'and {more} more reasons')}")
        return [*told, *(str(remark) for remark in self.remarks)]


def _balance(label: Text, held: str, placed: str, refused: str) -> str:
    return str(Text(f"{label.fr} : {held} = {placed} dans les tables + {refused} dans non-places.csv",
                    f"{label.en}: {held} = {placed} in the tables + {refused} in non-places.csv"))  # fmt: skip


def grouped(value: Fraction | int) -> Text:
    """A number as each language writes it, 1 234,5 and 1,234.5: all its digits, or two and ≈ where they are many."""
    value = Fraction(value)
    digits = decimal_text(value, MOST_DECIMALS)
    exact = Fraction(digits) == value
    whole, _, part = (digits if exact else decimal_text(value, 2)).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    en = f"{'' if exact else '≈ '}{sign}{int(digits):,}"
    return Text(en.replace(",", "\u202f") + (f",{part}" if part else ""), en + (f".{part}" if part else ""))
