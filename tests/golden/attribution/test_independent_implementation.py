"""Our models beside the package marketing-attribution-models, on the same journeys: README.md says how they match."""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

from attribution.fitting import fit_week
from attribution.journeys import Journey
from attribution.markov import removal_effects
from attribution.shapley import shapley_values
from tests.support.pipeline import Pipeline
from warehouse.window import Window

HERE = Path(__file__).parent
MODELS = ("first_touch", "last_touch", "last_non_direct", "linear", "position_based", "time_decay", "markov")
CLOSE = 1e-9

MONDAY = date(2026, 10, 5)
FITTED_ON = MONDAY - timedelta(days=1)
CREDITED = Window.day(MONDAY + timedelta(days=2))


class Recorded(NamedTuple):
    """A journey of journeys.csv; `hours` of each touch before its end."""

    number: int
    journey: Journey
    cents: int
    hours: tuple[int, ...]


def read(name: str) -> list[dict[str, str]]:
    with (HERE / name).open() as file:
        return list(csv.DictReader(file))


@cache
def recorded() -> list[Recorded]:
    return [
        Recorded(
            int(row["journey"]),
            Journey(tuple(row["channels"].split(" > ")), row["is_conversion"] == "1"),
            int(row["cents"]),
            tuple(map(int, row["hours"].split())),
        )
        for row in read("journeys.csv")
    ]


def by_channel(column: str) -> dict[str, float]:
    return {row["channel"]: float(row[column]) for row in read("channels.csv")}


def weights(path: Sequence[str], values: Mapping[str, float]) -> dict[str, float]:
    """Return the shares of a path's channels by their values, as the credits do."""
    total = sum(values[channel] for channel in path)
    given: dict[str, float] = defaultdict(float)
    for channel in path:
        given[channel] += values[channel] / total
    return given


@pytest.mark.parametrize("column", ["removal_effect", "removal_effect_with_same_state"])
def test_removal_effects_are_the_packages(column: str) -> None:
    effects = removal_effects(one.journey for one in recorded())
    assert effects == pytest.approx(by_channel(column), rel=0, abs=CLOSE)


def test_a_path_is_divided_by_removal_effects_as_the_package_does() -> None:
    effects = removal_effects(one.journey for one in recorded())
    paths = {one.number: one.journey.channels for one in recorded() if one.journey.is_conversion}
    given = {number: weights(path, effects) for number, path in paths.items()}
    expected = read("weights.csv")
    assert len(expected) == sum(map(len, given.values())) > 2_000
    for row in expected:
        assert given[int(row["journey"])][row["channel"]] == pytest.approx(float(row["markov"]), rel=0, abs=CLOSE), row


def test_shapley_values_are_the_packages() -> None:
    journeys = [one.journey for one in recorded()]
    converting = {frozenset(journey.channels) for journey in journeys if journey.is_conversion}
    compared = [journey for journey in journeys if frozenset(journey.channels) in converting]
    assert len(compared) < len(journeys)
    values = shapley_values(compared).values
    conversions = {channel: value * len(compared) for channel, value in values.items()}
    assert conversions == pytest.approx(by_channel("shapley"), rel=CLOSE)


def test_the_credits_of_a_day_are_the_packages(pipeline: Pipeline) -> None:
    """The converting journeys happen twice: on the day before the week, on which it is fitted with those that do not
    convert, and in the week."""
    window = ["--event-time-start", str(CREDITED.start), "--event-time-end", str(CREDITED.end)]
    tables = ["--resource-type", "seed", "--resource-type", "model", "--select", "+int_conversion_paths"]
    pipeline.dbt(["build", "--empty", *window, *tables])
    _record(pipeline)
    fit = fit_week(pipeline.connection, MONDAY, build_id="", model_version="")
    pipeline.dbt(["run", *window, "--select", "attribution_credits"])

    converting = [one for one in recorded() if one.journey.is_conversion]
    assert (fit.journeys, fit.converting_journeys) == (len(recorded()), len(converting))
    given = {
        (conversion.int % 10_000, channel, model): float(weight)
        for conversion, channel, model, weight in pipeline.rows(
            "select conversion_id, channel, model, sum(weight) from build.attribution_credits group by 1, 2, 3"
        )
    }
    expected = {
        (int(row["journey"]), row["channel"], model): float(row[model])
        for row in read("weights.csv")
        for model in MODELS
    }
    # A touch that gets nothing has no credit.
    off = {key: abs(given.get(key, 0) - weight) for key, weight in expected.items()}
    assert max(off.values()) < CLOSE, max(off.items(), key=lambda item: item[1])
    for model in MODELS:
        totals: dict[str, float] = defaultdict(float)
        for (_, channel, of_model), weight in given.items():
            if of_model == model:
                totals[channel] += weight
        assert totals == pytest.approx(by_channel(model), rel=CLOSE), model


def _record(pipeline: Pipeline) -> None:
    """Write the journeys into the tables that fits and credits read."""
    paths, sessions = [], []
    for number, (channels, is_conversion, _), cents, hours in recorded():
        ends = [datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in (FITTED_ON, CREDITED.start)]
        for occurrence, ended_at in enumerate(ends if is_conversion else ends[:1], start=1):
            for touch_number, (channel, before) in enumerate(zip(channels, hours, strict=True), start=1):
                touched_at = ended_at - timedelta(hours=before)
                session_id = UUID(int=(occurrence * 10_000 + number) * 100 + touch_number)
                if is_conversion:
                    paths.append((UUID(int=occurrence * 10_000 + number), ended_at.date(), ended_at, cents, session_id,
                                  touched_at, channel, touch_number, len(channels)))  # fmt: skip
                else:
                    visitor = f"anonymous:{number}"
                    sessions.append((session_id, touched_at.date(), visitor, visitor, touched_at, channel))
    with pipeline.connection.cursor() as cursor:
        cursor.executemany(
            "insert into intermediate.int_conversion_paths (conversion_id, conversion_date, converted_at, value_cents,"
            " session_id, touched_at, channel, touch_number, touches) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            paths,
        )
        cursor.executemany(
            "insert into intermediate.int_sessions (session_id, session_date, visitor_id, identity_id,"
            " session_started_at, channel) values (%s, %s, %s, %s, %s, %s)",
            sessions,
        )
