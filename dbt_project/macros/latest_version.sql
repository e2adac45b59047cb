{# A select: the last observed version of each row of a table of the product. #}
{% macro latest_version(relation) -%}
    select *
    from (
        select
            *,
            row_number() over (partition by id order by change_id desc) as nth_latest
        from {{ relation }}
    ) as versions
    where nth_latest = 1
{%- endmacro %}
