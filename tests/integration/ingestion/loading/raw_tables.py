"""Raw as the tests of loading see it: what was loaded, the ledger, the days that changed, and the model beside it."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from ingestion.loading.landing_day import LoadReport, load_landing_day
from tests.integration.ingestion.loading import model
from tests.support.pipeline import START, Pipeline

# Of each landing day and file name, its lines.
Files = Mapping[tuple[date, str], Sequence[model.Line]]

TABLES = (
    "raw.events, raw.attribution, raw.duplicate_events, raw.rejected_events, ops.loads, ops.stale_day_marks,"
    " ops.built_days"
)


class RawTables:
    """The raw tables of one warehouse and the landing folder they are loaded from."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.rows = pipeline.rows
        self.landing = pipeline.landing
        (self.landing / "events").mkdir(parents=True)
        self.landed: dict[tuple[date, str], list[model.Line]] = {}

    def land(self, day: date, events: Iterable[model.Line], name: str = "part-0.ndjson") -> None:
        """Write a landing file, or correct it."""
        lines = list(events)
        path = self.pipeline.land(day, lines, name)
        self.landed[day, path.relative_to(self.landing).as_posix()] = lines

    def lose(self, day: date, name: str) -> None:
        """Take a landing file away, if it is there."""
        path = self.landing / "events" / f"dt={day}" / name
        path.unlink(missing_ok=True)
        self.landed.pop((day, path.relative_to(self.landing).as_posix()), None)

    def load(self, day: date) -> LoadReport:
        """Load one landing day."""
        return load_landing_day(self.pipeline.connection, root=self.landing, landing_date=day, start_date=START)

    def reset(self) -> None:
        """Empty the warehouse and the landing folder."""
        for (partition,) in self.rows(
            "select inhrelid::regclass::text from pg_inherits"
            " where inhparent in ('raw.events'::regclass, 'raw.attribution'::regclass)"
        ):
            self.pipeline.connection.execute(f"drop table {partition}")  # type: ignore[arg-type]
        for table in TABLES.split(", "):
            self.pipeline.connection.execute(f"delete from {table}")  # type: ignore[arg-type]
        for _, name in self.landed:
            (self.landing / name).unlink(missing_ok=True)
        self.landed.clear()

    def contents(self) -> dict[str, list[tuple[str, ...]]]:
        """Every row of raw, without its provenance."""
        return self.pipeline.contents(("raw",))

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of raw and ops with all its columns, also those that tell when and by which load.

        Not when a landing file was seen to have settled, which a second look may add.
        """
        names = [
            name
            for (name,) in self.rows(
                "select relnamespace::regnamespace || '.' || relname from pg_class"
                " where relnamespace::regnamespace::text in ('raw', 'ops') and relkind in ('r', 'p')"
            )
        ]
        return {
            name: sorted(self.rows(f"select (to_jsonb(t) - 'file_version')::text from {name} as t"))
            for name in sorted(names)
        }

    def keys(self, table: str = "raw.events") -> list[str]:
        """The keys of the events in a table, sorted."""
        return [key for (key,) in self.rows(f"select event_key from {table} where event_key is not null order by 1")]

    def ledger(self) -> dict[str, model.Counts]:
        """The counts of every loaded file."""
        return {
            file: model.Counts(*counts)
            for file, *counts in self.rows(
                "select file, lines_read, accepted, rejected, duplicates, not_tracked from ops.loads"
                " where replaced_by is null"
            )
        }

    def changed_days(self, change_id: int = 0) -> set[date]:
        """The event days that loads after this change have changed."""
        return {
            day
            for (day,) in self.rows(
                "select event_date from ops.stale_day_marks where layer = 'events' and reason = 'events_changed'"
                " and change_id > %s",
                change_id,
            )
        }

    def last_change(self) -> int:
        """The id of the last change of raw."""
        ((change_id,),) = self.rows("select ops.last_change_id()")
        return int(change_id)

    def assert_ledger_adds_up(self) -> None:
        """Every load's counts add up, and those of the loaded versions are what the tables hold."""
        assert not self.rows(
            "select file from ops.loads where lines_read <> accepted + rejected + duplicates + not_tracked + erased"
        )
        assert not self.rows(
            """
            with stored as (
                select load_id, 1 as accepted, 0 as rejected, 0 as duplicates from raw.events
                union all select load_id, 0, 1, 0 from raw.rejected_events
                union all select load_id, 0, 0, 1 from raw.duplicate_events
            ),
            counted as (
                select load_id, sum(accepted) as accepted, sum(rejected) as rejected, sum(duplicates) as duplicates
                from stored group by load_id
            )
            select load_id, loads, counted
            from (select * from ops.loads where replaced_by is null) as loads
            full join counted using (load_id)
            where (coalesce(counted.accepted, 0), coalesce(counted.rejected, 0), coalesce(counted.duplicates, 0))
                is distinct from (loads.accepted, loads.rejected, loads.duplicates)
            """
        )

    def assert_is(self, expected: model.Raw) -> None:
        """Raw holds exactly what the model says, line by line, and the ledger counts it so."""
        self.assert_ledger_adds_up()
        assert self.ledger() == expected.ledger
        for table, condition, copies in (
            ("raw.events", "true", expected.accepted),
            ("raw.duplicate_events", "true", expected.duplicates),
            ("raw.rejected_events", "reasons = '{rate_limited}'", expected.limited),
        ):
            stored = self.rows(
                f"select event_date, event_key, file, line_number, line_position from {table}"
                f" inner join ops.loads using (load_id) where {condition}"
            )
            assert sorted(stored) == sorted((c.event_date, c.key, *c.place) for c in copies), table
        assert sorted(self.rows("select event_date, event_key, received_at, canonical_hash from raw.events")) == sorted(
            c.says for c in expected.accepted
        )
        # The attribution is the winner's own, and there is none where the winner has none.
        assert sorted(self.rows("select event_date, event_key, utm_source from raw.attribution")) == sorted(
            (c.event_date, c.key, c.utm_source) for c in expected.accepted if c.utm_source
        )
        # Whatever way a copy took, its normal form is that of what was sent.
        forms = self.rows("select utm_source, utm_source_normalized from raw.attribution where utm_source is not null")
        assert {(sent, unicodedata.normalize("NFKC", sent).strip(" \u200b").casefold()) for sent, _ in forms} == {
            *forms
        }


def event(key: str | None = None, at: str = "2026-10-02T10:00:00Z", **more: Any) -> dict[str, Any]:
    """An event of an anonymous visitor of its own, with `more` fields by their name on the wire."""
    made: dict[str, Any] = {"eventType": "asset_viewed", "occurredAt": at, **more}
    if key is not None:
        made["idempotencyKey"] = key
    return made
