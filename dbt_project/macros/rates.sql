{# Percentages and quotients as people read them: 4 decimals, rounded half away from zero. #}

{# Enough decimals that what is rounded is the quotient itself: no two counts below 10^11 have one so close to a half. #}
{% macro quotient(numerator, denominator) -%}
    round(cast({{ numerator }} as numeric(38, 16)) / nullif({{ denominator }}, 0), 4)
{%- endmacro %}

{# A quotient that is 0 when its denominator is. #}
{% macro rate(numerator, denominator) -%}
    cast(coalesce({{ quotient(numerator, denominator) }}, 0) as numeric(38, 4))
{%- endmacro %}

{# The share of one in the other as a percentage; 0 when the denominator is 0. #}
{% macro percentage(numerator, denominator) -%}
    {{ rate('100 * cast(' ~ numerator ~ ' as numeric(38, 0))', denominator) }}
{%- endmacro %}

{# By how many per cent a number has grown; null when the previous one is absent or 0. #}
{% macro growth_pct(current, previous) -%}
    cast({{ quotient('100 * (cast(' ~ current ~ ' as numeric(38, 3)) - ' ~ previous ~ ')', previous) }} as numeric(38, 4))
{%- endmacro %}
