"""Progress of a backfill, as a person reads it after each chunk."""

from orchestration.backfill_progress import Progress


def test_progress_says_what_is_done_how_fast_and_what_is_left() -> None:
    progress = Progress(days=90, started=100.0)
    progress.add(10, 500_000, now=160.0)
    assert str(progress) == "10 of 90 days done, 8,333 events/s, about 8 min left"
    progress.add(10, 400_000, now=1_900.0)
    assert str(progress) == "20 of 90 days done, 500 events/s, about 1 h 45 min left"
    assert progress.metadata == {
        "days": 20,
        "chunks": 2,
        "events": 900_000,
        "seconds": 1_800.0,
        "seconds_to_the_first_publication": 60.0,
    }


def test_a_backfill_that_is_done_has_nothing_left_and_days_that_are_run_once_more_count() -> None:
    progress = Progress(days=2, started=0.0)
    progress.add(2, 10, now=1.0)
    assert str(progress) == "2 of 2 days done, 10 events/s"
    progress.add(1, 10, now=2.0)
    assert str(progress) == "3 of 3 days done, 10 events/s"
