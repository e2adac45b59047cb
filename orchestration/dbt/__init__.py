"""The dbt project in Dagster: asset specs, command lines, invocations."""
