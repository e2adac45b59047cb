select
    period, brand_id, project_id, total_impressions, total_clicks, total_conversions, total_revenue_cents,
    num_nulls(period, brand_id, total_spend_cents, total_impressions, total_clicks, total_conversions, total_revenue_cents, roi_pct) as missing_values,
    case
        when total_spend_cents = 0 then roi_pct = 0
        else abs(roi_pct * total_spend_cents - 100.0 * (cast(total_revenue_cents as numeric) - total_spend_cents)) * 20000 <= abs(total_spend_cents)
    end as is_return_on_spend
from build.brand_campaign_metrics
