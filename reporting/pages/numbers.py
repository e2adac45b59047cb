"""Numbers, days and moments as a person reads them. A number that is absent is a dash."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

ABSENT: Final = "–"  # noqa: RUF001
_CENT: Final = Decimal("0.01")


def text(value: str | None) -> str:
    """Return a text."""
    return value or ABSENT


def count(number: Decimal | int | None) -> str:
    """Return a whole number with its thousands apart."""
    return ABSENT if number is None else f"{number:,.0f}"


def amount(cents: Decimal | int | None) -> str:
    """Return cents as an amount of the currency."""
    if cents is None:
        return ABSENT
    return f"{(Decimal(cents) / 100).quantize(_CENT, ROUND_HALF_UP):,}"


def whole_amount(cents: float) -> str:
    """Return cents as an amount without cents, as charts show it."""
    return f"{(Decimal(cents) / 100).quantize(Decimal(1), ROUND_HALF_UP):,}"


def decimal(number: Decimal | None) -> str:
    """Return a number with two decimals."""
    return ABSENT if number is None else f"{number.quantize(_CENT, ROUND_HALF_UP):,}"


def percent(rate: Decimal | None) -> str:
    """Return a percentage with two decimals."""
    return ABSENT if rate is None else f"{decimal(rate)} %"


def growth(rate: Decimal | None) -> str:
    """Return a percentage with its sign."""
    return f"+{percent(rate)}" if rate is not None and rate > 0 else percent(rate)


def share(part: int, whole: int) -> Decimal | None:
    """Return a part of a whole as a percentage, None of nothing."""
    return Decimal(100) * part / whole if whole else None


def long_day(day: date) -> str:
    """Return a day with its weekday: Saturday, 28 November 2026."""
    return f"{day:%A}, {day.day} {day:%B %Y}"


def short_day(day: date) -> str:
    """Return a day as tables show it: Sat 2026-11-28."""
    return f"{day:%a %Y-%m-%d}"


def axis_day(day: date) -> str:
    """Return a day as the axis of a chart shows it: 28 Nov."""
    return f"{day.day} {day:%b}"


def moment(at: datetime) -> str:
    """Return a moment of UTC to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def some(names: Iterable[str], at_most: int = 5) -> str:
    """Return names as a list in words, shortened."""
    every = list(names)
    more = f" and {len(every) - at_most} more" if len(every) > at_most else ""
    return ", ".join(every[:at_most]) + more
