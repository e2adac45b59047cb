{# Periods: that many days ending with the last published one. What reads them joins model periods, of which `all` has no
   first day: its first_date is null. #}

{# Each period and how many days it has; of `all` none. #}
{% macro lengths_of_periods() -%}
    {%- for period, days in [('today', 1), ('7d', 7), ('30d', 30), ('90d', 90), ('1y', 365), ('all', 'null')] -%}
    select
        '{{ period }}' as period,
        cast({{ days }} as integer) as days
    {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{# Whether a day is in the first month of any period: literals, so that no other days are read. Model periods, as this run has
   made it, says which months these are. In a unit test all days are. #}
{% macro in_first_months(column) -%}
    {%- if execute and not is_unit_test() -%}
    {%- set months = run_query(
        'select distinct ' ~ month_of('first_date') ~ ', ' ~ month_after('first_date') ~ ' from ' ~ ref('periods') ~ ' where first_date is not null order by 1'
    ) -%}
    (
        {%- for first, next in months.rows %}
        {{ 'or ' if not loop.first }}({{ column }} >= cast('{{ first }}' as date) and {{ column }} < cast('{{ next }}' as date))
        {%- endfor %}
    )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{# Whether a day of the product's tables is in a period or, where that has no first day, before its end. #}
{% macro is_in_period(day, periods='periods') -%}
    ({{ periods }}.first_date is null or {{ periods }}.first_date <= {{ day }}) and {{ periods }}.last_date >= {{ day }}
{%- endmacro %}

{# A period is made of the days from its first to the end of that month, and the whole months after it. So its sums read a
   month of days and a row a month, however long it is: join the daily mart on the first condition, the monthly one on
   the second. One without a first day is made of all months. #}
{% macro is_day_of_first_month(metric_date, periods='periods') -%}
    {{ metric_date }} >= {{ periods }}.first_date and {{ metric_date }} < {{ month_after(periods ~ '.first_date') }}
{%- endmacro %}

{% macro is_later_month(metric_date, periods='periods') -%}
    ({{ periods }}.first_date is null or {{ metric_date }} > {{ periods }}.first_date)
{%- endmacro %}

{# A select: sums of `measures` for each period and value of `keys`, over the CTEs periods, days (a daily mart, of the first months
   alone) and months (its sums by month). `more` adds rows of other CTEs, each with its own measures: they have the columns
   period, `keys` and these measures. A CTE without measures only makes its keys appear. Adding rows up replaces joins on keys
   that may be null, which are slow. #}
{% macro period_sums(keys, measures, more={}) -%}
    {%- set parts = {
        'days': is_day_of_first_month('days.metric_date'),
        'months': is_later_month('months.metric_date'),
    } -%}
    {%- set added = more.values() | sum(start=[]) -%}
    select
        period,
        {%- for column in keys %}
        {{ column }},
        {%- endfor %}
        {%- for column in measures + added %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        {%- for relation, condition in parts.items() %}
        select
            periods.period
            {%- for column in keys + measures %},
            {{ relation }}.{{ column }}
            {%- endfor %}
            {%- for column in added %},
            0 as {{ column }}
            {%- endfor %}
        from periods
        inner join {{ relation }}
            on {{ condition }}
        {%- if not loop.last or more %}
        union all
        {%- endif %}
        {%- endfor %}
        {%- for relation, given in more.items() %}
        select
            period
            {%- for column in keys %},
            {{ column }}
            {%- endfor %}
            {%- for column in measures + added %},
            {{ column if column in given else '0 as ' ~ column }}
            {%- endfor %}
        from {{ relation }}
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ) as parts
    group by
        period,
        {{ keys | join(',\n        ') }}
{%- endmacro %}
