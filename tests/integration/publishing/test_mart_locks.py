"""Locks of a publication that changes columns: readers do not queue, and the session in its way is named."""

import threading

import psycopg
import pytest

from publishing import dbt_manifest, mart_locks
from publishing.marts import Column, marts_of
from publishing.publish import PublicationRefused
from tests.integration.publishing.one_view import DAY, publish_as_a_run
from tests.integration.publishing.test_mart_tables import changed
from tests.support.pipeline import Pipeline

SHARES = Column("shares", "bigint", is_nullable=True, description="Count of shares.")


def test_a_publication_that_cannot_lock_a_mart_names_the_session_and_cancels_nothing(
    published: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mart_locks, "WAIT_SECONDS", 0.5)
    published.connection.execute("alter table build.daily_metrics add column shares bigint default 7")
    widened = changed(marts_of(dbt_manifest.manifest()), SHARES)
    with psycopg.connect(published.warehouse.bi_dsn, application_name="Board of sales") as bi:
        bi.execute("select count(*) from marts.daily_metrics")
        session = bi.info.backend_pid
        with pytest.raises(
            PublicationRefused, match=rf"session {session} .*Board of sales.* marts\.daily_metrics since"
        ):
            publish_as_a_run(published, DAY, marts=widened)
        assert bi.execute("select count(*) from marts.daily_metrics").fetchone() == (1,)

    publish_as_a_run(published, DAY, marts=widened)
    assert published.rows("select shares from marts.daily_metrics") == [(7,)]


def test_readers_do_not_queue_behind_a_publication_that_waits(published: Pipeline) -> None:
    """While one reader holds the mart, others read it: within the timeout of their locks, twice as long as a try."""
    published.connection.execute("alter table build.daily_metrics add column shares bigint default 7")
    widened = changed(marts_of(dbt_manifest.manifest()), SHARES)
    dsn = published.warehouse.bi_dsn
    is_published = threading.Event()

    def publish() -> None:
        publish_as_a_run(published, DAY, marts=widened)
        is_published.set()

    with psycopg.connect(dsn) as long_query, psycopg.connect(dsn, autocommit=True) as other:
        long_query.execute("select count(*) from marts.daily_metrics")
        publication = threading.Thread(target=publish)
        publication.start()
        other.execute("set lock_timeout = '100ms'")
        waits = 0
        while waits < 5 and publication.is_alive():
            assert other.execute("select count(*) from marts.daily_metrics").fetchone() == (1,)
            (waiting,) = other.execute(
                "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and not granted"
            ).fetchone() or (0,)
            waits += waiting
        assert waits == 5
        assert not is_published.is_set()
        long_query.rollback()
        publication.join(60)
    assert is_published.is_set()
    assert published.rows("select shares from marts.daily_metrics") == [(7,)]
