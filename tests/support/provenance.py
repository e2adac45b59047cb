"""Columns that say where a row came from. Two warehouses with the same data may differ in these and in nothing else."""

from typing import Final

PROVENANCE_COLUMNS: Final = frozenset(
    {"load_id", "line_number", "line_position", "change_id", "loaded_at", "run_id", "build_id", "published_at"}
)
