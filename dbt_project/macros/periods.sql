{# Periods: that many days ending with the last published one. What reads them joins model periods, of which `all` has no
   first day: its first_date is null. #}

{# Each period with its number of days; `all` has none. #}
{% macro period_lengths() -%}
    {{ return({'today': 1, '7d': 7, '30d': 30, '90d': 90, '1y': 365, 'all': none}) }}
{%- endmacro %}

{% macro lengths_of_periods() -%}
    {%- for period, days in period_lengths().items() -%}
    select
        '{{ period }}' as period,
        cast({{ days or 'null' }} as integer) as days
    {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{# True for days in the first month of any period. The months are literals, so that no other days are read. They follow from
   the last published day, which Python passes on (publishing/builds.py). Without it, as in a unit test, all days count:
   rows are the same, and more are read. #}
{% macro in_first_months(column) -%}
    {%- set given = dbt_metadata_envs.get('WAREHOUSE_LAST_DAY') -%}
    {%- if given and not is_unit_test() -%}
    {%- set months = [] -%}
    {%- for days in period_lengths().values() if days -%}
        {%- set first_date = modules.datetime.date.fromisoformat(given) - modules.datetime.timedelta(days=days - 1) -%}
        {%- do months.append(first_date.replace(day=1)) -%}
    {%- endfor -%}
    (
        {%- for month in months | unique | sort %}
        {{ 'or ' if not loop.first }}({{ column }} >= cast('{{ month }}' as date) and {{ column }} < cast('{{
            (month + modules.datetime.timedelta(days=31)).replace(day=1)
        }}' as date))
        {%- endfor %}
    )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{# True when a day of the product's tables is in a period, or before its end where it has no first day. #}
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
        {{ keys | join(', ') }},
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
            period,
            {{ keys | join(', ') }}
            {%- for column in measures + added %},
            {{ column if column in given else '0 as ' ~ column }}
            {%- endfor %}
        from {{ relation }}
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ) as parts
    group by period, {{ keys | join(', ') }}
{%- endmacro %}
