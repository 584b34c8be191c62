"""Tables as people publish them: CSV in any dress, a zip around one, the sheet of a workbook that holds one.

Every cell is a text without its outer blanks; what stands for a missing value ("", NA, NaN, NULL, NR …) is "".
Numbers are exact fractions, codes stay texts with their zeros. Nothing here drops a row.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import re
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from allocator import files, limits
from allocator.problems import Problem, ScenarioError, near
from allocator.texts import Text

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

MISSING = frozenset(("", "NA", "N/A", "#N/A", "NAN", "NULL", "NR"))
TABLES = (".csv", ".txt", ".tsv")
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
HEADER_WITHIN = 30  # first lines among which the line of headers is looked for, under titles
_BLANKS = " \t\r\n\f\v\u00a0\u202f\u2007\u2009\u200b\ufeff\x00"
# Bytes of Windows read as characters of their own: U+0096 was meant as –.
_REPAIR = {code: bytes([code]).decode("cp1252", errors="ignore") for code in range(0x80, 0xA0) if code != 0x85}
_SQUARE_METRES = 10_000


class Column(NamedTuple):
    """A column that is wanted: its name here, and the headers under which it is published."""

    name: str
    headers: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True)
class Row:
    """One row of a file: `line` as an editor or a workbook counts, `cells` by the wanted names.

    `broken` says why the row as a whole cannot be read. `amounts` are filled by the account (report.py).
    """

    file: str
    line: int
    cells: Mapping[str, str]
    broken: Text | None = None
    amounts: dict[str, Fraction] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")


@dataclass(frozen=True)
class Source:
    """A file whose headers were found. `headers`: all of them; `found`: position of each wanted column.

    `sheet`: the one read, in a workbook. A row holds at least `least` cells, up to the last required column.
    `last_line`: where its table ends, if others follow it in the file.
    """

    path: Path
    file: str
    sheet: str | None
    header_line: int
    headers: tuple[str, ...]
    found: Mapping[str, int]
    least: int
    last_line: int | None = None

    @property
    def others(self) -> list[str]:
        """Headers that are none of the wanted columns."""
        taken = set(self.found.values())
        return [name for rank, name in enumerate(self.headers) if rank not in taken and name]

    def also(self, *headers: str) -> Source:
        """The same file with more columns, under the names they have in it."""
        more = {name: self.headers.index(name) for name in headers}
        return replace(self, found={**self.found, **more})

    def rows(self) -> Iterator[Row]:
        """Every row after the headers that holds anything at all."""
        width = len(self.headers)
        with _records(self.path, self.file, self.sheet) as records:
            for record in records:
                if self.last_line is not None and record.line > self.last_line:
                    break
                if record.line <= self.header_line or not any(map(clean, record.cells)):
                    continue
                count = len(record.cells)
                broken = None
                # A row may end early where its last cells are empty (workbooks save so); not before what is required,
                # and not where an open quote has swallowed lines. It may not be longer than its headers.
                if (
                    (count > width and any(map(clean, record.cells[width:])))
                    or count < self.least
                    or (count < width and record.last > record.line)
                ):
                    broken = Text(f"{count} champs au lieu de {width}", f"{count} fields instead of {width}")
                    if record.last > record.line:
                        broken = Text(f"{broken.fr}, jusqu'à la ligne {record.last} : guillemet non fermé ?",
                                      f"{broken.en}, down to line {record.last}: a quote left open?")  # fmt: skip
                named = {name: clean(record.cells[at]) if at < count else "" for name, at in self.found.items()}
                yield Row(self.file, record.line, named, broken)

    def sha256(self) -> str:
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        return digest.hexdigest()


def source(path: str | Path, columns: Sequence[Column], lines: tuple[int, int | None] = (1, None)) -> Source:
    """Open a file and find its columns by the meaning of their headers (accents, case, blanks of no weight).

    The line of headers is the one, among the first 30 (of every sheet of a workbook), that holds most of the required
    columns, then of the others, then most cells. `lines`: the first and the last of the table, where a file holds
    several (`sections`). `ScenarioError`: the file cannot be read, or lacks required columns (all of them named at once).
    """
    at, file = Path(path), str(path)
    wanted = {column.name: [folded(name) for name in (column.name, *column.headers)] for column in columns}
    required = {column.name for column in columns if column.required}
    best: tuple[tuple[int, int, int], Source] | None = None
    for sheet in _sheets(at, file):
        with _records(at, file, sheet) as records:
            inside = (r for r in records if lines[0] <= r.line and (lines[1] is None or r.line <= lines[1]))
            for line, _, raw in islice(inside, HEADER_WITHIN):
                headers = tuple(map(clean, raw))
                keys = {key: rank for rank, key in reversed(list(enumerate(map(folded, headers)))) if key}
                found = {name: next(keys[key] for key in names if key in keys)
                         for name, names in wanted.items() if any(key in keys for key in names)}  # fmt: skip
                score = len(required & set(found)), len(found), sum(map(bool, headers))
                if score[2] and (best is None or score > best[0]):
                    least = max((found[name] + 1 for name in required & set(found)), default=0)
                    best = score, Source(at, file, sheet, line, headers, found, least, lines[1])
                if required and len(found) == len(wanted):
                    break
    if best is None:
        empty = Text("fichier vide : une ligne d'en-têtes est attendue", "empty file: a line of headers is expected")
        raise ScenarioError([Problem("", empty, None, file)])
    made = best[1]
    absent = [column for column in columns if column.required and column.name not in made.found]
    if absent:
        raise ScenarioError([_absent(column, made.headers, made.header_line, file) for column in absent])
    return made


def sections(path: str | Path, titles: Sequence[str]) -> dict[str, tuple[int, int | None]]:
    """{title: lines of the table below it}, in a file of several tables, each under a line that holds its title alone."""
    at: dict[str, int] = {}
    with _records(Path(path), str(path), None) as records:
        for line, _, cells in records:
            title = cells[0].strip(_BLANKS).upper() if cells and not any(map(clean, cells[1:])) else ""
            if title in titles and title not in at:
                at[title] = line
    starts = [*at.values(), None]
    return {title: (line + 1, None if after is None else after - 1)
            for (title, line), after in zip(at.items(), starts[1:], strict=True)}  # fmt: skip


def together(*steps: Callable[[], Any]) -> list[Any]:
    """What each step gives; the problems of all that fail, in one `ScenarioError`."""
    given, problems = [], []
    for step in steps:
        try:
            given.append(step())
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return given


def _absent(column: Column, headers: Sequence[str], line: int, file: str) -> Problem:
    names = column.headers or (column.name,)
    shown = ", ".join(header for header in headers if header)[:300]
    close = next((c for c in (near(name, [h for h in headers if h], 0.75) for name in names) if c), None)
    fr, en = f"En-têtes lus : {shown}.", f"Headers read: {shown}."
    if close:
        fr, en = f"« {close} » est-ce elle ? {fr}", f"Is it “{close}”? {en}"
    expected = ", ".join(names)
    message = Text(f"colonne absente : {expected}", f"column missing: {expected}")
    return Problem(Text(f"ligne {line}", f"line {line}"), message, Text(fr, en), file)


def folded(text: str) -> str:
    """Letters and digits only, without accents or capitals: `Surface (m²)` and `surface_m2` are one."""
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE"))
    return "".join(c for c in plain if c.isalnum()).casefold()


# Files ------------------------------------------------------------------------------------------------


class _Record(NamedTuple):
    """The cells of one row as they stand, from its first line to its last."""

    line: int
    last: int
    cells: Sequence[str]


@contextmanager
def _records(path: Path, file: str, sheet: str | None) -> Iterator[Iterator[_Record]]:
    """Every row of a table, headers and titles included. What cannot be read is a `ScenarioError`."""
    try:
        if sheet is not None:
            yield _of_sheet(path, file, sheet)
        else:
            with _bytes(path, file) as again:
                yield _of_text(again, file)
    except FileNotFoundError:
        raise ScenarioError([Problem("", Text("fichier introuvable", "file not found"), None, file)]) from None
    except (
        OSError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        UnicodeError,
        NotImplementedError,
        RuntimeError,
        csv.Error,
    ) as error:
        # RuntimeError, NotImplementedError: zips with a password or an unknown compression
        said = getattr(error, "strerror", None) or str(error)
        message = Text(f"fichier illisible ({said})", f"unreadable file ({said})")
        raise ScenarioError([Problem("", message, None, file)]) from None


@contextmanager
def _bytes(path: Path, file: str) -> Iterator[Callable[[], IO[bytes]]]:
    """A way to open the table's bytes, as often as wanted: the file itself, or the one table in a zip or gzip."""
    if path.exists() and not path.is_file():  # a device may have no end
        message = Text("fichier illisible (pas un fichier ordinaire)", "unreadable file (not a regular file)")
        raise ScenarioError([Problem("", message, None, file)])
    with path.open("rb") as start:
        mark = start.read(4)
    if mark[:2] == b"\x1f\x8b":
        yield lambda: _counted(cast(IO[bytes], gzip.GzipFile(path)), file)
        return
    if mark != b"PK\x03\x04":
        yield lambda: _counted(path.open("rb"), file)
        return
    with zipfile.ZipFile(path) as archive:
        inside = [name for name in archive.namelist() if name.lower().endswith(TABLES) and "__MACOSX" not in name]
        data = [name for name in inside if "meta" not in Path(name).name.lower()] or inside
        if len(data) != 1:
            held = ", ".join(data or archive.namelist()) or "∅"
            message = Text(f"une table attendue dans le zip, et non {len(data)} : {held}",
                           f"one table is expected in the zip, not {len(data)}: {held}")  # fmt: skip
            remedy = Text("Extrayez celle qui convient.", "Extract the right one.")
            raise ScenarioError([Problem("", message, remedy, file)])
        yield lambda: _counted(archive.open(data[0]), file)


