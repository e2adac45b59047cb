{{ config(event_time='metric_date') }}

with

credits as (

    select * from {{ ref('attribution_daily') }}
    where {{ in_window('metric_date') }}

),

ad_spend as (

    select * from {{ ref('int_ad_spend_with_channel') }}
    where {{ in_window('spend_date') }}

),

models as (

    {{ attribution_models() }}

),

spend as (

    select
        spend_date,
        channel,
        source,
        medium,
        campaign,
        {{ spend_level('source', 'medium', 'campaign') }} as spend_level,
        cast(sum(cost_cents) as bigint) as cost_cents,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(clicks) as bigint) as clicks
    from ad_spend
    group by
        spend_date,
        channel,
        source,
        medium,
        campaign

),

-- Spend is equal for all attribution models.
model_spend as (

    select
        models.model,
        spend.*
    from spend
    cross join models

),

-- Spend on a channel alone bought no visit in particular, and stays apart from credit without spend.
earned as (

    select
        *,
        nullif({{ spend_level('source', 'medium', 'campaign') }}, 'channel') as spend_level
    from credits

),

met as (

    select
        coalesce(earned.metric_date, model_spend.spend_date) as metric_date,
        coalesce(earned.model, model_spend.model) as model,
        coalesce(earned.channel, model_spend.channel) as channel,
        coalesce(earned.source, model_spend.source) as source,
        coalesce(earned.medium, model_spend.medium) as medium,
        coalesce(earned.campaign, model_spend.campaign) as campaign,
        coalesce(model_spend.spend_level, 'none') as spend_level,
        coalesce(model_spend.cost_cents, 0) as cost_cents,
        model_spend.impressions,
        model_spend.clicks,
        coalesce(earned.credited_conversions, 0) as credited_conversions,
        coalesce(earned.credited_cents, 0) as credited_cents
    from earned
    full outer join model_spend
        on
            earned.metric_date = model_spend.spend_date
            and earned.model = model_spend.model
            and earned.channel = model_spend.channel
            and earned.source = model_spend.source
            and earned.medium = model_spend.medium
            and earned.campaign = model_spend.campaign
            and earned.spend_level = model_spend.spend_level

)

select
    metric_date,
    model,
    channel,
    source,
    medium,
    campaign,
    spend_level,
    cost_cents,
    impressions,
    clicks,
    cast(credited_conversions as numeric(20, 12)) as credited_conversions,
    credited_cents,
    cast(cost_cents / nullif(credited_conversions, 0) as numeric(38, 4)) as cost_per_conversion_cents,
    cast(coalesce(cast(credited_cents as numeric(38, 4)) / nullif(cost_cents, 0), 0) as numeric(38, 4)) as roas
from met
