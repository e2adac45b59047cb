{# One half to the power of seconds / half_life: to 15 digits, and exact for whole half-lives. #}
{% macro half_life_decay(half_life, seconds) -%}
    {{ return(adapter.dispatch('half_life_decay')(half_life, seconds)) }}
{%- endmacro %}

{# As numeric it would take 20 times as long. Past 1000 half-lives there are no such floats, and power fails. #}
{% macro default__half_life_decay(half_life, seconds) -%}
    cast(power(cast(0.5 as double precision), least(cast({{ seconds }} as double precision) / {{ half_life }}, 1000)) as numeric(38, 24))
{%- endmacro %}
