{# A failing row is a key that stands for more than one row, or a part of a key that is null where nulls are not allowed. #}
{% test one_row_per(model, key, nullable=[]) %}
{%- set obligatory = key | reject('in', nullable) | list %}
with

rows_by_key as (

    select
        {{ key | join(',\n        ') }},
        count(*) as rows_of_key
    from {{ model }}
    where not {{ is_unique_by_index(key) }}
    group by {{ key | join(', ') }}

)

select * from rows_by_key
where rows_of_key > 1
{%- if obligatory %}

union all

select
    {{ key | join(',\n    ') }},
    1 as rows_of_key
from {{ model }}
where {{ obligatory | join(' is null or ') }} is null
{%- endif %}
{% endtest %}
