"""Results read from the folder that a dbt invocation leaves behind."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from orchestration.dbt.invocation import DbtFailed, failure, failure_of, keep_parse, remove_old_folders
from orchestration.retries import TransientError

TEST = {
    "unique_id": "test.marketplace.one_row_per_metrics.1f2e",
    "status": "fail",
    "message": "Got 3 results, configured to fail if != 0",
}
MODEL = {"unique_id": "model.marketplace.daily_metrics", "status": "error", "message": "Database Error\n  no column x"}
LOST = {"unique_id": "model.marketplace.int_events", "status": "error", "message": "server closed the connection"}
PASSED = {"unique_id": "model.marketplace.stg_events", "status": "success", "message": "CREATE VIEW"}
SKIPPED = {"unique_id": "model.marketplace.later", "status": "skipped", "message": None}


def test_a_failure_names_every_failed_node_and_why() -> None:
    error = failure_of([PASSED, TEST, MODEL, SKIPPED], otherwise="")
    assert str(error) == (
        "dbt: test one_row_per_metrics: Got 3 results, configured to fail if != 0;"
        " model daily_metrics: Database Error no column x"
    )


@pytest.mark.parametrize("results", [[TEST], [MODEL], [TEST, LOST], [MODEL, LOST]])
def test_bad_rows_and_wrong_models_are_not_tried_again(results: list[dict[str, Any]]) -> None:
    assert isinstance(failure_of(results, otherwise=""), DbtFailed)


def test_a_lost_server_is_tried_again() -> None:
    assert isinstance(failure_of([PASSED, LOST, SKIPPED], otherwise=""), TransientError)
    assert isinstance(failure_of([], otherwise="could not connect to server: Connection refused"), TransientError)


@pytest.mark.parametrize(
    "message",
    [
        'Database Error\n  could not extend file "base/16/17": No space left on device\n  HINT: Check free disk space.',
        "Database Error\n  out of memory\n  DETAIL: Failed on request of size 64 in memory context",
    ],
)
def test_a_full_disk_and_a_want_of_memory_are_tried_again(message: str) -> None:
    assert isinstance(failure_of([{**MODEL, "message": message}], otherwise=""), TransientError)


def test_dbt_that_was_ended_by_a_signal_is_tried_again(tmp_path: Path) -> None:
    error = failure(tmp_path, otherwise="failed with exit code `-9`", exit_code=-9)
    assert isinstance(error, TransientError)
    assert "signal 9" in str(error)
    assert isinstance(failure(tmp_path, otherwise="no window", exit_code=2), DbtFailed)


def test_without_results_dbt_speaks_for_itself(tmp_path: Path) -> None:
    error = failure(tmp_path, otherwise="Compilation Error: no window")
    assert isinstance(error, DbtFailed)
    assert str(error) == "dbt: Compilation Error: no window"


def test_half_written_results_are_none(tmp_path: Path) -> None:
    (tmp_path / "run_results.json").write_text('{"results": [')
    assert str(failure(tmp_path, otherwise="killed")) == "dbt: killed"


def test_results_are_read_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "run_results.json").write_text(json.dumps({"results": [TEST]}))
    assert "one_row_per_metrics" in str(failure(tmp_path, otherwise="no"))


def test_the_parse_of_an_invocation_is_kept_for_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "dbt_models-1"
    folder.mkdir()
    keep_parse(folder, tmp_path)
    assert list(tmp_path.glob("*.msgpack")) == []
    (folder / "partial_parse.msgpack").write_bytes(b"parsed")
    keep_parse(folder, tmp_path)
    assert [path.read_bytes() for path in tmp_path.glob("partial_parse*")] == [b"parsed"]


def test_only_the_last_folders_of_invocations_stay(tmp_path: Path) -> None:
    for number in range(5):
        folder = tmp_path / f"dbt_models-{number}"
        folder.mkdir()
        (folder / "dbt.log").write_text("")
        os.utime(folder, (number, number))
    (tmp_path / "compiled").mkdir()
    (tmp_path / "manifest.json").write_text("{}")
    remove_old_folders(tmp_path, prefix="dbt_models", keep=2)
    assert {path.name for path in tmp_path.iterdir()} == {"dbt_models-3", "dbt_models-4", "compiled", "manifest.json"}
