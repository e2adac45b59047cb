select
    period, brand_id, project_id, ip_asset_id, views, clicks,
    num_nulls(period, brand_id, ip_asset_id, views, clicks, ctr) as missing_values,
    case
        when views = 0 then ctr = 0
        else abs(ctr * views - 100.0 * clicks) * 20000 <= abs(views)
    end as is_click_through_rate
from build.brand_campaign_assets
