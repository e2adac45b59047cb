{# Incremental first and last date of something, from publication to publication.
     seen            the first or last date within the window of this run
     previous        the previously published date
     outside_window  the nearest date outside of the window, for when the window held `previous` and nothing is seen there now #}

{% macro last_day_incremental(seen, previous, outside_window) -%}
    case
        when {{ in_window(previous) }} then coalesce({{ seen }}, {{ outside_window }})
        else greatest({{ seen }}, {{ previous }})
    end
{%- endmacro %}

{% macro first_day_incremental(seen, previous, outside_window) -%}
    case
        when {{ in_window(previous) }} then coalesce({{ seen }}, {{ outside_window }})
        else least({{ seen }}, {{ previous }})
    end
{%- endmacro %}
