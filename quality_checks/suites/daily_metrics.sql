select
    metric_date, project_id, ip_asset_id, license_id,
    views, clicks, conversions, revenue_cents, unique_visitors, engagement_time,
    coalesce(project_id, ip_asset_id, license_id) as named_entity,
    cast(jsonb_build_array(metric_date, project_id, ip_asset_id, license_id) as text) as group_key
from build.daily_metrics
