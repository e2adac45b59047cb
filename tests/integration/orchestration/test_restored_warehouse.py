"""A warehouse from a backup goes on: what is built again from its raw data equals what it has published."""

import os
from pathlib import Path

import pytest

from orchestration.cli import backup
from orchestration.cli.provision import prepare
from publishing import gates
from publishing.rerun_check import rerun_is_idempotent
from tests.integration.orchestration.one_view import DAY, view
from tests.support.pipeline import START, Pipeline
from warehouse.connection import Warehouse
from warehouse.embedded.server import EmbeddedServer
from warehouse.writer_lock import writing


@pytest.mark.slow
@pytest.mark.models
def test_a_restored_warehouse_verifies(pipeline: Pipeline, open_folder: Path, tmp_path: Path) -> None:
    pipeline.land(START, [view(START, "first")])
    pipeline.run(DAY)
    file = tmp_path / "warehouse.dump"
    backup.write(pipeline.warehouse, file)

    checkout = open_folder / f"restored-{os.urandom(4).hex()}"
    checkout.mkdir()
    server = EmbeddedServer(checkout, durable=False, first_port=29_532)
    warehouse = Warehouse.from_embedded(server)
    try:
        prepare(warehouse)
        assert backup.read(warehouse, file).published_days == 1
        restored = Pipeline(warehouse, tmp_path / "nothing lands")
        # As job verify does: everything but loading.
        with warehouse.connect(autocommit=True) as lock, writing(lock, "verify", log=print):
            restored.run_checks(DAY, "verify", gates.RAW_CHECKS)
            restored.build(DAY, "verify")
            restored.run_checks(DAY, "verify", gates.BUILD_CHECKS)
            found = rerun_is_idempotent.rule(restored.connection, DAY)
            restored.publish(DAY, "verify")
        assert (found.observed["rows_published"], found.observed["rows_built"]) == (0, 0), found
        assert found.observed["compared_marts"] > 10
        assert restored.rows("select sum(views) from marts.daily_metrics") == [(1,)]
        restored.close()
    finally:
        server.remove()
