{# True when a unique index of the tested table covers these columns or some of them, so that Postgres has already refused every
   second row of a key. Checking the rows again would sort the whole window. #}
{% macro is_unique_by_index(key) -%}
    exists (
        select from pg_index
        where
            indrelid = to_regclass('{{ graph.nodes[model.attached_node].relation_name if execute else this }}')
            and indisunique
            and indisvalid
            and indnullsnotdistinct
            and indpred is null
            and indexprs is null
            and (
                select array_agg(cast(attname as text)) from pg_attribute
                where attrelid = indrelid and attnum = any(indkey)
            ) <@ array['{{ key | join("', '") }}']
    )
{%- endmacro %}
