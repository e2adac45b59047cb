"""Parser of user agents: device type, browser, operating system, crawler flag. The user agent itself is not stored.

Families come from ua-parser and its uap-core patterns, the crawler flag from crawlers.py. The device type is derived
here, since uap-core has none.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from ingestion.crawlers import CrawlerList, CrawlerPattern

if TYPE_CHECKING:
    from ua_parser import PartialResult


class Device(NamedTuple):
    """A device by its user agent; None for values that the agent does not give."""

    device_type: str | None  # desktop, mobile, tablet, tv or bot
    browser: str | None  # family, without version
    os: str | None  # family, without version
    is_bot: bool


UNKNOWN: Final = Device(None, None, None, False)

# Real user agents have at most some 500 characters; the rest of a longer one is ignored.
_MAX_LENGTH: Final = 1_024
# A day of a large site has a few thousand distinct user agents; 10,000 of them take about 5 MB.
_CACHE_SIZE: Final = 10_000

_TV: Final = re.compile(
    r"smart-?tv|apple ?tv|google ?tv|android ?tv|hbbtv|netcast|web0s|bravia|roku|crkey|\baft[a-z]{1,4}\b|tizen.* tv "
)
_TABLET: Final = re.compile(r"ipad|\btablet(?! pc)|playbook|kindle")
_MOBILE: Final = re.compile(r"mobi|iphone|ipod|windows phone|opera mini|blackberry|iemobile")
# Browsers and web views. By Google's guideline phones send Mobile there, and tablets do not.
_BROWSER_ENGINE: Final = re.compile(r"applewebkit/|gecko/")
# Apps of Meta send the screen: density, then width and height in pixels.
_SCREEN: Final = re.compile(r"\b(\d{2,4})dpi; (\d{3,5})x(\d{3,5})\b")
# Android's limit between phones and tablets: the shorter side in density-independent pixels, 160 to an inch.
_TABLET_WIDTH: Final = 600
_DESKTOP_SYSTEMS: Final = frozenset(
    ("Windows", "Mac OS X", "Mac OS", "Linux", "Ubuntu", "Debian", "Fedora", "Chrome OS", "FreeBSD", "OpenBSD")
)


class UserAgentParser:
    """Parser of user agents with a cache. `user_agent_parser` returns one per process and list of crawlers."""

    def __init__(self, crawler_patterns: Sequence[CrawlerPattern]) -> None:
        self._crawlers = CrawlerList(crawler_patterns)
        self._parse_known = lru_cache(maxsize=_CACHE_SIZE)(self._parse)

    def parse(self, user_agent: str | None) -> Device:
        """Return the device of a user agent. Without an agent it is unknown and no bot."""
        if not user_agent:
            return UNKNOWN
        return self._parse_known(user_agent[:_MAX_LENGTH])

    def _parse(self, user_agent: str) -> Device:
        result = _browser_and_system()(user_agent)
        browser = result.user_agent.family if result.user_agent else None
        system = result.os.family if result.os else None
        is_bot = self._crawlers.matches(user_agent)
        return Device("bot" if is_bot else _device_type(user_agent.lower(), system), browser, system, is_bot)


@lru_cache(maxsize=4)
def user_agent_parser(crawler_patterns: tuple[CrawlerPattern, ...]) -> UserAgentParser:
    """Return the parser of this process for a list of additions and exceptions to the crawlers."""
    return UserAgentParser(crawler_patterns)


@lru_cache(maxsize=1)
def _browser_and_system() -> Callable[[str], "PartialResult"]:
    """Return ua-parser's function for browsers and operating systems.

    Imported and built on first use (0.1 s): most processes that import this package parse no user agent. Device models
    are left out: they take 0.08 s more to build, and 7 µs more for an agent (2026-11).
    """
    from ua_parser import Domain, Parser
    from ua_parser.loaders import load_lazy_builtins
    from ua_parser.regex import Resolver

    browsers, systems, _ = load_lazy_builtins()
    parser = Parser(Resolver((browsers, systems, [])))
    return lambda user_agent: parser(user_agent, Domain.USER_AGENT | Domain.OS)


def _device_type(lowered: str, system: str | None) -> str | None:
    if _TV.search(lowered):
        return "tv"
    # Anywhere in the text: apps append their own part to that of the browser.
    has_mobile = "mobile" in lowered
    if _TABLET.search(lowered) or ("silk/" in lowered and not has_mobile):
        return "tablet"
    if "android" in lowered and not has_mobile:
        return "tablet" if _is_android_tablet(lowered) else "mobile"
    if "android" in lowered or _MOBILE.search(lowered):
        return "mobile"
    return "desktop" if system in _DESKTOP_SYSTEMS else None


def _is_android_tablet(lowered: str) -> bool:
    """Return whether an Android agent without Mobile is a tablet: by its screen, else if it is of a browser."""
    screen = _SCREEN.search(lowered)
    if screen is not None:
        density, width, height = map(int, screen.groups())
        return min(width, height) * 160 >= _TABLET_WIDTH * density
    return _BROWSER_ENGINE.search(lowered) is not None
