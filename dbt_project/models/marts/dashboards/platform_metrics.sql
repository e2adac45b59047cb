{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

days as (

    select * from {{ current_version('platform_daily_metrics') }}

),

active_users as (

    select * from {{ ref('active_users_by_period') }}

),

entities as (

    select * from {{ ref('int_product_counts_by_day') }}

),

-- Each period, and from when the equally long one before it is. There is none where the period has no first day.
spans as (

    select
        *,
        first_date - (last_date - first_date + 1) as previous_first_date
    from periods

),

-- Every period, also one without a published day.
shown as (

    select
        spans.metric_date,
        spans.period,
        sum(case when days.metric_date < spans.first_date then 0 else coalesce(days.views, 0) end) as views,
        sum(case when days.metric_date < spans.first_date then 0 else coalesce(days.revenue_cents, 0) end) as revenue_cents,
        sum(case when days.metric_date < spans.first_date then days.revenue_cents end) as previous_revenue_cents
    from spans
    left join days
        on
            (spans.previous_first_date is null or spans.previous_first_date <= days.metric_date)
            and spans.last_date >= days.metric_date
    group by
        spans.metric_date,
        spans.period

),

-- All that is known by the last day, for the totals, and what of it falls into the period. Every period is there, also
-- where the product has nothing yet.
known as (

    select
        periods.period,
        entities.kind,
        entities.owner_id,
        entities.item_count,
        case when entities.effective_date < periods.first_date then 0 else entities.item_count end as items_in_period,
        case when entities.effective_date < periods.first_date then null else entities.owner_id end as owner_in_period,
        case when entities.effective_date < periods.first_date then 0 else entities.amount_cents end as cents_in_period
    from periods
    left join entities
        on periods.last_date >= entities.known_from_date

),

counted as (

    select
        period,
        sum(case when kind = 'user' then item_count else 0 end) as users_total,
        sum(case when kind = 'user' then items_in_period else 0 end) as users_new,
        sum(case when kind = 'creator' then item_count else 0 end) as creators_total,
        count(distinct case when kind = 'upload' then owner_in_period end) as creators_active,
        sum(case when kind = 'brand' then item_count else 0 end) as brands_total,
        count(distinct case when kind = 'fee' then owner_in_period end) as brands_active,
        sum(case when kind in ('fee', 'adjustment') then cents_in_period else 0 end) as spend_cents,
        sum(case when kind = 'asset' then item_count else 0 end) as assets_total,
        sum(case when kind = 'asset' then items_in_period else 0 end) as assets_uploaded,
        sum(case when kind in ('license', 'renewing license') then item_count else 0 end) as licenses_total,
        sum(case when kind in ('license', 'renewing license') then items_in_period else 0 end) as licenses_created,
        sum(case when kind = 'renewing license' then items_in_period else 0 end) as licenses_renewing,
        sum(case when kind = 'expiring license' then items_in_period else 0 end) as licenses_expiring,
        sum(case when kind = 'renewed license' then items_in_period else 0 end) as licenses_renewed
    from known
    group by period

)

select
    shown.metric_date,
    shown.period,
    cast(counted.users_total as bigint) as users_total,
    cast(counted.users_new as bigint) as users_new,
    coalesce(active_users.known_users, 0) as users_active,
    coalesce(active_users.active_users - active_users.known_users, 0) as actors_unknown,
    cast(counted.creators_total as bigint) as creators_total,
    counted.creators_active,
    {{ rate('shown.revenue_cents', 'counted.creators_active') }} as creators_avg_revenue_per_creator,
    cast(counted.brands_total as bigint) as brands_total,
    counted.brands_active,
    {{ rate('counted.spend_cents', 'counted.brands_active') }} as brands_avg_spend_per_brand,
    cast(counted.assets_total as bigint) as assets_total,
    cast(counted.assets_uploaded as bigint) as assets_uploaded,
    {{ rate('shown.views', 'counted.assets_total') }} as assets_avg_views_per_asset,
    cast(counted.licenses_total as bigint) as licenses_total,
    cast(counted.licenses_created as bigint) as licenses_created,
    {{ percentage('counted.licenses_renewing', 'counted.licenses_created') }} as licenses_renewal_rate,
    {{ percentage('counted.licenses_renewed', 'counted.licenses_expiring') }} as licenses_expiring_renewal_rate,
    cast(shown.revenue_cents as bigint) as revenue_total_cents,
    {{ growth_pct('shown.revenue_cents', 'shown.previous_revenue_cents') }} as revenue_growth_pct
from shown
left join active_users
    on shown.period = active_users.period
inner join counted
    on shown.period = counted.period
