"""How long a dashboard waits: `make bench-reads`.

Every dashboard query is asked many times, each time of another asset, creator or brand, of marts as large as after a
year; and beside it the same question is asked of raw events, which have a partition a day and no index by asset. The
marts are the real tables, made from the contracts, filled by Postgres with numbers that mean nothing. Ends with one
line of JSON: the 95th percentile of each query in milliseconds, and how many times as long raw events take, by medians.
Metric functions (`marts.asset_metrics` and the like) are asked in the same way.
"""

import argparse
import json
import random
import statistics
import sys
import time
from datetime import date, timedelta
from typing import Final

import psycopg
from psycopg import sql

from attribution import schema as attribution_schema
from ingestion import schema
from ingestion.ad_spend import schema as ad_spend_schema
from ingestion.application import schema as application_schema
from ingestion.raw_access import entity_lookup
from publishing import dbt_manifest, mart_tables, mart_views
from publishing.marts import Mart, marts_of
from publishing.metric_functions import schema as metric_functions_schema
from tests.benchmarks.attribution_days import fill
from tests.benchmarks.benchmark_server import benchmark_server
from tests.benchmarks.function_questions import FUNCTION_LIMIT_MS, FUNCTION_QUESTIONS, ROLLUP_ROWS
from tests.benchmarks.read_questions import QUESTIONS, Question
from tests.benchmarks.read_rows import ROWS
from tests.support import dbt_here
from warehouse.connection import Warehouse
from warehouse.roles.readers import CREATORS, MARTS
from warehouse.window import Window

LAST: Final = date(2026, 9, 30)
# A dashboard that waits longer feels slow; of each query, nineteen of twenty must be there by then.
LIMIT_MS: Final = 20.0
_WARM_UP: Final = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365, help="published days (default: %(default)s)")
    parser.add_argument("--assets", type=int, default=30_000, help="default: %(default)s")
    parser.add_argument("--creators", type=int, default=3_000, help="default: %(default)s")
    parser.add_argument("--brands", type=int, default=1_000, help="default: %(default)s")
    parser.add_argument(
        "--groups", type=int, default=5_000, help="groups of daily_metrics a day (default: %(default)s)"
    )
    parser.add_argument("--events", type=int, default=10_000, help="raw events a day (default: %(default)s)")
    parser.add_argument("--asked", type=int, default=200, help="times each query is asked (default: %(default)s)")
    options = parser.parse_args()
    with benchmark_server() as server, server.database():
        make(server.warehouse, options)
        results = measure(server.warehouse, options)
    say(json.dumps(results))
    return 0


def make(warehouse: Warehouse, options: argparse.Namespace) -> None:
    """A year of raw events and the marts of so many assets, creators and brands."""
    started = time.perf_counter()
    with warehouse.connect(autocommit=True) as connection:
        for part in (schema, application_schema, ad_spend_schema, attribution_schema):
            part.create(connection)
        # Views are published as they were built; nothing is built here but the empty models.
        window = ["--event-time-start", f"{LAST}", "--event-time-end", f"{LAST + timedelta(days=1)}"]
        dbt_here.run_dbt(warehouse, ["seed"])
        marts = [mart for mart in marts_of(dbt_manifest.manifest()) if mart.schema == MARTS]
        mart_tables.create_missing_tables(connection, marts_of(dbt_manifest.manifest()))
        dbt_here.run_dbt(warehouse, ["run", *window])
        with connection.transaction(), connection.cursor() as cursor:
            mart_tables.migrate_tables(cursor, marts, Window.day(LAST))
            mart_views.create_views(cursor, marts)
        numbers = {name: getattr(options, name) for name in ("days", "assets", "creators", "brands", "groups")}
        for mart in marts:
            if mart.name in ROWS:
                _fill_mart(connection, mart, ROWS[mart.name].format(**numbers, last=f"date '{LAST}'"))
        first = LAST - timedelta(days=options.days - 1)
        fill(connection, Window(first, LAST + timedelta(days=1)), events=options.events, visitors=options.events // 2)
        connection.execute(
            "insert into raw.ip_ownerships (id, ip_asset_id, creator_id, share_bps, start_date, {}) "
            " select 'share-' || n, 'asset-' || n, 'creator-' || n %% %s, 10000, date '2020-01-01', {}"
            " from generate_series(0, %s - 1) as n".format(*_other_columns(connection)),  # type: ignore[arg-type]
            [options.creators, options.assets],
        )
        connection.execute(ROLLUP_ROWS.format(creators=options.creators, brands=options.brands).encode())
        entity_lookup.index_published_days(connection)
        metric_functions_schema.create(connection)
        connection.execute("vacuum analyze")
        (rows,) = connection.execute("select count(*) from raw.events").fetchone() or (0,)
    say(
        f"{options.days} days, {options.assets:,} assets, {options.creators:,} creators, {options.brands:,} brands,"
        f" {rows:,} raw events: made in {time.perf_counter() - started:.0f} s"
    )


def _other_columns(connection: psycopg.Connection) -> tuple[str, str]:
    """Columns that raw demands of a version of a row beside the row itself: names and values."""
    found = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = 'raw.ip_ownerships'::regclass and attnum > 0 and attnotnull and not atthasdef"
        " and attidentity = '' and attname not in ('id', 'ip_asset_id', 'creator_id', 'share_bps', 'start_date')"
    ).fetchall()
    values = {"date": "date '2020-01-01'", "bytea": "'\\x00'", "boolean": "false", "timestamp with time zone": "now()"}
    values |= {"integer": "1", "bigint": "1"}
    columns = dict(found) or {"end_date": "date"}
    named = {name: "null" if name == "end_date" else values[kind] for name, kind in columns.items()}
    return ", ".join(named), ", ".join(named.values())


