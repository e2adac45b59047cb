"""The job erase_subject that dies at each of its steps: run again with the same request, it ends as if it had not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ingestion.subjects import erasure, exported_files, landing_files, register, requests
from ingestion.subjects.requests import RequestKind
from ingestion.subjects.subject import NamedIds
from orchestration.instance import scrubbing
from tests.integration.ingestion.subjects.subject_requests import event, landing_text, stored_text
from tests.support.code_location import definitions
from tests.support.dagster_runs import DagsterRuns
from tests.support.pipeline import START
from warehouse.window import Window

ANA = {"actorId": "user-ana", "anonymousId": "device-ana"}
# Each step: the module and the name of its function.
STEPS: dict[str, tuple[Any, str]] = {
    "the transaction of raw": (erasure, "_keep_hashes"),
    "the days": (erasure, "record_days"),
    "the register": (register, "register_erasure"),
    "exports": (exported_files, "erase_from_exports"),
    "Dagster's tables": (scrubbing, "scrub_tables"),
    "files of runs": (scrubbing, "scrub_files"),
    "a landing file": (landing_files, "_record"),
    "the end of the request": (erasure, "record_files"),
}


class Killed(BaseException):
    """The end of a process in the middle of a step."""


def dies_once(step: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """Return a function that does its work, or not, and dies the first time."""
    calls = []

    def dying(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) > 1:
            return step(*arguments, **options)
        if after:
            step(*arguments, **options)
        raise Killed

    return dying


def run(instance: dg.DagsterInstance, request_id: Any) -> bool:
    job = definitions().resolve_job_def("erase_subject")
    config = {"ops": {"erase_subject_op": {"config": {"request": str(request_id)}}}}
    return job.execute_in_process(instance=instance, run_config=config, raise_on_error=False).success


@pytest.mark.parametrize(
    ("step", "after"),
    [
        *((step, True) for step in STEPS),
        # Before its work each step is where the one before it has ended.
        *(pytest.param(step, False, marks=pytest.mark.long) for step in STEPS),
    ],
)
def test_a_job_that_dies_is_run_again_and_ends_alike(
    runs: DagsterRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    pipeline = runs.pipeline
    for name in ("a.ndjson", "b.ndjson"):
        pipeline.land(
            START, [event(f"{name}-ana", START, **ANA), event(f"{name}-ben", START, actorId="user-ben")], name
        )
    pipeline.load(Window.day(START))
    request_id = requests.create_request(
        pipeline.connection, RequestKind.ERASE, NamedIds(persons=("user-ana",)), requested_by="a test"
    )
    module, function = STEPS[step]
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        with monkeypatch.context() as patch:
            patch.setattr(module, function, dies_once(getattr(module, function), after=after))
            assert not run(instance, request_id)
        assert run(instance, request_id)
    assert pipeline.rows("select event_key from raw.events order by 1") == [("a.ndjson-ben",), ("b.ndjson-ben",)]
    assert pipeline.rows("select file, lines_read, accepted, erased from ops.loads order by file") == [
        (f"events/dt={START}/{name}", 2, 1, 1) for name in ("a.ndjson", "b.ndjson")
    ]
    for text in (stored_text(pipeline), landing_text(pipeline.landing)):
        assert "user-ana" not in text
        assert "device-ana" not in text
    assert pipeline.rows("select named_ids, done_at is not null from ops.subject_requests") == [(None, True)]
    assert pipeline.rows("select completed_at is not null from ops.erasures") == [(True,)]
