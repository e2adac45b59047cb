"""Units of numbers on dashboards: how a column becomes the number that is shown, and how it is written."""

from enum import StrEnum
from typing import Final


class Unit(StrEnum):
    """Unit of a number, as a spec names it."""

    COUNT = "count"
    MONEY = "money"
    PERCENT = "percent"
    SECONDS = "seconds"
    DAYS = "days"
    NUMBER = "number"
    TIMES = "times"
    DATE = "date"


# What a column is divided by: marts hold cents and per cent, Superset's formats want the currency and fractions.
DIVISORS: Final = {Unit.MONEY: 100, Unit.PERCENT: 100}
# In the notation of D3, which Superset writes numbers with.
FORMATS: Final = {
    Unit.COUNT: ",d",
    Unit.MONEY: ",.2f",
    Unit.PERCENT: ",.2%",
    Unit.SECONDS: ",.1f",
    Unit.DAYS: ",.1f",
    Unit.NUMBER: ",.1f",
    Unit.TIMES: ",.2f",
}
# Words behind a number, or in a table behind the heading, for units without a sign of their own.
SUFFIXES: Final = {Unit.SECONDS: "seconds", Unit.DAYS: "days", Unit.TIMES: "times"}


def written(unit: Unit, value: float, currency: str = "") -> str:
    """Return a number as a dashboard writes it."""
    if unit is Unit.COUNT:
        return f"{value:,.0f}"
    if unit is Unit.PERCENT:
        return f"{value * 100:,.2f}%"
    if unit is Unit.MONEY:
        return f"{currency} {value:,.2f}".strip()
    return f"{value:,.2f}" if unit is Unit.TIMES else f"{value:,.1f}"
