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
