"""Euros as people write them, and whole cents: exact in both directions.

Nothing here goes through binary floating point on its way to an integer: a float is read as the shortest
decimal that denotes it (0.1 is one tenth), a text as it is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema

from allocator.texts import Text

MAX_CENTS = 2**62  # no amount or total reaches this: sums and differences of two fit in 64 bits
MAX_DECIMALS = 12

NARROW, NO_BREAK = "\u202f", "\u00a0"
_SPACES = " \t\u00a0\u202f\u2009\u2007"
_NUMBER = re.compile(
    rf"(?P<sign>[-+\u2212]?)[{_SPACES}]*"
    rf"(?P<whole>[0-9]{{1,3}}(?:[{_SPACES}][0-9]{{3}})+|[0-9]{{1,3}}(?:,[0-9]{{3}})+(?=\.)|[0-9]{{1,3}}(?:,[0-9]{{3}}){{2,}}"
    rf"|[0-9]+)?(?:[.,](?P<part>[0-9]+))?(?P<power>[eE][-+]?[0-9]{{1,2}})?"
)
_ENGLISH_GROUPS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_UNITS = {
    "": 1,
    "k": 10**3, "K": 10**3, "millier": 10**3, "milliers": 10**3,
    "M": 10**6, "million": 10**6, "millions": 10**6,
    "Md": 10**9, "Mds": 10**9, "Mrd": 10**9, "Mrds": 10**9, "milliard": 10**9, "milliards": 10**9,
    "bn": 10**9,
}  # fmt: skip
_CURRENCY = re.compile(rf"[{_SPACES}]*(?:(?:d['\u2019]|of )?(?:€|EUR|euros?))$", re.IGNORECASE)

_AMOUNT_REMEDY = (
    'écrivez par exemple 300000, "1 234,50 €", "780 k€", "2 M€" ou "15 Md€"',
    'write for example 300000, "1 234,50 €", "780 k€", "2 M€" or "15 Md€"',
)


class NumberError(ValueError):
    """A value that is not the number it should be; `args[0]` is a `Text` that says what would be right."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(Text(fr, en))


def _shown(value: object) -> str:
    text = str(value) if not isinstance(value, float) else repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


def _finite(value: object, number: Decimal) -> Decimal:
    if not number.is_finite():
        raise NumberError(f"« {_shown(value)} » n'est pas un nombre fini", f"“{_shown(value)}” is not a finite number")
    if number and number.adjusted() > 30:
        raise NumberError(f"« {_shown(value)} » est trop grand", f"“{_shown(value)}” is too large")
    return number


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT


def _plain_decimal(value: object) -> Decimal | None:
    """The exact decimal of a number, None for a text. Refuses what is missing, boolean, infinite, huge."""
    if _is_missing(value):
        raise NumberError("valeur absente : un nombre est attendu", "missing value: a number is expected")
    if isinstance(value, (bool, np.bool_)):
        raise NumberError(
            f"« {str(value).lower()} » est un booléen : un nombre est attendu",
            f"“{str(value).lower()}” is a boolean: a number is expected",
        )
    if isinstance(value, (int, np.integer)):
        if abs(int(value)) >= 10**31:
            raise NumberError("nombre trop grand", "number too large")
        return Decimal(int(value))
    if isinstance(value, (float, np.floating)):
        if math.isnan(value):
            raise NumberError("valeur absente : un nombre est attendu", "missing value: a number is expected")
        return _finite(value, Decimal(str(value)))
    if isinstance(value, Decimal):
        return _finite(value, value)
    if isinstance(value, str):
        return None
    kind = type(value).__name__
    raise NumberError(f"un nombre est attendu, et non un objet {kind}", f"a number is expected, not a {kind}")


def _scan(text: str, english: bool = False) -> tuple[Decimal, str] | None:
    """The decimal at the beginning of a text, and what follows it; None when there is none."""
    match = _NUMBER.match(text)
    if match is None or (match["whole"] is None and match["part"] is None):
        return None
    whole, part, rest = match["whole"] or "", match["part"] or "", text[match.end() :]
    if english and "," in text:
        groups = _ENGLISH_GROUPS.match(text.lstrip("-+\u2212" + _SPACES))
        if groups is None:
            return None
        tail = re.match(r"(?:\.(?P<part>[0-9]+))?", text[text.index(groups[0]) + len(groups[0]) :])
        assert tail is not None
        whole, part = groups[0], tail["part"] or ""
        rest = text[text.index(groups[0]) + len(groups[0]) + tail.end() :]
    digits = re.sub(rf"[{_SPACES},]", "", whole)
    sign = "-" if match["sign"] in ("-", "\u2212") else ""
    power = (match["power"] or "") if not english or "," not in text else ""
    try:
        return Decimal(f"{sign}{digits or '0'}.{part or '0'}{power}"), rest
    except InvalidOperation:  # pragma: no cover - the pattern leaves nothing to refuse
        return None


