{# The columns of click ids in raw.attribution. Their meaning stands in the seed click_ids. A test keeps this list, the seed
   and the event contract equal, since dbt cannot read a seed before it runs. #}
{% macro click_id_columns() -%}
    {{ return([
        'gclid', 'wbraid', 'gbraid', 'dclid', 'gad_source', 'fbclid', 'msclkid', 'ttclid', 'twclid', 'li_fat_id', 'yclid'
    ]) }}
{%- endmacro %}

{# The names of the click ids that a row of attribution carries, with commas around each; null where it carries none.
   Rows have few different such lists. #}
{% macro carried_click_ids() -%}
    nullif(concat(
        {%- for name in click_id_columns() %}
        case when {{ name }} is not null then ',{{ name }},' else '' end{{ ',' if not loop.last }}
        {%- endfor %}
    ), '')
{%- endmacro %}
