"""The SQL functions `ops.explained_columns` and `ops.explain_cell`: what makes up a cell of a mart.

A cell is recomputed from its rows whenever it is asked for. Nothing is stored.
"""

from collections.abc import Iterable
from typing import Final

from psycopg import sql

from publishing.explain.cells import FLAG_COLUMNS, ID_COLUMNS, Cells, Span

_COLUMNS_FUNCTION: Final = """
create or replace function ops.explained_columns() returns table (
    mart text, column_name text, formula text, value_expression text, row_condition text, row_query text,
    span_query text, reads text[]
) language sql immutable as {body};
comment on function ops.explained_columns() is
    'Columns of marts that ops.explain_cell explains, each with its formula and the query of its rows.';
"""

# Conditions of the keys compare with literals of the columns' types, so that days are found by their index.
_CELL_FUNCTION: Final = """
create or replace function ops.explain_cell(
    mart text, keys jsonb, column_name text, max_rows integer default 100, show_ids boolean default false
) returns jsonb language plpgsql stable set timezone = 'UTC' as $function$
declare
    explained record;
    cell_query text;
    cell_type text;
    cell_row jsonb;
    wrong text;
    number_found bigint;
    first_day date;
    last_day date;
    answer jsonb;
begin
    select * into explained from ops.explained_columns() as known
    where known.mart = explain_cell.mart and known.column_name = explain_cell.column_name;
    if not found then
        raise invalid_parameter_value using message = (
            select case
                when count(*) filter (where known.mart = explain_cell.mart) > 0 then format(
                    'mart %s has no explained column %s; explained are: %s', explain_cell.mart,
                    explain_cell.column_name,
                    string_agg(known.column_name, ', ' order by known.column_name)
                        filter (where known.mart = explain_cell.mart)
                )
                else format(
                    'no mart %s is explained; explained are: %s', explain_cell.mart,
                    string_agg(distinct known.mart, ', ')
                )
            end
            from ops.explained_columns() as known
        );
    end if;
    if to_regclass(format('marts.%I', explain_cell.mart)) is null then
        raise no_data_found using message = format(
            'mart %s is not published yet; run the job daily_refresh for a day', explain_cell.mart
        );
    end if;
    select string_agg(given.key, ', ') into wrong
    from jsonb_each_text(keys) as given
    where not exists (
        select from pg_attribute
        where attrelid = format('marts.%I', explain_cell.mart)::regclass and attname = given.key and attnum > 0
    );
    if wrong is not null then
        raise invalid_parameter_value using message = format(
            'mart %s has no column %s; its keys are: %s', explain_cell.mart, wrong,
            array_to_string(ops.grain_of_mart(explain_cell.mart), ', ')
        );
    end if;
    select format('select * from marts.%I', explain_cell.mart) || coalesce(' where ' || string_agg(
        case
            when given.value is null then format('%I is null', given.key)
            else format('%I = cast(%L as %s)', given.key, given.value, format_type(atttypid, atttypmod))
        end, ' and '
    ), '') into cell_query
    from jsonb_each_text(keys) as given
    inner join pg_attribute
        on attrelid = format('marts.%I', explain_cell.mart)::regclass and attname = given.key and attnum > 0;
    execute format('select count(*), min(to_jsonb(cell)::text)::jsonb from (%s limit 2) as cell', cell_query)
    into number_found, cell_row;
    if number_found = 0 then
        raise no_data_found using message = case
            when not exists (select from ops.published_days)
                then 'no day is published yet; run the job daily_refresh for a day'
            when keys ? 'metric_date' and explained.span_query = {day}
                and not exists (
                    select from ops.published_days where event_date = cast(keys ->> 'metric_date' as date)
                )
                then format(
                    '%s is not published: ops.stale_days says why, and job daily_refresh runs it',
                    keys ->> 'metric_date'
                )
            else format(
                'marts.%s has no row with %s: look for its keys (%s) in the mart, and give null for an empty one',
                explain_cell.mart, keys, array_to_string(ops.grain_of_mart(explain_cell.mart), ', ')
            )
        end;
    elsif number_found > 1 then
        raise invalid_parameter_value using message = format(
            'several rows of marts.%s have %s: give also %s', explain_cell.mart, keys, (
                select string_agg(name, ', ') from unnest(ops.grain_of_mart(explain_cell.mart)) as name
                where not keys ? name
            )
        );
    end if;
    execute format('with cell as (%s) %s', cell_query, explained.span_query) into first_day, last_day;
    select format('the rows of %s before %s were dropped when these days were sealed, so that %s cannot be recomputed;'
        ' the published number stays as it is: %s',
        relation, dropped_before, explain_cell.column_name, cell_row ->> explain_cell.column_name
    ) into wrong
    from ops.retention_progress
    where relation = any(explained.reads)
        and dropped_before > greatest(first_day, (select min(event_date) from ops.published_days))
    order by dropped_before desc limit 1;
    if wrong is not null then
        raise no_data_found using message = wrong;
    end if;
    select format_type(atttypid, atttypmod) into cell_type from pg_attribute
    where attrelid = format('marts.%I', explain_cell.mart)::regclass and attname = explain_cell.column_name;
    execute format(
        $query$
        with cell as materialized (%1$s),
        rows as materialized (select * from (%2$s) as found where %3$s),
        computed as (select cast(%4$s as %5$s) as recomputed, count(*) as rows_total from rows)
        select jsonb_build_object(
            'shown', to_jsonb((select %6$I from cell)), 'recomputed', to_jsonb(recomputed),
            'is_equal', (select %6$I from cell) is not distinct from recomputed, 'rows_total', rows_total,
            'rows', coalesce((
                select jsonb_agg(to_jsonb(shown) - $4) from (select * from rows order by 1, 2 limit $3) as shown
            ), '[]'),
            'loads', (%7$s)
        )
        from computed
        $query$,
        cell_query, explained.row_query, explained.row_condition, explained.value_expression, cell_type,
        explain_cell.column_name,
        case
            when 'raw.events' = any(explained.reads) then 'select jsonb_object_agg(load_id, number) from ('
                ' select load_id, count(*) as number from rows where load_id is not null group by load_id) as counted'
            else 'select null::jsonb'
        end
    ) into answer
    using first_day, last_day, max_rows, {flags}::text[] || case when show_ids then '{{}}' else {ids}::text[] end;
    return jsonb_build_object(
        'mart', explain_cell.mart,
        'column', explain_cell.column_name,
        'keys', coalesce((
            select jsonb_object_agg(name, cell_row -> name) from unnest(ops.grain_of_mart(explain_cell.mart)) as name
        ), keys),
        'description', col_description(format('marts.%I', explain_cell.mart)::regclass, (
            select attnum from pg_attribute
            where attrelid = format('marts.%I', explain_cell.mart)::regclass
                and attname = explain_cell.column_name
        )),
        'formula', explained.formula,
        'first_day', first_day,
        'last_day', last_day
    ) || (answer - 'loads') || jsonb_build_object(
        'provenance', ops.provenance_of_days(
            explain_cell.mart, first_day, last_day, nullif(answer -> 'loads', 'null')
        )
    );
end
$function$;
comment on function ops.explain_cell is
    'What makes up a cell of a mart: formula, rows, the number recomputed from them, run, build, model version, loads.';
"""


def cell_functions(cells: Iterable[Cells]) -> sql.Composed:
    """Return the statements that create the functions."""
    rows = [
        sql.SQL("({})").format(
            sql.SQL(", ").join(
                [
                    *map(sql.Literal, (of.mart, column, value.words, value.expression, value.condition, of.rows)),
                    sql.Literal(str(of.span)),
                    sql.SQL("{}::text[]").format(sql.Literal(list(of.reads))),
                ]
            )
        )
        for of in cells
        for column, value in of.values.items()
    ]
    columns = sql.SQL("values {}").format(sql.SQL(",\n").join(rows)).as_string()
    names = {
        "flags": sql.Literal(list(FLAG_COLUMNS)),
        "ids": sql.Literal(list(ID_COLUMNS)),
        "day": sql.Literal(str(Span.DAY)),
    }
    return sql.SQL("\n").join(
        [sql.SQL(_COLUMNS_FUNCTION).format(body=sql.Literal(columns)), sql.SQL(_CELL_FUNCTION).format(**names)]
    )
