{# The key of events that may be one session: the tracker's session, else the device, else the actor. #}
{% macro session_key(tracker_session_id, anonymous_id, actor_id) -%}
    coalesce(
            'session:' || {{ tracker_session_id }},
            'anonymous:' || {{ anonymous_id }},
            'actor:' || {{ actor_id }}
        )
{%- endmacro %}
