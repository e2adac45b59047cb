"""Attribution of a visit, parsed from the URL of its landing page and its referrer."""

from typing import Final
from urllib.parse import parse_qsl, urldefrag, urlsplit

import msgspec

from ingestion.contract import Attribution, camel_keys

# URL parameters that are attribution, by name, with their fields.
_PARAMETERS: Final = {
    field.name: field.encode_name
    for field in msgspec.structs.fields(Attribution)
    if field.name not in ("referrer", "landing_page")
}
_LANDING_PAGE: Final = camel_keys(Attribution)["landing_page"]
# Real URLs have fewer parameters; a longer query would delay the request of the visitor.
_MAX_PARAMETERS: Final = 200


def attribution_of(url: object, referrer: object = None) -> dict[str, str]:
    """Return the attribution of a visit that landed on `url`, under the contract's keys. Never raises.

    Names of parameters may have any letter case, and the first of several counts. Values that break the contract are
    left out, such as a campaign of 300 characters: visitors can type any URL. The query of a URL that is too long is
    left out. Fragments are always removed.
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
        return []  # an invalid URL, or too many parameters


def _address(key: str, address: object) -> str | None:
    if not isinstance(address, str):
        return None
    try:
        whole = urldefrag(address.strip()).url
    except ValueError:
        return None
    return next((part for part in (whole, whole.partition("?")[0]) if part and _fits(key, part)), None)


def _fits(key: str, text: str) -> bool:
    """Return whether the contract allows this text under this key."""
    if "\0" in text:
        return False
    try:
        text.encode()
        msgspec.convert({key: text}, Attribution)
    except (UnicodeEncodeError, msgspec.ValidationError):
        return False
    return True