class _Counted(io.RawIOBase):
    """Bytes as they come, `PUBLIC_BYTES` at most: what a zip or a gzip says of its size is not believed."""

    def __init__(self, inner: IO[bytes], file: str) -> None:
        self.inner, self.file, self.read_so_far = inner, file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.read_so_far = self.inner.seek(offset, whence)
        return self.read_so_far

    def readinto(self, buffer: Any) -> int:
        data = self.inner.read(len(buffer))
        self.read_so_far += len(data)
        if self.read_so_far > limits.PUBLIC_BYTES:
            size = limits.PUBLIC_BYTES >> 30
            message = Text(f"table trop grande : {size} Go au plus", f"table too large: at most {size} GB")
            raise ScenarioError([Problem("", message, Text("Partagez-la.", "Split it."), self.file)])
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self.inner.close()
        super().close()


def _counted(inner: IO[bytes], file: str) -> IO[bytes]:
    return io.BufferedReader(_Counted(inner, file), 1 << 16)


def _lines(text: IO[str], file: str) -> Iterator[str]:
    """Lines for the library, none of them without an end."""
    while line := text.readline(limits.LINE_LETTERS + 1):
        if len(line) > limits.LINE_LETTERS:
            most = limits.LINE_LETTERS >> 20
            message = Text(
                f"une ligne a plus de {most} millions de caractères", f"a line has more than {most} million letters"
            )
            raise ScenarioError([Problem("", message, Text("Est-ce une table ?", "Is it a table?"), file)])
        yield line


