"""Fits of ISO weeks: which are missing or outdated, their calculation, and their storage."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias

import psycopg

from attribution import journeys
from attribution.journeys import Journey
from attribution.markov import removal_effects
from attribution.shapley import shapley_values
from attribution.weeks import fit_window, weeks
from warehouse.window import Window

# The decimals of the table, and few enough that the order of a sum does not matter.
_DECIMALS: Final = Decimal("1e-12")

# Called with the Monday of a week whose values have changed, in the transaction that stores them.
OnChange: TypeAlias = Callable[[psycopg.Cursor, date], None]


@dataclass(frozen=True, slots=True)
class Fit:
    """A fit of an ISO week: its basis, its accuracy, and whether its values differ from the previous fit."""

    week_start: date
    journeys: int
    converting_journeys: int
    standard_error: float | None
    has_changed: bool = field(default=False, compare=False)


def fit_missing(
    connection: psycopg.Connection,
    window: Window,
    *,
    build_id: str,
    model_version: str,
    log: Callable[[str], None],
    on_change: OnChange | None = None,
) -> list[Fit]:
    """Fit every ISO week of the window that this model version has not fitted, or whose days have changed since.

    This build must have finished the models of the days before the weeks.
    """
    fitted = {
        monday
        for (monday,) in connection.execute(
            "select week_start from ops.attribution_fits"
            " where week_start < %s and model_version = %s and not is_outdated",
            [window.end, model_version],
        )
    }
    fits = []
    for monday in weeks(window):
        if monday not in fitted:
            fits.append(
                fit_week(connection, monday, build_id=build_id, model_version=model_version, on_change=on_change)
            )
            log(f"fitted the week of {monday} on {fits[-1].journeys} journeys")
    return fits


def refit_outdated(
    connection: psycopg.Connection,
    *,
    build_id: str,
    model_version: str,
    log: Callable[[str], None],
    on_change: OnChange | None = None,
) -> list[Fit]:
    """Fit every ISO week of this model version again whose days have changed since its fit.

    All models of the changed days must be built.
    """
    outdated = connection.execute(
        "select week_start from ops.attribution_fits where is_outdated and model_version = %s order by week_start",
        [model_version],
    ).fetchall()
    fits = []
    for (monday,) in outdated:
        fits.append(fit_week(connection, monday, build_id=build_id, model_version=model_version, on_change=on_change))
        effect = "its values have changed" if fits[-1].has_changed else "its values are unchanged"
        log(f"fitted the week of {monday} again on {fits[-1].journeys} journeys: {effect}")
    return fits


def fit_week(
    connection: psycopg.Connection,
    monday: date,
    *,
    build_id: str,
    model_version: str,
    on_change: OnChange | None = None,
) -> Fit:
    """Fit the ISO week that begins on this Monday, and replace its stored fit and values in one transaction.

    `on_change` is called in that transaction if the values have changed. Equal journeys give equal rows. A week without
    journeys has a fit and no values. The database raises an error when a later run has taken over the warehouse.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select ops.assert_writer()")
        fit, values = _fit(monday, journeys.read(connection, fit_window(monday)))
        rows = list(_rows(monday, values))
        before = cursor.execute(
            "delete from intermediate.attribution_channel_values where week_start = %s"
            " returning week_start, model, channel, value",
            [monday],
        ).fetchall()
        has_changed = set(before) != set(rows)
        cursor.executemany(
            "insert into intermediate.attribution_channel_values (week_start, model, channel, value)"
            " values (%s, %s, %s, %s)",
            rows,
        )
        cursor.execute(
            """
            insert into ops.attribution_fits
                (week_start, journeys, converting_journeys, standard_error, model_version, build_id)
            values (%s, %s, %s, %s, %s, %s)
            on conflict (week_start) do update
            set journeys = excluded.journeys, converting_journeys = excluded.converting_journeys,
                standard_error = excluded.standard_error, model_version = excluded.model_version,
                build_id = excluded.build_id, fitted_at = excluded.fitted_at, is_outdated = false
            """,
            [monday, fit.journeys, fit.converting_journeys, fit.standard_error, model_version, build_id],
        )
        if has_changed and on_change:
            on_change(cursor, monday)
    return replace(fit, has_changed=has_changed)


def _fit(monday: date, observed: list[Journey]) -> tuple[Fit, Mapping[str, Mapping[str, float]]]:
    shapley = shapley_values(observed)
    fit = Fit(
        week_start=monday,
        journeys=sum(journey.times for journey in observed),
        converting_journeys=sum(journey.times for journey in observed if journey.is_conversion),
        standard_error=shapley.standard_error,
    )
    return fit, {"markov": removal_effects(observed), "shapley": shapley.values}


def _rows(monday: date, values: Mapping[str, Mapping[str, float]]) -> Iterable[tuple[date, str, str, Decimal]]:
    """Return one row for each model and channel.

    A negative value (shapley) becomes 0: credits are shares of a conversion, and a negative share would make those of
    the other touches add up to more than the conversion.
    """
    return [
        (monday, model, channel, max(Decimal(0), Decimal(value).quantize(_DECIMALS)))
        for model, of_channels in values.items()
        for channel, value in sorted(of_channels.items())
    ]
