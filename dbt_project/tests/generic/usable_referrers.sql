{# A failing row is what is wrong with a host, in words: a host that is written otherwise than referrers come in matches
   none of them, and a name that stands for two kinds has either. #}
{% test usable_referrers(model) %}
{%- set query -%}
with

hosts as (

    select * from {{ model }}

),

names as (

    select
        host as name,
        kind
    from hosts
    union
    select
        source as name,
        kind
    from hosts

)

select
    'seed known_referrers, host "' || host || '": write it in lower case, without www., m., scheme, port and path' as problem
from hosts
where host <> {{ site_name('host') }} or host <> lower(host) or not ({{ matches('host', "'^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$'") }})
union all
select
    'seed known_referrers: "' || name || '" is of two kinds, ' || min(kind) || ' and ' || max(kind) as problem
from names
group by name
having count(*) > 1
{%- endset %}
{{ test_with_messages(query) }}
{% endtest %}