def parse_cents(value: object) -> int:
    """An amount of euros, as a number or as people write it, in whole cents.

    Accepts 12.5, `"1 234 567,89 €"` (any kind of space), `"780 k€"`, `"2 M€"`, `"15 Md€"`, `"€1,234.50"`.
    A float a rounding error away from whole cents (0.1 + 0.2) is those cents. Negative amounts are amounts.
    Raises `ValueError` (`args[0]` is a `Text`) for what is not an amount, not finite, or not whole cents.
    """
    number = value if isinstance(value, Fraction) else _plain_decimal(value)
    cents = 100 * (Fraction(number) if number is not None else _written_euros(str(value)))
    if cents.denominator != 1 and isinstance(value, (float, np.floating)):
        nearest = Fraction(format(float(value), ".15g"))
        if abs(nearest - Fraction(float(value))) <= 4 * Fraction(math.ulp(float(value))):
            cents = nearest * 100
    if cents.denominator != 1:
        raise NumberError(
            f"« {_shown(value)} » n'est pas un nombre entier de centimes : deux décimales d'euro au plus",
            f"“{_shown(value)}” is not a whole number of cents: at most two decimals of a euro",
        )
    result = int(cents)
    if abs(result) >= MAX_CENTS:
        raise NumberError(
            f"« {_shown(value)} » est trop grand : moins de 46 millions de milliards d'euros",
            f"“{_shown(value)}” is too large: less than 46 million billion euros",
        )
    return result


def _written_euros(text: str) -> Fraction:
    bare = text.strip(_SPACES + "\n\r")
    if not bare:
        raise NumberError(f"montant absent : {_AMOUNT_REMEDY[0]}", f"missing amount: {_AMOUNT_REMEDY[1]}")
    sign = ""
    if bare[0] in "-+\u2212" and bare[1:].lstrip(_SPACES).startswith("€"):
        sign, bare = bare[0], bare[1:].lstrip(_SPACES)
    english = bare.startswith("€")
    if english:
        bare = sign + bare[1:].lstrip(_SPACES)
    scanned = _scan(bare, english)
    if scanned is not None:
        number, rest = scanned
        unit = (rest if english else _CURRENCY.sub("", rest)).strip(_SPACES)
        factor = _UNITS.get(unit) or (10**6 if english and unit == "m" else None)
        if factor is not None:
            return Fraction(_finite(text, number)) * factor
    raise NumberError(
        f"« {_shown(text)} » n'est pas un montant : {_AMOUNT_REMEDY[0]}",
        f"“{_shown(text)}” is not an amount: {_AMOUNT_REMEDY[1]}",
    )


def parse_decimal(value: object) -> Decimal:
    """A plain number (12.5, `"1 234,5"`), exact as written. Raises `ValueError` with a `Text`."""
    number = _plain_decimal(value)
    if number is not None:
        return number
    scanned = _scan(str(value).strip(_SPACES + "\n\r"))
    if scanned is None or scanned[1]:
        raise NumberError(f"« {_shown(value)} » n'est pas un nombre", f"“{_shown(value)}” is not a number")
    return _finite(value, scanned[0])


def fraction(value: object) -> Fraction:
    """The exact value of a decimal as written: 0.52 and `"52 %"` are 13/25; `"1/3"` is a third."""
    if isinstance(value, Fraction):
        return value
    if isinstance(value, str):
        text = value.strip(_SPACES)
        if text.endswith("%"):
            return Fraction(parse_decimal(text[:-1])) / 100
        over = re.fullmatch(r"([-+]?[0-9]{1,18})\s*/\s*([0-9]{1,18})", text)
        if over and int(over[2]):
            return Fraction(int(over[1]), int(over[2]))
    return Fraction(parse_decimal(value))


def _rate(value: object) -> Fraction:
    rate = fraction(value)
    if not 0 <= rate <= 1:
        raise NumberError(
            f"« {_shown(value)} » n'est pas un taux entre 0 et 1 : écrivez 0.52 ou 52 %",
            f"“{_shown(value)}” is not a rate between 0 and 1: write 0.52 or 52 %",
        )
    return rate


