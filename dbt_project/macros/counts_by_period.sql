{# CTE counts (`keys`, period, counted): how many visitors were last seen on a day of each period, as an incremental count. The
   count of the previous publication is corrected by visitors who left, because the period has moved on past their last day,
   and by visitors whose last day this run changes. It reads the CTEs
     periods, periods_before              the periods of this run, and as previously published
     touched                              the last days of visitors that this run has looked at
     last_seen_before, looked_up          the last days of all visitors as previously published, each read in one place
     counts_before                        the counts as previously published, in the column `count`
   `last_date` is the column with a visitor's last day. #}
{% macro counts_by_period(keys, last_date, count) -%}
{%- set seen_columns = (keys + [last_date]) | join(', ') -%}
{%- set counted_columns = (keys + ['period']) | join(', ') -%}
-- New and previous bounds of each period.
bounds as (

    select
        periods.period,
        periods.first_date,
        periods_before.first_date as first_date_before
    from periods
    left join periods_before
        on periods.period = periods_before.period

),

-- Visitors who left: their last day is before the new start.
moved_past as (

    select
        {%- for column in keys %}
        last_seen_before.{{ column }},
        {%- endfor %}
        bounds.period,
        -1 as visitors
    from bounds
    inner join last_seen_before
        on
            bounds.first_date_before <= last_seen_before.{{ last_date }}
            and bounds.first_date > last_seen_before.{{ last_date }}

),

-- Visitors whose last day changed in this run.
moves as (

    select
        {{ seen_columns }},
        1 as visitors
    from touched

    union all

    select
        {%- for column in keys %}
        looked_up.{{ column }},
        {%- endfor %}
        looked_up.{{ last_date }},
        -1 as visitors
    from touched
    inner join looked_up
        on
            touched.visitor_id = looked_up.visitor_id
            {%- for column in keys %}
            and touched.{{ column }} = looked_up.{{ column }}
            {%- endfor %}

),

days_moved as (

    select
        {{ seen_columns }},
        sum(visitors) as visitors
    from moves
    where {{ last_date }} is not null
    group by {{ seen_columns }}
    having sum(visitors) <> 0

),

changes as (

    select
        {{ counted_columns }},
        {{ count }} as visitors
    from counts_before

    union all

    select
        {{ counted_columns }},
        visitors
    from moved_past

    union all

    select
        {%- for column in keys %}
        days_moved.{{ column }},
        {%- endfor %}
        bounds.period,
        days_moved.visitors
    from days_moved
    inner join bounds
        on bounds.first_date is null or days_moved.{{ last_date }} >= bounds.first_date

),

counts as (

    select
        {{ counted_columns }},
        sum(visitors) as counted
    from changes
    group by {{ counted_columns }}

)
{%- endmacro %}
