{{ config(materialized='view') }}

with

users as (

    select * from {{ ref('int_users_latest') }}
    where not is_deleted

),

creators as (

    select * from {{ ref('int_creators_latest') }}
    where not is_deleted

),

brands as (

    select * from {{ ref('int_brands_latest') }}
    where not is_deleted

),

assets as (

    select * from {{ ref('int_assets_latest') }}
    where not is_removed

),

licenses as (

    select * from {{ ref('int_licenses_latest') }}
    where not is_removed

),

adjustments as (

    select * from {{ ref('int_license_adjustments_latest') }}

),

-- The first license that goes on from another one.
renewals as (

    select
        parent_license_id,
        min({{ utc_date('created_at') }}) as renewed_date
    from licenses
    where parent_license_id <> license_id
    group by parent_license_id

),

dated as (

    select
        'user' as kind,
        {{ utc_date('created_at') }} as counted_date,
        cast(null as date) as known_date,
        cast(null as text) as owner_id,
        0 as amount_cents
    from users

    union all

    select
        'creator' as kind,
        {{ utc_date('created_at') }} as counted_date,
        null as known_date,
        null as owner_id,
        0 as amount_cents
    from creators

    union all

    select
        'brand' as kind,
        {{ utc_date('created_at') }} as counted_date,
        null as known_date,
        null as owner_id,
        0 as amount_cents
    from brands

    union all

    select
        'asset' as kind,
        {{ utc_date('created_at') }} as counted_date,
        null as known_date,
        null as owner_id,
        0 as amount_cents
    from assets
    where not is_deleted

    union all

    -- Whoever created an asset was active, also when it is deleted by now.
    select
        'upload' as kind,
        {{ utc_date('assets.created_at') }} as counted_date,
        null as known_date,
        creators.creator_id as owner_id,
        0 as amount_cents
    from assets
    inner join creators
        on assets.created_by_user_id = creators.user_id

    union all

    select
        case when parent_license_id is null then 'license' else 'renewing license' end as kind,
        {{ utc_date('created_at') }} as counted_date,
        null as known_date,
        null as owner_id,
        0 as amount_cents
    from licenses

    union all

    select
        'fee' as kind,
        {{ utc_date('licenses.created_at') }} as counted_date,
        null as known_date,
        brands.brand_id as owner_id,
        coalesce(licenses.fee_cents, 0) as amount_cents
    from licenses
    inner join brands
        on licenses.brand_id = brands.brand_id

    union all

    select
        'adjustment' as kind,
        adjustments.effective_date as counted_date,
        null as known_date,
        brands.brand_id as owner_id,
        coalesce(adjustments.amount_cents, 0) as amount_cents
    from adjustments
    inner join licenses
        on adjustments.license_id = licenses.license_id
    inner join brands
        on licenses.brand_id = brands.brand_id

    union all

    select
        'expiring license' as kind,
        license_end_date as counted_date,
        null as known_date,
        null as owner_id,
        0 as amount_cents
    from licenses

    union all

    -- Counts by the end of its term, once it is renewed.
    select
        'renewed license' as kind,
        licenses.license_end_date as counted_date,
        renewals.renewed_date as known_date,
        null as owner_id,
        0 as amount_cents
    from licenses
    inner join renewals
        on
            licenses.license_id = renewals.parent_license_id
            and licenses.license_end_date + {{ var('license_renewal_days') | int }} >= renewals.renewed_date

)

select
    kind,
    counted_date,
    greatest(counted_date, known_date) as known_date,
    owner_id,
    count(*) as things,
    cast(sum(amount_cents) as numeric(38, 0)) as amount_cents
from dated
where counted_date is not null
group by
    kind,
    counted_date,
    greatest(counted_date, known_date),
    owner_id
