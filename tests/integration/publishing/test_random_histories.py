"""Random histories of loads, runs, changes of code and erasures end, once nothing is stale, as a rebuild.

Twelve histories belong to every run of the tests. WAREHOUSE_HISTORIES sets how many `make test-long` adds; each takes
some 12 s (2026-11).
"""

import os
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from ingestion.ad_spend.loading import load_ad_spend
from ingestion.subjects.subject import NamedIds
from publishing.publish import Publication
from tests.integration.ingestion.subjects.subject_requests import carry_out, request
from tests.integration.publishing.edited_projects import FEWER, TWICE, Copies, Edit, Projects, edited
from tests.integration.publishing.test_incremental_equals_rebuild import File, create_licenses, land, random_files
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import writing

DAYS: Final = 3
WINDOW: Final = Window(START, START + DAYS * ONE_DAY)
HISTORIES: Final = 12
LONG_HISTORIES: Final = int(os.environ.get("WAREHOUSE_HISTORIES", "60"))
SEEDS: Final = [
    *range(HISTORIES),
    *(pytest.param(seed, marks=pytest.mark.long) for seed in range(HISTORIES, HISTORIES + LONG_HISTORIES)),
]

LONGER = edited("dbt_project.yml", "session_timeout_minutes: 30", "session_timeout_minutes: 300")
# A measure of a daily mart, a snapshot, a seed, a var of sessions, and one of paths, which the fits read.
CODES: Final[tuple[tuple[Edit, ...], ...]] = (
    (),
    (TWICE,),
    (
        FEWER,
        edited(
            "event_types.csv", "license_clicked,license,false,true,false", "license_clicked,license,true,false,false"
        ),
    ),
    (LONGER,),
    (TWICE, LONGER),
    (edited("dbt_project.yml", "attribution_path_transform: none", "attribution_path_transform: unique"),),
)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Copies]:
    """A folder for the projects of all histories, and the projects that are in it."""
    return tmp_path_factory.mktemp("codes"), {}


class CountingPipeline:
    """The counts of a pipeline's publications of stale days: how many they moved, and how many came out the same."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._publish = pipeline.publish
        self.days = self.unchanged = 0
        self.is_counting = False
        pipeline.publish = self.publish  # type: ignore[method-assign]

    def publish(self, window: Window, run_id: str) -> Publication:
        publication = self._publish(window, run_id)
        if self.is_counting:
            self.days += len(window)
            self.unchanged += publication.days_unchanged or 0
        return publication


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_history_with_changes_of_code_ends_as_a_rebuild(
    pipeline: Pipeline, copies: tuple[Path, Copies], record_property: Callable[[str, object], None], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    projects = Projects(pipeline, *copies)
    pipeline.data_tests = False
    counts = CountingPipeline(pipeline)
    files = [file for file in random_files(seed) if file[0] in WINDOW]
    create_licenses(pipeline, asset_of="asset-2")

    def change_code() -> None:
        projects.load(*chance.choice(CODES), is_applied=True)

    waiting = files.copy()
    steps: list[str] = []
    for _ in range(chance.randrange(3, 6)):
        step = chance.choice(["arrive", "arrive", "run", "change code", "change code", "catch up", "erase"])
        steps.append(step)
        if step == "arrive":
            arrive(pipeline, [waiting.pop(chance.randrange(len(waiting))) for _ in range(min(3, len(waiting)))])
        elif step == "run":
            first = chance.randrange(DAYS)
            pipeline.run(Window(START + first * ONE_DAY, START + chance.randrange(first + 1, DAYS + 1) * ONE_DAY))
        elif step == "change code":
            change_code()
        elif step == "erase":
            erase(pipeline, f"user-{chance.randrange(3)}")
        else:
            catch_up(pipeline, counts)
    change_code()
    arrive(pipeline, waiting)
    pipeline.read_application(START)
    catch_up(pipeline, counts)
    incremental = pipeline.contents()
    record_property("history", f"{', '.join(steps)}; of {counts.days} stale days {counts.unchanged} came out unchanged")

    # Erased persons are in the landing files no more, also those that have arrived since.
    landing = pipeline.landing.rename(pipeline.landing.with_name("kept"))
    pipeline.wipe()
    landing.rename(pipeline.landing)
    load_ad_spend(pipeline.connection, root=pipeline.landing)
    pipeline.read_application(START)
    pipeline.run(WINDOW)
    pipeline.catch_up()
    rebuilt = pipeline.contents()
    assert rebuilt["marts.daily_metrics"], "this test shows nothing: there are no metrics"
    for table, rows in rebuilt.items():
        assert incremental[table] == rows, f"{table}, after {', '.join(steps)}"


def erase(pipeline: Pipeline, person: str) -> None:
    """Erase a person from raw and from the landing files."""
    with pipeline.warehouse.connect(autocommit=True) as lock, writing(lock, f"erase {person}", log=print):
        carry_out(pipeline, request(pipeline, NamedIds(persons=(person,))), hash_key="")


def arrive(pipeline: Pipeline, files: list[File]) -> None:
    """Land files and load their landing days."""
    land(pipeline, files)
    days: set[date] = {landing_date for landing_date, _, _ in files}
    for day in sorted(days):
        pipeline.load(Window.day(day))


def catch_up(pipeline: Pipeline, counts: CountingPipeline) -> None:
    counts.is_counting = True
    pipeline.catch_up()
    counts.is_counting = False
