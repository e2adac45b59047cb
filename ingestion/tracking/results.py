"""Results of tracking, for one event and for a batch."""

from typing import NamedTuple


class Tracked(NamedTuple):
    """Result of one event. A retry passes `event_id` as its idempotency key and the same `occurred_at`.

    `reasons` is empty if the event was tracked; else it names every field that breaks its rule.
    """

    tracked: bool
    event_id: str | None = None
    occurred_at: str | None = None
    reasons: tuple[str, ...] = ()


class TrackedBatch(NamedTuple):
    """Results of a batch: one for each event, in order; or none, and the reasons to reject the batch."""

    results: tuple[Tracked, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def tracked(self) -> int:
        """Return the number of tracked events."""
        return sum(result.tracked for result in self.results)
