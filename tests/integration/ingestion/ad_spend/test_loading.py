"""Loads of ad spend files into raw.ad_spend, in any order."""

from datetime import date
from itertools import permutations
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from ingestion.ad_spend.loading import AdSpendReport, load_ad_spend, rejected_rows
from ingestion.validation_lists import default_rules
from tests.integration.ingestion.ad_spend.conftest import HEADER, SPEND, STALE, Load, Rows, Write
from tests.support.code_location import SETTINGS, definitions
from warehouse.connection import Warehouse


def test_rows_are_stored_with_what_they_say(write: Write, load: Load, rows: Rows) -> None:
    write("a.csv", "2026-10-01,Google , CPC,Autumn,1250,900,12", header=HEADER)
    write("b.csv", "paid search,700,2026-10-01", header="channel,costCents,Date")

    report = load()

    assert (report.loaded, report.rows_read, report.accepted) == (("ad_spend/a.csv", "ad_spend/b.csv"), 2, 2)
    columns = "spend_date, channel, utm_source, utm_medium, utm_campaign, cost_cents, impressions, clicks"
    assert rows(f"select {columns} from raw.ad_spend order by cost_cents") == [
        (date(2026, 10, 1), "Paid Search", None, None, None, 700, None, None),
        (date(2026, 10, 1), None, "Google", "CPC", "Autumn", 1250, 900, 12),
    ]
    forms = "select utm_source_normalized, utm_medium_normalized, utm_campaign_normalized from raw.ad_spend"
    assert rows(f"{forms} order by cost_cents") == [(None, None, None), ("google", "cpc", "autumn")]


def test_loading_again_changes_nothing(write: Write, load: Load, rows: Rows) -> None:
    write("a.csv", "2026-10-01,google,cpc,x,100,,", "2026-10-01,google,cpc,x,oops,,")
    load()
    before = rows("select * from raw.ad_spend, raw.rejected_ad_spend, ops.ad_spend_loads")

    report = load()

    assert (report.loaded, report.unchanged) == ((), ("ad_spend/a.csv",))
    assert rows("select * from raw.ad_spend, raw.rejected_ad_spend, ops.ad_spend_loads") == before


def test_a_corrected_file_replaces_its_own_rows_and_no_others(write: Write, load: Load, rows: Rows) -> None:
    write("a.csv", "2026-10-01,google,cpc,x,100,,", "2026-10-02,google,cpc,x,200,,", "bad,google,cpc,x,1,,")
    write("b.csv", "2026-10-01,bing,cpc,x,300,,")
    load()
    write("a.csv", "2026-10-01,google,cpc,x,150,,")

    report = load()

    assert report.loaded == ("ad_spend/a.csv",)
    assert rows(SPEND) == [("2026-10-01", "bing", "x", 300), ("2026-10-01", "google", "x", 150)]
    assert rows("select 1 from raw.rejected_ad_spend") == []
    assert rows("select file, replaced_by is not null from ops.ad_spend_loads order by load_id") == [
        ("ad_spend/a.csv", True),
        ("ad_spend/b.csv", False),
        ("ad_spend/a.csv", False),
    ]


@pytest.mark.parametrize("order", list(permutations(("a.csv", "b.csv", "c.csv"))))
def test_the_file_with_the_greater_name_wins_whatever_comes_first(
    order: tuple[str, ...], write: Write, load: Load, rows: Rows
) -> None:
    content = {
        "a.csv": ("2026-10-01,google,cpc,,100,,", "2026-10-01,only,a,,1,,"),
        "b.csv": ("2026-10-01,google,cpc,,200,,", "2026-10-01,google,cpc,,250,,"),
        "c.csv": ("2026-10-01,GOOGLE,cpc,,300,,",),
    }
    for name in order:
        write(name, *content[name])
        load()

    assert rows(SPEND) == [("2026-10-01", "google", None, 300), ("2026-10-01", "only", None, 1)]
    # Both rows of b.csv have lost, together.
    assert rows("select cost_cents from raw.duplicate_ad_spend order by 1") == [(100,), (200,), (250,)]
    assert rows("select file, accepted, duplicates from ops.ad_spend_loads order by file") == [
        ("ad_spend/a.csv", 1, 1),
        ("ad_spend/b.csv", 0, 2),
        ("ad_spend/c.csv", 1, 0),
    ]


