"""Ad spend of the sample marketplace: a CSV file a day, for the campaigns of its visits."""

import csv
import io
from datetime import date
from random import Random
from typing import Final, NamedTuple

_COLUMNS: Final = (
    "date", "channel", "utm_source", "utm_medium", "utm_campaign", "cost_cents", "impressions", "clicks"
)  # fmt: skip


class _Placement(NamedTuple):
    """An advertising placement: clicks a day and campaign, cents a click, and clicks among 10,000 impressions."""

    source: str
    medium: str
    clicks: int
    click_cents: int
    click_rate: int


# Sources and mediums of visitors.py, with usual prices.
_PLACEMENTS: Final = (
    _Placement("google", "cpc", 28, 145, 320),
    _Placement("bing", "cpc", 5, 95, 210),
    _Placement("facebook", "paid_social", 18, 82, 110),
    _Placement("instagram", "paid_social", 8, 91, 95),
    _Placement("tiktok", "cpc", 6, 64, 80),
    _Placement("youtube", "cpv", 3, 38, 60),
    _Placement("dv360", "display", 7, 44, 12),
    _Placement("taboola", "cpm", 2, 31, 9),
)
# Audio is bought by the spot and has no clicks.
_AUDIO_SPOT_CENTS: Final = 4_500


def ad_spend_of(seed: int, day: date, campaigns: tuple[str, ...]) -> tuple[str, bytes]:
    """Return the file of one day: its name below the landing root, and its content."""
    rng = Random(f"{seed}/advertising/{day}")  # noqa: S311 - a sample must be repeatable, not secret
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for place in _PLACEMENTS:
        for campaign in campaigns:
            clicks = round(place.clicks * rng.uniform(0.6, 1.4))
            cost = round(clicks * place.click_cents * rng.uniform(0.85, 1.2))
            impressions = round(clicks * 10_000 / place.click_rate * rng.uniform(0.8, 1.3))
            rows.writerow((day, "", place.source, place.medium, campaign, cost, impressions, clicks))
    rows.writerow((day, "Audio", "", "", "", rng.randint(2, 6) * _AUDIO_SPOT_CENTS, "", ""))
    return f"ad_spend/{day}.csv", text.getvalue().encode()
