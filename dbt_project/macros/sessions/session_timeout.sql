{# The pause that ends a session of a device or actor: the var session_timeout_minutes as an interval. #}
{% macro session_timeout() -%}
    interval '{{ var("session_timeout_minutes") | int }}' minute
{%- endmacro %}