def euros(cents: int) -> int | float | str:
    """Euros to write into YAML or JSON; `parse_cents` reads back exactly the same cents."""
    whole, rest = divmod(cents, 100)
    if rest == 0:
        return whole
    if abs(cents) < 10**15:
        return cents / 100
    return str(Decimal(cents).scaleb(-2))


def written(value: Fraction) -> int | float | str:
    """A fraction to write into YAML or JSON; `fraction` reads back exactly the same."""
    if value.denominator == 1:
        return int(value)
    number = float(value)
    return number if math.isfinite(number) and fraction(number) == value else str(value)


_NUMBER_OR_TEXT = {"anyOf": [{"type": "number"}, {"type": "string"}]}

Euros = Annotated[
    int,
    BeforeValidator(parse_cents),
    PlainSerializer(euros, return_type=Any),
    WithJsonSchema({**_NUMBER_OR_TEXT, "description": "euros"}),
]
"""Field: euros as a number or a text; stored as whole cents (int); written back as euros."""

Exact = Annotated[
    Fraction,
    PlainValidator(fraction),
    PlainSerializer(written, return_type=Any),
    WithJsonSchema(_NUMBER_OR_TEXT),
]
"""Field: any decimal number or percentage, stored as the exact `Fraction`."""

Rate = Annotated[
    Fraction,
    PlainValidator(_rate),
    PlainSerializer(written, return_type=Any),
    WithJsonSchema({**_NUMBER_OR_TEXT, "description": "0 … 1, 52 %"}),
]
"""Field: a share between 0 and 1, as 0.52 or "52 %"; stored as the exact `Fraction`."""


# Columns ---------------------------------------------------------------------------------------------

RowProblem = tuple[int, Text]


def _one_by_one(values: Sequence[Any], read: Callable[[Any], Any]) -> tuple[list[Any], list[RowProblem]]:
    """`read` each value, each distinct one once; None where it refused."""
    seen: dict[Hashable, tuple[Any, Text | None]] = {}
    out: list[Any] = []
    problems: list[RowProblem] = []
    for row, value in enumerate(values):
        key = (type(value), value) if isinstance(value, Hashable) else (type(value), id(value))
        result = seen.get(key)
        if result is None:
            try:
                result = (read(value), None)
            except ValueError as error:
                result = (None, error.args[0])
            seen[key] = result
        out.append(result[0])
        if result[1] is not None:
            problems.append((row, result[1]))
    return out, problems


def _floats(series: pd.Series) -> np.ndarray | None:
    """The values of a float column (n,), or None when the column is not one."""
    return series.to_numpy(dtype=np.float64, na_value=np.nan) if pd.api.types.is_float_dtype(series) else None


