"""Explanations of numbers that were counted by hand: conversions, cells, their sources, and why some have none."""

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest

from publishing.explain.reading import NotExplained, explain_cell, explain_conversion
from publishing.explain.text import conversion_as_text
from publishing.live_views import data_quality
from tests.integration.publishing.explain.conftest import FIRST, SECOND
from tests.support.command_line import run_command
from tests.support.pipeline import Pipeline

FIRST_FILE, SECOND_FILE = (f"events/dt={day}/part-0.ndjson" for day in (FIRST, SECOND))
ASSET = {"ip_asset_id": "asset-0", "project_id": None, "license_id": None}
SEALED = "insert into ops.retention (sealed_before, visitor_days_from) values ('2026-10-03', '2026-10-01')"
# Numbers that are keys, or come from no build.
NOT_EXPLAINED = {
    "attribution_credits.touch_number",
    "cohort_retention.week_number",
    "data_freshness.stale_days",
    "dim_assets.owners",
    *(f"dim_dates.{name}" for name in ("iso_year", "iso_week", "calendar_year", "calendar_quarter", "calendar_month")),
    "dim_dates.weekday_number",
    "dim_licenses.fee_cents",
    "dim_projects.budget_cents",
    "funnel_daily_by_channel.step_number",
    *(f"data_quality.{column}" for column in data_quality.COUNTS),
    "funnel_daily.step_number",
}


def conversion_id(connection: psycopg.Connection) -> UUID:
    rows = connection.execute("select event_id from raw.events where event_type = 'license_created'").fetchall()
    assert len(rows) == 1
    found: UUID = rows[0][0]
    return found


