"""Published marts in Dagster: their assets, their check over all days, and runs of some of them alone."""
