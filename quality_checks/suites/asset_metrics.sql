select
    period, ip_asset_id, total_views, total_clicks, total_conversions, total_revenue_cents, unique_visitors, avg_engagement_time,
    num_nulls(period, ip_asset_id, total_views, total_clicks, total_conversions, total_revenue_cents, unique_visitors, avg_engagement_time, conversion_rate, click_through_rate) as missing_values,
    case
        when total_views = 0 then conversion_rate = 0
        else abs(conversion_rate * total_views - 100.0 * total_conversions) * 20000 <= abs(total_views)
    end as is_conversion_rate,
    case
        when total_views = 0 then click_through_rate = 0
        else abs(click_through_rate * total_views - 100.0 * total_clicks) * 20000 <= abs(total_views)
    end as is_click_through_rate,
    unique_visitors <> 0 or avg_engagement_time = 0 as has_visitors_for_engagement
from build.asset_metrics
