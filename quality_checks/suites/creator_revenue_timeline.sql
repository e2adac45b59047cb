select
    timeline.period, timeline.metric_date, timeline.creator_id, timeline.revenue_cents,
    num_nulls(timeline.period, timeline.metric_date, timeline.creator_id, timeline.revenue_cents) as missing_values,
    coalesce(timeline.metric_date between coalesce(periods.first_date, '-infinity') and periods.last_date, true) as is_day_of_period
from build.creator_revenue_timeline as timeline
left join build.periods as periods on periods.period = timeline.period
where timeline.period = '7d'
