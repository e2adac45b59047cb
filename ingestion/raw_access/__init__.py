"""Read access to raw events: look-up of an entity's events, and redacted exports as CSV or Parquet."""
