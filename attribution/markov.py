"""Markov attribution: the share of conversions that would be lost without a channel (its removal effect).

Journeys form a Markov chain of order 1 (Anderl, Becker, von Wangenheim and Schumann, Mapping the customer journey,
2016): from a start state through channels to one of two final states, conversion or loss. The probabilities are solved
exactly, without simulation.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from attribution.journeys import Journey, channels_of


def removal_effects(journeys: Iterable[Journey]) -> dict[str, float]:
    """Return 1 - P(conversion without it) / P(conversion) of every channel: from 0 to 1, and 0 without conversions.

    P is the probability of a conversion. Let Q be the transitions among start and channels, and r those into the
    conversion. Then the probabilities p satisfy p = Qp + r. Removing a channel sets its column of Q to 0: its
    transitions become losses. Equal adjacent channels are a transition of the channel to itself.
    """
    import numpy as np

    journeys = list(journeys)
    channels = channels_of(journeys)
    start, size = len(channels), len(channels) + 1
    state = {channel: number for number, channel in enumerate(channels)}
    transitions: Counter[tuple[int, int]] = Counter()
    endings: Counter[tuple[int, bool]] = Counter()
    for path, is_conversion, times in journeys:
        states = [start, *(state[channel] for channel in path)]
        for step in pairwise(states):
            transitions[step] += times
        endings[states[-1], is_conversion] += times

    counts = np.zeros((size, size))
    for (origin, target), times in transitions.items():
        counts[origin, target] = times
    converted = np.array([float(endings[origin, True]) for origin in range(size)])
    lost = np.array([float(endings[origin, False]) for origin in range(size)])
    visits = counts.sum(axis=1) + converted + lost
    if not converted.any():
        return dict.fromkeys(channels, 0.0)
    transient, into_conversion = counts / visits[:, np.newaxis], converted / visits

    # One chain without each channel, and the last one with all of them.
    chains = np.repeat(transient[np.newaxis], size, axis=0)
    chains[range(start), :, range(start)] = 0.0
    solved = np.linalg.solve(np.eye(size) - chains, into_conversion[:, np.newaxis])
    whole, without = solved[start, start, 0], solved[:start, start, 0]
    # Rounding may give an effect of 0 a negative last bit.
    return {channel: max(0.0, 1.0 - float(without[state[channel]] / whole)) for channel in channels}
