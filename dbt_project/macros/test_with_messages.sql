{# A query whose rows are problems in words, for a data test. When tests run, the words become the message of the test: dbt
   itself would only count the rows. #}
{% macro test_with_messages(query) -%}
    {%- if writes_rows() -%}
        {%- set problems = run_query(query).columns[0].values() -%}
        {%- if problems -%}
            {%- do exceptions.raise_compiler_error(problems | join('; ')) -%}
        {%- endif -%}
    {%- endif -%}
    {{ query }}
{%- endmacro %}
