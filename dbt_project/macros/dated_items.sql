{# A select: rows of the product by the day on which they count, for int_product_counts_by_day. Each source is a kind (an expression) and
   a relation, and may name other columns than created_at for its date, its owner, its amount, and the date from which it is
   known. #}
{% macro dated_items(sources) -%}
    {%- for source in sources %}
    select
        {{ source.kind }} as kind,
        {{ source.effective_date or utc_date('created_at') }} as effective_date,
        cast({{ source.known_from_date or 'null' }} as date) as known_from_date,
        cast({{ source.owner_id or 'null' }} as text) as owner_id,
        {{ source.amount_cents or 0 }} as amount_cents
    from {{ source.relation }}
    {%- if not loop.last %}
    union all
    {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
