"""Fits the ISO weeks that need it, and writes what came of it."""

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
from attribution.weeks import fit_period, weeks
from warehouse.window import Window

# As many as the table holds, and so few that sums in another order come out the same.
_DECIMALS: Final = Decimal("1e-12")

# What has to be noted together with values that are new, by the Monday of their week.
OnChange: TypeAlias = Callable[[psycopg.Cursor, date], None]


@dataclass(frozen=True, slots=True)
class Fit:
    """The basis of a fit of an ISO week, its accuracy, and whether its values differ from the fit before."""

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
    """Fit every ISO week that the window touches and that this version of the models has not fitted, or has fitted on
    days that have changed since.

    The models of the days before the weeks have to be built as far as they ever will be by this build.
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
    """Fit every ISO week anew that this version of the models has fitted on days that have changed since.

    All models of the days that have changed have to be built.
    """
    outdated = connection.execute(
        "select week_start from ops.attribution_fits where is_outdated and model_version = %s order by week_start",
        [model_version],
    ).fetchall()
    fits = []
    for (monday,) in outdated:
        fits.append(fit_week(connection, monday, build_id=build_id, model_version=model_version, on_change=on_change))
        effect = "its values are others" if fits[-1].has_changed else "its values are the same"
        log(f"fitted the week of {monday} anew on {fits[-1].journeys} journeys: {effect}")
    return fits


def fit_week(
    connection: psycopg.Connection,
    monday: date,
    *,
    build_id: str,
    model_version: str,
    on_change: OnChange | None = None,
) -> Fit:
    """Replace the values and the fit of the ISO week that begins on this Monday, in one transaction. When its values
    are others than before, `on_change` is called in that transaction.

    The same journeys give the same rows. A week without journeys has a fit and no values. Refused by the database when
    the connection's run has lost the warehouse to a later one.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select ops.assert_writer()")
        fit, values = _fit(monday, journeys.read(connection, *fit_period(monday)))
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


def _fit(monday: date, taken: list[Journey]) -> tuple[Fit, Mapping[str, Mapping[str, float]]]:
    shapley = shapley_values(taken)
    fit = Fit(
        week_start=monday,
        journeys=sum(journey.times for journey in taken),
        converting_journeys=sum(journey.times for journey in taken if journey.is_conversion),
        standard_error=shapley.standard_error,
    )
    return fit, {"markov": removal_effects(taken), "shapley": shapley.values}


def _rows(monday: date, values: Mapping[str, Mapping[str, float]]) -> Iterable[tuple[date, str, str, Decimal]]:
    """A row a model and channel. A channel that is worth less than nothing (shapley) is worth nothing: credits are
    shares of a conversion, and with a negative one those of the other touches would add up to more than there was."""
    return [
        (monday, model, channel, max(Decimal(0), Decimal(value).quantize(_DECIMALS)))
        for model, of_channels in values.items()
        for channel, value in sorted(of_channels.items())
    ]
