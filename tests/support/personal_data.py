"""Personal data to plant in events, for tests of redaction. Equal seeds make equal data."""

# ruff: noqa: E501, RUF001 - a case a line reads better, and punctuation is the point

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote

import phonenumbers
from stdnum import iban, luhn

REGIONS: Final = (
    "AT", "AU", "BR", "CH", "CN", "DE", "ES", "FR", "GB", "IN", "IT", "JP", "KE", "MX", "NG", "NL", "PL", "SE", "US", "ZA",
)  # fmt: skip
MAX_DEPTH: Final = 4
_UTM_FIELDS: Final = ("utmSource", "utmMedium", "utmCampaign", "utmTerm", "utmContent")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_SECRET_KEYS: Final = (
    "token", "accessToken", "refresh_token", "password", "apiKey", "otp", "client_secret", "auth", "sessionToken", "Bearer-Token",
)  # fmt: skip
_CARDS: Final = (
    ("4", 16),
    ("51", 16),
    ("2221", 16),
    ("34", 15),
    ("37", 15),
    ("6011", 16),
    ("3530", 16),
    ("36", 14),
    ("62", 16),
)
_BBANS: Final = {
    "DE": "n18",
    "NL": "a4n10",
    "GB": "a4n14",
    "FR": "n23",
    "AT": "n16",
    "PL": "n24",
    "CH": "n17",
    "SE": "n20",
}
_BEFORE: Final = ("", "", " ", "see ", "(", "[", '"', "'", "<", ": ", ", ", "; ", "=", "«", "„", "* ", "| ", "> ", "– ")
_BEHIND: Final = (
    "",
    "",
    ".",
    ",",
    "!",
    "?",
    ")",
    "]",
    '"',
    "'",
    ">",
    ";",
    ":",
    " now",
    "…",
    "\n",
    ". Next",
    "»",
    " – ",
)


@dataclass(frozen=True, slots=True)
class Plant:
    """Personal data inside a text. `core` is what of it must not survive: its letters and digits."""

    kind: str
    text: str
    core: str


def plant(rng: Random) -> Plant:
    """Make personal data, with what stands before and behind it."""
    kind, make = rng.choice(tuple(_MAKERS.items()))
    text, core = make(rng)
    return Plant(kind, f"{rng.choice(_BEFORE)}{text}{rng.choice(_BEHIND)}", core)


def encoded(rng: Random, text: str, depth: int) -> str:
    """Encode a text so many times, each time in one of the ways of URLs, HTML and JSON."""
    for _ in range(depth):
        text = rng.choice(_ENCODINGS)(text)
    return text


def planted_line(rng: Random, planted: Plant, number: int, day: date) -> str:
    """Make a line of an event of a day with personal data in a random place, at a random depth of encoding."""
    text = encoded(rng, planted.text, rng.randrange(MAX_DEPTH + 1))
    event: dict[str, Any] = {
        "eventType": "page_viewed",
        "occurredAt": f"{day}T10:00:00Z",
        "idempotencyKey": f"key-{number}",
        "anonymousId": f"device-{number}",
        "props": {},
        "attribution": {},
    }
    place = rng.randrange(9)
    if place < 3:
        props = ({"title": text}, {"a": {"list": ["x", text]}}, {"message": json.dumps({"level": 1, "text": text})})
        event["props"] = props[place]
    elif place == 3:
        event["props"] = {text: 1}
    elif place == 4:
        event["attribution"][rng.choice(_UTM_FIELDS)] = text[:255]
    elif place == 5:
        event["attribution"]["referrer"] = f"https://x.example/a?q={text}".replace(" ", "%20")
    elif place == 6:
        event["attribution"]["landingPage"] = f"https://x.example/{text}#top".replace(" ", "%20")
    elif place == 7:
        event["eventType"], event["whatever"] = "No Type", text
    else:
        return json.dumps(event | {"query": text})[:-2]
    return json.dumps(event, ensure_ascii=rng.random() < 0.5)


def survives(core: str, text: str) -> bool:
    """Tell whether the core of a secret is in a text, whatever the text's encoding."""
    for _ in range(2 * MAX_DEPTH + 4):
        if core in _bare(text):
            return True
        decoded = html.unescape(_unescaped(_unquoted(text)))
        if decoded == text:
            return False
        text = decoded
    return False


