"""Ids that are e-mail addresses or phone numbers: a keyed hash stands in their place.

An address as an id has the hash of the same address in the product's table `users`, a phone number that of +<digits>,
whatever it was punctuated with. Keys of events are hashed as they were sent, since they only have to equal their
retries: two keys must never become one.
"""

from ingestion.hashing import hash_email, keyed_hash
from ingestion.redaction.decoding import decode_fully
from ingestion.redaction.emails import find_emails
from ingestion.redaction.phones import international_number


def hashed_id(text: str, key: bytes, *, is_person: bool = True) -> str | None:
    """Return what stands in place of an id that names a person; None for any other id.

    What begins with `00` is a phone number only where the id is a person's or a device's.
    """
    if not needs_a_look(text):
        return None
    plain = decode_fully(text).strip()
    if plain[:7].lower() == "mailto:":
        plain = plain[7:].strip()
    emails = list(find_emails(plain))
    if emails == [(0, len(plain))]:
        return hash_email(plain, key)
    if emails:
        # An address inside something else: a hash of all of it still tells two ids apart.
        return keyed_hash(text, key)
    number = international_number(plain) if is_person or "+" in plain else None
    return None if number is None else keyed_hash(number, key)


def hashed_key(text: str, key: bytes) -> str | None:
    """Return what stands in place of an event's own key that names a person; None for any other key."""
    return None if hashed_id(text, key, is_person=False) is None else keyed_hash(text, key)


def needs_a_look(text: str) -> bool:
    """Tell whether an id has to be looked at closely. Most need not."""
    # Signs that stand for @ and +, digits of other scripts and characters without width are all beyond ASCII.
    return (
        "@" in text
        or "%" in text
        or "+" in text
        or "&" in text
        or "\\" in text
        or text[:2] == "00"
        or not text.isascii()
    )
