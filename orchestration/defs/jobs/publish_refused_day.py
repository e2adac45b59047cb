"""Job that publishes a day in spite of checks that refuse it, on the word of a person."""

import dagster as dg
from pydantic import Field

from ingestion import schema
from orchestration import retries
from orchestration.defs.resources import WarehouseResource
from orchestration.instance import started_runs
from publishing import gates
from quality_checks import overrides
from warehouse.window import NotADay, Window, parse_day


class RefusedDay(dg.Config):
    """A refused day, the checks to overrule, the reason, and the person who decides."""

    day: str = Field("", description="The event day in UTC, YYYY-MM-DD, that a blocking check refuses")
    checks: list[str] = Field([], description="The names of the checks to overrule; every other check has to pass")
    reason: str = Field("", description="Why the day is right all the same; kept with it in ops.check_overrides")
    name: str = Field("", description="Who decides it; kept with it in ops.check_overrides")


@dg.op(out=dg.Out(dg.Nothing))
def publish_refused_day_op(context: dg.OpExecutionContext, config: RefusedDay, warehouse: WarehouseResource) -> None:
    """Record the overrides, and run the day."""
    expected = (overrides.InvalidOverride, NotADay, gates.UnknownCheck)
    with retries.as_dagster_failure(*expected), warehouse.write(context) as connection:
        schema.create(connection)
        day = parse_day(config.day)
        gates.override(connection, day, config.checks, reason=config.reason, name=config.name)
    context.log.info(f"{day}: {', '.join(config.checks)} overruled by {config.name}; the day is run now")
    context.add_output_metadata(
        {"day": day.isoformat(), "checks": config.checks, "reason": config.reason, "name": config.name}
    )
    if not started_runs.run_days(context, Window.day(day)).success:
        raise dg.Failure(
            f"{day} is still not published: its run says which other check refuses it. The overrides of"
            f" {', '.join(config.checks)} stay",
            allow_retries=False,
        )


@dg.job(
    description=(
        "Publishes a day in spite of the named checks that refuse it. The reason and the name are kept for ever, and"
        " marts.stale_days shows the day as overridden. An override ends when the check finds another value on the day."
    )
)
def publish_refused_day() -> None:
    publish_refused_day_op()
