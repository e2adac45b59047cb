"""Daily partitions of every asset, and the parts that tables as assets have in common."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import dagster as dg

from orchestration.dbt.translator import OWNERS
from orchestration.retries import RETRIES
from warehouse.settings import settings

# Whole UTC days from WAREHOUSE_START_DATE to yesterday.
DAILY: Final = dg.DailyPartitionsDefinition(start_date=settings().warehouse_start_date.isoformat(), timezone="UTC")

# The decorator of a step: a range of days is one run of it.
daily_step: Final = partial(
    dg.multi_asset,
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    retry_policy=RETRIES,
)


def table_spec(
    key: Sequence[str], description: str, *, kinds: set[str], metadata: Mapping[str, Any] | None = None, **options: Any
) -> dg.AssetSpec:
    """Return the spec of a table: its key is schema and name, its group the schema."""
    return dg.AssetSpec(
        key,
        description=description,
        group_name=key[0],
        kinds=kinds,
        owners=OWNERS,
        metadata={"dagster/table_name": ".".join(key), **(metadata or {})},
        **options,
    )


# The spec of a table that Python loads.
raw_table: Final = partial(table_spec, kinds={"python", "postgres"})