def test_rows_of_one_file_with_the_same_day_and_names_add_up(write: Write, load: Load, rows: Rows) -> None:
    """Ad groups of a campaign: 500 and 700 cents are 1,200, and no row is lost."""
    write("a.csv", "2026-10-01,google,cpc,Autumn,500,10,", "2026-10-01,Google,CPC\u00a0,AUTUMN,700,,")
    write("b.csv", "2026-10-01,google,cpc,autumn,1,,", "2026-10-02,google,cpc,autumn,2,,")
    write("c.csv", "2026-10-02,google,cpc,autumn,3,,")
    load()
    assert rows("select file, accepted, duplicates from ops.ad_spend_loads order by file") == [
        ("ad_spend/a.csv", 0, 2),
        ("ad_spend/b.csv", 1, 1),
        ("ad_spend/c.csv", 1, 0),
    ]

    write("b.csv", "2026-10-02,google,cpc,autumn,2,,")
    load()

    assert rows(SPEND) == [
        ("2026-10-01", "google", "autumn", 500),
        ("2026-10-01", "google", "autumn", 700),
        ("2026-10-02", "google", "autumn", 3),
    ]
    assert rows(
        "select file, accepted, duplicates from ops.ad_spend_loads where replaced_by is null order by file"
    ) == [
        ("ad_spend/a.csv", 2, 0),
        ("ad_spend/b.csv", 0, 1),
        ("ad_spend/c.csv", 1, 0),
    ]


def test_names_of_spend_are_redacted_and_normalised_as_those_of_visits(write: Write, load: Load, rows: Rows) -> None:
    write(
        "a.csv",
        "2026-10-01,\u0130STANBUL-PARTNER,affiliate,tr,1,,",
        "2026-10-01,www.Facebook.com,cpc,mail jane@mail.example,2,,",
        "2026-10-01,\u200b,\u00a0,,3,,",
        '2026-10-01,"two\nlines",cpc,no\u00a0break,4,,',
    )
    report = load()
    assert (report.accepted, report.rejected) == (3, 1)
    found = rows(
        "select utm_source_normalized, utm_campaign_normalized, utm_campaign from raw.ad_spend order by cost_cents"
    )
    assert found == [
        ("i\u0307stanbul-partner", "tr", "tr"),
        ("facebook.com", "mail [redacted]", "mail [redacted]"),
        ("two\nlines", "no break", "no\u00a0break"),
    ]
    assert rows("select reasons from raw.rejected_ad_spend") == [
        (["row: names neither a channel nor a utm_source, medium or campaign"],)
    ]


def test_rows_are_redacted_by_the_settings_of_events_also_those_that_are_rejected(
    raw: psycopg.Connection, write: Write, rows: Rows, tmp_path: Path
) -> None:
    write("a.csv", "2026-10-01,google,cpc,call 030 901820,1,,", "2026-10-01,google,cpc,call 030 901820,free,,")
    load_ad_spend(raw, root=tmp_path, rules=default_rules().with_settings(phone_regions="DE"))
    assert rows("select utm_campaign from raw.ad_spend") == [("call [redacted]",)]
    assert rows("select line from raw.rejected_ad_spend") == [("2026-10-01,google,cpc,call [redacted],free,,",)]


def test_the_next_best_row_stands_when_the_winner_goes(write: Write, load: Load, rows: Rows) -> None:
    write("a.csv", "2026-10-01,google,cpc,x,100,,")
    write("b.csv", "2026-10-01,google,cpc,x,200,,")
    load()
    write("b.csv", "2026-10-09,google,cpc,x,200,,")
    load()
    assert rows(SPEND) == [("2026-10-01", "google", "x", 100), ("2026-10-09", "google", "x", 200)]
    assert rows("select 1 from raw.duplicate_ad_spend") == []


def test_a_bad_row_is_kept_with_its_reasons_and_the_others_are_loaded(
    write: Write, load: Load, rows: Rows, raw: psycopg.Connection
) -> None:
    write("a.csv", "2026-10-01,google,cpc,x,12.50,-1,", "2026-10-01,mail me@mail.example,cpc", "2026-10-01,b,c,d,5,,")
    report = load()
    assert (report.accepted, report.rejected) == (1, 2)
    first, second = rows("select line_number, line, reasons from raw.rejected_ad_spend order by line_number")
    assert first[:2] == (2, "2026-10-01,google,cpc,x,12.50,-1,")
    assert [reason.partition(":")[0] for reason in first[2]] == ["cost_cents", "impressions"]
    assert second[0] == 3
    assert "mail.example" not in second[1]
    assert rejected_rows(raw) == {"ad_spend/a.csv": 2}


