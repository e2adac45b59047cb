"""Specs of dashboards: their fields, and how a file becomes a checked spec."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dashboards.units import DIVISORS, Unit

FOLDER: Final = Path(__file__).parent / "specs"
GRID_COLUMNS: Final = 12
# The column by which a chart of a daily mart follows the filter of the period.
PERIOD: Final = "period"


class SpecError(Exception):
    """A spec cannot be used. The message names the spec, the chart and what is wrong."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(StrEnum):
    """Kind of a chart."""

    NUMBER = "number"
    LINE = "line"
    BAR = "bar"
    TABLE = "table"
    HEATMAP = "heatmap"


class Value(_Strict):
    """Number of a chart: one aggregate over columns of its mart, with title and unit."""

    title: str = ""
    unit: Unit = Unit.COUNT
    sum: str | None = None
    max: str | None = None
    count: str | None = Field(None, description="the number of its distinct values")
    ratio: tuple[str, str] | None = Field(None, description="the sum of one column divided by that of another")

    @model_validator(mode="after")
    def _has_one_aggregate(self) -> "Value":
        if sum(part is not None for part in (self.sum, self.max, self.count, self.ratio)) != 1:
            raise ValueError("give one of sum, max, count and ratio")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the mart that it reads."""
        return self.ratio or tuple(column for column in (self.sum, self.max, self.count) if column)

    @property
    def sql(self) -> str:
        """The aggregate in SQL, in the unit that is shown. A sum of nothing is null, which shows as no data."""
        if self.ratio:
            over, under = self.ratio
            divisor = f"nullif(sum({under}), 0)"
            # Cents by cents are a plain ratio; cents by anything else are money.
            scale = f" / {DIVISORS[self.unit]}" if self.unit is Unit.MONEY else ""
            return f"sum({over})::numeric / {divisor}{scale}"
        if self.count:
            return f"count(distinct {self.count})"
        aggregate = f"sum({self.sum})" if self.sum else f"max({self.max})"
        return f"{aggregate} / {DIVISORS[self.unit]}.0" if self.unit in DIVISORS else aggregate


class Chart(_Strict):
    """Chart of a dashboard."""

    title: str
    kind: Kind
    mart: str
    values: tuple[Value, ...] = ()
    note: str = Field("", description="a line below a headline number, or the explanation of another chart")
    x: str | None = None
    by: str | None = None
    columns: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = Field(default_factory=dict, description="the values that a column may have")
    order: str | None = Field(None, description="a column or value to sort by; with a minus sign, the largest first")
    limit: int = Field(1000, ge=1, le=10_000)
    stacked: bool = False
    horizontal: bool = False
    grain: Literal["day", "week", "month"] | None = None
    may_be_empty: bool = Field(False, description="no row is good news")
    width: int | None = Field(None, ge=1, le=GRID_COLUMNS)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        """Let `value` stand for a single value, which has the title of the chart unless it has one of its own."""
        if not isinstance(data, Mapping) or "value" not in data:
            return data
        rest = {key: content for key, content in data.items() if key != "value"}
        if "values" in rest or not isinstance(data["value"], Mapping):
            raise ValueError("give one value, or a list of values")
        return {**rest, "values": [{"title": data.get("title", ""), **data["value"]}]}

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "Chart":
        if not all(value.title for value in self.values):
            raise ValueError("every value of a list needs a title")
        needs = {Kind.LINE: bool(self.x), Kind.BAR: bool(self.x), Kind.TABLE: bool(self.columns)}
        if not needs.get(self.kind, True):
            raise ValueError(f"a {self.kind} needs {'columns' if self.kind is Kind.TABLE else 'x'}")
        if self.kind is not Kind.TABLE and not self.values:
            raise ValueError("give a value, or a list of values")
        if self.kind is Kind.HEATMAP and not (self.x and self.by):
            raise ValueError("a heatmap needs x and by")
        if self.kind in (Kind.NUMBER, Kind.HEATMAP) and len(self.values) != 1:
            raise ValueError(f"a {self.kind} has one value")
        if self.order and self.order.removeprefix("-") not in {*self.dimensions, *(v.title for v in self.values)}:
            raise ValueError(f"order names {self.order.removeprefix('-')}, which the chart does not show")
        return self

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The columns that the numbers are grouped by, in the order in which they are shown."""
        return tuple(column for column in (self.x, self.by, *self.columns) if column)


class Name(_Strict):
    """Column made for filters and tables: the name of a thing, with its id, since names are not unique."""

    name: str
    id: str
    mart: str | None = Field(None, description="the mart that has the name; without, the dataset's own")
    key: tuple[str, ...] = Field((), description="the columns that both have")
    otherwise: str | None = Field(None, description="a text for rows without an id")


class Entries(_Strict):
    """Rows for the entries of a jsonb column: a text and a number for each."""

    of: str
    key: str
    value: str


class Source(_Strict):
    """Additions to a mart: the period of its days, names of the things in it, the entries of a jsonb column."""

    mart: str | None = Field(None, description="the mart, where the source has a name of its own")
    each_period: bool = Field(False, description="repeat each day for every period that has it")
    later_days: bool = Field(False, description="count days after the last published one to every period")
    entries: Entries | None = None
    names: Mapping[str, Name] = Field(default_factory=dict)


class Filter(_Strict):
    """Filter of a dashboard. Every chart has its column, but for those that it leaves out by name."""

    title: str
    column: str
    mart: str = Field(description="the mart that its choices come from")
    default: str | None = Field(None, description="the choice at first, or `first` for the first one")
    several: bool = False
    without: tuple[str, ...] = ()

    @property
    def starts_with_first(self) -> bool:
        """True if the first choice is taken when the dashboard opens."""
        return self.default == "first"


class Dashboard(_Strict):
    """Spec of a dashboard."""

    name: str = Field(pattern=r"^[a-z][a-z_]*$")
    title: str
    exposure: str
    about: str
    audience: Literal["creator", "brand"] | None = Field(None, description="who sees it beside the team")
    sources: Mapping[str, Source] = Field(default_factory=dict)
    filters: tuple[Filter, ...]
    rows: tuple[tuple[Chart, ...], ...]

    @property
    def charts(self) -> Iterator[Chart]:
        """All charts, row by row."""
        return (chart for row in self.rows for chart in row)

    @property
    def marts(self) -> list[str]:
        """The marts that charts and filters read, by name."""
        read = set()
        for name in self.datasets:
            source = self.source(name)
            read |= {self.mart_of(name), *(one.mart for one in source.names.values() if one.mart)}
            read |= {"periods"} if source.each_period else set()
        return sorted(read)

    @property
    def datasets(self) -> list[str]:
        """The names that charts and filters have for what they read: marts, and sources with names of their own."""
        return sorted({chart.mart for chart in self.charts} | {one.mart for one in self.filters})

    def source(self, name: str) -> Source:
        """Return what is added to a mart."""
        return self.sources.get(name, Source())

    def mart_of(self, name: str) -> str:
        """Return the mart that a dataset reads."""
        return self.source(name).mart or name


def read(path: Path) -> Dashboard:
    """Return the spec of a file. Raises SpecError."""
    try:
        return Dashboard.model_validate(yaml.safe_load(path.read_text()))
    except yaml.YAMLError as error:
        raise SpecError(f"{path.name} is no YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        raise SpecError(f"{path.name}: {'; '.join(_problems(error))}") from None


def _problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"])
        given = problem.get("input")
        chart = f" (chart {given['title']})" if isinstance(given, Mapping) and "title" in given else ""
        yield f"{place or 'the spec'}{chart}: {problem['msg'].removeprefix('Value error, ')}"