def places(rows: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [(row["file"], row["line_number"], row["line_position"]) for row in rows]


def test_a_conversion_is_explained_by_touches_rules_weights_and_lines(connection: psycopg.Connection) -> None:
    answer = explain_conversion(connection, conversion_id(connection))

    assert places([answer["conversion"]["event"]]) == [(SECOND_FILE, 2, 1)]
    assert answer["conversion"]["value_cents"] == 1001
    assert "visitor_id" not in answer["conversion"]
    assert [
        (touch["channel"], touch["rule"]["channel"], touch["rule"]["priority"], *places([touch["origin_event"]]))
        for touch in answer["touches"]
    ] == [
        ("Paid Search", "Paid Search", 400, (FIRST_FILE, 2, 1)),
        ("Organic Search", "Organic Search", 1300, (SECOND_FILE, 1, 1)),
    ]
    carried = [touch["origin_event"]["carried"] for touch in answer["touches"]]
    assert carried[0] == {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "autumn"}
    assert carried[1] == {"referrer": "https://www.google.com/"}
    columns = ("touch_number", "weight", "credited_cents")
    given = {
        model["model"]: [tuple(credit[column] for column in columns) for credit in model["credits"]]
        for model in answer["models"]
    }
    assert len(given) == 8
    assert given["first_touch"] == [(1, 1, 1001)]
    assert given["last_non_direct"] == [(2, 1, 1001)]
    assert given["linear"] == given["position_based"] == [(1, 0.5, 501), (2, 0.5, 500)]
    assert answer["is_equal"]
    assert [load["file"] for load in answer["provenance"]["loads"]] == [FIRST_FILE, SECOND_FILE]


def test_a_cell_of_a_daily_mart_is_explained_by_its_events(published: Pipeline, connection: psycopg.Connection) -> None:
    keys = {"metric_date": str(FIRST), **ASSET}
    views = explain_cell(connection, "daily_metrics", "views", keys)

    assert (views["shown"], views["recomputed"], views["is_equal"]) == (2, 2, True)
    assert places(views["rows"]) == [(FIRST_FILE, 2, 1), (FIRST_FILE, 2, 2)], "and not the robot's"
    assert views["description"].startswith("Count of events whose type")
    published_by = published.rows("select run_id, build_id, model_version from ops.published_days limit 1")
    (publication,) = views["provenance"]["publications"]
    assert (publication["run_id"], publication["build_id"], publication["project_version"]) == published_by[0]
    assert publication["model_version"] == published.version.versions["daily_metrics"]
    assert [(load["file"], load["rows"]) for load in views["provenance"]["loads"]] == [(FIRST_FILE, 2)]

    visitors = explain_cell(connection, "daily_metrics", "unique_visitors", keys, max_rows=1)
    assert (visitors["recomputed"], visitors["rows_total"], len(visitors["rows"])) == (2, 2, 1)
    assert "visitor_id" not in visitors["rows"][0]
    with_ids = explain_cell(connection, "daily_metrics", "unique_visitors", keys, show_ids=True)
    assert {row["visitor_id"] for row in with_ids["rows"]} == {"anonymous:phone", "anonymous:guest"}


def test_a_cell_of_a_longer_mart_is_explained_by_days_and_spend_by_lines(connection: psycopg.Connection) -> None:
    month = explain_cell(connection, "monthly_metrics", "views", {"metric_date": "2026-10-01", **ASSET})
    assert [(row["metric_date"], row["views"]) for row in month["rows"]] == [(str(FIRST), 2), (str(SECOND), 1)]
    assert (month["first_day"], month["last_day"]) == ("2026-10-01", "2026-10-31")

    keys = {"metric_date": str(SECOND), "model": "first_touch", "spend_level": "campaign"}
    roas = explain_cell(connection, "roas_daily", "roas", keys)
    assert (roas["shown"], roas["recomputed"]) == (2.002, 2.002)
    (spend,) = [row for row in roas["rows"] if row["kind"] == "spend"]
    assert (spend["spend_file"], spend["spend_line_number"]) == ("ad_spend/october.csv", 2)


def test_every_number_of_every_mart_is_recomputed(connection: psycopg.Connection) -> None:
    numbers = connection.execute(
        "select table_name || '.' || column_name from information_schema.columns"
        " where table_schema = 'marts' and data_type in ('bigint', 'integer', 'numeric')"
    ).fetchall()
    explained = connection.execute("select mart, column_name from ops.explained_columns()").fetchall()
    assert {name for (name,) in numbers} - {f"{mart}.{column}" for mart, column in explained} == NOT_EXPLAINED
    different, compared = [], 0
    for mart, column in explained:
        answers = connection.execute(
            f"select to_jsonb(shown), ops.explain_cell('{mart}', grain.keys, '{column}')"  # type: ignore[arg-type]
            f" from marts.{mart} as shown, lateral (select jsonb_object_agg(name, to_jsonb(shown) -> name) as keys"
            f" from unnest(ops.grain_of_mart('{mart}')) as name) as grain"
        ).fetchall()
        compared += len(answers)
        different += [
            (mart, column, row) for row, answer in answers if answer["shown"] != row[column] or not answer["is_equal"]
        ]
    assert different == []
    assert compared > 500


@pytest.mark.parametrize(
    ("change", "column", "recomputed"),
    [
        ("delete from intermediate.int_events_sessionized where event_type = 'license_created'", "conversions", 0),
        ("update intermediate.int_events_sessionized set revenue_cents = 7 where is_conversion", "revenue_cents", 7),
    ],
)
def test_a_number_that_its_events_do_not_make_up_is_named(
    connection: psycopg.Connection, change: str, column: str, recomputed: int
) -> None:
    connection.execute(change)  # type: ignore[arg-type]
    connection.execute(
        "insert into ops.stale_day_marks (event_date, layer, reason, change_id) values (%s, 'raw', 'late', 1)", [SECOND]
    )
    answer = explain_cell(connection, "platform_daily_metrics", column, {"metric_date": str(SECOND)})
    assert (answer["recomputed"], answer["is_equal"]) == (recomputed, False)
    assert answer["provenance"]["changed_since"] == [str(SECOND)]


def test_weights_that_a_model_does_not_give_are_named(connection: psycopg.Connection) -> None:
    connection.execute("update marts.attribution_credits set weight = 0.4 where model = 'linear' and touch_number = 1")
    answer = explain_conversion(connection, conversion_id(connection))
    assert [model["model"] for model in answer["models"] if not model["is_equal"]] == ["linear"]
    assert not answer["is_equal"]


@pytest.mark.parametrize(
    ("mart", "column", "keys", "message"),
    [
        ("daily_metric", "views", {}, "no mart daily_metric is explained; explained are: asset_metrics, "),
        ("daily_metrics", "view", {}, "mart daily_metrics has no explained column view; explained are: clicks, "),
        ("daily_metrics", "views", {"day": "x"}, "mart daily_metrics has no column day; its keys are: metric_date, "),
        ("daily_metrics", "views", {"metric_date": "x"}, 'invalid input syntax for type date: "x"'),
        ("daily_metrics", "views", {"metric_date": "2026-10-09"}, "2026-10-09 is not published: ops.stale_days says"),
        ("daily_metrics", "views", {"ip_asset_id": "asset-1"}, "marts.daily_metrics has no row with .*asset-1"),
        ("asset_metrics", "total_views", {"period": "7d') or true --"}, "marts.asset_metrics has no row with"),
        ("asset_metrics", "total_views", {"ip_asset_id": "asset-0"}, "several rows of .*: give also period"),
    ],
)
def test_a_cell_that_cannot_be_explained_says_why(
    connection: psycopg.Connection, mart: str, column: str, keys: dict[str, str | None], message: str
) -> None:
    with pytest.raises(NotExplained, match=message):
        explain_cell(connection, mart, column, keys)


def test_the_events_of_a_conversion_are_looked_for_in_their_days_alone(connection: psycopg.Connection) -> None:
    read = "select relname from pg_stat_xact_user_tables where schemaname = 'raw' and seq_scan > 0"
    explain_cell(connection, "platform_daily_metrics", "views", {"metric_date": str(SECOND)})
    of_its_day = "select event_id from raw.events_20261002 where event_type = 'license_created'"
    found = connection.execute(
        f"select file, line_number from ops.source_events(array[%s::date], array({of_its_day}))",  # type: ignore[arg-type]
        [SECOND],
    ).fetchall()
    assert found == [(SECOND_FILE, 2)]
    assert "events_20261002" in {name for (name,) in connection.execute(read).fetchall()}
    assert "events_20261001" not in {name for (name,) in connection.execute(read).fetchall()}


def test_tables_of_another_version_lead_to_the_plan(connection: psycopg.Connection) -> None:
    connection.execute("alter table intermediate.int_funnel_events rename step_number to step")
    keys = {"metric_date": str(FIRST), "step_number": "1"}
    with pytest.raises(NotExplained, match=r"column events.step_number does not exist: .* `warehouse plan` shows"):
        explain_cell(connection, "funnel_daily", "visitors", keys)


def test_a_rule_that_was_changed_since_is_named(connection: psycopg.Connection) -> None:
    connection.execute("update staging.channel_rules set channel = 'Audio' where priority = 400")
    said = conversion_as_text(explain_conversion(connection, conversion_id(connection)))
    assert "rule 400 of channel_rules (Audio): " in said
    assert said.count("the rules have changed since the touch was built as Paid Search") == 1


def test_an_unknown_conversion_is_an_error(connection: psycopg.Connection) -> None:
    with pytest.raises(NotExplained, match="no published conversion has the id 00000000-0000-0000-0000-000000000001: "):
        explain_conversion(connection, UUID(int=1))
    with pytest.raises(NotExplained, match=r"no published conversion has the id .* on 2026-10-01: "):
        explain_conversion(connection, conversion_id(connection), day=FIRST)


def test_sealed_days_whose_rows_are_dropped_are_not_recomputed(connection: psycopg.Connection) -> None:
    connection.execute(
        "insert into ops.retention (sealed_before, visitor_days_from) values ('2026-10-03', '2026-10-01')"
    )
    connection.execute("insert into ops.retention_progress values ('raw.events', '2026-10-02')")
    with pytest.raises(
        NotExplained, match=r"the rows of raw.events before 2026-10-02 were dropped .* stays as it is: 2"
    ):
        explain_cell(connection, "daily_metrics", "views", {"metric_date": str(FIRST), **ASSET})


def test_a_day_before_the_first_published_one_counts_as_kept(connection: psycopg.Connection) -> None:
    connection.execute(SEALED)
    connection.execute("insert into ops.retention_progress values ('rollups.visitor_active_days', '2026-10-01')")
    # The Monday of the first week is in September. The phone and the guest come on the first day, ana on the second.
    cohort = explain_cell(connection, "cohort_retention", "visitors", {"cohort_week": "2026-09-28"})
    assert (cohort["shown"], cohort["is_equal"]) == (3, True)


def test_a_touch_whose_events_were_dropped_keeps_its_rule(connection: psycopg.Connection) -> None:
    for relation in ("raw.events", "intermediate.int_events_sessionized"):
        connection.execute(f"delete from {relation} where event_date = '{FIRST}'")  # type: ignore[arg-type]
    answer = explain_conversion(connection, conversion_id(connection))
    assert answer["is_equal"]
    said = conversion_as_text(answer)
    assert "rule 400 of channel_rules (Paid Search): " in said
    assert said.count("the events of the session were dropped with their sealed day\n") == 1


def test_a_conversion_whose_path_was_dropped_is_not_explained(connection: psycopg.Connection) -> None:
    found = conversion_id(connection)
    connection.execute("delete from intermediate.int_conversion_paths")
    with pytest.raises(NotExplained, match="the last build of 2026-10-02 has no conversion"):
        explain_conversion(connection, found)
    connection.execute(
        "insert into ops.retention (sealed_before, visitor_days_from) values ('2026-10-03', '2026-10-01')"
    )
    with pytest.raises(NotExplained, match=r"2026-10-02 is sealed, and the path of conversion .* was dropped"):
        explain_conversion(connection, found)


def test_the_commands_print_text_and_json(
    published: Pipeline, connection: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = published.warehouse.environment()
    converted = ["explain", "conversion", str(conversion_id(connection))]
    assert run_command(*converted, environment=environment) == 0
    said = capsys.readouterr().out
    assert "1. 2026-10-01T09:00:00+00:00 Paid Search: google / cpc / autumn\n" in said
    assert "rule 400 of channel_rules (Paid Search): source_kind search, medium_pattern ^(.*cp.*|" in said
    assert f"from {FIRST_FILE} line 2: utm_medium cpc, utm_source google, utm_campaign autumn\n" in said
    assert "linear: equal parts (equal)\n     touch 1: weight 0.5, 501 cents\n" in said
    assert "actor:ana" not in said
    assert run_command(*converted, "--show-ids", "--json", environment=environment) == 0
    assert json.loads(capsys.readouterr().out)["conversion"]["visitor_id"] == "actor:ana"

    cell = ["explain", "cell", "daily_metrics", "views", f"metric_date={FIRST}", "ip_asset_id=asset-0"]
    assert run_command(*cell, "project_id=", "--rows", "1", environment=environment) == 0
    said = capsys.readouterr().out
    assert "marts.daily_metrics, column views: 2\n" in said
    assert "recomputed: 2 (equal)\n\nmade of 2 rows, of which 1 are shown\n" in said
    assert f"{FIRST_FILE} line 2\n" in said
    assert run_command(*cell, "--json", environment=environment) == 0
    assert json.loads(capsys.readouterr().out)["recomputed"] == 2


def test_the_commands_say_what_is_wrong(published: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    environment = published.warehouse.environment()
    assert run_command("explain", "conversion", "x", environment=environment) == 2
    assert "'x' is not a valid UUID" in capsys.readouterr().err
    assert run_command("explain", "cell", "daily_metrics", "views", "asset", environment=environment) == 2
    assert "a key is written KEY=VALUE" in capsys.readouterr().err
    assert run_command("explain", "cell", "daily_metrics", "views", "--rows", "-1", environment=environment) == 1
    assert capsys.readouterr().err == "error: an explanation lists between 0 and 10000 rows, not -1\n"


def test_a_reader_of_marts_has_no_right_to_explain(published: Pipeline) -> None:
    with (
        psycopg.connect(published.warehouse.bi_dsn) as reader,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema ops"),
    ):
        reader.execute("select ops.explain_cell('daily_metrics', '{}', 'views')")
