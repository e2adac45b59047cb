{# CTE visits: the events of browsers and apps with their session, from CTE keyed. Gaps and islands: a break begins a chain,
   and a chain is cut at the midnight after its second day. #}
{% macro web_sessions() -%}
-- A tracker's session goes on from day to day. The session of a device or actor ends with a pause of the timeout.
breaks as (

    select
        *,
        case
            when session_key like 'session:%' and event_date - lag(event_date) over key_order <= 1 then 0
            when
                session_key not like 'session:%'
                and occurred_at - lag(occurred_at) over key_order < {{ session_timeout() }}
                then 0
            else 1
        end as begins_chain
    from keyed
    window key_order as (partition by session_key order by occurred_at, event_id)

),

-- No two events are equal in this order, and without peers to look for the sums cost half.
chains as (

    select
        *,
        sum(begins_chain) over so_far as chain_number,
        max(case when begins_chain = 1 then event_date end) over so_far as chain_date
    from breaks
    window so_far as (partition by session_key order by occurred_at, event_id rows unbounded preceding)

),

-- A chain is cut at the midnight after its second day: there it has events that are more than 24 hours old.
spans as (

    select
        *,
        event_date - mod(event_date - chain_date, 2) as session_date
    from chains

),

visits as (

    select
        *,
        first_value(event_id) over (
            partition by session_key, chain_number, session_date order by occurred_at, event_id
        ) as session_id
    from spans

)
{%- endmacro %}
