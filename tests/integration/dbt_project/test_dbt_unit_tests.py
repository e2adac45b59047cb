"""The unit tests that stand beside the dbt models, run against an empty warehouse."""

import pytest
import yaml

from publishing import loaded_version
from tests.support.pipeline import Pipeline, run_dbt

# The dates in the rows of the unit tests are chosen for this window.
WINDOW = ["--event-time-start", "2026-10-01", "--event-time-end", "2026-10-03"]


@pytest.mark.slow
def test_every_dbt_unit_test_passes(pipeline: Pipeline) -> None:
    """One that fails is named in the message, with the rows that differ."""
    files = (loaded_version.PROJECT_DIR / "models").rglob("*.yml")
    written = [test["name"] for file in files for test in yaml.safe_load(file.read_text()).get("unit_tests", [])]
    tables = ["--resource-type=seed", "--resource-type=model"]

    # int_events_sessionized reads what it wrote before: its table has to be there when its unit tests run.
    run_dbt(pipeline.warehouse, ["build", *WINDOW, *tables, "--select", "+int_events_sessionized"])
    # dbt runs a model's unit tests before the model; by then its parents, whose columns and types they use, are there.
    ran = run_dbt(pipeline.warehouse, ["build", *WINDOW, *tables, "--resource-type=unit_test"])

    assert written
    assert set(written) - set(ran) == set()