def _of_text(again: Callable[[], IO[bytes]], file: str) -> Iterator[_Record]:
    csv.field_size_limit(
        limits.LINE_LETTERS
    )  # outlines of sites are long; the library's limit is for the whole process
    with again() as raw:
        encoding = _encoding(raw)
    with again() as raw, io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
        delimiter, start = _delimiter(text, file)
        reader = csv.reader(_lines(text, file), delimiter=delimiter)
        line = 1 + start
        for cells in reader:
            last = start + reader.line_num
            yield _Record(line, last, cells)
            line = last + 1


def _encoding(raw: IO[bytes]) -> str:
    """UTF-8 (with or without its mark) or UTF-16 if it can be; else Windows's bytes, repaired by `clean`."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    first = True
    while chunk := raw.read(1 << 20):
        if first and chunk[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        first = False
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8-sig"


def _delimiter(text: IO[str], file: str) -> tuple[str, int]:
    """The mark between cells: the one of which most of the first lines hold the same number. And the lines to skip:
    Excel's `sep=;`, after which `text` is left.
    """
    first = _lines(text, file)
    start = next(first, "")
    told = re.fullmatch(r"sep=(.)\s*", start)
    if told:
        return told[1], 1
    lines = [re.sub(r'"[^"]*"', "", line) for line in (start, *islice(first, 9)) if line.strip()]
    text.seek(0)

    def agreement(mark: str) -> tuple[int, int]:
        counts = Counter(line.count(mark) for line in lines if mark in line)
        return max(((agreeing, count) for count, agreeing in counts.items()), default=(0, 0))

    return max(";\t,|", key=agreement), 0


def _sheets(path: Path, file: str) -> list[str] | list[None]:
    """The names of a workbook's sheets; [None] for another file."""
    if path.suffix.lower() not in WORKBOOKS:
        return [None]
    return list(_book(path, file).sheet_names)


