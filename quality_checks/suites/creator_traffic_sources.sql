select
    period, creator_id, utm_source, rank, visits, conversions,
    num_nulls(period, creator_id, utm_source, rank, visits, conversions) as missing_values,
    row_number() over (partition by creator_id, period order by visits desc, utm_source) as rank_in_order
from build.creator_traffic_sources
