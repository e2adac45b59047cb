{# The first and the last day of something, carried on from publication to publication. `seen` is that day among those that the
   run builds, `remembered` the one so far. When that one is built anew and nothing is seen in the window any more, it is
   `elsewhere`: the nearest day outside the window. #}

{% macro last_day_carried_on(seen, remembered, elsewhere) -%}
    case
        when {{ in_window(remembered) }} then coalesce({{ seen }}, {{ elsewhere }})
        else greatest({{ seen }}, {{ remembered }})
    end
{%- endmacro %}

{% macro first_day_carried_on(seen, remembered, elsewhere) -%}
    case
        when {{ in_window(remembered) }} then coalesce({{ seen }}, {{ elsewhere }})
        else least({{ seen }}, {{ remembered }})
    end
{%- endmacro %}
