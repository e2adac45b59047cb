"""Keyed hashes in place of ids that are e-mail addresses or phone numbers.

An address has the hash that the product's table `users` gives it, a phone number that of +<digits> without its
punctuation. Keys of events are hashed as they were sent: they only have to equal their retries, and two keys must
never become one.
"""

from typing import Final

from ingestion.hashing import hash_email, keyed_hash
from ingestion.redaction.decoding import decode_fully
from ingestion.redaction.emails import find_emails
from ingestion.redaction.phones import international_number

# Fields of the contract that hold the key of an event, and those that hold a person or device.
_KEY_FIELDS: Final = frozenset({"idempotencyKey", "eventId"})
# Only there a number that begins with zeros is a phone number: an asset 0012025550143 has to meet the product's tables.
_PERSON_FIELDS: Final = frozenset({"actorId", "anonymousId"})


def hashed_field(field: str, text: str, key: bytes) -> str | None:
    """Return the keyed hash of a personal id in a field of an event; None for any other id."""
    return hashed_key(text, key) if field in _KEY_FIELDS else hashed_id(text, key, is_person=field in _PERSON_FIELDS)


def hashed_id(text: str, key: bytes, *, is_person: bool = True) -> str | None:
    """Return the keyed hash of a personal id; None for any other id.

    A text that begins with `00` is a phone number only where the id is a person's or a device's.
    """
    if not may_be_personal(text):
        return None
    decoded = decode_fully(text).strip()
    if decoded[:7].lower() == "mailto:":
        decoded = decoded[7:].strip()
    emails = list(find_emails(decoded))
    if emails == [(0, len(decoded))]:
        return hash_email(decoded, key)
    if emails:
        # An address with other text: the hash of the whole keeps two ids distinct.
        return keyed_hash(text, key)
    number = international_number(decoded) if is_person or "+" in decoded else None
    return None if number is None else keyed_hash(number, key)


def hashed_key(text: str, key: bytes) -> str | None:
    """Return the keyed hash of a personal event key; None for any other key."""
    return None if hashed_id(text, key, is_person=False) is None else keyed_hash(text, key)


def may_be_personal(text: str) -> bool:
    """Return whether an id may be an e-mail address or phone number, by a cheap test that most ids fail."""
    # Look-alikes of @ and +, digits of other scripts and characters without width are all beyond ASCII.
    return (
        "@" in text
        or "%" in text
        or "+" in text
        or "&" in text
        or "\\" in text
        or text[:2] == "00"
        or not text.isascii()
    )
