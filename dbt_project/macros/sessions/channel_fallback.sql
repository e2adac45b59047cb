{# The text that stands for a missing channel, source, medium or campaign (`column`), by the reason why it is missing:
     no_session  an event outside of every session
     no_origin   a session none of whose events carries attribution: direct traffic
     no_tag      a visit or spend row that leaves a part open
     no_touch    a conversion without a touchpoint #}
{% macro channel_fallback(reason, column) -%}
    {%- set not_set = {'source': '(not set)', 'medium': '(not set)', 'campaign': '(not set)'} -%}
    {%- set fallbacks = {
        'no_session': dict(not_set, channel='Unassigned'),
        'no_origin': {'channel': 'Direct', 'source': '(direct)', 'medium': '(none)', 'campaign': '(not set)'},
        'no_tag': dict(not_set, channel='Unassigned'),
        'no_touch': dict(not_set, channel='Unattributed'),
    } -%}
    '{{ fallbacks[reason][column] }}'
{%- endmacro %}