def _email(rng: Random) -> tuple[str, str]:
    name = word(rng, 9)
    local = rng.choice((name, f"ana.{name}", f"{name}+tag", f"o'{name}", f'"{name}"'))
    domain = rng.choice(("mail.example", "müller.example", "sub.domain.co.example", "почта.example", "x-y.example"))
    return f"{local}@{domain}", name


def _phone(rng: Random) -> tuple[str, str]:
    region = rng.choice(REGIONS)
    kind = rng.choice((phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE))
    example = phonenumbers.example_number_for_type(region, kind)
    assert example is not None
    while True:
        tail = rng.randrange(10**5)
        number = phonenumbers.PhoneNumber()
        number.merge_from(example)
        number.national_number = example.national_number // 10**5 * 10**5 + tail
        if phonenumbers.is_valid_number(number):
            break
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    international = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    text = rng.choice(
        (e164, international, f"00{e164[1:]}", f"00 {international[1:]}", international.replace(" ", "-"))
    )
    return text, e164[-8:]


def _secret(rng: Random) -> tuple[str, str]:
    value = word(rng, 6) + "".join(rng.choices("0123456789", k=6))
    key = rng.choice(_SECRET_KEYS)
    text = rng.choice((
        f"https://shop.example/a?x=1&{key}={value}&y=2", f"/p?a=1;{key}={value}", f"{key}={value}", f'{{"{key}": "{value}"}}',
        f"{{'a': [1], '{key}': '{value}'}}", f"Authorization: Bearer {value}", f"https://{value}:pw@news.example/x",
    ))  # fmt: skip
    return text, value


def _card(rng: Random) -> tuple[str, str]:
    prefix, length = rng.choice(_CARDS)
    body = prefix + "".join(rng.choices("0123456789", k=length - len(prefix) - 1))
    digits = body + luhn.calc_check_digit(body)
    groups = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[length]
    separator = rng.choice(("", "", " ", "-"))
    parts, start = [], 0
    for size in groups:
        parts.append(digits[start : start + size])
        start += size
    return separator.join(parts), digits


def _iban(rng: Random) -> tuple[str, str]:
    country = rng.choice(tuple(_BBANS))
    bban = ""
    for part in _BBANS[country].replace("a4", "a4 ").split():
        alphabet = _LETTERS.upper() if part[0] == "a" else "0123456789"
        bban += "".join(rng.choices(alphabet, k=int(part[1:])))
    number = country + iban.calc_check_digits(f"{country}00{bban}") + bban
    text = rng.choice((number, " ".join(number[at : at + 4] for at in range(0, len(number), 4)), number.lower()))
    return text, number.lower()


def _ipv4(rng: Random) -> tuple[str, str]:
    parts = [str(rng.randrange(100, 256)) for _ in range(4)]
    return ".".join(parts) + rng.choice(("", "", ":443", "/24")), "".join(parts)


def _ipv6(rng: Random) -> tuple[str, str]:
    parts = [f"{rng.randrange(0x1000, 0x10000):x}" for _ in range(3)]
    address = f"2001:db8:{parts[0]}::{parts[1]}:{parts[2]}"
    return rng.choice((address, f"[{address}]:443", f"{address}%eth0")), "2001db8" + "".join(parts)


def _agent(rng: Random) -> tuple[str, str]:
    build = word(rng, 8)
    return rng.choice((
        f"Mozilla/5.0 (X11; Linux x86_64; {build}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
        f"Mozilla/5.0 (Linux; Android 13; {build} Build/TQ3A) Gecko/20100101 Firefox/128.0",
        f"Dalvik/2.1.0 (Linux; U; Android 13; {build} Build/1)", f"Shop/3.2 (iPhone; iOS 17.1; {build})",
    )), build  # fmt: skip


def word(rng: Random, length: int) -> str:
    return "".join(rng.choices(_LETTERS, k=length))


_MAKERS: Final[dict[str, Callable[[Random], tuple[str, str]]]] = {
    "email": _email, "phone": _phone, "secret": _secret, "card": _card, "iban": _iban, "ipv4": _ipv4, "ipv6": _ipv6,
    "agent": _agent,
}  # fmt: skip
_ENCODINGS: Final[tuple[Callable[[str], str], ...]] = (
    lambda text: quote(text, safe=""),
    quote_plus,
    lambda text: json.dumps(text)[1:-1],
    lambda text: html.escape(text, quote=True),
    lambda text: "".join(character if character.isalnum() else f"&#{ord(character)};" for character in text),
)


def _bare(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def _unquoted(text: str) -> str:
    return unquote(text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda match: chr(int(match[1], 16)), text).replace("\\", "")