def _fill_mart(connection: psycopg.Connection, mart: Mart, keys: str) -> None:
    """Rows with these keys; whatever else the contract has is made up by its type."""
    described = connection.execute(f"select * from ({keys}) as keys limit 0").description or []  # type: ignore[arg-type]
    given = {column.name for column in described}
    made_up = {
        "text": "'Some name'",
        "date": "date '2026-09-30'",
        "bigint": "(random() * 1000)::bigint",
        "integer": "(random() * 10)::integer",
    }
    values = [
        sql.Identifier(column.name)
        if column.name in given
        else sql.SQL(made_up.get(column.data_type, "round((random() * 100)::numeric, 4)"))
        for column in mart.columns
    ]
    connection.execute(
        sql.SQL("insert into {} ({}) select {} from ({}) as keys on conflict do nothing").format(
            sql.Identifier(mart.schema, mart.name),
            sql.SQL(", ").join(sql.Identifier(column.name) for column in mart.columns),
            sql.SQL(", ").join(values),
            sql.SQL(keys),  # type: ignore[arg-type]
        )
    )


def measure(warehouse: Warehouse, options: argparse.Namespace) -> dict[str, object]:
    """Ask everything, as the reader that BI is, and say it."""
    chance = random.Random(1)  # noqa: S311
    slow: list[str] = []
    marts: dict[str, float] = {}
    ratios: dict[str, float] = {}
    with psycopg.connect(warehouse.bi_dsn, autocommit=True) as bi, warehouse.connect(autocommit=True) as owner:
        for question in QUESTIONS:
            asked = [_asked(bi, question, question.marts, chance, options) for _ in range(options.asked + _WARM_UP)]
            times = asked[_WARM_UP:]
            marts[question.name] = round(statistics.quantiles(times, n=20)[-1], 2)
            shown = f"{question.name:<36} p95 {marts[question.name]:8.2f} ms  median {statistics.median(times):8.2f} ms"
            if question.raw:
                raw = statistics.median(_asked(owner, question, question.raw, chance, options) for _ in range(3))
                ratios[question.name] = round(raw / statistics.median(times), 1)
                shown += f"  raw events {raw:10.1f} ms, {ratios[question.name]:8.1f} times as long"
            say(shown)
            if marts[question.name] > LIMIT_MS:
                slow.append(question.name)
    functions = _measure_functions(warehouse, chance, options)
    slow += [name for name, p95 in functions.items() if p95 > FUNCTION_LIMIT_MS]
    return {
        "p95_ms": marts,
        "raw_vs_marts": ratios,
        "limit_ms": LIMIT_MS,
        "functions_p95_ms": functions,
        "functions_limit_ms": FUNCTION_LIMIT_MS,
        "slow": slow,
    }


def _measure_functions(warehouse: Warehouse, chance: random.Random, options: argparse.Namespace) -> dict[str, float]:
    """Ask the metric functions, each as its role, and say it."""
    results: dict[str, float] = {}
    with (
        psycopg.connect(warehouse.bi_dsn, autocommit=True) as bi,
        psycopg.connect(warehouse.dsn(CREATORS.portal.name), autocommit=True) as creator,
        warehouse.connect(autocommit=True) as owner,
    ):
        connections = {"bi": bi, "creator": creator, "owner": owner}
        for question in FUNCTION_QUESTIONS:
            times = []
            for number in range(options.asked + _WARM_UP):
                # Assets with events, of those that attribution_days.py makes.
                asset = 100 * chance.randrange(min(options.assets, 3_000) // 100) + chance.randrange(40, 100)
                of_creator = f"creator-{asset % options.creators}"
                parameters = {
                    "asset": f"asset-{asset}",
                    "creator": of_creator,
                    "brand": f"brand-{chance.randrange(options.brands)}",
                    "user": f"user-{chance.randrange(options.events // 4)}",
                    "last": LAST,
                }
                creator.execute("select set_config(%s, %s, false)", [CREATORS.setting, of_creator])
                started = time.perf_counter()
                connections[question.role].execute(f"select {question.call}", parameters).fetchall()  # type: ignore[arg-type]
                if number >= _WARM_UP:
                    times.append(1000 * (time.perf_counter() - started))
            results[question.name] = round(statistics.quantiles(times, n=20)[-1], 2)
            say(f"{question.name:<44} p95 {results[question.name]:8.2f} ms  median {statistics.median(times):8.2f} ms")
    return results


def _asked(
    connection: psycopg.Connection,
    question: Question,
    query: str,
    chance: random.Random,
    options: argparse.Namespace,
) -> float:
    """Milliseconds until all rows are here."""
    parameters = {
        "asset": f"asset-{chance.randrange(min(options.assets, 3_000))}",
        "creator": f"creator-{chance.randrange(options.creators)}",
        "brand": f"brand-{chance.randrange(options.brands)}",
        "last": LAST,
        "days": question.days,
    }
    started = time.perf_counter()
    rows = connection.execute(query, parameters).fetchall()  # type: ignore[arg-type]
    elapsed = 1000 * (time.perf_counter() - started)
    if not rows and query is question.marts:
        raise SystemExit(f"{question.name} finds nothing: what it asks for was not made, or the reader may not see it")
    return elapsed


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
