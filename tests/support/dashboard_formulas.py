"""The numbers of the dashboards as the contract says them: plain SQL over schema raw.

Each row of the product is taken to have one version there, as after one reading.
"""

from warehouse.window import Window

# One row an event that is no crawler's: what it names, what it counts as, and who it is of; also those of days that are
# not published.
TRACKED = """
create temporary table tracked as
with events as (
    select *, ip_asset_id is null and project_id is null as has_only_license
    from raw.events
    where not is_bot
),
pairs as (
    select anonymous_id, actor_id, min(event_date) as since
    from events
    where anonymous_id is not null and actor_id is not null
    group by anonymous_id, actor_id
)
select
    events.event_id as id,
    events.event_date as day,
    events.occurred_at as at,
    events.event_type as kind,
    events.source,
    events.session_id as session,
    events.anonymous_id as device,
    events.actor_id as actor,
    case when has_only_license then licenses.project_id else events.project_id end as project,
    case when has_only_license then licenses.ip_asset_id else events.ip_asset_id end as asset,
    events.license_id as license,
    (events.event_type = 'asset_viewed')::int as views,
    (events.event_type in ('asset_downloaded', 'license_clicked'))::int as clicks,
    (events.event_type = 'license_created')::int as conversions,
    coalesce(events.revenue_cents, 0) as cents,
    coalesce(events.engagement_time, 0) as seconds,
    coalesce(
        'actor ' || events.actor_id, 'actor ' || linked.actor, 'device ' || events.anonymous_id,
        'session ' || events.session_id
    ) as visitor
from events
left join raw.licenses as licenses on licenses.id = events.license_id
cross join lateral (
    select case when count(*) = 1 then min(pairs.actor_id) end as actor
    from pairs
    where pairs.anonymous_id = events.anonymous_id and pairs.since <= events.event_date
) as linked;
create index on tracked (device, at, id);
create index on tracked (actor, at, id);
create index on tracked (visitor, asset, at);
analyze tracked;

-- Those of published days that name an asset, a project or a license.
create temporary table facts as
select
    tracked.*,
    coalesce(
        nullif(nullif(substring(lower(referrer) from '^[a-z]+://(?:www[.])?([^/:?#]*)'), ''), 'localhost'), 'direct'
    ) as host
from tracked
left join raw.attribution as attribution on event_id = id and event_date = day
where
    coalesce(asset, project, license) is not null
    and day in (select event_date from ops.published_days);
create index on facts (asset, day);
analyze facts;

create temporary table spans (period text, first date, last date);
"""
# Who owned which asset on a day with an event of it.
OWNED = """
create temporary table owned as
select distinct facts.day, facts.asset, shares.creator_id
from facts
inner join raw.ip_ownerships as shares
    on shares.ip_asset_id = asset and day >= shares.start_date and day < coalesce(shares.end_date, 'infinity')
"""

