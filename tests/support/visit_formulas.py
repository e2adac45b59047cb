"""The numbers of the dashboards that look from one event to others, as the contract says them: sessions and where they
came from, the funnel, who came again. Plain SQL over what dashboard_formulas.py has made of schema raw.
"""

# Which session each event is in, and how that came; utm_source is null where its origin has none. The rules of channels
# are those for what the quarter's events carry.
SESSIONS = """
create temporary table visits as
with recursive opening as (
    select
        *,
        coalesce('session ' || session, 'device ' || device, 'actor ' || actor) as key,
        session is not null as is_of_tracker
    from tracked
    where source in ('web', 'mobile') and coalesce(session::text, device, actor) is not null
),
paused as (
    select
        *,
        not is_of_tracker
        and at - lag(at) over (partition by key order by at, id) >= interval '30 minutes' as is_after_pause
    from opening
),
stretches as (
    select *, count(*) filter (where is_after_pause) over (partition by key order by at, id) as stretch
    from paused
),
-- At a midnight with an event more than 24 hours before, the second one, another session begins.
begun as (
    select key, stretch, min(day) as first from stretches group by key, stretch
    union all
    select key, stretch, following.day
    from begun
    cross join lateral (
        select min(stretches.day) as day
        from stretches
        where (stretches.key, stretches.stretch) = (begun.key, begun.stretch) and stretches.day > begun.first + 1
    ) as following
    where following.day is not null
),
opened as (
    select
        id, day, at, actor, first, key || ' ' || stretch || ' ' || first as name
    from stretches
    inner join begun using (key, stretch)
    where day between first and first + 1
),
-- What servers report follows its actor.
joined as (
    select tracked.id, tracked.at, seen.name
    from tracked
    cross join lateral (
        select opened.name, opened.at, opened.first
        from opened
        where opened.actor = tracked.actor and opened.at <= tracked.at
        order by opened.at desc, opened.id desc
        limit 1
    ) as seen
    where
        source not in ('web', 'mobile') and tracked.at - seen.at < interval '30 minutes'
        and tracked.day <= seen.first + 1
),
members as (
    select id, at, name from opened
    union all
    select id, at, name from joined
),
-- What an event carries of its origin. None are the marketplace's own pages, the page's own host, and payments.
carried as (
    select
        event_id as id,
        nullif(regexp_replace(sent.source, '^www[.]', ''), '') as utm_source,
        nullif(sent.medium, '') as utm_medium,
        nullif(sent.campaign, '') as utm_campaign,
        concat(sent.source, sent.medium, sent.campaign) <> '' as is_tagged,
        trim(concat(utm_term, utm_content)) <> '' as is_described,
        coalesce(gclid, wbraid) is not null as is_paid,
        fbclid is not null as is_of_facebook,
        case
            when from_host in ('licensery.example', 'paypal.com', 'localhost') or from_host = own_host then null
            when from_host = 'google.com' then 'google'
            else from_host
        end as referrer
    from raw.attribution
    cross join lateral (
        select
            substring(lower(referrer) from '^https?://(?:www[.]|m[.])?([^/:?#]+)') as from_host,
            substring(lower(landing_page) from '^[a-z]+://(?:www[.])?([^/:?#]+)') as own_host
    ) as hosts
    cross join lateral (
        select
            lower(normalize(btrim(utm_source, E' \u00a0\u200b'), nfkc)) as source,
            lower(normalize(btrim(utm_medium, E' \u00a0\u200b'), nfkc)) as medium,
            lower(normalize(btrim(utm_campaign, E' \u00a0\u200b'), nfkc)) as campaign
    ) as sent
),
named as (
    select
        id, utm_source, coalesce(utm_campaign, '(not set)') as campaign,
        case
            when utm_source is not null then utm_source
            when is_paid then 'google'
            when is_tagged then '(not set)'
            when referrer is not null then referrer
            when is_of_facebook then 'facebook'
            else '(not set)'
        end as source,
        case
            when utm_medium is not null then utm_medium
            when is_paid then 'cpc'
            when is_tagged then '(not set)'
            when referrer = 'google' then 'organic'
            when referrer is not null or is_of_facebook then 'referral'
            else '(not set)'
        end as medium
    from carried
    where is_tagged or is_described or is_paid or is_of_facebook or referrer is not null
),
arrivals as (
    select distinct on (name)
        name, utm_source, source, medium, campaign,
        case
            when source = 'google' and medium = 'cpc' then 'Paid Search'
            when source = 'facebook' then 'Organic Social'
            when source = 'google' then 'Organic Search'
            when medium = 'referral' then 'Referral'
            when medium = 'email' then 'Email'
            else 'Unassigned'
        end as channel
    from members
    inner join named using (id)
    order by name, at, id
)
select
    id, name, utm_source, coalesce(channel, 'Direct') as channel, coalesce(source, '(direct)') as source,
    coalesce(medium, '(none)') as medium, coalesce(campaign, '(not set)') as campaign
from members
left join arrivals using (name)
"""

