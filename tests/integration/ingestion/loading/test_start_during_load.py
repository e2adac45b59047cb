"""A start of the warehouse, such as `make dsn`, while a landing day is loaded."""

from dataclasses import replace

from orchestration.cli.provision import prepare
from tests.integration.ingestion.loading.raw_tables import RawTables


def test_a_start_waits_for_no_running_load(raw: RawTables) -> None:
    """The locks are those of a load: its own of the load log, of attached partitions, of rows that it writes."""
    warehouse = raw.pipeline.warehouse
    prepare(warehouse)
    hasty = replace(warehouse, parameters=(("options", "-clock_timeout=2s -ctimezone=UTC"),))
    with warehouse.connect() as loading, loading.transaction():
        loading.execute("lock table ops.loads in share row exclusive mode")
        loading.execute("lock table raw.events, raw.attribution in share update exclusive mode")
        loading.execute("lock table raw.duplicate_events, raw.rejected_events, raw.ad_spend in row exclusive mode")
        loading.execute("lock table ops.stale_day_marks, ops.check_results, ops.writer in row exclusive mode")

        prepare(hasty)


def test_a_start_restores_an_index_and_a_comment(raw: RawTables) -> None:
    warehouse = raw.pipeline.warehouse
    with warehouse.connect() as owner:
        owner.execute("drop index ops.loads_change_id")
        owner.execute("comment on column ops.loads.late is null")

    prepare(warehouse)

    found = raw.rows(
        "select indexdef, col_description('ops.loads'::regclass, (select attnum from pg_attribute"
        " where attrelid = 'ops.loads'::regclass and attname = 'late')) like 'Accepted events whose day ended%%'"
        " from pg_indexes where schemaname = 'ops' and indexname = 'loads_change_id'"
    )
    assert found == [("CREATE INDEX loads_change_id ON ops.loads USING btree (change_id)", True)]
