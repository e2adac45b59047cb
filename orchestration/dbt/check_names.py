"""dbt tests under short names, with the days that they were run for.

dbt makes the name of a generic test of its model, its column and all of its arguments. A check stands at its asset,
where `one_row_per_key` says enough.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import dagster as dg

from alerting.fault import listed
from warehouse.window import ONE_DAY, Window

_NAMES: Final = {
    "one_row_per": "one_row_per_key",
    "not_null": "{column_name}_is_not_null",
    "unique": "{column_name}_is_unique",
    "accepted_values": "{column_name}_has_accepted_values",
    "relationships": "{column_name}_is_known",
}
_DESCRIPTIONS: Final = {
    "one_row_per": "There is one row per {key}",
    "not_null": "Column {column_name} has no null",
    "unique": "No value of column {column_name} occurs twice",
    "accepted_values": "Every value of column {column_name} is one of {values}",
    "relationships": "Every value of column {column_name} is a {field} of {to}",
}


def with_short_names(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the manifest with short names of generic tests, each once a model. Unique ids stay."""
    taken: set[tuple[str, str]] = set()
    nodes = {}
    for unique_id, node in manifest["nodes"].items():
        nodes[unique_id] = node
        if node["resource_type"] == "test" and (name := _short_name(node)):
            model = str(node.get("attached_node"))
            # The second test of a kind on one model keeps the name that dbt gave it.
            if (model, name) not in taken:
                nodes[unique_id] = {**node, "name": name}
            taken.add((model, name))
    return {**manifest, "nodes": nodes}


def _short_name(node: Mapping[str, Any]) -> str:
    generic = node.get("test_metadata") or {}
    # A person has given the test a name where it does not begin with that of its kind.
    if not node["name"].startswith(f"{generic.get('name')}_"):
        return ""
    return _NAMES.get(generic["name"], "").format_map(generic["kwargs"])


def described(node: Mapping[str, Any]) -> str:
    """Describe a dbt test: its description, else a sentence of its kind and arguments. Its own name comes last."""
    generic = node.get("test_metadata") or {}
    name = f"dbt test `{node['unique_id'].split('.')[2]}`" if "unique_id" in node else "dbt test"
    if node.get("description"):
        return f"{node['description']} ({name})"
    arguments = {
        key: ", ".join(map(str, value)) if isinstance(value, list) else value
        for key, value in generic.get("kwargs", {}).items()
        if key != "model"
    }
    if sentence := _DESCRIPTIONS.get(generic.get("name", ""), ""):
        nulls = f"; nulls of {arguments['nullable']} count as one value" if "nullable" in arguments else ""
        return f"{sentence.format_map(arguments)}{nulls}. It is run for the days that are built ({name})."
    words = (generic.get("name") or node["name"]).replace("_", " ")
    given = "; ".join(f"{key.replace('_', ' ')} {value}" for key, value in arguments.items())
    return f"{words[:1].upper()}{words[1:]}{f': {given}' if given else ''} ({name})."


def with_days(
    result: dg.AssetCheckResult, window: Window, failing: Mapping[str, Sequence[date]], unique_id: str
) -> dg.AssetCheckResult:
    """Return a result that names its days. While the test fails for others it warns, and does not block."""
    others = failing.get(unique_id.split(".")[2], ())
    days: dict[str, Any] = {"days": f"{window.start} to {window.end - ONE_DAY}"}
    if others:
        days["other_failing_days"] = listed(others)
    still_fails = bool(result.passed and others)
    return dg.AssetCheckResult(
        asset_key=result.asset_key,
        check_name=result.check_name,
        passed=result.passed and not others,
        severity=dg.AssetCheckSeverity.WARN if still_fails else result.severity,
        description=f"{len(others)} other days still fail: {listed(others)}" if others else None,
        metadata={**result.metadata, **days},
    )
