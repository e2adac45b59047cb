"""What a user agent tells: kind of device, browser, operating system, and whether it is a crawler. The user agent
itself is not stored.

Families come from ua-parser and its uap-core patterns. The kind of device is derived, as uap-core has none.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple


class Device(NamedTuple):
    """What is known of a device; None where the user agent does not say."""

    device_type: str | None  # desktop, mobile, tablet, tv or bot
    browser: str | None  # family, without version
    os: str | None  # family, without version
    is_bot: bool


UNKNOWN: Final = Device(None, None, None, False)

# Real user agents have at most some 500 characters; patterns need not run over a longer made-up one.
_MAX_LENGTH: Final = 1_024
# A day of a large site has a few thousand distinct user agents; 10,000 of them take about 5 MB.
_CACHE_SIZE: Final = 10_000

# uap-core's device family Spider covers the known crawlers; these are the words that the crawler-user-agents list
# and the documentation of HTTP clients and browser drivers have in common and uap-core does not mark. Not okhttp and
# not Dalvik, which are apps on phones, and not Cubot, which makes phones.
_BOT: Final = re.compile(
    r"(?<!cu)bot|crawler|spider|slurp|headless|phantomjs|puppeteer|playwright|selenium|lighthouse|pingdom"
    r"|uptime|httrack|scrapy|facebookexternalhit|feedfetcher|python-requests|python-urllib|python-httpx|aiohttp"
    r"|go-http-client|libwww-perl|apache-httpclient|node-fetch|axios/|postmanruntime|curl/|wget/|^java/"
)
_TV: Final = re.compile(
    r"smart-?tv|apple ?tv|google ?tv|android tv|hbbtv|netcast|web0s|bravia|roku|crkey|\baft[a-z]{1,4}\b|tizen.* tv "
)
_TABLET: Final = re.compile(r"ipad|tablet|playbook|kindle|silk/(?!.*mobile)|android(?!.*mobile)")
_MOBILE: Final = re.compile(r"mobi|iphone|ipod|android|windows phone|opera mini|blackberry|iemobile")
_DESKTOP_SYSTEMS: Final = frozenset(
    ("Windows", "Mac OS X", "Mac OS", "Linux", "Ubuntu", "Debian", "Fedora", "Chrome OS", "FreeBSD", "OpenBSD")
)


def parse_user_agent(user_agent: str | None) -> Device:
    """The device behind a user agent. Without one everything is unknown, and it is no bot."""
    if not user_agent:
        return UNKNOWN
    return _parse(user_agent[:_MAX_LENGTH])


@lru_cache(maxsize=_CACHE_SIZE)
def _parse(user_agent: str) -> Device:
    # Imported and built on first use (0.1 s): most processes that import this package parse no user agent.
    from ua_parser import parse

    result = parse(user_agent)
    browser = result.user_agent.family if result.user_agent else None
    system = result.os.family if result.os else None
    is_spider = result.device is not None and result.device.family == "Spider"
    lowered = user_agent.lower()
    is_bot = is_spider or _BOT.search(lowered) is not None
    return Device("bot" if is_bot else _kind(lowered, system), browser, system, is_bot)


def _kind(lowered: str, system: str | None) -> str | None:
    if _TV.search(lowered):
        return "tv"
    if _TABLET.search(lowered):
        return "tablet"
    if _MOBILE.search(lowered):
        return "mobile"
    return "desktop" if system in _DESKTOP_SYSTEMS else None
