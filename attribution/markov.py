"""The Markov model: what share of the conversions would be lost without a channel (its removal effect).

Journeys are read as an order-1 chain (Anderl, Becker, von Wangenheim and Schumann, Mapping the customer journey, 2016):
from a start through channels, one at a time, to a conversion or to nothing. Nothing is simulated.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from attribution.journeys import Journey, channels_of


def removal_effects(journeys: Iterable[Journey]) -> dict[str, float]:
    """Of every channel 1 - P(conversion without it) / P(conversion), between 0 and 1; 0 where nothing converts.

    P is the probability of ending in the conversion, solved exactly: with Q the transitions among start and channels
    and r those into the conversion, the probabilities p satisfy p = Qp + r. Without a channel, what went into it goes
    to nothing: its column of Q is 0. Equal channels in a row are a transition to itself, like any other.
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

    taken = np.zeros((size, size))
    for (origin, target), times in transitions.items():
        taken[origin, target] = times
    converted = np.array([float(endings[origin, True]) for origin in range(size)])
    lost = np.array([float(endings[origin, False]) for origin in range(size)])
    visits = taken.sum(axis=1) + converted + lost
    if not converted.any():
        return dict.fromkeys(channels, 0.0)
    transient, into_conversion = taken / visits[:, np.newaxis], converted / visits

    # One chain with every channel, then one without each.
    chains = np.repeat(transient[np.newaxis], size, axis=0)
    chains[range(start), :, range(start)] = 0.0
    solved = np.linalg.solve(np.eye(size) - chains, into_conversion[:, np.newaxis])
    whole, without = solved[start, start, 0], solved[:start, start, 0]
    # An effect of 0 may come out of the equations as less by the last bit.
    return {channel: max(0.0, 1.0 - float(without[state[channel]] / whole)) for channel in channels}
