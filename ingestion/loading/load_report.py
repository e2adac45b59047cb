"""Report on the loads of one landing day."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import psycopg

from ingestion.loading import load_log
from ingestion.validation.notes import Counts, counts_of


@dataclass(frozen=True, slots=True)
class LoadReport:
    """Report on the loads of one landing day; lines_read = accepted + rejected + duplicates + not_tracked + erased.

    Counts are lines of the files loaded now. Files that were loaded before and have not changed are `unchanged`.
    Of a sealed landing day nothing is loaded.
    `missing` are files of ops.loads that the landing folder no longer holds. Their rows stay loaded. Those loaded under
    other rules are `outdated`: they cannot be loaded again.
    """

    landing_date: date
    is_sealed: bool = False
    loaded: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()
    # Messages on files that name erased persons and could not be rewritten without them.
    not_rewritten: tuple[str, ...] = ()
    lines_read: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    not_tracked: int = 0
    erased: int = 0
    late: int = 0
    event_dates: tuple[date, ...] = ()
    # In valid events: dropped fields by reason, placeholders in place of ids, and ids that were hashed.
    dropped_fields: Counts = field(default_factory=dict)
    placeholder_ids: Counts = field(default_factory=dict)
    hashed_ids: Counts = field(default_factory=dict)


def with_counts(cursor: psycopg.Cursor, report: LoadReport, load_ids: Sequence[int]) -> LoadReport:
    """Return a report with the sums of its loads in ops.loads."""
    counts = ("lines_read", "accepted", "rejected", "duplicates", "not_tracked", "erased", "late")
    sums = ", ".join(f"sum({count})::bigint" for count in counts)
    cursor.execute(f"select {sums} from ops.loads where load_id = any(%s)", [load_ids])
    totals = dict(zip(counts, cursor.fetchone() or (), strict=True))
    columns: dict[Any, Any] = {**totals, **counts_of(load_log.notes_in(cursor, load_ids))}
    return replace(report, **columns, event_dates=tuple(sorted(load_log.event_dates(cursor, load_ids))))
