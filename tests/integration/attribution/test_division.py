"""Division of conversions among touches, against the rules in exact fractions: random paths, also long ones, and
values up to what a bigint holds.
"""

import math
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import psycopg
import pytest

from attribution import schema
from quality_checks.attribution import MODELS
from tests.support.dbt_here import run_dbt
from warehouse.connection import Warehouse

pytestmark = pytest.mark.models

DAY = date(2026, 10, 1)
WINDOW = ["--event-time-start", "2026-10-01", "--event-time-end", "2026-10-02"]
CHANNELS = ("Direct", "Email", "Paid Search", "Referral")
# Of the week; no fit knows Referral, and shapley has found Email to be worth nothing.
VALUES = {
    "markov": {"Direct": Fraction("0.1"), "Email": Fraction("0.333333333333"), "Paid Search": Fraction("0.5")},
    "shapley": {"Direct": Fraction("0.000000000001"), "Email": Fraction(0)},
}
UNITS = 10**12
Touch = tuple[datetime, UUID, str]


def random_path(chance: random.Random, touches: int) -> list[Touch]:
    """Return touches in order, a third of them at the time of another, all at whole half-lives before the last."""
    times = [datetime(2026, 9, 30, 12, tzinfo=UTC) - timedelta(days=7 * chance.randrange(4)) for _ in range(touches)]
    return sorted((at, UUID(int=chance.getrandbits(128)), chance.choice(CHANNELS)) for at in times)


def shares(model: str, path: Sequence[Touch]) -> list[Fraction]:
    """Return the share of each touch by the rule of the model, before it is brought to a sum of 1."""
    last = len(path) - 1
    channels = [channel for _, _, channel in path]
    match model:
        case "first_touch":
            return [Fraction(place == 0) for place in range(len(path))]
        case "last_touch":
            return [Fraction(place == last) for place in range(len(path))]
        case "last_non_direct":
            chosen = max((place for place, channel in enumerate(channels) if channel != "Direct"), default=last)
            return [Fraction(place == chosen) for place in range(len(path))]
        case "position_based" if len(path) > 2:
            return [
                Fraction(2, 5) if place in (0, last) else Fraction(1, 5) / (len(path) - 2) for place in range(len(path))
            ]
        case "time_decay":
            return [Fraction(1, 2 ** ((path[-1][0] - at).days // 7)) for at, _, _ in path]
        case "markov" | "shapley" if any(VALUES[model].get(channel) for channel in channels):
            return [VALUES[model].get(channel, Fraction(0)) for channel in channels]
    return [Fraction(1)] * len(path)


def in_whole_parts(exact: Sequence[Fraction], total: int) -> list[int]:
    """Cut to whole numbers that add up to the total: what is left goes to the largest fractions, of equal ones to the
    first."""
    parts = [math.floor(part) for part in exact]
    by_loss = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in by_loss[: total - sum(parts)]:
        parts[place] += 1
    return parts


def expected_credits(path: Sequence[Touch], cents: int) -> set[tuple[Any, ...]]:
    """Model, place from 1, units of weight, cents, of the touches that get something."""
    rows = set()
    for model in MODELS:
        raw = shares(model, path)
        weights = in_whole_parts([share / sum(raw) * UNITS for share in raw], UNITS)
        credited = in_whole_parts([Fraction(weight, UNITS) * cents for weight in weights], cents)
        rows |= {
            (model, place, weight, part)
            for place, (weight, part) in enumerate(zip(weights, credited, strict=True), 1)
            if weight
        }
    return rows


def test_conversions_are_divided_as_exact_fractions_say(warehouse: Warehouse, connection: psycopg.Connection) -> None:
    chance = random.Random(1)  # noqa: S311
    schema.create(connection)
    for model, of_channels in VALUES.items():
        for channel, value in of_channels.items():
            connection.execute(
                "insert into intermediate.attribution_channel_values values ('2026-09-28', %s, %s, %s)",
                [model, channel, f"{float(value):.12f}"],
            )
    lengths = [*range(1, 25), 60, 61, 333]
    conversions = {
        UUID(int=number): (random_path(chance, touches), chance.choice([0, 1, 99, 100_000, 2**63 - 1]))
        for number, touches in enumerate(lengths, 1)
    }
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into intermediate.int_conversion_paths (conversion_id, conversion_date, converted_at, value_cents,"
            " touches, touch_number, touched_at, session_id, channel, source, medium, campaign)"
            " values (%s, %s, '2026-10-01 12:00Z', %s, %s, %s, %s, %s, %s, 's', 'm', 'c')",
            [
                (conversion, DAY, cents, len(path), place, *touch)
                for conversion, (path, cents) in conversions.items()
                for place, touch in enumerate(path, 1)
            ],
        )
    connection.commit()

    run_dbt(warehouse, ["run", *WINDOW, "--select", "attribution_credits"])

    for conversion, (path, cents) in conversions.items():
        found = connection.execute(
            "select model, touch_number, (weight * 1000000000000)::bigint, credited_cents"
            " from build.attribution_credits where conversion_id = %s",
            [conversion],
        ).fetchall()
        assert set(found) == expected_credits(path, cents), f"{len(path)} touches"
        assert len(found) == len(set(found))
