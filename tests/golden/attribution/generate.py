"""Generator of journeys and of their values by the package marketing-attribution-models, written beside this file.

The package is an independent implementation. Its requirements clash with those of the warehouse, so it runs in its own
environment (README.md), and the tests read its results. Equal seeds give equal results.
"""

import csv
from pathlib import Path
from random import Random

import pandas as pd
from marketing_attribution_models import MAM

HERE = Path(__file__).parent
JOURNEYS = 3_000
SEPARATOR = " > "
LOOKBACK_HOURS = 30 * 24
HALF_LIFE_HOURS = 7 * 24
# How often a channel is the next touch, and how likely a conversion is after a journey in which it is the best.
CHANNELS = {
    "Direct": (30, 0.15),
    "Organic Search": (20, 0.2),
    "Paid Search": (14, 0.45),
    "Email": (10, 0.6),
    "Organic Social": (9, 0.1),
    "Referral": (7, 0.35),
    "Paid Social": (6, 0.25),
    "Display": (4, 0.05),
}


def journeys():
    """Return one row a journey: whether it converts, its touches oldest first, and their hours before its end."""
    chance = Random(20261005)  # noqa: S311

    def one_of(weights):
        at = chance.random() * sum(weights.values())
        for name, weight in weights.items():
            at -= weight
            if at < 0:
                return name
        return name

    rows = []
    for number in range(1, JOURNEYS + 1):
        length = 1
        while length < 8 and chance.random() < 0.62:
            length += 1
        path = []
        for _ in range(length):
            again = path and chance.random() < 0.2
            path.append(path[-1] if again else one_of({name: often for name, (often, _) in CHANNELS.items()}))
        hours = set()
        while len(hours) < length:
            hours.add(int(chance.random() ** 2 * (LOOKBACK_HOURS + 1)))
        is_conversion = chance.random() < max(CHANNELS[channel][1] for channel in path)
        cents = int(chance.random() * 100_000) if is_conversion and chance.random() < 0.9 else 0
        rows.append((number, is_conversion, cents, path, sorted(hours, reverse=True)))
    return pd.DataFrame(rows, columns=["journey", "is_conversion", "cents", "channels", "hours"])


def models(of):
    """Run the package on these journeys, each of which is worth 1 when it converts, else 0."""
    return MAM(
        of,
        channels_colname="channels",
        time_till_conv_colname="hours",
        journey_with_conv_colname="is_conversion",
        conversion_value=1,
    )


def heuristics(of):
    """Model: what the package gives each touch of each journey."""
    package = models(of)
    return {
        "first_touch": package.attribution_first_click()[0],
        "last_touch": package.attribution_last_click()[0],
        "last_non_direct": package.attribution_last_click_non("Direct")[0],
        "linear": package.attribution_linear()[0],
        "position_based": package.attribution_position_based([0.4, 0.2, 0.4])[0],
        # It decays in steps of `frequency` hours: with steps of one hour as ours does at whole hours.
        "time_decay": package.attribution_time_decay(decay_over_time=0.5 ** (1 / HALF_LIFE_HOURS), frequency=1)[0],
    }


def markov(of, *, to_same_state):
    """Return the package's credit of each touch of each journey, and the removal effect of each channel."""
    weights, _, _, effects = models(of).attribution_markov(
        transition_to_same_state=to_same_state, conversion_value_as_frequency=False
    )
    return weights, effects["removal_effect"].to_dict()


def shapley(of):
    """Return the conversions credited to each channel. The package leaves out sets of channels without conversions."""
    return models(of).attribution_shapley(size=len(CHANNELS), values_col="conv_rate")[1].to_dict()


def write(name, header, rows):
    with (HERE / name).open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def main():
    everything = journeys()
    converting = everything[everything["is_conversion"]].reset_index(drop=True)
    write(
        "journeys.csv",
        everything.columns,
        [
            (
                row.journey,
                int(row.is_conversion),
                row.cents,
                SEPARATOR.join(row.channels),
                " ".join(map(str, row.hours)),
            )
            for row in everything.itertuples()
        ],
    )

    weights = heuristics(converting)
    of_touches, effects = markov(everything, to_same_state=False)
    _, effects_with_same_state = markov(everything, to_same_state=True)
    weights["markov"] = of_touches[everything["is_conversion"]].reset_index(drop=True)
    totals = {model: dict.fromkeys(CHANNELS, 0.0) for model in weights}
    rows = []
    for place, row in enumerate(converting.itertuples()):
        for channel in sorted(set(row.channels)):
            given = {
                model: sum(w for c, w in zip(row.channels, of[place]) if c == channel)  # noqa: B905
                for model, of in weights.items()
            }
            for model, weight in given.items():
                totals[model][channel] += weight
            rows.append((row.journey, channel, *(f"{weight:.12f}" for weight in given.values())))
    write("weights.csv", ["journey", "channel", *weights], rows)

    by_shapley = shapley(everything)
    write(
        "channels.csv",
        ["channel", *weights, "shapley", "removal_effect", "removal_effect_with_same_state"],
        [
            (
                channel,
                *(f"{total[channel]:.12f}" for total in totals.values()),
                *(f"{of[channel]:.12f}" for of in (by_shapley, effects, effects_with_same_state)),
            )
            for channel in sorted(CHANNELS)
        ],
    )


if __name__ == "__main__":
    main()
