{# The window of a run: the days that every windowed model reads, deletes and writes. It comes from --event-time-start and
   --event-time-end (UTC days, the end exclusive). Vars would force a full parse whenever they change. #}

{# True for commands that run models or tests. Others, such as `dbt compile` and `dbt docs`, need neither a window nor a server. #}
{% macro writes_rows() -%}
    {{ return(execute and flags.WHICH in ['build', 'run', 'test']) }}
{%- endmacro %}

{% macro window_bound(which) -%}
    {%- set given = invocation_args_dict.get('event_time_' ~ which) -%}
    {%- if not writes_rows() and not (execute and given) -%}
        {{ return({'start': '1970-01-01', 'end': '1970-01-02'}[which]) }}
    {%- endif -%}
    {%- if not given -%}
        {%- do exceptions.raise_compiler_error(
            'no window: ' ~ model.name ~ ' is built for a range of UTC days and there is no default. '
            ~ 'Give both --event-time-start YYYY-MM-DD and --event-time-end YYYY-MM-DD (the end exclusive), '
            ~ 'or run it through Dagster.'
        ) -%}
    {%- endif -%}
    {%- set text = given | string -%}
    {%- if text[10:] | replace('T', '') | replace(' ', '') | replace('00:00:00', '') | replace('+00:00', '') -%}
        {%- do exceptions.raise_compiler_error(
            'the window consists of whole UTC days, but --event-time-' ~ which ~ ' is ' ~ text
        ) -%}
    {%- endif -%}
    {{ return(text[:10]) }}
{%- endmacro %}

{% macro window_start() -%}
    cast('{{ window_bound("start") }}' as date)
{%- endmacro %}

{% macro window_end() -%}
    cast('{{ window_bound("end") }}' as date)
{%- endmacro %}

{# The moments at which the window begins and ends, in whatever time zone the session is: a date compared with a time is
   taken for a local midnight. #}
{% macro window_start_at() -%}
    cast('{{ window_bound("start") }} 00:00:00+00' as timestamp with time zone)
{%- endmacro %}

{% macro window_end_at() -%}
    cast('{{ window_bound("end") }} 00:00:00+00' as timestamp with time zone)
{%- endmacro %}

{# True when a date column lies in the window. Literals, so that partitions are pruned when the query is planned. #}
{% macro in_window(column) -%}
    ({{ column }} >= {{ window_start() }} and {{ column }} < {{ window_end() }})
{%- endmacro %}

{# The window and the day after it, into which what begins in the window may reach. #}
{% macro in_window_and_next_day(column) -%}
    ({{ column }} >= {{ window_start() }} and {{ column }} < {{ window_end() }} + 1)
{%- endmacro %}

{# Every day of the window, a row each, as metric_date. #}
{% macro days_of_window() -%}
    {%- set start = modules.datetime.date.fromisoformat(window_bound('start')) -%}
    {%- set end = modules.datetime.date.fromisoformat(window_bound('end')) -%}
    {%- for offset in range([(end - start).days, 1] | max) -%}
    select cast('{{ start + modules.datetime.timedelta(days=offset) }}' as date) as metric_date
    {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor -%}
{%- endmacro %}
