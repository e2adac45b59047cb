{# The priority of the rule that decides the channel: the least priority in seed channel_rules of a rule whose conditions all hold. A
   condition that is not given holds. The caller imports the rules as `channel_rules`; `kind` is that of the source. #}
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

{# A select: the kind of each source that a link may name, by the source itself or by a host of it. The caller imports the seed as
   `known_referrers`. A test of that seed holds that a name is of one kind only. #}
{% macro kinds_of_sources() -%}
    select
        names.source,
        min(names.kind) as kind
    from (
        select
            source,
            kind
        from known_referrers
        union all
        select
            host as source,
            kind
        from known_referrers
    ) as names
    group by names.source
{%- endmacro %}
