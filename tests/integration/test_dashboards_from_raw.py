"""The dashboards against the formulas of the contract as plain SQL over schema raw: a quarter, built as one range, for
every asset, creator, brand and period. What is expected is read from no model and no mart.
"""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ingestion.application.reader import connect_application
from ingestion.window import ONE_DAY, Window
from tests import application_tables
from tests.pipeline import START, Pipeline

# October to December: weeks that reach into two months, and a period of 90 days that is not all of them.
DAYS = 92
QUARTER = Window(START, START + DAYS * ONE_DAY)
LAST = QUARTER.end - ONE_DAY
HOSTS = ["https://www.a.example/x", "https://b.example", "https://sub.c.example/y?z", "https://d.example/"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.models(
        "asset_metrics",
        "asset_top_referrers",
        "weekly_metrics",
        "monthly_metrics",
        "daily_metrics_by_channel",
        "creator_daily_metrics",
        "creator_dashboard",
        "brand_campaign_metrics",
        "brand_campaign_assets",
        "platform_revenue_timeline",
    ),
]

# One row an event that counts: what it names, what it counts as, and who it is of.
FACTS = """
create temporary table facts as
select
    events.event_date as day,
    case when names_license_only then licenses.project_id else events.project_id end as project,
    case when names_license_only then licenses.ip_asset_id else events.ip_asset_id end as asset,
    events.license_id as license,
    (events.event_type = 'asset_viewed')::int as views,
    (events.event_type in ('asset_downloaded', 'license_clicked'))::int as clicks,
    (events.event_type = 'license_created')::int as conversions,
    coalesce(events.revenue_cents, 0) as cents,
    coalesce(events.engagement_time, 0) as seconds,
    coalesce(events.actor_id, linked.actor, 'device ' || events.anonymous_id) as visitor,
    coalesce(nullif(regexp_replace(attribution.referrer, '^https?://(www\\.)?([^/]*).*$', '\\2'), ''), 'direct') as host
from raw.events as events
left join raw.licenses as licenses on licenses.id = events.license_id
left join raw.attribution as attribution using (event_date, event_key)
cross join lateral (
    select events.ip_asset_id is null and events.project_id is null as names_license_only
) as names
cross join lateral (
    select case when count(distinct seen.actor_id) = 1 then min(seen.actor_id) end as actor
    from raw.events as seen
    where seen.anonymous_id = events.anonymous_id and seen.event_date <= events.event_date and not seen.is_bot
) as linked
where not events.is_bot and coalesce(events.ip_asset_id, events.project_id, events.license_id) is not null;

create temporary table spans (period text, first date, last date);
"""