EXPECTED = {
    "daily_metrics": """
        select
            day, project, asset, license, sum(views), sum(clicks), sum(conversions), sum(cents),
            count(distinct visitor), sum(seconds)
        from facts
        group by day, project, asset, license
    """,
    "asset_metrics": """
        select
            last, period, assets.id, title,
            coalesce(sum(views), 0), coalesce(sum(clicks), 0), coalesce(sum(conversions), 0), coalesce(sum(cents), 0),
            count(distinct visitor),
            case when count(visitor) = 0 then 0 else round(sum(seconds) / count(distinct visitor), 4) end,
            case when coalesce(sum(views), 0) = 0 then 0 else round(100.0 * sum(conversions) / sum(views), 4) end,
            case when coalesce(sum(views), 0) = 0 then 0 else round(100.0 * sum(clicks) / sum(views), 4) end
        from raw.ip_assets as assets
        cross join spans
        left join facts on asset = assets.id and day between first and last
        where deleted_at is null
        group by last, period, assets.id, title
    """,
    "asset_top_referrers": """
        select last, period, asset, host, rank, views
        from (
            select
                last, period, asset, host, sum(views) as views,
                row_number() over (partition by period, asset order by sum(views) desc, host) as rank
            from facts inner join spans on day between first and last
            where views > 0 and asset in (select id from raw.ip_assets where deleted_at is null)
            group by last, period, asset, host
        ) as ranked
        where rank <= 10
    """,
    "creator_daily_metrics": """
        select day, creator_id, sum(views), sum(clicks), sum(conversions), sum(cents)
        from facts
        inner join (select distinct day, asset, creator_id from owned) as owned using (day, asset)
        group by day, creator_id
    """,
    "creator_dashboard": """
        select
            last, period, creators.id, display_name, views, created, cents,
            case when views = 0 then 0 else round(100.0 * created / views, 4) end
        from raw.creators as creators
        cross join spans
        cross join lateral (
            select coalesce(sum(views), 0) as views, coalesce(sum(cents), 0) as cents
            from facts
            inner join (select distinct day, asset, creator_id from owned) as owned using (day, asset)
            where creator_id = creators.id and day between first and last
        ) as seen
        cross join lateral (
            select count(distinct licenses.id) as created
            from raw.licenses as licenses
            inner join raw.ip_ownerships as shares using (ip_asset_id)
            where
                creator_id = creators.id and (created_at at time zone 'utc')::date between first and last
                and (created_at at time zone 'utc')::date >= shares.start_date
                and (created_at at time zone 'utc')::date < coalesce(shares.end_date, 'infinity')
        ) as licensed
        where creators.deleted_at is null
    """,
    "creator_top_assets": """
        select last, period, creator, asset, title, rank, views, created, cents
        from (
            select
                held.*, title, views, created, cents,
                row_number() over (partition by period, creator order by cents desc, title, asset) as rank
            from (
                select distinct period, first, last, creator_id as creator, ip_asset_id as asset
                from raw.ip_ownerships
                cross join spans
                where start_date <= last and coalesce(end_date, 'infinity') > greatest(first, start_date)
            ) as held
            inner join raw.creators as creators on creators.id = creator and creators.deleted_at is null
            inner join raw.ip_assets as assets on assets.id = asset and assets.deleted_at is null
            cross join lateral (
                select coalesce(sum(views), 0) as views, coalesce(sum(cents), 0) as cents
                from facts
                where facts.asset = held.asset and day between first and last
                    and (day, facts.asset, creator) in (select day, asset, creator_id from owned)
            ) as seen
            cross join lateral (
                select count(distinct licenses.id) as created
                from raw.licenses as licenses
                inner join raw.ip_ownerships as shares using (ip_asset_id)
                where
                    ip_asset_id = asset and creator_id = creator
                    and (created_at at time zone 'utc')::date between first and last
                    and (created_at at time zone 'utc')::date >= shares.start_date
                    and (created_at at time zone 'utc')::date < coalesce(shares.end_date, 'infinity')
            ) as licensed
        ) as ranked
        where rank <= 10
    """,
    "creator_revenue_timeline": """
        select
            period, day, creators.id,
            (
                select coalesce(sum(cents), 0)
                from facts
                inner join owned using (day, asset)
                where facts.day = days.event_date and creator_id = creators.id
            )
        from ops.published_days as days
        cross join lateral (select event_date as day) as named
        inner join spans on day between first and last
        cross join raw.creators as creators
        where creators.deleted_at is null
    """,
    "brand_campaign_metrics": """
        select
            last, period, brand, project, name, spent, views, clicks, conversions, cents,
            case when spent = 0 then 0 else round(100.0 * (cents - spent) / spent, 4) end
        from (
            select brand_id as brand, id as project from raw.projects
            union select brand_id, project_id from raw.licenses
            union select id, null from raw.brands where id not in (select brand_id from raw.projects)
        ) as campaigns
        inner join raw.brands as brands on brands.id = brand and brands.deleted_at is null
        left join raw.projects as projects on projects.id = project
        cross join spans
        cross join lateral (
            select coalesce(sum(amount), 0) as spent
            from (
                select brand_id, project_id, (created_at at time zone 'utc')::date as day, fee_cents as amount
                from raw.licenses
                union all
                select brand_id, project_id, effective_date, amount_cents
                from raw.license_adjustments as adjustments
                inner join raw.licenses as licenses on licenses.id = license_id
            ) as amounts
            where amounts.brand_id = brand and project_id is not distinct from project and day between first and last
        ) as amounts
        cross join lateral (
            select
                coalesce(sum(views), 0) as views, coalesce(sum(clicks), 0) as clicks,
                coalesce(sum(conversions), 0) as conversions, coalesce(sum(cents), 0) as cents
            from facts
            where day between first and last and exists (
                select from raw.licenses as licenses
                where
                    licenses.ip_asset_id = facts.asset and licenses.brand_id = brand
                    and licenses.project_id is not distinct from campaigns.project
                    and facts.day >= licenses.start_date and facts.day < coalesce(licenses.end_date, 'infinity')
            )
        ) as brought
    """,
    "brand_campaign_assets": """
        select
            last, period, brand, campaigns.project, campaigns.asset, title, views, clicks,
            case when views = 0 then 0 else round(100.0 * clicks / views, 4) end
        from (
            select distinct brand_id as brand, project_id as project, ip_asset_id as asset from raw.licenses
        ) as campaigns
        inner join raw.brands as brands on brands.id = brand and brands.deleted_at is null
        inner join raw.ip_assets as assets on assets.id = asset and assets.deleted_at is null
        cross join spans
        cross join lateral (
            select coalesce(sum(views), 0) as views, coalesce(sum(clicks), 0) as clicks
            from facts
            where facts.asset = campaigns.asset and day between first and last and exists (
                select from raw.licenses as licenses
                where
                    licenses.ip_asset_id = facts.asset and licenses.brand_id = brand
                    and licenses.project_id is not distinct from campaigns.project
                    and facts.day >= licenses.start_date and facts.day < coalesce(licenses.end_date, 'infinity')
            )
        ) as brought
    """,
}


