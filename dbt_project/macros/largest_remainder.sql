{# A whole number for each row, such that the numbers of a partition add up to exactly `total` (the largest remainder method).
   Each value is cut to a whole number. The units that are left go one each to the rows that lost most; ties go by `order_by`. #}
{% macro largest_remainder(value, total, partition_by, order_by) -%}
    floor({{ value }}) + case
            when
                row_number() over (
                    partition by {{ partition_by }} order by {{ value }} - floor({{ value }}) desc, {{ order_by }}
                ) <= {{ total }} - sum(floor({{ value }})) over (partition by {{ partition_by }})
                then 1
            else 0
        end
{%- endmacro %}
