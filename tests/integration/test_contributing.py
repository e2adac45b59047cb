"""The examples of CONTRIBUTING.md, applied to a copy of the project and run on real data."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conventions.test_repository import FILES
from warehouse.connection import CHECKOUT, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.models]

EXAMPLES = re.findall(
    r"^(Add to|Create) `([^`]+)`:\n\n```\w+\n(.*?)^```",
    (CHECKOUT / "CONTRIBUTING.md").read_text(),
    re.MULTILINE | re.DOTALL,
)
SCENARIO = """
import json, sys
from pathlib import Path
from quality_checks import event_counts
from tests.support.pipeline import START, Pipeline
from warehouse.connection import Warehouse
from warehouse.window import Window

window = Window.day(START)
models = ("daily_event_counts", "daily_metrics", "daily_metrics_by_channel")
pipeline = Pipeline(Warehouse.from_url(sys.argv[1]), Path(sys.argv[2]), models=models)
pipeline.land(START, [{
    "eventType": "asset_bookmarked", "occurredAt": f"{START}T09:00:00Z", "eventId": "e1", "anonymousId": "device-1",
    "ipAssetId": "asset-1", "attribution": {"utmSource": "partner-x", "utmMedium": "post"},
}])
pipeline.dbt(["seed", "--select", "event_types", "channel_rules"])
pipeline.run(window)
found = {
    "mart": pipeline.rows("select event_type, events from marts.daily_event_counts"),
    "channel": pipeline.rows("select channel, clicks from marts.daily_metrics_by_channel"),
    "passed": pipeline.rows(
        "select is_passed from ops.check_results where check_name = 'event_counts_match_raw_events'"
    ),
}
pipeline.connection.execute("update build.daily_event_counts set events = 9")
found["sample"] = event_counts.event_counts_match_raw_events(pipeline.connection, window).sample
print(json.dumps(found, default=str))
"""


@pytest.fixture
def copy(open_folder: Path) -> Path:
    """A copy of the project with every example applied."""
    target = open_folder / "contributing"
    shutil.rmtree(target, ignore_errors=True)
    for path in FILES:
        file = target / path.relative_to(CHECKOUT)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, file)
    for verb, name, text in EXAMPLES:
        file = target / name
        assert file.exists() == (verb == "Add to"), name
        with file.open("a") as written:
            written.write(text)
    return target


def run_in(copy: Path, *command: str, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)} | environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_the_examples_do_what_the_guide_says(copy: Path, warehouse: Warehouse, tmp_path: Path) -> None:
    assert [name for _, name, _ in EXAMPLES] == [
        "dbt_project/seeds/event_types.csv",
        "dbt_project/seeds/channel_rules.csv",
        "dbt_project/models/marts/core/daily_event_counts.sql",
        "dbt_project/models/marts/core/_events__models.yml",
        "dbt_project/models/exposures.yml",
        "quality_checks/event_counts.py",
    ]
    listed = run_in(copy, sys.executable, "-m", "orchestration", "checks")
    row = "build error build/daily_event_counts event_counts_match_raw_events Every day has as many events"
    assert re.search(row.replace(" ", " +"), listed)

    found: dict[str, Any] = json.loads(
        run_in(copy, sys.executable, "-c", SCENARIO, warehouse.url, str(tmp_path / "landing")).splitlines()[-1]
    )
    assert found["mart"] == [["asset_bookmarked", 1]]
    assert found["channel"] == [["Affiliates", 1]], "the type counts as a click, and the rule gives the channel"
    assert found["passed"] == [[True]]
    wrong_row = {"metric_date": "2026-10-01", "event_type": "asset_bookmarked", "counted": 1, "shown": 9}
    assert found["sample"] == [wrong_row]


def test_the_examples_keep_the_conventions(copy: Path) -> None:
    conventions = ["tests/conventions/test_dbt_conventions.py", "tests/conventions/test_repository.py"]
    names = "test_a_module or test_modules or model or mart or exposure or seed"
    # No git is there to list the files of the copy.
    run_in(copy, "git", "init", "--quiet")
    run_in(copy, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", names, *conventions)
    run_in(copy, sys.executable, "-m", "ruff", "check", "quality_checks/event_counts.py")