EXPECTED = {
    "asset_metrics": """
        select
            last, period, assets.id, title,
            coalesce(sum(views), 0), coalesce(sum(clicks), 0), coalesce(sum(conversions), 0), coalesce(sum(cents), 0),
            count(distinct visitor),
            case when count(visitor) = 0 then 0 else round(sum(seconds) / count(distinct visitor), 4) end,
            case when coalesce(sum(views), 0) = 0 then 0 else round(100.0 * sum(conversions) / sum(views), 4) end,
            case when coalesce(sum(views), 0) = 0 then 0 else round(100.0 * sum(clicks) / sum(views), 4) end
        from raw.ip_assets as assets
        cross join spans
        left join facts on asset = assets.id and day between first and last
        where deleted_at is null
        group by last, period, assets.id, title
    """,
    "asset_top_referrers": """
        select last, period, asset, host, place, views
        from (
            select
                last, period, asset, host, sum(views) as views,
                row_number() over (partition by period, asset order by sum(views) desc, host) as place
            from facts inner join spans on day between first and last
            where views > 0 and asset in (select id from raw.ip_assets where deleted_at is null)
            group by last, period, asset, host
        ) as ranked
        where place <= 10
    """,
    "creator_daily_metrics": """
        select day, creator_id, sum(views), sum(clicks), sum(conversions), sum(cents)
        from facts
        inner join (select distinct day, asset, creator_id from owned) as owned using (day, asset)
        group by day, creator_id
    """,
    "creator_dashboard": """
        select
            last, period, creators.id, display_name, views, created, cents,
            case when views = 0 then 0 else round(100.0 * created / views, 4) end
        from raw.creators as creators
        cross join spans
        cross join lateral (
            select coalesce(sum(views), 0) as views, coalesce(sum(cents), 0) as cents
            from facts
            inner join (select distinct day, asset, creator_id from owned) as owned using (day, asset)
            where creator_id = creators.id and day between first and last
        ) as seen
        cross join lateral (
            select count(distinct licenses.id) as created
            from raw.licenses as licenses
            inner join raw.ip_ownerships as shares using (ip_asset_id)
            where
                creator_id = creators.id and (created_at at time zone 'utc')::date between first and last
                and (created_at at time zone 'utc')::date >= shares.start_date
                and (created_at at time zone 'utc')::date < coalesce(shares.end_date, 'infinity')
        ) as licensed
        where creators.deleted_at is null
    """,
    "brand_campaign_metrics": """
        select
            last, period, brand, project, name, spent, views, clicks, conversions, cents,
            case when spent = 0 then 0 else round(100.0 * (cents - spent) / spent, 4) end
        from (
            select brand_id as brand, id as project from raw.projects
            union select brand_id, project_id from raw.licenses
            union select id, null from raw.brands where id not in (select brand_id from raw.projects)
        ) as campaigns
        inner join raw.brands as brands on brands.id = brand and brands.deleted_at is null
        left join raw.projects as projects on projects.id = project
        cross join spans
        cross join lateral (
            select coalesce(sum(amount), 0) as spent
            from (
                select brand_id, project_id, (created_at at time zone 'utc')::date as day, fee_cents as amount
                from raw.licenses
                union all
                select brand_id, project_id, effective_date, amount_cents
                from raw.license_adjustments as adjustments
                inner join raw.licenses as licenses on licenses.id = license_id
            ) as amounts
            where amounts.brand_id = brand and project_id is not distinct from project and day between first and last
        ) as amounts
        cross join lateral (
            select
                coalesce(sum(views), 0) as views, coalesce(sum(clicks), 0) as clicks,
                coalesce(sum(conversions), 0) as conversions, coalesce(sum(cents), 0) as cents
            from facts
            where day between first and last and exists (
                select from raw.licenses as licenses
                where
                    licenses.ip_asset_id = facts.asset and licenses.brand_id = brand
                    and licenses.project_id is not distinct from campaigns.project
                    and facts.day >= licenses.start_date and facts.day < coalesce(licenses.end_date, 'infinity')
            )
        ) as brought
    """,
    "brand_campaign_assets": """
        select
            last, period, brand, campaigns.project, campaigns.asset, title, views, clicks,
            case when views = 0 then 0 else round(100.0 * clicks / views, 4) end
        from (
            select distinct brand_id as brand, project_id as project, ip_asset_id as asset from raw.licenses
        ) as campaigns
        inner join raw.brands as brands on brands.id = brand and brands.deleted_at is null
        inner join raw.ip_assets as assets on assets.id = asset and assets.deleted_at is null
        cross join spans
        cross join lateral (
            select coalesce(sum(views), 0) as views, coalesce(sum(clicks), 0) as clicks
            from facts
            where facts.asset = campaigns.asset and day between first and last and exists (
                select from raw.licenses as licenses
                where
                    licenses.ip_asset_id = facts.asset and licenses.brand_id = brand
                    and licenses.project_id is not distinct from campaigns.project
                    and facts.day >= licenses.start_date and facts.day < coalesce(licenses.end_date, 'infinity')
            )
        ) as brought
    """,
    "platform_revenue_timeline": """
        select period, day, coalesce((select sum(cents) from facts where facts.day = days.day), 0)
        from spans
        cross join lateral (
            select day::date from generate_series(first::timestamp, last::timestamp, '1 day') as day
        ) as days
        where day in (select event_date from ops.published_days)
    """,
}
OWNED = """
create temporary table owned as
select distinct facts.day, facts.asset, shares.creator_id
from facts
inner join raw.ip_ownerships as shares
    on shares.ip_asset_id = asset and day >= shares.start_date and day < coalesce(shares.end_date, 'infinity')
"""


