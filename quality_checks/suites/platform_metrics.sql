select
    period, licenses_renewal_rate, licenses_expiring_renewal_rate, revenue_growth_pct,
    num_nulls(
        period, users_new, users_active, actors_unknown, creators_active, brands_active, assets_uploaded, licenses_created,
        revenue_total_cents, assets_avg_views_per_asset, users_total, creators_total, creators_avg_revenue_per_creator, brands_total,
        brands_avg_spend_per_brand, assets_total, licenses_total, licenses_renewal_rate, licenses_expiring_renewal_rate
    ) as missing_values,
    least(
        users_new, users_active, actors_unknown, creators_active, brands_active, assets_uploaded, licenses_created,
        revenue_total_cents, assets_avg_views_per_asset
    ) as least_number,
    least(
        users_total - users_new, users_total - users_active, assets_total - assets_uploaded, licenses_total - licenses_created,
        creators_total, brands_total
    ) as least_from_before,
    case
        when creators_active = 0 then creators_avg_revenue_per_creator = 0
        else abs(creators_avg_revenue_per_creator * creators_active - revenue_total_cents) * 20000 <= abs(creators_active)
    end as is_avg_revenue,
    case when brands_active = 0 then brands_avg_spend_per_brand else 0 end as spend_of_nobody,
    case when assets_total = 0 then assets_avg_views_per_asset else 0 end as views_of_nothing,
    case when licenses_created = 0 then licenses_renewal_rate else 0 end as renewals_of_nothing,
    period <> 'all' or revenue_growth_pct is null as has_period_before
from build.platform_metrics
