"""Progress of a backfill: days and events so far, their rate, and the time that is left."""

from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """Days and events of a backfill so far. Times are seconds of one monotonic clock."""

    days: int
    started: float
    days_done: int = 0
    events: int = 0
    chunks: int = 0
    first_chunk_seconds: float = 0.0
    now: float = 0.0

    def add(self, days: int, events: int, now: float) -> None:
        """Count a chunk that has ended."""
        self.days_done += days
        # Days that became stale again come on top.
        self.days = max(self.days, self.days_done)
        self.events += events
        self.chunks += 1
        self.now = now
        if self.chunks == 1:
            self.first_chunk_seconds = now - self.started

    def __str__(self) -> str:
        seconds = self.now - self.started
        done = f"{self.days_done} of {self.days} days done, {self.events / max(seconds, 0.001):,.0f} events/s"
        if self.days_done in (0, self.days):
            return done
        return f"{done}, about {duration(seconds / self.days_done * (self.days - self.days_done))} left"

    @property
    def metadata(self) -> dict[str, int | float]:
        """Return the totals for the metadata of the run."""
        return {
            "days": self.days_done,
            "chunks": self.chunks,
            "events": self.events,
            "seconds": round(self.now - self.started, 1),
            "seconds_to_the_first_publication": round(self.first_chunk_seconds, 1),
        }


def duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min" if minutes else "1 min"