EXPECTED = {
    "daily_metrics_by_channel": """
        select
            day, project, asset, license, came.*, sum(views), sum(clicks), sum(conversions), sum(cents),
            count(distinct visitor), sum(seconds)
        from facts
        left join visits using (id)
        cross join lateral (
            select
                coalesce(visits.channel, 'Unassigned') as channel, coalesce(visits.source, '(not set)') as source,
                coalesce(visits.medium, '(not set)') as medium, coalesce(visits.campaign, '(not set)') as campaign
        ) as came
        group by day, project, asset, license, came.channel, came.source, came.medium, came.campaign
    """,
    "creator_traffic_sources": """
        select last, period, creator_id, source, rank, visits, conversions
        from (
            select
                last, period, creator_id, source, visits, conversions,
                row_number() over (partition by period, creator_id order by visits desc, source) as rank
            from (
                select
                    last, period, creator_id, coalesce(utm_source, 'direct') as source,
                    count(distinct (day, name)) filter (where name is not null) as visits,
                    sum(conversions) as conversions
                from facts
                inner join owned using (day, asset)
                inner join spans on day between first and last
                left join visits using (id)
                where creator_id in (select id from raw.creators where deleted_at is null)
                group by last, period, creator_id, coalesce(utm_source, 'direct')
            ) as counted
            where visits > 0 or conversions > 0
        ) as ranked
        where rank <= 10
    """,
    "funnel_daily": """
        with steps as (
            select
                id, at, day, visitor, asset,
                case
                    when views = 1 then 1 when clicks = 1 then 2
                    when kind = 'license_created' then 3 when kind = 'license_signed' then 4
                end as step
            from facts
            where asset is not null and visitor is not null
        ),
        reached as (
            select day, step, visitor from steps where step = 1
            union
            select this.day, this.step, this.visitor
            from steps as this
            inner join steps as view using (visitor, asset)
            where
                this.step = 2 and view.step = 1 and view.at >= this.at - interval '30 days'
                and (view.at, view.id) < (this.at, this.id)
            union
            select this.day, this.step, this.visitor
            from steps as this
            inner join steps as click using (visitor, asset)
            inner join steps as view using (visitor, asset)
            where
                this.step = 3 and click.step = 2 and view.step = 1 and view.at >= this.at - interval '30 days'
                and (view.at, view.id) < (click.at, click.id) and (click.at, click.id) < (this.at, this.id)
            union
            select this.day, this.step, this.visitor
            from steps as this
            inner join steps as created using (visitor, asset)
            inner join steps as click using (visitor, asset)
            inner join steps as view using (visitor, asset)
            where
                this.step = 4 and created.step = 3 and click.step = 2 and view.step = 1
                and view.at >= this.at - interval '30 days' and (view.at, view.id) < (click.at, click.id)
                and (click.at, click.id) < (created.at, created.id) and (created.at, created.id) < (this.at, this.id)
        )
        select event_date, named.step, name, count(visitor)
        from ops.published_days
        cross join (
            values (1, 'viewed'), (2, 'downloaded_or_clicked'), (3, 'license_created'), (4, 'license_signed')
        ) as named (step, name)
        left join reached on day = event_date and reached.step = named.step
        group by event_date, named.step, name
    """,
    "cohort_retention": """
        with weeks as (
            select distinct visitor, date_trunc('week', day::timestamp)::date as week
            from tracked
            where day in (select event_date from ops.published_days) and visitor is not null
        ),
        named as (
            select distinct date_trunc('week', event_date::timestamp)::date as week from ops.published_days
        ),
        firsts as (
            select visitor, min(week) as week from weeks group by visitor
        )
        select
            (select max(event_date) from ops.published_days), began, number, visitors, came,
            case when visitors = 0 then 0 else round(100.0 * came / visitors, 4) end
        from (
            select
                cohort.week as began, (later.week - cohort.week) / 7 as number,
                (select count(*) from firsts where week = cohort.week) as visitors,
                (
                    select count(*) from firsts inner join weeks using (visitor)
                    where firsts.week = cohort.week and weeks.week = later.week
                ) as came
            from named as cohort
            inner join named as later on later.week >= cohort.week
        ) as counted
    """,
}
