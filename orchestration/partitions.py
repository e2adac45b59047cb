"""The daily partitions of every asset: whole UTC days from WAREHOUSE_START_DATE to yesterday."""

from typing import Final

import dagster as dg

from warehouse.settings import settings

DAILY: Final = dg.DailyPartitionsDefinition(start_date=settings().warehouse_start_date.isoformat(), timezone="UTC")
