select
    cohort_week, week_number, cohort_visitors, visitors, retention_rate,
    num_nulls(metric_date, cohort_week, week_number, cohort_visitors, visitors, retention_rate) as missing_values,
    extract(isodow from cohort_week) as weekday,
    metric_date - (cohort_week + 7 * week_number) as days_so_far,
    cohort_visitors - visitors as absent_visitors,
    week_number <> 0 or visitors = cohort_visitors as is_whole_in_week_0,
    case
        when cohort_visitors = 0 then retention_rate = 0
        else abs(retention_rate * cohort_visitors - 100.0 * visitors) * 20000 <= abs(cohort_visitors)
    end as is_retention_rate
from build.cohort_retention