def span_query(unit: str) -> str:
    """What weekly_metrics and monthly_metrics show: sums, averages a day and growth."""
    measures = ("views", "clicks", "conversions", "cents", "visitors", "seconds")
    averages = ", ".join(f"round(1.0 * {'daily_visitors' if m == 'visitors' else m} / length, 4)" for m in measures)
    growth = ", ".join(f"round(100.0 * (now.{m} - before.{m}) / nullif(before.{m}, 0), 4)" for m in measures)
    return f"""
        with days as (
            select day, project, asset, license, count(distinct visitor) as visitors from facts group by 1, 2, 3, 4
        ),
        sums as (
            select
                date_trunc('{unit}', day::timestamp)::date as start, project, asset, license, sum(views) as views,
                sum(clicks) as clicks, sum(conversions) as conversions, sum(cents) as cents,
                count(distinct visitor) as visitors, sum(seconds) as seconds
            from facts
            group by 1, 2, 3, 4
        ),
        now as (
            select
                sums.*,
                (
                    select sum(days.visitors) from days
                    where
                        date_trunc('{unit}', day::timestamp)::date = start
                        and (days.project, days.asset, days.license)
                            is not distinct from (sums.project, sums.asset, sums.license)
                ) as daily_visitors,
                least(start + interval '1 {unit}', '{QUARTER.end}')::date - greatest(start, '{QUARTER.start}') as length
            from sums
        )
        select
            now.start, now.project, now.asset, now.license, now.length, {", ".join(f"now.{m}" for m in measures)},
            {averages.replace("round(1.0 * ", "round(1.0 * now.")}, {growth}
        from now
        left join sums as before
            on before.start = (now.start - interval '1 {unit}')::date
            and (before.project, before.asset, before.license)
                is not distinct from (now.project, now.asset, now.license)
    """


def shown(mart: str) -> str:
    if mart not in ("weekly_metrics", "monthly_metrics"):
        return f"select * from marts.{mart}"
    measures = ("views", "clicks", "conversions", "revenue_cents", "unique_visitors", "engagement_time")
    growth = (f"{'revenue' if m == 'revenue_cents' else m}_growth_pct" for m in measures)
    columns = (*measures, *(f"avg_daily_{m}" for m in measures), *growth)
    names = ", ".join(("metric_date", "project_id", "ip_asset_id", "license_id", "published_days", *columns))
    return f"select {names} from marts.{mart}"


def random_events(chance: random.Random) -> list[dict[str, Any]]:
    """A few a day, of people on devices, some of whom sign in later or share one; servers, crawlers, licenses alone."""
    events = []
    for number in range(DAYS * 7):
        day = START + timedelta(days=chance.randrange(DAYS))
        second = chance.choice([0, 86_399, chance.randrange(86_400)])
        device = chance.randrange(9)
        event: dict[str, Any] = {
            "eventType": chance.choice(
                ["asset_viewed"] * 4 + ["asset_downloaded", "license_clicked", "license_created", "page_viewed"]
            ),
            "occurredAt": (datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)).isoformat(),
            "idempotencyKey": str(number),
            "anonymousId": f"device-{device}",
            "props": {"revenueCents": chance.randrange(5_000), "engagementTime": chance.randrange(9_000) / 1000},
        }
        event |= chance.choice(
            [
                *[{"ipAssetId": f"asset-{chance.randrange(6)}"}] * 4,
                {"licenseId": f"license-{chance.randrange(14)}"},
                {"ipAssetId": f"asset-{chance.randrange(3)}", "projectId": "project-0"},
                {},
            ]
        )
        if chance.random() < 0.15:
            event["actorId"] = f"user-{chance.choice([device, device, device // 2])}"
        if chance.random() < 0.4:
            event["attribution"] = {"referrer": chance.choice(HOSTS)}
        if chance.random() < 0.05:
            event["context"] = {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}
        events.append(event)
    return events