def span_query(unit: str, window: Window) -> str:
    """Return the rows of weekly_metrics and monthly_metrics: sums, averages a day and growth."""
    measures = ("views", "clicks", "conversions", "cents", "visitors", "seconds")
    averages = ", ".join(f"round(1.0 * {'daily_visitors' if m == 'visitors' else m} / length, 4)" for m in measures)
    growth = ", ".join(f"round(100.0 * (now.{m} - before.{m}) / nullif(before.{m}, 0), 4)" for m in measures)
    return f"""
        with days as (
            select day, project, asset, license, count(distinct visitor) as visitors from facts group by 1, 2, 3, 4
        ),
        sums as (
            select
                date_trunc('{unit}', day::timestamp)::date as start, project, asset, license, sum(views) as views,
                sum(clicks) as clicks, sum(conversions) as conversions, sum(cents) as cents,
                count(distinct visitor) as visitors, sum(seconds) as seconds
            from facts
            group by 1, 2, 3, 4
        ),
        now as (
            select
                sums.*,
                (
                    select sum(days.visitors) from days
                    where
                        date_trunc('{unit}', day::timestamp)::date = start
                        and (days.project, days.asset, days.license)
                            is not distinct from (sums.project, sums.asset, sums.license)
                ) as daily_visitors,
                least(start + interval '1 {unit}', '{window.end}')::date - greatest(start, '{window.start}') as length
            from sums
        )
        select
            now.start, now.project, now.asset, now.license, now.length, {", ".join(f"now.{m}" for m in measures)},
            {averages.replace("round(1.0 * ", "round(1.0 * now.")}, {growth}
        from now
        left join sums as before
            on before.start = (now.start - interval '1 {unit}')::date
            and (before.project, before.asset, before.license)
                is not distinct from (now.project, now.asset, now.license)
    """
