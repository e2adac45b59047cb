"""The numbers of the whole platform as the contract says them: plain SQL over what dashboard_formulas.py has made of
schema raw, and over the product's tables, each row of which is taken to have one version.
"""

EXPECTED = {
    "platform_daily_metrics": """
        select
            event_date, coalesce(sum(views), 0), coalesce(sum(clicks), 0), coalesce(sum(conversions), 0),
            coalesce(sum(cents), 0)
        from ops.published_days
        left join facts on day = event_date
        group by event_date
    """,
    "platform_revenue_timeline": """
        select period, day, coalesce((select sum(cents) from facts where facts.day = days.day), 0)
        from spans
        inner join (select event_date as day from ops.published_days) as days on day between first and last
    """,
    "platform_metrics": """
        with created as (
            select 'user' as what, id, id as owner, deleted_at is not null as is_deleted, created_at from raw.users
            union all select 'creator', id, user_id, deleted_at is not null, created_at from raw.creators
            union all select 'brand', id, user_id, deleted_at is not null, created_at from raw.brands
            union all select 'asset', id, created_by, deleted_at is not null, created_at from raw.ip_assets
            union all select 'license', id, brand_id, false, created_at from raw.licenses
        ),
        dated as (
            select *, (created_at at time zone 'utc')::date as day from created
        ),
        totals as (
            select
                period,
                count(*) filter (where what = 'user') as users,
                count(*) filter (where what = 'creator') as creators,
                count(*) filter (where what = 'brand') as brands,
                count(*) filter (where what = 'asset') as assets,
                count(*) filter (where what = 'license') as licenses
            from dated
            inner join spans on day <= last
            where not is_deleted
            group by period
        ),
        news as (
            select
                period,
                count(*) filter (where what = 'user' and not is_deleted) as users,
                count(*) filter (where what = 'asset' and not is_deleted) as assets,
                count(*) filter (where what = 'license') as licenses,
                count(*) filter (
                    where what = 'license'
                    and id in (select id from raw.licenses where parent_license_id is not null)
                ) as renewals
            from dated
            right join spans on day between first and last
            group by period
        ),
        active as (
            select
                period,
                (
                    select count(distinct actor) from tracked
                    where tracked.day between first and last and actor in (
                        select id from dated where what = 'user' and not is_deleted and dated.day <= last
                    )
                ) as users,
                (select count(distinct actor) from tracked where tracked.day between first and last) as actors,
                (
                    select count(*) from raw.creators
                    where deleted_at is null and user_id in (
                        select owner from dated where what = 'asset' and dated.day between first and last
                    )
                ) as creators,
                (
                    select count(*) from raw.brands
                    where deleted_at is null and id in (
                        select owner from dated where what = 'license' and dated.day between first and last
                    )
                ) as brands
            from spans
        ),
        spent as (
            select period, coalesce(sum(amount), 0) as cents
            from spans
            left join (
                select brand_id, (created_at at time zone 'utc')::date as day, fee_cents as amount from raw.licenses
                union all
                select brand_id, effective_date, amount_cents
                from raw.license_adjustments as adjustments
                inner join raw.licenses as licenses on licenses.id = license_id
            ) as amounts
                on day between first and last and brand_id in (select id from raw.brands where deleted_at is null)
            group by period
        ),
        -- Of the licenses whose term ended, those that another one goes on from, so far as is known on the last day.
        expiring as (
            select
                period, count(licenses.id) as licenses,
                count(licenses.id) filter (where exists (
                    select from raw.licenses as next
                    where
                        next.parent_license_id = licenses.id and next.id <> licenses.id
                        and (next.created_at at time zone 'utc')::date <= least(licenses.end_date + 30, last)
                )) as renewed
            from spans
            left join raw.licenses as licenses on end_date between first and last
            group by period
        ),
        earned as (
            select
                period,
                (select coalesce(sum(views), 0) from facts where day between first and last) as views,
                (select coalesce(sum(cents), 0) from facts where day between first and last) as cents,
                (
                    select sum(cents) from facts
                    where period <> 'all' and day between first - (last - first + 1) and first - 1
                ) as before
            from spans
        )
        select
            last, period,
            totals.users, news.users, active.users, active.actors - active.users,
            totals.creators, active.creators,
            case when active.creators = 0 then 0 else round(1.0 * earned.cents / active.creators, 4) end,
            totals.brands, active.brands,
            case when active.brands = 0 then 0 else round(1.0 * spent.cents / active.brands, 4) end,
            totals.assets, news.assets,
            case when totals.assets = 0 then 0 else round(1.0 * views / totals.assets, 4) end,
            totals.licenses, news.licenses,
            case when news.licenses = 0 then 0 else round(100.0 * renewals / news.licenses, 4) end,
            case when expiring.licenses = 0 then 0 else round(100.0 * renewed / expiring.licenses, 4) end,
            earned.cents, round(100.0 * (earned.cents - before) / nullif(before, 0), 4)
        from spans
        inner join totals using (period)
        inner join news using (period)
        inner join active using (period)
        inner join spent using (period)
        inner join expiring using (period)
        inner join earned using (period)
    """,
}
