"""Loading of landing files: lines are validated and encoded as rows, in this process or in a pool of workers.

`landing_day` loads one day in one transaction. `row_router` decides which table a row is copied to first;
`ingestion.deduplication` decides which copies of an event stay there.
"""
