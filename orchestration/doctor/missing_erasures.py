"""Findings about erasures of persons: those that a restored warehouse lacks, and those that are not complete."""

from collections.abc import Iterator

import psycopg

from alerting.fault import listed
from ingestion.landing.files import LandingRoot
from ingestion.subjects import erasure, register
from orchestration.doctor.finding import Finding, fault, ok, warning


def erasures(connection: psycopg.Connection, root: LandingRoot) -> Iterator[Finding]:
    """Examine whether every registered erasure was carried out, and published."""
    if missing := register.missing_erasures(connection, root):
        yield fault(
            "erasures",
            f"{len(missing)} erasures of persons are registered beside the landing files and not in this warehouse,"
            " which was restored from an older backup; nothing is loaded",
            "run warehouse erasures apply",
        )
        return
    waiting = erasure.open_erasures(connection)
    if waiting:
        days = listed(sorted({day for _, days in waiting for day in days}))
        yield warning(
            "erasures",
            f"{len(waiting)} are not complete: readers see numbers with these persons until {days} are published again",
            "see why these days are stale: select * from ops.stale_days; or run the job erase_subject again",
        )
    else:
        yield ok("erasures", "all are complete")
