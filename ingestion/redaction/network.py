"""Search for IP addresses and user agents inside texts.

A version of four numbers has the form of an IPv4 address. It stays where the text marks it as a version: after `v`,
after a word such as version, or after the name of a program and a slash, as in Chrome/120.0.0.0.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, Final

Span = tuple[int, int]

_IPV4: Final = re.compile(r"(?<![0-9A-Za-z])(?<![0-9]\.)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9A-Za-z]|\.[0-9])")
_IPV6: Final = re.compile(
    r"(?<![\w.:])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,45}+(?:(?<=:)[0-9A-Fa-f.]{0,4}(?:\.[0-9]{1,3}){3}(?![0-9]))?"
    r"(?:%[0-9A-Za-z_.\-]{1,32})?(?!\w)"
)
_PROGRAM_BEFORE: Final = re.compile(r"(?:^|[\s(;,\"'])[A-Z][\w.\-]{0,40}/$")
_VERSION_WORD: Final = re.compile(
    r"(?:version|versions|ver|(?<![^\W_])v|release|build|firmware|revision|driver|patch|sdk|update|upgrade)"
    r"[\"'\s:=#(]{0,4}v?$",
    re.IGNORECASE,
)
_PRERELEASE: Final = re.compile(r"-(?:alpha|beta|rc|snapshot|dev|preview)", re.IGNORECASE)
_CONTEXT_LENGTH: Final = 48

# A user agent is a program with its version, and a comment in parentheses or further programs.
_ITEM: Final = r"[A-Za-z][\w.\-]{0,60}/[0-9][\w.+\-]{0,40}+"
_COMMENT: Final = r"\([^()]{0,300}(?:\([^()]{0,100}\)[^()]{0,100}){0,3}\)?"
_SYSTEM: Final = r"(?:iPhone|iPad|iOS|Android|Windows|Linux|Macintosh|Mac OS|Darwin|X11|compatible)"
_ENGINE: Final = r"(?:AppleWebKit|CFNetwork|Chrome|Darwin|Firefox|Gecko|Mobile|Safari|Version)"
_AGENT: Final = re.compile(
    rf"(?<!\w)(?:(?:Mozilla|Opera|Dalvik)/[0-9][\w.\-]{{0,40}}+"
    rf"|{_ITEM} ?(?=\([^()]{{0,200}}{_SYSTEM})"
    rf"|{_ITEM}(?= (?:{_ITEM} ){{0,4}}{_ENGINE}/[0-9])"
    r"|(?:curl|Wget|okhttp|python-requests|[Pp]ython-urllib3?|aiohttp|httpx|Go-http-client|PostmanRuntime"
    r"|Apache-HttpClient|axios|node-fetch|libwww-perl)/[0-9][\w.\-]{0,40}+)"
    rf"(?: {{0,2}}(?:{_COMMENT}|{_ITEM}|like Gecko|\[[^\]\s]{{1,40}}\][^\s\"']{{0,400}}))*"
)
# Every user agent matches this, which is cheaper to search for.
AGENT_HINT: Final = re.compile(r"[A-Za-z]/[0-9]{1,3}(?:\.[0-9]| ?\()")


def find_addresses(text: str) -> Iterator[Span]:
    """Find the IP addresses of a text, of both versions, without port and brackets."""
    if "." in text:
        for match in _IPV4.finditer(text):
            if is_address(match[0]) and not _is_version(text, match):
                yield match.span()
    if text.count(":") >= 2:
        for match in _IPV6.finditer(text):
            address = match[0].rstrip(":") if match[0].endswith(":") and not match[0].endswith("::") else match[0]
            if _is_ipv6(address):
                yield match.start(), match.start() + len(address)


def find_agents(text: str) -> Iterator[Span]:
    """Find the user agents of a text."""
    if AGENT_HINT.search(text) is not None:
        for match in _AGENT.finditer(text):
            yield match.span()


def is_address(text: str) -> bool:
    """Return whether a text is one IP address."""
    # An exception costs twenty times as much as this test.
    if "." not in text and ":" not in text:
        return False
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def holds_address(value: Any) -> bool:
    """Return whether a JSON value is an IP address, a list of addresses, or a text that lists them."""
    if isinstance(value, list):
        return any(map(holds_address, value))
    if not isinstance(value, str):
        return False
    return any(map(is_address, re.split(r"[\s,;\"']+", value[:1024]))) or any(
        True for _ in find_addresses(value[:1024])
    )


def _is_version(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - _CONTEXT_LENGTH) : match.start()]
    return (
        _VERSION_WORD.search(before) is not None
        or _PROGRAM_BEFORE.search(before) is not None
        or _PRERELEASE.match(text, match.end()) is not None
    )


def _is_ipv6(text: str) -> bool:
    # A text without a digit is more likely to be code, such as a::b.
    return text.count(":") >= 2 and any(map(str.isdigit, text)) and is_address(text)
