"""A landing store that is slow, or answers only now and then: a landing day is loaded whole or not at all."""

import io
import os
import random
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO

import pytest

from ingestion.landing.files import LandingError, LandingRoot
from ingestion.landing.storage import LocalFolder, StorageUnreachable, StoredEntry
from ingestion.loading.landing_day import load_window
from orchestration.retries import is_transient
from tests.integration.ingestion.loading.raw_tables import event
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window

DAYS = Window(date(2026, 10, 2), date(2026, 10, 5))
FILES_A_DAY = 3


class Dribble(io.RawIOBase):
    """A file that gives a few bytes at a time, and may end its connection in the middle."""

    def __init__(self, content: bytes, ends_at: int | None) -> None:
        self._rest, self._given, self._ends_at = content, 0, ends_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._ends_at is not None and self._given >= self._ends_at:
            raise ConnectionResetError("connection reset by peer")
        piece, self._rest = self._rest[: min(7, len(buffer))], self._rest[7:]
        buffer[: len(piece)] = piece
        self._given += len(piece)
        return len(piece)


@dataclass(frozen=True, slots=True)
class UnsoundStorage:
    """A folder of which `share` of all questions are not answered, or not to the end."""

    folder: LocalFolder
    share: float
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311

    def _fail(self) -> None:
        if self.chance.random() < self.share:
            raise StorageUnreachable("the store does not answer", "try again")

    def location(self, name: str) -> str:
        return self.folder.location(name)

    def entries(self, folder: str) -> list[StoredEntry]:
        self._fail()
        return self.folder.entries(folder)

    def has_folder(self, folder: str, /) -> bool:
        return self.folder.has_folder(folder)

    def version(self, name: str) -> str:
        self._fail()
        return self.folder.version(name)

    def open(self, name: str) -> BinaryIO:
        self._fail()
        with self.folder.open(name) as file:
            content = file.read()
        ends_at = self.chance.randrange(len(content)) if self.chance.random() < self.share else None
        return io.BufferedReader(Dribble(content, ends_at), 16)  # type: ignore[return-value]

    def delete(self, name: str) -> None:
        self.folder.delete(name)


@pytest.fixture
def landed(pipeline: Pipeline) -> Pipeline:
    for day in DAYS.days():
        for number in range(FILES_A_DAY):
            events = [event(f"{day} {number} {key}", at=f"{day}T00:00:0{key}Z") for key in range(4)]
            path = pipeline.land(day, events, f"part-{number}.ndjson")
            # A file that was just written would be read again with each attempt.
            os.utime(path, (1e9, 1e9))
    return pipeline


def rows_by_day(pipeline: Pipeline) -> dict[date, int]:
    return dict(pipeline.rows("select event_date, count(*)::int from raw.events group by 1"))


def test_a_store_that_fails_now_and_then_leaves_whole_days_and_ends_as_a_sound_one(landed: Pipeline) -> None:
    root = LandingRoot(UnsoundStorage(LocalFolder(landed.landing), 0.1))
    errors: list[BaseException] = []
    for _ in range(200):
        try:
            load_window(landed.connection, root=root, window=DAYS, start_date=START, processes=1)
        except (LandingError, StorageUnreachable, OSError) as error:
            errors.append(error)
            assert set(rows_by_day(landed).values()) <= {FILES_A_DAY * 4}, "a day is there whole, or not at all"
        else:
            break
    else:
        pytest.fail("the store never answered for long enough: choose a smaller share")
    assert rows_by_day(landed) == dict.fromkeys(DAYS.days(), FILES_A_DAY * 4)
    assert 3 < len(errors) < 150
    assert [error for error in errors if not is_transient(error)] == [], "each is tried again"


def test_a_slow_store_gives_the_same_rows(landed: Pipeline) -> None:
    root = LandingRoot(UnsoundStorage(LocalFolder(landed.landing), 0))
    load_window(landed.connection, root=root, window=DAYS, start_date=START, processes=1)
    slow = landed.rows("select event_key, canonical_hash from raw.events order by 1")
    landed.connection.execute("truncate raw.events, raw.attribution, ops.loads cascade")
    landed.load(DAYS)
    assert slow == landed.rows("select event_key, canonical_hash from raw.events order by 1")
    assert len(slow) == 3 * FILES_A_DAY * 4
