"""Parser of the rows of ad spend files: columns, values and their limits.

The first line names the columns, in any order, in snake_case or camelCase. `date` and `cost_cents` are required, and
`channel` or any of `utm_source`, `utm_medium`, `utm_campaign`. `impressions` and `clicks` are optional. A row that
breaks a rule is rejected alone; a file with wrong columns is not loaded at all.
"""

import csv
import datetime
import io
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from ingestion.contract import MAX_CENTS, MAX_UTM_LENGTH
from ingestion.redaction import redact_text
from ingestion.utm_normalization import Redact, normalized_name, normalized_source

# Channel names of GA4's default channel group.
CHANNELS: Final = (
    "Direct", "Cross-network", "Paid Shopping", "Paid Search", "Paid Social", "Paid Video", "Display", "Paid Other",
    "AI Assistant", "Organic Shopping", "Organic Social", "Organic Video", "Organic Search", "Referral", "Email",
    "Affiliates", "Audio", "SMS", "Mobile Push", "Unassigned",
)  # fmt: skip
# Web advertising began later than 1990, and a year after 2100 is a typing error.
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
_MAX_KEPT: Final = 4_096

_CHANNEL_NAMES: Final = {normalized_name(name): name for name in CHANNELS}
_CAMEL_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class UnusableFile(Exception):
    """A file that cannot be loaded. The message says where, what is wrong, and what to do."""


def _channel(text: str) -> str | None:
    return None if not text else _CHANNEL_NAMES[normalized_name(text)]


def _text(text: str) -> str | None:
    # The limits of the UTM fields of visits, which models join with these texts.
    if len(text) > MAX_UTM_LENGTH or "\0" in text:
        raise ValueError
    return text or None


def _count(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > MAX_CENTS:
        raise ValueError
    return int(text)


def _day(text: str) -> datetime.date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError
    day = datetime.date.fromisoformat(text)
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError
    return day


def _read_by(read: Callable[[str], Any]) -> BeforeValidator:
    """Return a validator that parses a text strictly: pydantic itself would accept 12.0 and 1_000."""

    def validate(text: str) -> Any:
        try:
            return read(text.strip())
        except (ValueError, KeyError):
            raise ValueError("unreadable") from None

    return BeforeValidator(validate)


_Text = Annotated[str | None, _read_by(_text), Field(description=f"a text of at most {MAX_UTM_LENGTH} characters")]
_Count = Annotated[
    int | None,
    _read_by(_count),
    Field(description=f"a whole number from 0 to {MAX_CENTS}, in digits only; leave it empty if unknown"),
]


class AdSpendRow(BaseModel):
    """Spend on one day on a channel or a campaign, in cents. A description completes "<column>: not ..."."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: Annotated[datetime.date, _read_by(_day), Field(description="a day such as 2026-10-31")]
    channel: Annotated[str | None, _read_by(_channel), Field(description=f"one of {', '.join(CHANNELS)}")] = None
    utm_source: _Text = None
    utm_medium: _Text = None
    utm_campaign: _Text = None
    cost_cents: Annotated[
        int,
        _read_by(_count),
        Field(description=f"a whole number of cents from 0 to {MAX_CENTS}, in digits only; write 12.50 as 1250"),
    ]
    impressions: _Count = None
    clicks: _Count = None

    @model_validator(mode="after")
    def _names_something(self) -> "AdSpendRow":
        names = (
            normalized_source(self.utm_source),
            normalized_name(self.utm_medium),
            normalized_name(self.utm_campaign),
        )
        if self.channel is None and not any(names):
            raise PydanticCustomError("unnamed", "row: names neither a channel nor a utm_source, medium or campaign")
        return self


COLUMNS: Final = tuple(AdSpendRow.model_fields)
_NAMES: Final = ("channel", "utm_source", "utm_medium", "utm_campaign")


class RejectedRow(NamedTuple):
    """An invalid row: its line number, its redacted text, and every reason."""

    line_number: int
    line: str
    reasons: tuple[str, ...]


def read_rows(name: str, text: str, redact: Redact = redact_text) -> Iterator[tuple[int, AdSpendRow] | RejectedRow]:
    """Yield the rows of a file with the number of their first line, from 1. Blank lines are not rows.

    The text of a rejected row is redacted by `redact`, by default by the rules of the seeds. Raises UnusableFile.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns = None
    line_number = 1
    try:
        for fields in reader:
            if columns is None:
                columns = _columns(name, fields)
            elif any(field.strip() for field in fields):
                yield _row(line_number, columns, fields, redact)
            line_number = reader.line_num + 1
    except csv.Error as error:
        raise UnusableFile(
            f"{name}, line {line_number}: not CSV ({error}); close its quotes and save it again"
        ) from error
    if columns is None:
        raise UnusableFile(f"{name}: empty; its first line has to name the columns")


def _columns(name: str, header: list[str]) -> list[str]:
    columns = [_CAMEL_HUMP.sub("_", column.strip()).lower() for column in header]
    expected = f"name the columns {', '.join(COLUMNS)} in line 1, separated by commas"
    if not set(columns) & set(COLUMNS):
        raise UnusableFile(f"{name}, line 1: no header; {expected}")
    if unknown := [column for column in columns if column not in COLUMNS]:
        raise UnusableFile(f"{name}, line 1: unknown columns {', '.join(map(repr, unknown))[:200]}; {expected}")
    if len(set(columns)) < len(columns):
        raise UnusableFile(f"{name}, line 1: a column is named twice; {expected}")
    if missing := [column for column in ("date", "cost_cents") if column not in columns]:
        raise UnusableFile(f"{name}, line 1: no column {' and no column '.join(missing)}; {expected}")
    if not set(columns) & set(_NAMES):
        raise UnusableFile(f"{name}, line 1: no column of {', '.join(_NAMES)}; {expected}")
    return columns


def _row(
    line_number: int, columns: list[str], fields: list[str], redact: Redact
) -> tuple[int, AdSpendRow] | RejectedRow:
    if len(fields) != len(columns):
        reasons = [f"row: {len(fields)} fields where the header names {len(columns)}; quote a text that has a comma"]
    else:
        try:
            return line_number, AdSpendRow.model_validate(dict(zip(columns, fields, strict=True)))
        except ValidationError as error:
            reasons = [_reason(problem["loc"], problem["msg"]) for problem in error.errors(include_url=False)]
    return RejectedRow(line_number, _kept(fields, redact), tuple(reasons))


def _reason(location: tuple[int | str, ...], message: str) -> str:
    if not location:
        return message
    column = str(location[0])
    return f"{column}: not {AdSpendRow.model_fields[column].description}"


def _kept(fields: list[str], redact: Redact) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return redact(line.getvalue().replace("\0", ""))[:_MAX_KEPT]
