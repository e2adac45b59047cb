"""Published marts as assets: their specs, with columns and lineage, and their check over all days."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import dagster as dg

from orchestration.partitions import table_spec
from orchestration.run_windows import ALONE
from publishing import days_not_current
from publishing.days_not_current import DayState
from publishing.marts import Mart, marts_of
from publishing.scopes import Scope
from warehouse.roles.readers import MARTS

# A person opens it beside the page of the mart.
_PAGE: Final = "docs/reference/marts.md"
CURRENT: Final = "days_are_current"
_REPLACED: Final = {
    Scope.DAY: "the days of the run",
    Scope.WEEK: "the weeks of the run's days and the one after them",
    Scope.MONTH: "the months of the run's days and the one after them",
    Scope.SNAPSHOT: "all rows",
    Scope.KEYS: "the rows of the keys that the run has touched",
}


def key_of(mart: Mart) -> dg.AssetKey:
    """Return the asset of a published mart."""
    return dg.AssetKey([mart.schema, mart.name])


def specs(manifest: Mapping[str, Any]) -> list[dg.AssetSpec]:
    """Return the specs of all published marts, with the columns of their contracts."""
    files = {
        node["name"]: node["original_file_path"] for node in manifest["nodes"].values() if node["schema"] == "build"
    }
    return [_spec(mart, f"dbt_project/{files[mart.name]}") for mart in marts_of(manifest)]


def _spec(mart: Mart, sql_file: str) -> dg.AssetSpec:
    readers = "BI reads it." if mart.schema == MARTS else "Only the pipeline reads it: other marts are made from it."
    made = (
        f"A view, which publication makes as `build/{mart.name}` has it, over the published tables."
        if mart.is_view
        else f"The published rows of `build/{mart.name}`, where its checks run. A publication replaces"
        f" {_REPLACED[mart.scope]}."
    )
    return table_spec(
        [mart.schema, mart.name],
        f"{mart.description}\n\n{readers} {made} {ALONE}",
        kinds={"postgres"},
        deps=[["build", mart.name]],
        metadata={
            "dagster/column_schema": dg.TableSchema(
                columns=[
                    dg.TableColumn(
                        column.name,
                        column.data_type,
                        column.description,
                        constraints=dg.TableColumnConstraints(nullable=column.is_nullable),
                    )
                    for column in mart.columns
                ],
                constraints=dg.TableConstraints([f"one row per {', '.join(mart.grain)}"]),
            ),
            "dagster/column_lineage": dg.TableColumnLineage(
                {
                    column.name: [dg.TableColumnDep(dg.AssetKey(["build", mart.name]), column.name)]
                    for column in mart.columns
                }
            ),
            "replaces": _REPLACED[mart.scope],
            "sql": dg.MetadataValue.path(sql_file),
            "docs": dg.MetadataValue.path(_PAGE),
        },
    )


def check_specs(manifest: Mapping[str, Any]) -> list[dg.AssetCheckSpec]:
    """Return the checks of marts that BI reads. They look at all days, whichever days a run publishes."""
    return [
        dg.AssetCheckSpec(
            CURRENT,
            asset=key_of(mart),
            description="Every day that is due is published, and none of them is stale or refused by a check. It looks"
            " at all days, so that a run of one day hides nothing about another. The metadata names the days and why,"
            f" as `marts.stale_days` does. The checks of the rows are those of `build/{mart.name}`.",
        )
        for mart in marts_of(manifest)
        if mart.schema == MARTS
    ]


def check_results(states: Sequence[DayState], selected: Iterable[dg.AssetCheckKey]) -> Iterator[dg.AssetCheckResult]:
    """Yield the result of each selected check: it passes when no day of its mart is refused, stale or missing."""
    for key in selected:
        if key.name != CURRENT:
            continue
        found = days_not_current.of_mart(states, key.asset_key.path[-1])
        counts: dict[str, Any] = {**days_not_current.counts(found)}
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            description=days_not_current.in_words(found) or "every day is published and current",
            metadata={**counts, **({"days": dg.MetadataValue.md(days_not_current.table(found))} if found else {})},
        )


def mark(result: dg.AssetCheckResult) -> str:
    """Return a digest of a result: equal digests say the same."""
    return hashlib.sha256(repr((result.passed, sorted(result.metadata.items()))).encode()).hexdigest()[:12]


def evaluation(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """Return a result as the event that a sensor records."""
    assert result.asset_key and result.check_name  # noqa: S101, PT018
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=result.check_name,
        passed=result.passed,
        severity=result.severity,
        description=result.description,
        metadata=result.metadata,
    )
