"""Is this window fit to publish? Judgements in SQL and Great Expectations; knows neither Dagster nor ingestion."""
