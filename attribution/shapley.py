"""Shapley attribution: the mean contribution of a channel to the conversion rate, over all orders of joining.

The game is on sets of channels: order and repetition within a journey do not count. markov.py uses the order.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import factorial, sqrt
from random import Random
from typing import TYPE_CHECKING, Final

from attribution.journeys import Journey, channels_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A set of 12 channels has 4,096 subsets; for larger sets the orders are sampled.
EXACT_CHANNELS: Final = 12
# The standard error is at most 2.2 % of the best rate among a set's subsets, and a set takes 10 ms (2026-11).
PERMUTATIONS: Final = 2_000
_SEED: Final = 7


@dataclass(frozen=True, slots=True)
class ShapleyValues:
    """The contribution of each channel to the conversion rate.

    The values add up to the rate of all journeys; some can be negative. `standard_error` is the greatest one of all
    values, None where every set was solved exactly.
    """

    values: dict[str, float]
    standard_error: float | None


def shapley_values(journeys: Iterable[Journey]) -> ShapleyValues:
    """Return the Shapley values of the game v(S) = share of all journeys that convert if only the channels S exist.

    A journey through the channels T becomes one through T ∩ S, with the rate of the journeys through exactly these
    channels. So v(S) = Σ over journeys of rate(T ∩ S) / journeys. The rate of a set is its conversions / journeys. It
    is 0 for the empty set and for sets without journeys. Journeys without a conversion lower the rate of their set.

    The rates are the E[Y|S] of Dalessandro, Perlich, Stitelman and Provost (Causally motivated attribution for online
    advertising, 2012). The simpler v(S) = conversions within S / all journeys was rejected (Zhao, Mahboobi and Bagheri,
    Shapley value methods for attribution modeling in online advertising, 2018). It splits every conversion equally
    among its channels and ignores journeys without a conversion.

    v is a sum over the sets T of the journeys, and so are its Shapley values. They are exact for sets of at most
    EXACT_CHANNELS. For larger sets they are the mean over PERMUTATIONS orders from a fixed seed. A channel that lowers
    the rates of the sets that it joins has a negative value.
    """
    journeys = list(journeys)
    game = _Game.from_journeys(journeys)
    total = sum(game.journeys.values())
    values = dict.fromkeys(game.channels, 0.0)
    variances = dict.fromkeys(game.channels, 0.0)
    is_sampled = False
    for members, count in sorted(game.journeys.items()):
        if members.bit_count() <= EXACT_CHANNELS:
            parts = game.exact(members)
        else:
            is_sampled = True
            parts = game.sampled(members)
        for channel, value, error in parts:
            values[channel] += value * count / total
            variances[channel] += (error * count / total) ** 2
    return ShapleyValues(values, sqrt(max(variances.values())) if is_sampled else None)


@dataclass(frozen=True)
class _Game:
    """Journeys and conversions by set of channels; a set is a number with a bit for each channel."""

    channels: list[str]
    journeys: dict[int, int]
    conversions: dict[int, int]

    @classmethod
    def from_journeys(cls, journeys: list[Journey]) -> "_Game":
        channels = channels_of(journeys)
        bit = {channel: 1 << number for number, channel in enumerate(channels)}
        observed: dict[int, int] = {}
        converted: dict[int, int] = {}
        for path, is_conversion, times in journeys:
            members = sum(bit[channel] for channel in set(path))
            observed[members] = observed.get(members, 0) + times
            if is_conversion:
                converted[members] = converted.get(members, 0) + times
        return cls(channels, observed, converted)

    def rate(self, members: int) -> float:
        return self.conversions[members] / self.journeys[members] if members in self.conversions else 0.0

    def numbers_of(self, members: int) -> list[int]:
        return [number for number in range(len(self.channels)) if members >> number & 1]

    @cached_property
    def _converting(self) -> "tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]":
        """Return the sets with conversions as sorted numbers, their rates, and whether each channel is in them."""
        import numpy as np

        sets = np.array(sorted(self.conversions), dtype=np.int64)
        rates = np.array([self.rate(members) for members in sorted(self.conversions)])
        return sets, rates, (sets[:, np.newaxis] >> np.arange(len(self.channels)) & 1).astype(bool)

    def exact(self, members: int) -> Iterator[tuple[str, float, float]]:
        """Yield each channel with its Shapley value and error 0 in the game S → rate(members ∩ S).

        Consider all orders of n channels. The rate of a subset U is gained when the last channel of U joins: in
        (|U|-1)! (n-|U|)! / n! of the orders for each channel of U. The rate is lost when the next channel joins: in
        |U|! (n-|U|-1)! / n! of the orders for each other channel. Only subsets with conversions have a rate.
        """
        import numpy as np

        sets, rates, contains = self._converting
        within = (sets & ~members) == 0
        rates, contains = rates[within], contains[within]
        size, sizes = members.bit_count(), contains.sum(axis=1)
        gained = np.array(
            [0.0] + [factorial(n - 1) * factorial(size - n) / factorial(size) for n in range(1, size + 1)]
        )
        lost = np.array([factorial(n) * factorial(size - n - 1) / factorial(size) for n in range(size)] + [0.0])
        for number in self.numbers_of(members):
            weights = np.where(contains[:, number], gained[sizes], -lost[sizes])
            yield self.channels[number], float((weights * rates).sum()), 0.0

    def sampled(self, members: int) -> Iterator[tuple[str, float, float]]:
        """Yield each channel with its mean contribution over sampled orders, and the standard error of that mean."""
        # Only random() of Python's generator gives equal numbers in every version.
        chance = Random(f"{_SEED} {' '.join(self.channels[number] for number in self.numbers_of(members))}")  # noqa: S311
        numbers = self.numbers_of(members)
        sums, squares = dict.fromkeys(numbers, 0.0), dict.fromkeys(numbers, 0.0)
        for _ in range(PERMUTATIONS):
            joined, before = 0, 0.0
            for number in sorted(numbers, key=lambda _: chance.random()):
                joined |= 1 << number
                after = self.rate(joined)
                sums[number] += after - before
                squares[number] += (after - before) ** 2
                before = after
        for number in numbers:
            mean = sums[number] / PERMUTATIONS
            variance = max(0.0, squares[number] / PERMUTATIONS - mean**2)
            yield self.channels[number], mean, sqrt(variance / (PERMUTATIONS - 1))
