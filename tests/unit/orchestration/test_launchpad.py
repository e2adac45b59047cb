"""The launchpad before anybody types: it shows the fields that a person chooses, and nothing of resources."""

import dagster as dg
import pytest
from dagster._core.snap import JobSnap
from dagster_graphql.schema.run_config import default_values_yaml_from_type_snap
from yaml import safe_load

from tests.support.code_location import definitions

LOADED = {"raw_application_tables": {"accept_removals": [], "is_full": False}, "raw_events": {"accept_removals": False}}
FIELDS = {
    "daily_refresh": LOADED,
    "rebuild": LOADED,
    "load_landing": {"raw_events": LOADED["raw_events"]},
    "verify": {},
    "apply_plan": {"apply_plan_op": {"strategy": "SWAP", "from_day": ""}},
    "backfill": {"backfill_op": {"start": "", "end": ""}},
    "reload_landing_days": {"reload_landing_days_op": {"start": "", "end": ""}},
    "erase_subject": {"erase_subject_op": {"request": ""}},
    "withdraw_consent": {"withdraw_consent_op": {"request": ""}},
    "export_subject": {"export_subject_op": {"request": ""}},
    "replay_rejected": {
        "replay_rejected_op": {"reason": "", "landing_start": "", "landing_end": "", "load_id": 0},
    },
    "export_events": {
        "export_events_op": {
            "start": "",
            "end": "",
            "entity_type": "",
            "entity_id": "",
            "event_type": "",
            "format": "csv",
        },
    },
    "rotate_encryption_key": {},
    "declare_silent_day": {"declare_silent_day_op": {"day": "", "reason": "", "name": ""}},
    "publish_refused_day": {"publish_refused_day_op": {"day": "", "checks": [], "reason": "", "name": ""}},
    "prune_run_history": {},
    "apply_retention": {},
}


def shown(job: str) -> dict[str, object]:
    """The scaffold as the web page asks for it."""
    schema = JobSnap.from_job_def(definitions().resolve_job_def(job))
    snapshot = schema.config_schema_snapshot
    root = schema.mode_def_snaps[0].root_config_key
    assert root
    found: dict[str, object] = safe_load(default_values_yaml_from_type_snap(snapshot, snapshot.get_config_snap(root)))
    return found


def test_every_job_is_here() -> None:
    jobs = {job.name for job in definitions().resolve_all_job_defs()}
    assert {job for job in jobs if not job.startswith("__")} == FIELDS.keys()


@pytest.mark.parametrize("job", FIELDS)
def test_no_job_opens_with_resources(job: str) -> None:
    assert "resources" not in shown(job)


@pytest.mark.parametrize("job", FIELDS)
def test_a_job_opens_with_the_fields_that_a_person_chooses(job: str) -> None:
    wanted = {op: {"config": fields} for op, fields in FIELDS[job].items()}
    assert shown(job).get("ops", {}) == wanted


@pytest.mark.parametrize("job", FIELDS)
def test_every_field_says_what_it_takes(job: str) -> None:
    for node in definitions().resolve_job_def(job).all_node_defs:
        assert isinstance(node, dg.OpDefinition)
        schema = node.config_schema.config_type  # type: ignore[union-attr]
        for name, field in getattr(schema, "fields", {}).items():
            assert field.description, f"{node.name}.{name}"
