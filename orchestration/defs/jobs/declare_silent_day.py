"""Job that declares a day without events silent, so that it may be published."""

import dagster as dg
from pydantic import Field

from ingestion import schema, silent_days
from orchestration import retries
from orchestration.defs.resources import SourcesResource, WarehouseResource
from warehouse.window import NotADay, parse_day


class SilentDay(dg.Config):
    """A silent day, the reason, and the person who declares it."""

    day: str = Field("", description="The event day in UTC, YYYY-MM-DD; it has to be over and to have no event")
    reason: str = Field("", description="Why nothing happened on the day; kept with it in ops.silent_days")
    name: str = Field("", description="Who declares it; kept with it in ops.silent_days")


@dg.op(out=dg.Out(dg.Nothing), retry_policy=retries.RETRIES)
def declare_silent_day_op(
    context: dg.OpExecutionContext, config: SilentDay, warehouse: WarehouseResource, sources: SourcesResource
) -> None:
    """Record the declaration. A run of daily_refresh then publishes the day."""
    with retries.as_dagster_failure(silent_days.InvalidDeclaration, NotADay), warehouse.connect() as connection:
        day = parse_day(config.day)
        schema.create(connection)
        silent_days.declare(connection, day, reason=config.reason, name=config.name, first_day=sources.first_day)
    context.log.info(f"{day} is declared silent; run the job daily_refresh for it to publish it")
    context.add_output_metadata({"day": day.isoformat(), "reason": config.reason, "name": config.name})


@dg.job(description="Declares that nothing happened on a day without events; check day_has_events then lets it pass.")
def declare_silent_day() -> None:
    declare_silent_day_op()
