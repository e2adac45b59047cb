"""A warehouse from a backup goes on: it verifies, and is looked after."""

import os
from pathlib import Path

import pytest

from orchestration.cli import backup
from orchestration.cli.provision import prepare
from tests.integration.orchestration.one_view import DAY, view
from tests.support.dagster_runs import DagsterRuns
from tests.support.pipeline import START
from warehouse.connection import Warehouse
from warehouse.embedded.server import EmbeddedServer


@pytest.mark.slow
def test_a_restored_warehouse_verifies(
    runs: DagsterRuns, open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.pipeline.land(START, [view(START, "first")])
    assert runs.run(DAY).is_success
    file = tmp_path / "warehouse.dump"
    backup.write(runs.pipeline.warehouse, file)

    checkout = open_folder / f"restored-{os.urandom(4).hex()}"
    checkout.mkdir()
    server = EmbeddedServer(checkout, durable=False, first_port=29_532)
    restored = Warehouse.from_embedded(server)
    try:
        prepare(restored)
        assert backup.read(restored, file).published_days == 1
        monkeypatch.setenv("WAREHOUSE_URL", restored.url)
        for name, value in restored.dbt_env().items():
            monkeypatch.setenv(name, value)
        run = runs.run(DAY, job="verify")
        assert run.is_success, run.error
        compared = run.check("rerun_is_idempotent")
        assert compared.passed
        assert compared.metadata["compared_marts"].value > 10
        with restored.connect() as connection:
            assert connection.execute("select sum(views) from marts.daily_metrics").fetchone() == (1,)
    finally:
        server.remove()
