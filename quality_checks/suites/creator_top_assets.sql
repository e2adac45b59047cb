select
    period, creator_id, ip_asset_id, rank, views, licenses, revenue_cents,
    num_nulls(period, creator_id, ip_asset_id, rank, views, licenses, revenue_cents) as missing_values,
    row_number() over (partition by creator_id, period order by revenue_cents desc, coalesce(title, ''), ip_asset_id) as rank_in_order
from build.creator_top_assets
