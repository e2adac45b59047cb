"""Two years of days, all but the last month sealed at once: no published number moves, and the rest comes out equal."""

from collections.abc import Callable
from typing import Final

import pytest

from publishing.rerun_check import rerun_is_idempotent
from quality_checks.loads import load_counts_add_up
from tests.integration.publishing.sealed_history import apply, changed, event, landing_file, published
from tests.integration.publishing.three_days import own_the_asset
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

DAYS: Final = 730
END: Final = START + DAYS * ONE_DAY
FIRST_UNSEALED: Final = END - 30 * ONE_DAY
# A run of a warehouse's own size, some months.
RUN_DAYS: Final = 122


@pytest.mark.long
def test_two_years_are_sealed_and_every_number_stays(
    pipeline: Pipeline, record_property: Callable[[str, object], None]
) -> None:
    pipeline.data_tests = False
    own_the_asset(pipeline)
    pipeline.read_application(START)
    for number in range(DAYS):
        day = START + number * ONE_DAY
        pipeline.land(day, landing_file(day, number % 60))
    for window in Window(START, END).chunks(RUN_DAYS):
        pipeline.run(window)
    pipeline.catch_up()
    before = published(pipeline)
    oldest = Window.day(FIRST_UNSEALED)
    pipeline.run(oldest, load=False)
    assert changed(before, published(pipeline)) == {}

    dropped = apply(pipeline, FIRST_UNSEALED)
    record_property("rows dropped", dropped.rows)
    record_property("bytes freed", dropped.freed_bytes)
    assert published(pipeline) == before
    # The oldest day that is not sealed, and all others, are built again from what is left.
    pipeline.run(oldest, load=False)
    assert changed(before, published(pipeline)) == {}
    rest = Window(FIRST_UNSEALED, END)
    pipeline.run(rest, load=False)
    assert rerun_is_idempotent(pipeline.connection, rest).passed
    assert load_counts_add_up(pipeline.connection, rest).passed
    assert changed(before, published(pipeline)) == {}

    # A phone that was offline for two months.
    pipeline.land(END - ONE_DAY, [event(FIRST_UNSEALED - ONE_DAY, "12:00:00", {"anonymousId": "late"})], "late.ndjson")
    pipeline.load(Window.day(END - ONE_DAY))
    assert pipeline.rows("select rejected from ops.loads where file like '%%late.ndjson'") == [(1,)]
    assert pipeline.rows("select count(*) from raw.rejected_events where reasons = array['sealed_day']") == [(1,)]
    assert pipeline.catch_up() == []
