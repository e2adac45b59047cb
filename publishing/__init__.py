"""Publishing: stale days, builds, gates, and the move from schema build to what BI reads. Knows no Dagster."""
