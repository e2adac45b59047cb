"""Shapley values, beside games that are solved on paper and by trying every order."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations
from random import Random

import pytest
from hypothesis import given

from attribution import shapley
from attribution.journeys import Journey, channels_of
from attribution.shapley import shapley_values
from tests.unit.attribution.handmade import converting, lost, some_journeys


def conversion_rate(journeys: Sequence[Journey]) -> Fraction:
    times = sum(journey.times for journey in journeys)
    return (
        Fraction(sum(journey.times for journey in journeys if journey.is_conversion), times) if times else Fraction(0)
    )


def rate_of(journeys: Sequence[Journey], channels: frozenset[str]) -> Fraction:
    return conversion_rate([journey for journey in journeys if frozenset(journey.channels) == channels])


def worth(journeys: Sequence[Journey], channels: frozenset[str]) -> Fraction:
    """Return the value of the game by its definition: the share of journeys that convert with only these channels."""
    left = [(rate_of(journeys, channels & frozenset(journey.channels)), journey.times) for journey in journeys]
    return sum((rate * times for rate, times in left), Fraction(0)) / sum(times for _, times in left)


def by_every_order(journeys: Sequence[Journey]) -> dict[str, Fraction]:
    orders = list(permutations(channels_of(journeys)))
    values = dict.fromkeys(channels_of(journeys), Fraction(0))
    for order in orders:
        for number, channel in enumerate(order):
            gained = worth(journeys, frozenset(order[: number + 1])) - worth(journeys, frozenset(order[:number]))
            values[channel] += gained / len(orders)
    return values


def test_a_channel_is_worth_what_it_adds_on_average_over_the_orders() -> None:
    """Rates: A and B together 1 of 1, A alone 0 of 1, B alone 1 of 2. The journey of A and B gives A
    (0 + 1 - 1/2) / 2 = 1/4 and B (1/2 + 1 - 0) / 2 = 3/4; that of A alone gives A 0, the two of B alone give B 1/2
    each. So of the four A has 1/4 · 1/4 = 1/16, B 1/4 · (3/4 + 1/2 + 1/2) = 7/16, together the 1/2 that convert."""
    found = shapley_values([converting("A B"), lost("A"), converting("B"), lost("B")])
    assert found.values == pytest.approx({"A": 1 / 16, "B": 7 / 16}, abs=1e-15)
    assert found.standard_error is None


def test_journeys_that_do_not_convert_count() -> None:
    """A alone and B alone convert always; together they convert too. Symmetric, until B alone is lost three times: its
    rate falls to 1/4, and of the journey of both A has (1 + 3/4) / 2 = 7/8."""
    journeys = [converting("A"), converting("B"), converting("A B")]
    assert shapley_values(journeys).values == pytest.approx({"A": 1 / 2, "B": 1 / 2}, abs=1e-15)
    assert shapley_values([*journeys, lost("B", 3)]).values == pytest.approx(
        {"A": (1 + 7 / 8) / 6, "B": (4 / 4 + 1 / 8) / 6}, abs=1e-15
    )


def test_a_channel_that_lowers_the_rates_of_others_is_worth_less_than_nothing() -> None:
    assert shapley_values([converting("A"), lost("A B"), lost("B")]).values["B"] < 0


@given(some_journeys())
def test_the_values_are_the_averages_over_every_order(journeys: list[Journey]) -> None:
    expected = {channel: float(value) for channel, value in by_every_order(journeys).items()}
    assert shapley_values(journeys).values == pytest.approx(expected, abs=1e-12)


@given(some_journeys("ABCDEFGHIJKLMNOP"))
def test_the_values_add_up_to_the_rate_of_all_journeys(journeys: list[Journey]) -> None:
    assert sum(shapley_values(journeys).values.values()) == pytest.approx(float(conversion_rate(journeys)), abs=1e-12)


@given(some_journeys())
def test_channels_with_the_same_part_have_the_same_value(journeys: list[Journey]) -> None:
    swap = {"A": "B", "B": "A"}
    mirrored = [
        journey._replace(channels=tuple(swap.get(channel, channel) for channel in journey.channels))
        for journey in journeys
    ]
    values = shapley_values([*journeys, *mirrored]).values
    assert values.get("A", 0) == pytest.approx(values.get("B", 0), abs=1e-12)


@given(some_journeys("ABC"))
def test_a_channel_that_changes_no_rate_is_worth_nothing(journeys: list[Journey]) -> None:
    with_it = [journey._replace(channels=(*journey.channels, "Z")) for journey in journeys]
    assert shapley_values([*journeys, *with_it, lost("Z")]).values["Z"] == pytest.approx(0, abs=1e-12)


def many_channels() -> list[Journey]:
    """Journeys through up to all of 13 channels, each of which converts by its own rate."""
    chance = Random(11)  # noqa: S311
    channels = [f"channel {number:02}" for number in range(13)]
    rates = {channel: chance.random() / 5 for channel in channels}
    journeys = []
    for _ in range(4_000):
        path = chance.sample(channels, chance.choice([1, 2, 3, 12, 13]))
        journeys.append(Journey(tuple(path), chance.random() < max(rates[channel] for channel in path)))
    return journeys


def test_above_twelve_channels_the_values_are_within_the_error_that_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    sampled = shapley_values(many_channels())
    monkeypatch.setattr(shapley, "EXACT_CHANNELS", 13)
    exact = shapley_values(many_channels())

    assert exact.standard_error is None
    assert sampled.standard_error is not None
    off = {channel: abs(value - exact.values[channel]) for channel, value in sampled.values.items()}
    # An error beyond three standard errors would be one in 370; the seed is fixed.
    assert 0 < max(off.values()) < 3 * sampled.standard_error
    assert sampled.standard_error < max(exact.values.values()) / 30
    assert sum(sampled.values.values()) == pytest.approx(float(conversion_rate(many_channels())), abs=1e-12)


def test_sampled_values_come_out_the_same_again_whatever_the_order_of_journeys() -> None:
    journeys = many_channels()
    assert shapley_values(reversed(journeys)) == shapley_values(journeys)
