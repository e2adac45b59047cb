"""Where a visit came from, read from the address it landed on and the address it came from."""

from typing import Final
from urllib.parse import parse_qsl, urldefrag, urlsplit

import msgspec

from ingestion.contract import Attribution, camel_keys

# The parameters of an address, by their names in it, that are attribution; the two addresses themselves are not in it.
_PARAMETERS: Final = {
    field.name: field.encode_name
    for field in msgspec.structs.fields(Attribution)
    if field.name not in ("referrer", "landing_page")
}
_LANDING_PAGE: Final = camel_keys(Attribution)["landing_page"]
# No honest address has more; reading an endless one costs time that belongs to the visitor.
_MAX_PARAMETERS: Final = 200


def attribution_of(url: object, referrer: object = None) -> dict[str, str]:
    """The attribution of a visit that landed on `url`, under the contract's keys. Never raises.

    Names of parameters may have any letter case, and the first of several counts. What the contract would refuse is
    left out, such as a campaign of 300 characters: a visitor can type any address, and the visit still took place. Of
    an address that is too long, its query is left out. Fragments are never kept.
    """
    found: dict[str, str] = {}
    if isinstance(url, str):
        for name, value in _parameters(url):
            key = _PARAMETERS.get(name.strip().lower())
            if key is not None and key not in found and (text := value.strip()) and _fits(key, text):
                found[key] = text
    for key, address in (("referrer", referrer), (_LANDING_PAGE, url)):
        if kept := _address(key, address):
            found[key] = kept
    return found


def _parameters(url: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(url).query, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        return []  # no address, or too many parameters


def _address(key: str, address: object) -> str | None:
    if not isinstance(address, str):
        return None
    try:
        whole = urldefrag(address.strip()).url
    except ValueError:
        return None
    return next((part for part in (whole, whole.partition("?")[0]) if part and _fits(key, part)), None)


def _fits(key: str, text: str) -> bool:
    """Whether an event with this text under this key would be accepted."""
    if "\0" in text:
        return False
    try:
        text.encode()
        msgspec.convert({key: text}, Attribution)
    except (UnicodeEncodeError, msgspec.ValidationError):
        return False
    return True