def create_application(pipeline: Pipeline, chance: random.Random) -> None:
    """Assets, one without events and one deleted, whose shares change hands; creators, one without assets; brands, one
    without a project, one with nothing; licenses of all kinds of terms, with refunds."""
    day = [START + timedelta(days=offset) for offset in range(DAYS + 30)]
    shares = [
        (asset, creator, chance.choice([None, *day[:30]]) or START, chance.choice([None, None, *day[40:]]))
        for asset in range(6)
        for creator in chance.sample(range(4), chance.choice([1, 1, 2, 3]))
    ]
    # Sold at noon, and bought back by the same; twice a share of the same.
    shares += [(0, 0, day[50], day[51]), (0, 0, day[20], None), (7, 1, day[0], day[0])]
    licenses = [
        (
            f"license-{number}",
            f"asset-{chance.randrange(6)}",
            (brand := chance.randrange(4)),
            chance.choice([None, f"project-{brand}"]) if brand < 2 else None,
            chance.choice([0, 5_000, 12_345]),
            (start := chance.choice(day[:DAYS])),
            chance.choice([None, start, start + timedelta(days=chance.randrange(60))]),
            start - timedelta(days=chance.randrange(10)),
        )
        for number in range(14)
    ]
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application, application.cursor() as cursor:
        cursor.execute(application_tables.DDL)  # type: ignore[arg-type]
        cursor.execute(
            "create table license_adjustments (id text, license_id text, amount_cents bigint, reason text,"
            " effective_date date, created_at timestamptz);"
            "insert into ip_assets select 'asset-' || n, 'Title ' || n % 3, 'image', 'user', now(),"
            " case when n = 5 then now() end from generate_series(0, 6) as n;"
            "insert into creators select 'creator-' || n, 'user-' || n, 'Creator ' || n, now(),"
            " case when n = 3 then now() end from generate_series(0, 4) as n;"
            "insert into brands select 'brand-' || n, 'user-' || n, 'Brand ' || n, now(),"
            " case when n = 3 then now() end from generate_series(0, 4) as n;"
            "insert into projects select 'project-' || n, 'brand-' || n, 'Project ' || n, 0, now()"
            " from generate_series(0, 1) as n"
        )
        cursor.executemany(
            "insert into ip_ownerships values (%s, 'asset-' || %s, 'creator-' || %s, 1000, %s, %s)",
            [(str(number), str(asset), str(creator), *term) for number, (asset, creator, *term) in enumerate(shares)],
        )
        cursor.executemany(
            "insert into licenses values (%s, %s, 'brand-' || %s, %s, null, %s, 'active', %s, %s, %s)",
            [(of, asset, str(brand), *rest) for of, asset, brand, *rest in licenses],
        )
        cursor.executemany(
            "insert into license_adjustments values (%s, %s, %s, 'refund', %s, now())",
            [
                (str(number), f"license-{chance.randrange(14)}", chance.randrange(-3_000, 3_000), chance.choice(day))
                for number in range(8)
            ],
        )
        application.commit()


def test_every_dashboard_of_a_quarter_is_what_the_formulas_make_of_raw(pipeline: Pipeline) -> None:
    chance = random.Random(11)  # noqa: S311
    create_application(pipeline, chance)
    pipeline.read_application(START)
    for event in random_events(chance):
        pipeline.land(datetime.fromisoformat(event["occurredAt"]).date(), [event], f"{event['idempotencyKey']}.ndjson")
    pipeline.run(QUARTER)

    pipeline.connection.execute(FACTS)  # type: ignore[arg-type]
    pipeline.connection.execute(OWNED)
    for period, length in {"today": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": DAYS}.items():
        first = LAST - timedelta(days=length - 1)
        pipeline.connection.execute("insert into spans values (%s, %s, %s)", [period, first, LAST])
    expected = EXPECTED | {"weekly_metrics": span_query("week"), "monthly_metrics": span_query("month")}
    for mart, query in expected.items():
        rows = [_plain(row) for row in pipeline.rows(query)]
        assert len(rows) == len(set(rows)) > 1, f"this test shows nothing: {mart}"
        assert {_plain(row) for row in pipeline.rows(shown(mart))} == set(rows), mart


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.normalize() if isinstance(value, Decimal) else value for value in row)
