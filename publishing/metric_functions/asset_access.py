"""The function that says which days of an asset the caller may see, for functions with the rights of the owner.

Engineers and BI see every published day. Creators see the days on which they owned a share of the asset, brands the
days within the term of a license, as their own marts count them. The login decides, as in the policies of marts
(warehouse/roles/row_policies.py).
"""

from typing import Final

from psycopg import sql

from publishing.metric_functions.declarations import (
    INVALID_DATE_RANGE,
    INVOKER,
    MetricFunction,
    body,
    not_found,
)
from warehouse.roles.readers import ACCESS, AUDIENCES, BI_READER, Audience


def _ids(audience: Audience) -> str:
    """Return the expression of the creators or brands for whom the session may ask."""
    return f"""array_remove(array[
        case when pg_has_role(session_user, '{audience.portal.name}', 'usage') then
            nullif(current_setting('{audience.setting}', true), '') end,
        case when pg_has_role(session_user, '{audience.group}', 'usage') then {audience.lookup}() end
    ], null)"""


def _terms(table: str, owner: str) -> str:
    """Return the query of the present terms of shares or licenses of the caller, as the product has them."""
    return f"""
        select versions.start_date, nullif(versions.end_date, 'infinity') as end_date
        from raw.{table} as versions
        where cardinality({owner}s) > 0 and versions.ip_asset_id = asset_scope.asset_id
            and versions.{owner}_id = any({owner}s) and not versions.is_removed and not exists (
                select from raw.{table} as later
                where later.id = versions.id and later.change_id > versions.change_id
            )"""


def _counted(owner: str) -> str:
    """Return the condition that the caller's marts count a day of the asset, by the index of the grain."""
    return f"""cardinality({owner}s) > 0 and exists (
            select from rollups.{owner}_asset_days as counted
            where counted.metric_date = day and counted.ip_asset_id = asset_scope.asset_id
                and counted.{owner}_id = any({owner}s)
        )"""


# Days that a term covers now, and that the marts do not count yet, are shown and have no numbers.
_ASSET_SCOPE: Final = f"""
declare
    creators text[];
    brands text[];
    missing_day date;
    is_found boolean;
begin
    if not coalesce(isfinite(start) and isfinite("end"), false) then
        raise exception using errcode = '{INVALID_DATE_RANGE}', message = 'a range is given by two days, start and end';
    elsif start >= "end" then
        raise exception using errcode = '{INVALID_DATE_RANGE}', message = format(
            'a range starts before it ends, and %s is not before %s',
            to_char(start, 'YYYY-MM-DD'), to_char("end", 'YYYY-MM-DD')
        );
    end if;
    select array_agg(event_date order by event_date) into shown_days
    from ops.published_days where event_date >= start and event_date < "end";
    days_published := coalesce(cardinality(shown_days), 0);
    days_missing := "end" - start - days_published;
    if days_missing > 0 and not coalesce(skip_unpublished, false) then
        select min(before + 1) into missing_day
        from unnest(array_prepend(start - 1, shown_days)) as before
        where before + 1 < "end" and not before + 1 = any(coalesce(shown_days, array[]::date[]));
        raise exception using errcode = '{INVALID_DATE_RANGE}', message = (
            select case
                when count(*) = 0 then 'no day is published yet'
                else format(
                    '%s is not published: ask for days from %s to %s', to_char(missing_day, 'YYYY-MM-DD'),
                    to_char(min(event_date), 'YYYY-MM-DD'), to_char(max(event_date), 'YYYY-MM-DD')
                )
            end
            from ops.published_days
        );
    end if;
    if to_regclass('marts.asset_metrics') is not null then
        select assets.title into asset_title
        from marts.asset_metrics as assets where assets.ip_asset_id = asset_scope.asset_id limit 1;
        is_found := found;
    end if;
    counted_days := shown_days;
    if is_found and not (
        pg_has_role(session_user, {{owner}}, 'member') or pg_has_role(session_user, '{BI_READER.name}', 'member')
    ) then
        creators := {_ids(AUDIENCES[0])};
        brands := {_ids(AUDIENCES[1])};
        -- Read once, and not again for every day.
        with terms as materialized ({_terms("ip_ownerships", "creator")}
            union all {_terms("licenses", "brand")}
        )
        select
            array_agg(day order by day) filter (where is_shown),
            array_agg(day order by day) filter (where is_counted)
        into shown_days, counted_days
        from (
            select day, is_counted, is_counted or exists (
                select from terms
                where day >= terms.start_date and (terms.end_date is null or day < terms.end_date)
            ) as is_shown
            from unnest(shown_days) as day
            cross join lateral (select {_counted("creator")}
                or {_counted("brand")} as is_counted) as counts
        ) as days;
        is_found := shown_days is not null;
    end if;
    if not coalesce(is_found, false) then
        {not_found("asset", "asset_id")}
    end if;
    counted_days := coalesce(counted_days, array[]::date[]);
    shown_days := coalesce(shown_days, array[]::date[]);
    select visitor_days_from into visitors_from from ops.retention;
end
"""


def asset_access_function(owner: str) -> MetricFunction:
    """Return the function. `owner` is the role that owns the warehouse. Readers may not call it."""
    return MetricFunction(
        f"{ACCESS}.asset_scope",
        'asset_id text, start date, "end" date, skip_unpublished boolean, out asset_title text, out shown_days date[],'
        " out counted_days date[], out days_published integer, out days_missing integer, out visitors_from date",
        body("", INVOKER, _ASSET_SCOPE.replace("{owner}", sql.Literal(owner).as_string())),
        "The days of an asset that the caller may see, and those whose numbers count.",
    )
