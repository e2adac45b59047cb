{# The priority of the rule that decides the channel: of the seed channel_rules the least whose conditions all hold. A
   condition that is not given holds. `kind` is what the seed known_referrers says of the source. The caller imports the
   rules as `channel_rules`. #}
{% macro channel_rule(kind, source, medium, campaign) -%}
    (
        select min(rules.priority)
        from channel_rules as rules
        where
            (rules.source_kind is null or rules.source_kind = {{ kind }})
            and (rules.medium_pattern is null or {{ matches(medium, 'rules.medium_pattern') }})
            and (rules.source_pattern is null or {{ matches(source, 'rules.source_pattern') }})
            and (rules.campaign_pattern is null or {{ matches(campaign, 'rules.campaign_pattern') }})
    )
{%- endmacro %}
