"""Texts that hold nothing personal, for tests of redaction: dates, prices, codes, versions. Equal seeds make equal texts."""

# ruff: noqa: E501 - a case a line reads better

from random import Random
from typing import Final

from tests.support.personal_data import word


def innocent(rng: Random) -> str:
    """Make a text with dates, numbers, versions or codes, and nothing personal."""
    make = rng.choice(_INNOCENT)
    text = make(rng)
    return f"{rng.choice(('', '', 'see ', 'black friday ', '(', 'a: '))}{text}{rng.choice(('', '', '.', ' b', ')'))}"


def _digits(rng: Random, length: int) -> str:
    return str(rng.randrange(10 ** (length - 1), 10**length))


def _date(rng: Random) -> str:
    year, month, day = rng.randrange(1990, 2040), rng.randrange(1, 13), rng.randrange(1, 29)
    return rng.choice((
        f"{year}-{month:02}-{day:02}", f"black+friday+{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}", f"{month}/{day}/{year}",
        f"{year}-{month:02}-{day:02}T{day:02}:00:00.123+02:00", f"{year}-{year + 1}", f"festival + {year}-{month:02}-{day:02}",
        f"{year}{month:02}{day:02}{day:02}0000", f"{day:02}-{month:02}-{year} 10:00", f"spring+{year}", f"{year}/{month:02}/{day:02}",
    ))  # fmt: skip


def _sku(rng: Random) -> str:
    return rng.choice((
        f"SKU-{_digits(rng, 6)}-{word(rng, 2).upper()}", f"{word(rng, 3).upper()}{_digits(rng, 8)}", f"978-3-16-{_digits(rng, 6)}-0",
        f"{word(rng, 2).upper()}{_digits(rng, 2)}-{_digits(rng, 4)}-{_digits(rng, 4)}", f"asset_000{_digits(rng, 4)}", f"A-00{_digits(rng, 6)}",
    ))  # fmt: skip


def _version(rng: Random) -> str:
    parts = ".".join(str(rng.randrange(1, 200)) for _ in range(4))
    return rng.choice((
        f"v{parts}", f"version {parts}", f"Chrome/{parts}", f"{rng.randrange(20)}.{rng.randrange(20)}.{rng.randrange(20)}",
        f"Chrome/120.0.{_digits(rng, 4)}.210", f"react@18.{rng.randrange(9)}.0", f"build {parts}", f"1.2.3-rc.{rng.randrange(9)}",
    ))  # fmt: skip


def _coordinates(rng: Random) -> str:
    latitude, longitude = rng.uniform(-90, 90), rng.uniform(-180, 180)
    return rng.choice((
        f"{latitude:.6f}, {longitude:.6f}", f"{latitude:+.6f}{longitude:+.6f}", f"{latitude:.7f},{longitude:.7f}", f"{latitude:+.4f}, {longitude:+.4f}",
        "52°31'12\"N 13°24'18\"E",
    ))  # fmt: skip


def _count(rng: Random) -> str:
    number = rng.randrange(10 ** rng.randrange(1, 12))
    return rng.choice((
        f"{number}", f"{number:,}", f"{number:,}".replace(",", " "), f"+{number:,}", f"{number:,}".replace(",", "."), f"{number} views",
        f"totalTokens: {number % 10**9}", f"x{number % 100}", f"{number % 100} %",
    ))  # fmt: skip


def _price(rng: Random) -> str:
    cents = rng.randrange(10**7)
    return rng.choice(
        (
            f"{cents / 100:,.2f} €",
            f"${cents / 100:,.2f}",
            f"EUR {cents / 100:.2f}",
            f"{cents // 100} CHF",
            f"+{cents / 100:.2f}",
        )
    )


def _long_id(rng: Random) -> str:
    return _digits(rng, rng.randrange(13, 20))


def _milliseconds(rng: Random) -> str:
    return str(rng.randrange(1_400_000_000_000, 2_100_000_000_000))


_INNOCENT: Final = (_date, _sku, _version, _coordinates, _count, _price, _long_id, _milliseconds)
