"""Lists and settings of validation: placeholders for ids, crawlers, personal keys.

The lists are dbt seeds, so that users extend them beside every other list, and analysts can read them.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from ingestion.crawlers import CrawlerPattern
from ingestion.hashing import require_long_key

SEEDS: Final = Path(__file__).parents[1] / "dbt_project" / "seeds"

# dbt reads the text "null" of a seed as a missing value, so the seed cannot hold it.
_NULL: Final = frozenset({"null"})


@dataclass(frozen=True, slots=True)
class EventRules:
    """Lists and settings for the lines of a load. Picklable: worker processes get a copy.

    Attributes:
        placeholder_ids: Texts that stand for "no id", case-folded.
        crawlers: Additions and exceptions to the kept list of crawlers.
        personal_keys: Rows of the seed personal_keys: key, action, place.
        phone_regions: Countries whose phone numbers are known in their national forms too, such as DE.
        hash_key: The key of the hashes that stand in place of ids that are e-mail addresses or phone numbers.
    """

    placeholder_ids: frozenset[str] = frozenset()
    crawlers: tuple[CrawlerPattern, ...] = ()
    personal_keys: tuple[tuple[str, str, str], ...] = ()
    phone_regions: frozenset[str] = frozenset()
    hash_key: bytes = field(default=b"", repr=False)

    @classmethod
    def from_seeds(cls, seeds: Path = SEEDS) -> "EventRules":
        """Read the lists from the CSV files of the dbt project. Raises ValueError for a row without a meaning."""
        return cls(
            placeholder_ids=_NULL | {row["placeholder"].casefold() for row in seed_rows(seeds, "placeholder_ids")},
            crawlers=tuple(map(_crawler, seed_rows(seeds, "crawlers"))),
            personal_keys=tuple((row["key"], row["action"], row["place"]) for row in seed_rows(seeds, "personal_keys")),
        )

    def with_settings(self, *, phone_regions: str = "", hash_key: str = "") -> "EventRules":
        """Return the same lists with what the settings say.

        Raises ValueError for a region that is none, and for a key that could be guessed.
        """
        if hash_key:
            require_long_key(hash_key)
        regions = frozenset(part.upper() for region in phone_regions.split(",") if (part := region.strip()))
        if regions:
            import phonenumbers

            if unknown := regions - phonenumbers.SUPPORTED_REGIONS:
                raise ValueError(
                    f"WAREHOUSE_PHONE_REGIONS names {', '.join(sorted(unknown))}, which no numbering plan knows: write"
                    " the two letters of each country, such as DE,US"
                )
        return replace(self, phone_regions=regions, hash_key=hash_key.encode())


_read_from = SEEDS


def read_from(seeds: Path) -> None:
    """Set the folder that `default_rules` reads: a copy, since the checkout's seeds may be edited meanwhile."""
    global _read_from
    _read_from = seeds
    default_rules.cache_clear()


@lru_cache(maxsize=1)
def default_rules() -> EventRules:
    """Return the rules of the seeds, by default those of this checkout, read once per process."""
    return EventRules.from_seeds(_read_from)


def seed_rows(seeds: Path, name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a seed; a byte order mark, with which spreadsheets begin a file, is no part of them."""
    with (seeds / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _crawler(row: dict[str, str]) -> CrawlerPattern:
    # Spreadsheets write TRUE.
    word = row["is_crawler"].strip().lower()
    if word not in ("true", "false"):
        raise ValueError(
            f"the seed crawlers has {row['is_crawler']!r} as is_crawler of the pattern {row['pattern']!r}: write true"
            " for a crawler and false for an exception, in dbt_project/seeds/crawlers.csv"
        )
    return row["pattern"], word == "true"
