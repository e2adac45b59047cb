"""Models that checks read: each check names them, so that it can be left out while one of them waits for a plan."""

import pytest

from publishing import dbt_manifest, gates
from quality_checks.registry import RuleCheck
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window

# Relations that a statement has read stay locked until its transaction ends.
READ = """
    select distinct classes.relname from pg_locks as locks
    inner join pg_class as classes on classes.oid = locks.relation
    where locks.pid = pg_backend_pid() and locks.locktype = 'relation' and classes.relkind in ('r', 'v')
        and classes.relnamespace::regnamespace::text in ('build', 'intermediate', 'marts', 'rollups')
"""


@pytest.mark.models
def test_every_check_names_the_models_that_it_reads(pipeline: Pipeline) -> None:
    models = dbt_manifest.project_version().versions.keys()
    read: dict[str, set[str]] = {}
    for check in gates.BUILD_CHECKS:
        assert models & check.reads or check.asset.startswith(("staging/", "intermediate/")), check.name
        if isinstance(check, RuleCheck):
            with pipeline.connection.transaction(force_rollback=True):
                check.rule(pipeline.connection, Window.day(START))
                read[check.name] = {name for (name,) in pipeline.rows(READ)} & models
    assert any(len(found) > 3 for found in read.values()), "this test shows nothing: the checks have read no table"
    assert {name: found for name, found in read.items() if not found <= reads_of(name)} == {}


def reads_of(name: str) -> frozenset[str]:
    [check] = [check for check in gates.BUILD_CHECKS if check.name == name]
    return check.reads