def _book(path: Path, file: str) -> CalamineWorkbook:
    """A workbook that holds no more than it may; the last one is kept open, since it is read sheet after sheet."""
    try:
        known = path.stat()
        return _opened(path, file, (known.st_mtime_ns, known.st_size))
    except FileNotFoundError:
        raise ScenarioError([Problem("", Text("fichier introuvable", "file not found"), None, file)]) from None
    except OSError as error:
        message = Text(f"fichier illisible ({error.strerror})", f"unreadable file ({error.strerror})")
        raise ScenarioError([Problem("", message, None, file)]) from None
    except files.Refused as error:
        raise ScenarioError([Problem("", error.message, error.remedy, file)]) from None


@lru_cache(1)
def _opened(path: Path, file: str, version: tuple[int, int]) -> CalamineWorkbook:
    from allocator.formats.workbook.grid import Unreadable, opened

    try:
        return opened(files.content(path), file)
    except Unreadable as error:
        raise ScenarioError([error.args[0]]) from None


def _of_sheet(path: Path, file: str, sheet: str) -> Iterator[_Record]:
    from python_calamine import CalamineError

    try:
        rows = _book(path, file).get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    except (CalamineError, ValueError) as error:
        message = Text(f"feuille « {sheet} » illisible ({error})", f"unreadable sheet “{sheet}” ({error})")
        raise ScenarioError([Problem("", message, None, file)]) from None
    for line, cells in enumerate(rows, 1):
        yield _Record(line, line, [_of_cell(cell) for cell in cells])


def _of_cell(value: object) -> str:
    """A cell as a text: a whole number without `.0`, a date as ISO."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    iso = getattr(value, "isoformat", None)
    return iso()[:10] if iso is not None else str(value)


# Cells ------------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """Without outer blanks, Windows's stray characters repaired; "" for what stands for a missing value."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_REPAIR))
    text = text.strip(_BLANKS)
    return "" if text.upper() in MISSING else text


def number(text: str) -> Fraction:
    """A number as written in French or English, exactly. `ValueError` (`args[0]` is a `Text`) for another text."""
    from allocator.money import parse_decimal  # brings pandas: not before a file is read

    return Fraction(parse_decimal(text))


def euros(text: str) -> Fraction:
    """Whole cents of euros, in euros; `2 M€` is read too. `ValueError` for what is not an amount in whole cents."""
    from allocator.money import parse_cents

    return Fraction(parse_cents(text), 100)


def hectares(text: str) -> Fraction:
    """Square metres in hectares, exactly."""
    return number(text) / _SQUARE_METRES


def day(text: str) -> date:
    """2023-01-19 or 19/01/2023 (also 19-01-2023, 19.01.2023). `ValueError` for another text."""
    french = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", text)
    try:
        return date(int(french[3]), int(french[2]), int(french[1])) if french else date.fromisoformat(text[:10])
    except ValueError:
        raise ValueError(Text(f"« {text} » n'est pas une date", f"“{text}” is not a date")) from None


def siren(text: str) -> str:
    """The nine digits of a SIREN, or of the SIRET that begins with it; "" for another text."""
    digits = re.sub(r"[\s\u00a0\u202f]", "", text)
    return digits[:9] if re.fullmatch(r"\d{9}(\d{5})?", digits) else ""


def items(text: str, marks: str = ";|") -> list[str]:
    """The values of a cell that holds a list, in order, each once."""
    parts = (clean(part) for part in re.split(f"[{re.escape(marks)}]", text))
    return list(dict.fromkeys(part for part in parts if part))


def decimal_text(value: Fraction, places: int | None = None) -> str:
    """The decimal digits of a fraction: all of them, or rounded (half to even) to `places`.

    `ValueError` where `places` is None and the digits never end.
    """
    if places is None:
        rest, twos, fives = value.denominator, 0, 0
        while rest % 2 == 0:
            rest, twos = rest // 2, twos + 1
        while rest % 5 == 0:
            rest, fives = rest // 5, fives + 1
        if rest != 1:
            raise ValueError(f"{value} has no end in decimals")
        places = max(twos, fives)
    whole = round(value * 10**places)
    sign, digits = "-" if whole < 0 else "", f"{abs(whole):0{places + 1}d}"
    if not places:
        return sign + digits
    return f"{sign}{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".")
