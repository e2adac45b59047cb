"""Check that the channel seeds are in the normal form of the UTM fields that they are compared with.

Any other form would match no visit. Users edit the seeds, so every build runs this check first. dbt tests that patterns
are regular expressions and that hosts are valid.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ingestion.contract import CLICK_IDS
from ingestion.utm_normalization import normalized_name, normalized_source
from ingestion.validation_lists import SEEDS, seed_rows

_PATTERNS: Final = ("source_pattern", "medium_pattern", "campaign_pattern")


class SeedsNotNormalized(Exception):
    """Rows of channel seeds that can match no visit. The message names each row and the form to write."""


def require_normal_form(folder: Path = SEEDS) -> None:
    """Raise SeedsNotNormalized when a value of the channel seeds is not in normal form."""
    if problems := [*_referrers(folder), *_click_ids(folder), *_rules(folder)]:
        raise SeedsNotNormalized("; ".join(problems))


def _referrers(folder: Path) -> Iterator[str]:
    for row in seed_rows(folder, "known_referrers"):
        for column in ("host", "source"):
            value = row[column] or ""
            if value != (form := normalized_source(value) or ""):
                yield f'seed known_referrers, host "{row["host"]}": {column} "{value}" has to be "{form}"'


def _click_ids(folder: Path) -> Iterator[str]:
    rows = list(seed_rows(folder, "click_ids"))
    for row in rows:
        name, source, medium = row["click_id"], row["source"] or "", row["medium"] or ""
        if name not in CLICK_IDS:
            yield f'seed click_ids, "{name}": events have no such click id; it has to be one of {", ".join(CLICK_IDS)}'
        if source != (form := normalized_source(source) or ""):
            yield f'seed click_ids, "{name}": source "{source}" has to be "{form}"'
        if medium != (form := normalized_name(medium) or ""):
            yield f'seed click_ids, "{name}": medium "{medium}" has to be "{form}"'
    for name in CLICK_IDS:
        if name not in {row["click_id"] for row in rows}:
            yield f'seed click_ids, "{name}": has no row; visits with this click id only would be Direct'


def _rules(folder: Path) -> Iterator[str]:
    for row in seed_rows(folder, "channel_rules"):
        for column in _PATTERNS:
            pattern = row[column] or ""
            # Patterns ignore the case of ASCII letters, and some letters form classes, such as \S.
            written = "".join(c.lower() if c.isascii() else c for c in pattern)
            form = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", written).casefold())
            if written != form:
                yield (
                    f'seed channel_rules, rule {row["priority"]}: {column} "{pattern}" fits no stored text, which has'
                    f' "{form}" for it'
                )
