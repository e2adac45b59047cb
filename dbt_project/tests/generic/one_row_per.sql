{# A failing row is a key that stands for more than one row, or a part of a key that is null where nulls are not allowed. #}
{% test one_row_per(model, key, nullable=[]) %}
select
    {{ key | join(',\n    ') }},
    count(*) as rows_of_key
from {{ model }}
group by {{ key | join(', ') }}
having
    count(*) > 1
    {%- for column in key if column not in nullable %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
