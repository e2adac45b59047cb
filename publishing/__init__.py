"""Building and publication: stale days, builds, gates and the swap to what BI reads. Knows no Dagster."""