def cents_column(series: pd.Series) -> tuple[np.ndarray, list[RowProblem]]:
    """A column of euros in whole cents: int64 (n,), 0 where unreadable; and (row position, what is wrong)."""
    if pd.api.types.is_integer_dtype(series) and not series.isna().any():
        values = series.to_numpy()
        if len(values) == 0 or (int(values.max()) < MAX_CENTS // 100 and int(values.min()) > -MAX_CENTS // 100):
            return values.astype(np.int64) * 100, []
    out = np.zeros(len(series), np.int64)
    rest = np.arange(len(series))
    as_floats = _floats(series)
    if as_floats is not None:
        with np.errstate(all="ignore"):
            cents = np.rint(as_floats * 100)
            # Below 10^15 cents a float is the nearest one of exactly one amount in whole cents.
            exact = (np.abs(cents) < 1e15) & (cents / 100 == as_floats)
        out[exact] = cents[exact].astype(np.int64)
        rest = np.flatnonzero(~exact)
    values_left = series.iloc[rest].astype(object).tolist()
    read, refused = _one_by_one(values_left, parse_cents)
    for row, cents_read in zip(rest.tolist(), read, strict=True):
        out[row] = 0 if cents_read is None else cents_read
    return out, [(int(rest[row]), text) for row, text in refused]


def _places(value: object) -> tuple[int, int]:
    """(numerator, decimals) of a number with at most 12 decimals.

    Longer decimals come from computations (1/3): they are cut at the twelfth if that changes the value by
    less than one part in a thousand million; else they are refused.
    """
    number = Fraction(parse_decimal(value))
    cut = Fraction(round(number * 10**MAX_DECIMALS), 10**MAX_DECIMALS)
    if abs(cut - number) * 10**9 > abs(number):
        raise NumberError(
            f"« {_shown(value)} » est trop petit pour {MAX_DECIMALS} décimales : changez d'unité",
            f"“{_shown(value)}” is too small for {MAX_DECIMALS} decimals: change its unit",
        )
    decimals = next(k for k in range(MAX_DECIMALS + 1) if (cut * 10**k).denominator == 1)
    return int(cut * 10**decimals), decimals


def decimals_column(series: pd.Series) -> tuple[np.ndarray, int, list[RowProblem]]:
    """A column of numbers as exact decimals: `numerators / scale`.

    Returns numerators (n,), int64 or, where they do not fit, object (Python ints); the scale, the smallest
    power of ten (at most 10^12) that makes all of them whole; and (row position, what is wrong), numerator
    0 there.
    """
    n = len(series)
    if pd.api.types.is_integer_dtype(series) and not series.isna().any():
        values = series.to_numpy()
        if n == 0 or (int(values.max()) < MAX_CENTS and int(values.min()) > -MAX_CENTS):
            return values.astype(np.int64), 1, []
    numerators = np.zeros(n, np.int64)
    places = np.zeros(n, np.int64)
    rest = np.arange(n)
    as_floats = _floats(series)
    if as_floats is not None:
        with np.errstate(all="ignore"):
            for k in range(MAX_DECIMALS + 1):
                left = as_floats[rest]
                scaled = np.rint(left * 10.0**k)
                exact = (np.abs(scaled) < 1e15) & (scaled / 10.0**k == left)
                numerators[rest[exact]] = scaled[exact].astype(np.int64)
                places[rest[exact]] = k
                rest = rest[~exact]
                if len(rest) == 0:
                    break
    read, refused = _one_by_one(series.iloc[rest].astype(object).tolist(), _places)
    problems = [(int(rest[row]), text) for row, text in refused]
    pairs = [(int(row), pair) for row, pair in zip(rest, read, strict=True) if pair is not None]
    most = max([int(places.max()) if n else 0, *(pair[1] for _, pair in pairs)])
    scale = 10**most
    largest = max([abs(pair[0]) * 10 ** (most - pair[1]) for _, pair in pairs], default=0)
    headroom = np.abs(numerators).astype(np.float64) * 10.0 ** (most - places)
    if largest >= MAX_CENTS or (n and headroom.max() >= MAX_CENTS):
        numerators = numerators.astype(object)
        numerators *= np.array([10 ** (most - int(k)) for k in places], dtype=object)
    else:
        numerators *= 10 ** (most - places)
    for row, (numerator, k) in pairs:
        numerators[row] = numerator * 10 ** (most - k)
    return numerators, scale, problems


# Printing and sharing --------------------------------------------------------------------------------


def format_euros(cents: int, lang: str = "fr", compact: bool = False) -> str:
    """`1 234 567,89 €` (narrow no-break and no-break spaces) or, compact, `1,23 M€` (three digits, rounded).

    In English `€1,234,567.89` and `€1.23m`. Not compact, `parse_cents` reads back the same cents.
    """
    cents = int(cents)
    sign = "-" if cents < 0 else ""
    size = abs(cents)
    unit = ""
    if compact:
        digits, unit = _three_digits(size, lang)
    else:
        whole, rest = divmod(size, 100)
        digits = f"{whole:,}" + (f".{rest:02d}" if rest else "")
    if lang == "en":
        return f"{sign}€{digits}{unit}"
    return f"{sign}{digits.replace(',', NARROW).replace('.', ',')}{NO_BREAK}{unit}€"


def _three_digits(size: int, lang: str) -> tuple[str, str]:
    names = ("", "k", "m", "bn") if lang == "en" else ("", "k", "M", "Md")
    for rank, name in enumerate(names):
        base = 100 * 1000**rank
        decimals = 2 if size < 10 * base else 1 if size < 100 * base else 0
        rounded = (size * 10**decimals * 2 + base) // (2 * base)  # half up, in whole numbers
        if rounded < 1000 * 10**decimals or rank == len(names) - 1:
            whole, rest = divmod(rounded, 10**decimals)
            tail = f"{rest:0{decimals}d}".rstrip("0") if decimals else ""
            return f"{whole:,}" + (f".{tail}" if tail else ""), name
    raise AssertionError("unreachable")  # pragma: no cover
