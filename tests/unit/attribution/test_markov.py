"""Removal effects, beside chains that are solved on paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.journeys import Journey
from attribution.markov import removal_effects
from tests.unit.attribution.handmade import converting, lost, some_journeys


def test_a_channel_is_worth_what_would_be_lost_without_it() -> None:
    """From the start half go to A and half to B. Of A's two visits one goes on to B and one ends; of B's three two
    convert. So B converts 2/3, A 1/2 · 2/3 = 1/3, the start 1/2 · 1/3 + 1/2 · 2/3 = 1/2.
    Without A only the second half is left: 1/2 · 2/3 = 1/3, an effect of 1 - (1/3) / (1/2) = 1/3.
    Without B nothing converts: an effect of 1."""
    effects = removal_effects([converting("A B"), lost("A"), converting("B"), lost("B")])
    assert effects == pytest.approx({"A": 1 / 3, "B": 1}, abs=1e-15)


def test_a_channel_twice_in_a_row_is_a_transition_to_itself() -> None:
    """Two of three start in A. A is left three times: to itself, to a conversion, to nothing. So A converts
    a = a/3 + 1/3 = 1/2 and B always; the start 2/3 · 1/2 + 1/3 = 2/3. Without either 1/3 is left: effects of 1/2."""
    effects = removal_effects([converting("A A"), lost("A"), converting("B")])
    assert effects == pytest.approx({"A": 1 / 2, "B": 1 / 2}, abs=1e-15)


def test_journeys_that_do_not_convert_count() -> None:
    """With B alone lost nine times: B converts 1 of 10 visits, A goes to B or converts itself, half and half.
    Of 11 starts 2 are A: a = 1/2 + 1/2 · 1/10 = 11/20; the start converts 2/11 · 11/20 + 9/11 · 1/10 = 20/110.
    Without A 9/110 is left, an effect of 11/20; without B A's own 2/11 · 1/2 = 10/110, an effect of 1/2."""
    journeys = [converting("A"), converting("A B"), lost("B", 9)]
    assert removal_effects(journeys) == pytest.approx({"A": 11 / 20, "B": 1 / 2}, abs=1e-15)
    assert removal_effects(journeys[:2]) == pytest.approx({"A": 1, "B": 1 / 2}, abs=1e-15)


def test_where_nothing_converts_no_channel_is_worth_anything() -> None:
    assert removal_effects([lost("A B"), lost("B")]) == {"A": 0, "B": 0}
    assert removal_effects([]) == {}


@given(some_journeys())
def test_an_effect_is_a_share(journeys: list[Journey]) -> None:
    assert all(0 <= effect <= 1 for effect in removal_effects(journeys).values())


@given(some_journeys(), st.randoms(use_true_random=False))
def test_the_order_of_journeys_and_how_they_are_counted_change_no_bit(journeys: list[Journey], random: object) -> None:
    one_by_one = [journey._replace(times=1) for journey in journeys for _ in range(journey.times)]
    random.shuffle(one_by_one)  # type: ignore[attr-defined]
    assert removal_effects(one_by_one) == removal_effects(journeys)


@given(some_journeys())
def test_repeating_a_channel_in_place_changes_no_effect(journeys: list[Journey]) -> None:
    """The probability of where a channel leads to, once it is left, is the same."""
    twice = [journey._replace(channels=tuple(c for c in journey.channels for _ in "12")) for journey in journeys]
    assert removal_effects(twice) == pytest.approx(removal_effects(journeys), abs=1e-12)
