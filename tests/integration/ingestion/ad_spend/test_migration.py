"""Migration of ad spend tables of an older version."""

from pathlib import Path

import psycopg
import pytest

from ingestion.ad_spend import schema as ad_spend_schema
from ingestion.validation_lists import default_rules
from tests.integration.ingestion.ad_spend.conftest import SPEND, STALE, Load, Rows, Write

OLD_TABLES = """
    drop table raw.ad_spend, raw.duplicate_ad_spend;
    create table raw.ad_spend (
        spend_date date not null, channel text, utm_source text, utm_medium text, utm_campaign text,
        cost_cents bigint not null check (cost_cents >= 0), impressions bigint, clicks bigint,
        load_id bigint not null, line_number bigint not null,
        unique nulls not distinct (spend_date, channel, utm_source, utm_medium, utm_campaign)
    );
    create table raw.duplicate_ad_spend (
        like raw.ad_spend including constraints, primary key (load_id, line_number)
    );
    insert into ops.ad_spend_loads (change_id, file, checksum, rows_read, accepted, rejected, duplicates) values
        (1, 'ad_spend/a.csv', 'old', 4, 3, 0, 1),
        (1, 'ad_spend/b.csv', 'old', 3, 2, 0, 1),
        (1, 'ad_spend/gone.csv', 'old', 2, 1, 0, 1);
    insert into raw.ad_spend (spend_date, utm_source, utm_medium, utm_campaign, cost_cents, load_id, line_number) values
        ('2026-10-01', 'google', 'cpc', 'Autumn', 700, 1, 3),
        ('2026-10-01', 'bing', 'cpc', 'x', 9, 1, 4),
        ('2026-10-01', 'www.facebook.com', 'cpc', 'x', 11, 1, 5),
        ('2026-10-01', 'facebook.com', 'cpc', 'X', 12, 2, 2),
        ('2026-10-02', 'google', 'cpc', 'jane@mail.example', 6, 2, 3),
        ('2026-10-03', 'google', 'cpc', 'y', 30, 3, 3);
    insert into raw.duplicate_ad_spend
        (spend_date, utm_source, utm_medium, utm_campaign, cost_cents, load_id, line_number)
    values
        ('2026-10-01', 'google', 'cpc', 'Autumn', 500, 1, 2),
        ('2026-10-02', 'google', 'cpc', 'jane@mail.example', 5, 2, 4),
        ('2026-10-03', 'google', 'cpc', 'y', 40, 3, 2);
    insert into ops.built_days (event_date, build_id, change_id, model_version, is_complete)
    select day, 'b', 0, 'm', true from unnest('{2026-10-01,2026-10-02,2026-10-03}'::date[]) as day;
"""


@pytest.mark.parametrize("are_there", [True, False])
def test_spend_of_an_older_version_becomes_what_a_fresh_load_gives(
    are_there: bool, write: Write, load: Load, rows: Rows, raw: psycopg.Connection, tmp_path: Path
) -> None:
    """Rows that an older version let overwrite each other add up; names that mean the same meet; a file may be gone."""
    raw.execute(OLD_TABLES)
    raw.commit()
    ad_spend_schema.create(raw)
    ad_spend_schema.create(raw)
    if are_there:
        write("a.csv", "2026-10-01,Google,CPC,Autumn,500,,", "2026-10-01,google,cpc,Autumn,700,,",
              "2026-10-01,Bing,cpc,x,9,,", "2026-10-01,www.facebook.com,cpc,x,11,,")  # fmt: skip
        write("b.csv", "2026-10-01,facebook.com,cpc,X,12,,", "2026-10-02,google,cpc,jane@mail.example,6,,",
              "2026-10-02,google,cpc,jane@mail.example,5,,")  # fmt: skip
    report = load()
    assert report.loaded == (("ad_spend/a.csv", "ad_spend/b.csv") if are_there else ())
    assert "ad_spend/gone.csv" in report.missing
    assert rows(SPEND) == [
        ("2026-10-01", "bing", "x", 9),
        ("2026-10-01", "facebook.com", "x", 12),
        ("2026-10-01", "google", "autumn", 500),
        ("2026-10-01", "google", "autumn", 700),
        ("2026-10-02", "google", "[redacted]", 5),
        ("2026-10-02", "google", "[redacted]", 6),
        ("2026-10-03", "google", "y", 30),
        ("2026-10-03", "google", "y", 40),
    ]
    assert rows("select utm_source_normalized, cost_cents from raw.duplicate_ad_spend") == [("facebook.com", 11)]
    assert rows("select 1 from raw.ad_spend where utm_campaign like '%mail.example%'") == []
    assert rows(
        "select file, accepted, duplicates from ops.ad_spend_loads where replaced_by is null order by file"
    ) == [("ad_spend/a.csv", 3, 1), ("ad_spend/b.csv", 3, 0), ("ad_spend/gone.csv", 2, 0)]
    # Every day has another sum or name than before.
    assert [day for day, _ in rows(STALE)] == ["2026-10-01", "2026-10-02", "2026-10-03"]
    assert load().loaded == ()


def test_names_of_an_older_version_are_redacted_by_the_settings(raw: psycopg.Connection, rows: Rows) -> None:
    raw.execute(OLD_TABLES)
    raw.execute("update raw.ad_spend set utm_campaign = 'call 030 901820' where utm_source = 'bing'")
    raw.commit()
    ad_spend_schema.create(raw, default_rules().with_settings(phone_regions="DE"))
    assert rows("select utm_campaign, utm_campaign_normalized from raw.ad_spend where utm_source = 'bing'") == [
        ("call [redacted]", "call [redacted]")
    ]
