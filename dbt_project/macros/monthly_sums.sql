{# A select: sums of `measures` for each month and value of `keys`, over CTE days. #}
{% macro monthly_sums(keys, measures) -%}
select
    {{ month_of('metric_date') }} as metric_date,
    {{ keys | join(',\n    ') }},
    {%- for column in measures %}
    cast(sum({{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
from days
group by
    {{ month_of('metric_date') }},
    {{ keys | join(',\n    ') }}
{%- endmacro %}
