select
    period, ip_asset_id, referrer, rank, views,
    num_nulls(period, ip_asset_id, referrer, rank, views) as missing_values,
    row_number() over (partition by ip_asset_id, period order by views desc, referrer) as rank_in_order
from build.asset_top_referrers
