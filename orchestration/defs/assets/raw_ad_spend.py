"""The asset raw/ad_spend: CSV files of advertising spend below the landing folder."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from ingestion import schema
from ingestion.ad_spend import loading as ad_spend
from ingestion.ad_spend import schema as ad_spend_schema
from ingestion.landing.files import LandingError
from orchestration import retries
from orchestration.defs.resources import SourcesResource, WriterResource
from orchestration.partitions import daily_step, raw_table
from orchestration.run_windows import unsealed_window_of

_KEY: Final = dg.AssetKey(["raw", "ad_spend"])
# Not blocking: a mistake in a marketing file must not hold up the numbers of the marketplace.
_CHECK: Final = dg.AssetCheckSpec(
    "ad_spend_files_are_usable",
    asset=_KEY,
    description="Every file of ad spend was loaded, and no row was rejected; raw.rejected_ad_spend has the reasons.",
)


# Partitioned for the reason given in raw_application_tables.py.
@daily_step(
    specs=[
        raw_table(
            _KEY.path,
            "What was spent on a day on a channel or campaign, in cents. Rows of one file with the same day and"
            " names add up. Of several files that have them, the one with the greater name counts.",
        )
    ],
    check_specs=[_CHECK],
)
def raw_ad_spend(
    context: dg.AssetExecutionContext, writer: WriterResource, sources: SourcesResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Load the files that are new or have changed, whatever days they are about."""
    with retries.as_dagster_failure(LandingError), writer.connect() as connection:
        schema.create(connection)
        unsealed_window_of(context, connection)
        ad_spend_schema.create(connection, sources.rules)
        report = ad_spend.load_ad_spend(connection, root=sources.landing_root, rules=sources.rules)
        rows, rejected = ad_spend.row_count(connection), ad_spend.rejected_rows(connection)
    for reason in report.unusable.values():
        context.log.error(f"{reason}. What was loaded of this file before, if anything, stands.")
    yield dg.MaterializeResult(
        asset_key=_KEY,
        metadata={
            "dagster/row_count": rows,
            "rows_read": report.rows_read,
            "accepted": report.accepted,
            "rejected": report.rejected,
            "duplicates": report.duplicates,
            "files_loaded": len(report.loaded),
            "files_unchanged": len(report.unchanged),
            "files_missing": list(report.missing),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=_CHECK.name,
                passed=not report.unusable and not rejected,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"files_refused": list(report.unusable.values()), "rows_rejected_by_file": rejected},
            )
        ],
    )