def test_a_refused_file_leaves_its_last_good_version_and_the_other_files_alone(
    write: Write, load: Load, rows: Rows
) -> None:
    write("a.csv", "2026-10-01,google,cpc,x,100,,")
    load()
    write("a.csv", "2026-10-01;google;100", header="date;utm_source;cost_cents")
    write("b.csv", "2026-10-01,bing,cpc,x,300,,")

    report = load()

    assert list(report.unusable) == ["ad_spend/a.csv"]
    assert rows(SPEND) == [("2026-10-01", "bing", "x", 300), ("2026-10-01", "google", "x", 100)]
    assert list(load().unusable) == ["ad_spend/a.csv"]


def test_a_file_that_is_gone_is_named_and_its_rows_stand(write: Write, load: Load, rows: Rows) -> None:
    path = write("a.csv", "2026-10-01,google,cpc,x,100,,")
    load()
    path.unlink()
    assert load().missing == ("ad_spend/a.csv",)
    assert rows(SPEND) == [("2026-10-01", "google", "x", 100)]


def test_without_a_folder_there_is_nothing_to_load(load: Load) -> None:
    assert load() == AdSpendReport()


def test_days_that_were_built_become_stale_when_their_spend_changes(
    write: Write, load: Load, rows: Rows, raw: psycopg.Connection
) -> None:
    raw.execute(
        "insert into ops.built_days (event_date, build_id, change_id, model_version, is_complete)"
        " select day, 'b', 0, 'm', true from unnest('{2026-10-01,2026-10-02,2026-10-03}'::date[]) as day"
    )
    raw.commit()
    write("a.csv", *(f"2026-10-0{day},google,cpc,x,100,," for day in (1, 2, 4)))
    load()
    assert rows(STALE) == [("2026-10-01", "ad_spend_changed"), ("2026-10-02", "ad_spend_changed")]

    raw.execute("truncate ops.stale_day_marks")
    raw.commit()
    write("a.csv", *(f"2026-10-0{day},google,cpc,x,{100 + day // 2},," for day in (1, 2, 4)))
    load()
    assert rows(STALE) == [("2026-10-02", "ad_spend_changed")]

    raw.execute("truncate ops.stale_day_marks")
    raw.commit()
    # A second ad group that says what the first says changes the sum; the same sum in other rows changes nothing.
    write(
        "a.csv", *["2026-10-01,google,cpc,x,100,,"] * 2, "2026-10-02,google,cpc,x,50,,", "2026-10-02,google,cpc,X,51,,"
    )
    load()
    assert rows(STALE) == [("2026-10-01", "ad_spend_changed")]


def test_a_load_inside_a_transaction_of_the_caller_is_refused(raw: psycopg.Connection, tmp_path: Path) -> None:
    raw.execute("select 1")
    with pytest.raises(ValueError, match="transaction of its own"):
        load_ad_spend(raw, root=tmp_path)


def test_the_asset_loads_what_is_good_and_shows_the_rest_without_failing(
    warehouse: Warehouse, write: Write, rows: Rows, tmp_path: Path
) -> None:
    definitions()  # reads the settings of the tests, which the modules of assets need
    from orchestration.defs.assets.raw_ad_spend import raw_ad_spend
    from orchestration.defs.resources import SourcesResource, WarehouseResource, WriterResource

    write("a.csv", "2026-10-01,google,cpc,x,100,,", "2026-10-01,google,cpc,y,oops,,")
    write("b.csv", header="2026-10-01,google,cpc,x,100,,")
    resource = WarehouseResource(url=warehouse.url)
    sources = SourcesResource(
        landing_url=str(tmp_path), application_url="", hash_key="", start_date=SETTINGS["WAREHOUSE_START_DATE"]
    )
    run = dg.materialize(
        [raw_ad_spend],
        partition_key=SETTINGS["WAREHOUSE_START_DATE"],
        resources={"warehouse": resource, "writer": WriterResource(warehouse=resource), "sources": sources},
    )
    assert run.success
    [check] = run.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.metadata["rows_rejected_by_file"].value == {"ad_spend/a.csv": 1}
    assert "ad_spend/b.csv, line 1: no header" in str(check.metadata["files_refused"].value)
    assert rows(SPEND) == [("2026-10-01", "google", "x", 100)]


def test_files_that_were_loaded_under_other_rules_are_loaded_again(
    raw: psycopg.Connection, write: Write, load: Load, rows: Rows
) -> None:
    write("a.csv", "2026-10-01,google,cpc,x,500,,")
    assert load().loaded == ("ad_spend/a.csv",)
    assert load().loaded == ()
    for digest in ("'of older rules'", "null"):
        raw.execute(f"update ops.ad_spend_loads set rules_digest = {digest}")  # type: ignore[arg-type]
        raw.commit()
        assert load().loaded == ("ad_spend/a.csv",)
        assert rows("select sum(cost_cents) from raw.ad_spend") == [(500,)]
        assert load().loaded == ()
