{{ config(materialized='view') }}

with

users as (

    select * from {{ ref('stg_marketplace__users') }}
    where not is_deleted

),

creators as (

    select * from {{ ref('stg_marketplace__creators') }}
    where not is_deleted

),

brands as (

    select * from {{ ref('stg_marketplace__brands') }}
    where not is_deleted

),

assets as (

    select * from {{ ref('stg_marketplace__ip_assets') }}
    where not is_removed

),

licenses as (

    select * from {{ ref('int_licenses') }}
    where not is_removed

),

spend as (

    select * from {{ ref('int_license_spend') }}

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

-- A creator of an asset was active, also when the asset is deleted by now.
uploads as (

    select
        creators.creator_id,
        assets.created_at
    from assets
    inner join creators
        on assets.created_by_user_id = creators.user_id

),

brand_spend as (

    select
        case when spend.license_adjustment_id is null then 'fee' else 'adjustment' end as kind,
        brands.brand_id,
        coalesce(spend.spend_cents, 0) as spend_cents,
        spend.spend_date
    from spend
    inner join brands
        on spend.brand_id = brands.brand_id

),

-- A renewal counts on the day on which the term ended, once it is known.
renewed as (

    select
        licenses.license_end_date,
        renewals.renewed_date
    from licenses
    inner join renewals
        on
            licenses.license_id = renewals.parent_license_id
            and licenses.license_end_date + {{ var('license_renewal_days') | int }} >= renewals.renewed_date

),

dated as (

    {{ dated_items([
        {'kind': "'user'", 'relation': 'users'},
        {'kind': "'creator'", 'relation': 'creators'},
        {'kind': "'brand'", 'relation': 'brands'},
        {'kind': "'asset'", 'relation': 'assets where not is_deleted'},
        {'kind': "'upload'", 'relation': 'uploads', 'owner_id': 'creator_id'},
        {'kind': "case when parent_license_id is null then 'license' else 'renewing license' end", 'relation': 'licenses'},
        {
            'kind': 'kind', 'relation': 'brand_spend', 'effective_date': 'spend_date',
            'owner_id': 'brand_id', 'amount_cents': 'spend_cents',
        },
        {'kind': "'expiring license'", 'relation': 'licenses', 'effective_date': 'license_end_date'},
        {
            'kind': "'renewed license'", 'relation': 'renewed', 'effective_date': 'license_end_date',
            'known_from_date': 'renewed_date',
        },
    ]) }}

)

select
    kind,
    effective_date,
    greatest(effective_date, known_from_date) as known_from_date,
    owner_id,
    count(*) as item_count,
    cast(sum(amount_cents) as numeric(38, 0)) as amount_cents
from dated
where effective_date is not null
group by
    kind,
    effective_date,
    greatest(effective_date, known_from_date),
    owner_id
