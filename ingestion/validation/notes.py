"""Notes on fields of valid events that did not count, summed up in the load log."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple

# As the columns of ops.loads are named.
Outcome = Literal["dropped_fields", "placeholder_ids", "hashed_ids"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("dropped_fields", "placeholder_ids", "hashed_ids")
# A field to its count, or to its reasons and theirs.
Counts = dict[str, int | dict[str, int]]


class Note(NamedTuple):
    """A field of an event that was dropped, a placeholder, or hashed. Only a dropped field has a reason."""

    outcome: Outcome
    field: str
    reason: str = ""


def counts_of(notes: Mapping[Note, int]) -> dict[Outcome, Counts]:
    """Return the counts by outcome, field and, for dropped fields, reason, in a fixed order."""
    columns: dict[Outcome, Counts] = {outcome: {} for outcome in OUTCOMES}
    for (outcome, field, reason), count in sorted(notes.items()):
        fields = columns[outcome]
        if reason:
            reasons = fields.setdefault(field, {})
            if isinstance(reasons, dict):
                reasons[reason] = count
        else:
            fields[field] = count
    return columns


def total_by_field(counts: Mapping[str, int | dict[str, int]]) -> Counter[str]:
    """Return the count of events by field, over all reasons."""
    return Counter({
        field: sum(counted.values()) if isinstance(counted, dict) else counted for field, counted in counts.items()
    })  # fmt: skip


def notes_of(columns: Iterable[tuple[Outcome, Counts]]) -> Counter[Note]:
    """Return the notes of these counts; the counts of one field are added up."""
    notes: Counter[Note] = Counter()
    for outcome, fields in columns:
        for field, counted in fields.items():
            for reason, count in (counted if isinstance(counted, dict) else {"": counted}).items():
                notes[Note(outcome, field, reason)] += count
    return notes
