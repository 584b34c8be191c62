"""What every explanation is: a short answer, details, and the facts behind both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from allocator.money import NARROW, format_euros
from allocator.texts import Text


class Explanation(ABC):
    """A question answered: one sentence first, then details, one sentence each."""

    about: ClassVar[str]

    @property
    @abstractmethod
    def answer(self) -> Text:
        """The short answer, a sentence."""

    @property
    def details(self) -> list[Text]:
        """What stands behind the answer, the most telling first."""
        return []

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """The figures behind the sentences, plain enough for JSON: cents as whole numbers."""

    def text(self, lang: str | None = None, *, details: bool = True) -> str:
        """The answer and, line by line, its details, in `lang` ("fr", "en"; by default the current language)."""
        lines = [self.answer.in_(lang)]
        if details:
            lines += ["  " + line.in_(lang).replace("\n", "\n  ") for line in self.details]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The JSON of ``allocator explain --json``: about, answer, details (current language), then the facts."""
        return {
            "about": self.about,
            "answer": str(self.answer),
            "details": [str(line) for line in self.details],
            **self.facts(),
        }

    def __str__(self) -> str:
        return self.text()


def number(value: float) -> Text:
    """A number to be read aloud: 1 240 and 1,240; 12,4 and 12.4; 0,0312 and 0.0312."""
    size = abs(value)
    if size >= 1000:
        plain = f"{value:,.0f}"
    elif size >= 0.1:
        plain = f"{value:.{1 if size >= 100 else 2}f}".rstrip("0").rstrip(".")
    else:
        plain = f"{value:.3g}"
    plain = plain.replace("-", "−")
    return Text(plain.replace(".", ";").replace(",", NARROW).replace(";", ","), plain)


def shown(value: float) -> float:
    """A number as `number` tells it, its rounding included."""
    return float(number(value).en.replace(",", "").replace("−", "-"))


def exactly(value: float) -> Text:
    """A number that was tried, as it was tried: to six decimals, none of them rounded away."""
    plain = f"{value:,.6f}".rstrip("0").rstrip(".").replace("-", "−")
    return Text(plain.replace(".", ";").replace(",", NARROW).replace(";", ","), plain)


def money(cents: int) -> Text:
    """Euros to the cent."""
    return Text(format_euros(cents, "fr"), format_euros(cents, "en"))


def plainly(values: dict[str, float]) -> dict[str, float | None]:
    """For JSON: a number that does not exist is None."""
    return {key: value if abs(value) != float("inf") else None for key, value in values.items()}
