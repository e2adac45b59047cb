"""Parts of the page: sections with figures and panels. A panel has a table, and where it helps a chart of the table."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. Numbers stand at its right edge."""

    label: str
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts. The first cell of a row is its heading; `empty` says in words that there are no rows."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    empty: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that is seen at once, with its unit or meaning below."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A titled table, with its chart and a note about its numbers."""

    title: str
    table: Table
    chart: Markup | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence at the head of a section. The level says whether a person has to act: ok, warning or fault."""

    level: str
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page under a heading, which links name by its key."""

    key: str
    title: str
    lead: str
    messages: Sequence[Message] = field(default_factory=tuple)
    figures: Sequence[Figure] = field(default_factory=tuple)
    panels: Sequence[Panel] = field(default_factory=tuple)


def text_column(label: str) -> Column:
    """Return a column of texts, which stand at its left edge."""
    return Column(label, is_number=False)
