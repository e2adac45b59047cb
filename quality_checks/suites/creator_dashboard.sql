select
    period, creator_id, total_views, total_licenses, total_revenue_cents,
    num_nulls(period, creator_id, total_views, total_licenses, total_revenue_cents, avg_conversion_rate) as missing_values,
    case
        when total_views = 0 then avg_conversion_rate = 0
        else abs(avg_conversion_rate * total_views - 100.0 * total_licenses) * 20000 <= abs(total_views)
    end as is_conversion_rate
from build.creator_dashboard
