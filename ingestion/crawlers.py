"""Detection of crawlers, monitors and fetchers by their user agents.

Patterns come from the maintained list crawler-user-agents. Additions and exceptions of users come from the seed
`crawlers`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

# A pattern of the seed: an addition (true) or an exception (false).
CrawlerPattern = tuple[str, bool]

# Versions of common products. Without versions, tens of thousands of agents become a few hundred texts. The list of
# 1,500 patterns takes 0.2 ms for each text that is not cached (2026-11-28).
_VERSION: Final = re.compile(r"\b(Chrome|Safari|Version|Firefox|Edg|OPR|CriOS|FxiOS|SamsungBrowser)/[0-9.]+")
# A large site has a few thousand distinct agents without versions a day.
_CACHE_SIZE: Final = 10_000


class InvalidCrawlerPattern(ValueError):
    """A row of the seed `crawlers` that is no regular expression, or matches every text."""


class CrawlerList:
    """The maintained list with additions and exceptions of users: regular expressions, in any letter case.

    An addition matches a crawler. Text that matches an exception is ignored, so that a crawler which also sends it is
    still found. Raises InvalidCrawlerPattern.
    """

    def __init__(self, patterns: Sequence[CrawlerPattern]) -> None:
        self._additions = _any_of([pattern for pattern, is_crawler in patterns if is_crawler])
        self._exceptions = _any_of([pattern for pattern, is_crawler in patterns if not is_crawler])
        self._is_listed = lru_cache(maxsize=_CACHE_SIZE)(_is_in_kept_list)

    def matches(self, user_agent: str) -> bool:
        """Return whether a user agent belongs to a crawler, monitor or fetcher."""
        text = self._exceptions.sub(" ", user_agent)
        # An addition may name a version that only crawlers still send, such as Chrome/58.
        return self._additions.search(text) is not None or self._is_listed(_VERSION.sub(r"\1", text))


def _is_in_kept_list(user_agent: str) -> bool:
    # Imported on first use: reading the list takes 40 ms.
    from crawleruseragents import is_crawler  # type: ignore[import-untyped]

    return bool(is_crawler(user_agent))


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    for pattern in patterns:
        try:
            problem = "fits an empty text, and so every agent" if re.search(pattern, "") else None
        except re.error as error:
            problem = f"is no regular expression ({error})"
        if problem:
            raise InvalidCrawlerPattern(
                f"the seed crawlers has the pattern {pattern!r}, which {problem}:"
                " correct the row in dbt_project/seeds/crawlers.csv"
            )
    # An empty alternation would match everywhere.
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)", re.IGNORECASE)
