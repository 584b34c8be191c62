"""Euros as people write them, and back: exact both ways."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from allocator.money import (
    MAX_CENTS,
    Euros,
    Exact,
    Rate,
    cents_column,
    decimals_column,
    euros,
    format_euros,
    fraction,
    parse_cents,
    written,
)
from allocator.texts import Text

CENTS = st.integers(-MAX_CENTS + 1, MAX_CENTS - 1)


@pytest.mark.parametrize(
    ("written_so", "cents"),
    [
        ("2 M€", 200_000_000),
        ("15 Md€", 1_500_000_000_000),
        ("780 k€", 78_000_000),
        ("1.5 M€", 150_000_000),
        ("1,5 M€", 150_000_000),
        ("1 234 567,89 €", 123_456_789),
        ("1\u202f234\u202f567,89\u00a0€", 123_456_789),
        ("1\u2009234", 123_400),
        ("300 000", 30_000_000),
        ("300000.50", 30_000_050),
        ("2 millions d'euros", 200_000_000),
        ("2 millions d’euros", 200_000_000),
        ("15 milliards", 1_500_000_000_000),
        ("12 EUR", 1_200),
        ("-3 €", -300),
        ("\u22123 €", -300),
        ("1e6", 100_000_000),
        ("€1,234.50", 123_450),
        ("€2.5m", 250_000_000),
        ("1,234,567.89", 123_456_789),
        (12.5, 1_250),
        (0.1 + 0.2, 30),
        (1.1 * 3, 330),
        (-0.0, 0),
        ("-0", 0),
        (7, 700),
        (np.int64(7), 700),
        (np.float64(0.29), 29),
        (Decimal("0.07"), 7),
        (Fraction(1, 4), 25),
        (12345678901234.56, 1_234_567_890_123_456),
    ],
)
def test_amounts_as_people_write_them(written_so: object, cents: int) -> None:
    assert parse_cents(written_so) == cents


@pytest.mark.parametrize(
    "not_an_amount",
    [
        "",
        " ",
        "abc",
        "12 34",
        "1.234,56",
        "1,234",
        "0.001",
        "2 m€",
        "5 €€",
        "--3",
        "€",
        "nan",
        "inf",
        "1e99",
        "1_000",
        "1.00000000000000000000000000000000001",
        "9" * 40,
        "٣",
        True,
        np.True_,
        None,
        pd.NA,
        math.nan,
        math.inf,
        -math.inf,
        0.025,
        10**40,
        10**18,
        46_116_860_184_273_880,
        Decimal("NaN"),
        Fraction(1, 3),
        [1],
        {},
        b"3",
    ],
)
def test_what_is_not_an_amount_says_so_in_both_languages(not_an_amount: object) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is looked at below
        parse_cents(not_an_amount)
    said = caught.value.args[0]
    assert isinstance(said, Text)
    assert said.fr
    assert said.en


@given(CENTS)
def test_printed_amounts_read_back(cents: int) -> None:
    assert parse_cents(format_euros(cents)) == cents
    assert parse_cents(format_euros(cents, "en")) == cents
    assert parse_cents(euros(cents)) == cents


@given(st.integers(-(10**14), 10**14))
def test_floats_of_whole_cents_are_those_cents(cents: int) -> None:
    assert parse_cents(cents / 100) == cents


@pytest.mark.parametrize(
    ("cents", "fr", "en"),
    [
        (1_500_000_000_000, "15 Md€", "€15bn"),
        (250_000_000, "2,5 M€", "€2.5m"),
        (78_000_000, "780 k€", "€780k"),
        (99_999_999, "1 M€", "€1m"),
        (123_456_789, "1,23 M€", "€1.23m"),
        (1_250, "12,5 €", "€12.5"),
        (-250_000_000, "-2,5 M€", "-€2.5m"),
        (123_456_789_012_345_678, "1 234 568 Md€", "€1,234,568bn"),
        (0, "0 €", "€0"),
    ],
)
def test_compact_amounts(cents: int, fr: str, en: str) -> None:
    assert format_euros(cents, "fr", compact=True).replace("\u202f", " ").replace("\u00a0", " ") == fr
    assert format_euros(cents, "en", compact=True) == en


def test_french_spaces_do_not_break() -> None:
    assert format_euros(123_456_789) == "1\u202f234\u202f567,89\u00a0€"


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        (0.52, Fraction(13, 25)),
        ("52 %", Fraction(13, 25)),
        ("52,5%", Fraction(21, 40)),
        ("1/3", Fraction(1, 3)),
        (1, Fraction(1)),
        (0.1, Fraction(1, 10)),
        (Fraction(2, 7), Fraction(2, 7)),
    ],
)
def test_fractions_as_written(value: object, exact: Fraction) -> None:
    assert fraction(value) == exact


@given(st.fractions())
def test_written_fractions_read_back(value: Fraction) -> None:
    if abs(value.numerator) < 10**18 and value.denominator < 10**18:
        assert fraction(written(value)) == value


class _Fields(BaseModel):
    amount: Euros = 0
    rate: Rate = Fraction(0)
    weight: Exact = Fraction(0)


def test_fields_store_exactly_and_write_back() -> None:
    made = _Fields.model_validate({"amount": "1 234,5 €", "rate": "52 %", "weight": "-1/3"})
    assert (made.amount, made.rate, made.weight) == (123_450, Fraction(13, 25), Fraction(-1, 3))
    assert made.model_dump() == {"amount": 1234.5, "rate": 0.52, "weight": "-1/3"}
    assert _Fields.model_validate_json(made.model_dump_json()) == made
    assert _Fields.model_json_schema()["properties"]["amount"]["description"] == "euros"


@pytest.mark.parametrize("bad", [{"rate": 1.2}, {"rate": -0.1}, {"rate": True}, {"amount": True}, {"weight": "x"}])
def test_fields_refuse(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _Fields.model_validate(bad)


# Columns


@given(st.lists(st.integers(-(10**14), 10**14), max_size=20))
def test_columns_of_euros_are_exact_whatever_their_type(cents: list[int]) -> None:
    for series in (
        pd.Series([c / 100 for c in cents], dtype=float),
        pd.Series([format_euros(c) for c in cents], dtype="str"),
        pd.Series([Decimal(c) / 100 for c in cents], dtype=object),
    ):
        found, problems = cents_column(series)
        assert found.dtype == np.int64
        assert found.tolist() == cents
        assert problems == []


def test_columns_name_every_bad_row() -> None:
    found, problems = cents_column(pd.Series([1, "x", None, True, 0.001, "2 k€", 1.0], dtype=object))
    assert found.tolist() == [100, 0, 0, 0, 0, 200_000, 100]
    assert [row for row, _ in problems] == [1, 2, 3, 4]
    assert cents_column(pd.Series([1.5, math.nan, math.inf]))[1][0][0] == 1
    assert len(cents_column(pd.Series([True, False]))[1]) == 2
    assert cents_column(pd.Series([1, None], dtype="Int64"))[0].tolist() == [100, 0]
    assert len(cents_column(pd.Series([2**62]))[1]) == 1


@given(st.lists(st.tuples(st.integers(-(10**13), 10**13), st.integers(0, 12)), min_size=1, max_size=15))
def test_decimals_are_exact_as_written(pairs: list[tuple[int, int]]) -> None:
    exact = [Fraction(n, 10**k) for n, k in pairs]
    for series in (
        pd.Series([float(value) for value in exact]),
        pd.Series([str(Decimal(n).scaleb(-k)) for n, k in pairs], dtype="str"),
    ):
        numerators, scale, problems = decimals_column(series)
        assert problems == []
        assert [Fraction(int(n), scale) for n in numerators] == exact
        assert scale == 1 or any(int(n) % 10 for n in numerators)  # no smaller scale would do


def test_decimals_that_do_not_fit_64_bits_become_python_integers() -> None:
    numerators, scale, problems = decimals_column(pd.Series([1e12, 0.000000000001]))
    assert (numerators.dtype, scale, problems) == (object, 10**12, [])
    assert numerators.tolist() == [10**24, 1]


def test_long_decimals_are_cut_at_the_twelfth_unless_that_matters() -> None:
    numerators, scale, problems = decimals_column(pd.Series([1 / 3, 0.1 + 0.2, 1e-15]))
    assert (numerators.tolist(), scale) == ([333333333333, 300000000000, 0], 10**12)
    assert [row for row, _ in problems] == [2]
    assert decimals_column(pd.Series([], dtype=float))[1:] == (1, [])
