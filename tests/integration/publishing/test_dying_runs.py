"""Builds and publications that die: marts stay whole, and a rerun corrects the rest."""

from typing import Any

import psycopg
import pytest

from publishing.publish import Replacement
from tests.integration.publishing.test_incremental_equals_rebuild import (
    WINDOW,
    create_licenses,
    land,
    random_files,
    rebuild_from_nothing,
)
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.parametrize(
    "model", ["int_identity_observations", "int_events_sessionized", "int_sessions", "daily_metrics_by_channel"]
)
def test_a_build_that_dies_leaves_marts_alone_and_a_rerun_makes_it_good(pipeline: Pipeline, model: str) -> None:
    files = random_files(5)
    create_licenses(pipeline, asset_of="asset-1")
    rebuild_from_nothing(pipeline, files)
    expected = pipeline.contents()
    published = pipeline.rows("table ops.published_days")
    late = [{"eventType": "asset_viewed", "ipAssetId": "asset-0", "occurredAt": f"{START}T10:00:00Z"}]
    pipeline.land(START, late, "late.ndjson")
    pipeline.load(Window.day(START))

    with pytest.raises(AssertionError, match="the model fails on purpose"):
        pipeline.run_with_failing_model(model, WINDOW)
    assert pipeline.contents(["marts"]) == {name: rows for name, rows in expected.items() if name.startswith("marts.")}
    assert pipeline.rows("table ops.published_days") == published

    pipeline.land(START, [], "late.ndjson")
    pipeline.load(Window.day(START))
    pipeline.catch_up()
    assert pipeline.contents() == expected


@pytest.mark.slow
@pytest.mark.models
def test_a_publication_that_dies_in_the_middle_changes_no_mart(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = random_files(6)
    create_licenses(pipeline, asset_of="asset-1")
    rebuild_from_nothing(pipeline, files[:4])
    before = pipeline.contents(["marts"])
    land(pipeline, files)

    apply = Replacement.apply

    def dies_in_the_middle(replacement: Replacement, cursor: psycopg.Cursor, days: Any = None) -> int:
        if replacement.mart.name == "visitors_by_period":
            cursor.execute("select pg_terminate_backend(pg_backend_pid())")
        return apply(replacement, cursor, days)

    with monkeypatch.context() as patched:
        patched.setattr(Replacement, "apply", dies_in_the_middle)
        with pytest.raises(psycopg.OperationalError):
            pipeline.run(WINDOW)
    pipeline.reconnect()
    assert pipeline.contents(["marts"]) == before

    pipeline.run(WINDOW)
    after = pipeline.contents()
    pipeline.wipe()
    rebuild_from_nothing(pipeline, files)
    assert pipeline.contents() == after
