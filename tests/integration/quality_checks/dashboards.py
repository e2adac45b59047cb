"""A small marketplace whose dashboards are built and not yet published, for the checks that count them again: eight
days are published, two are built.
"""

from datetime import date

from tests.integration.dbt_project.test_periods import change_assets
from tests.support import application_tables
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import writing

LAST = START + 9 * ONE_DAY
PUBLISHED = Window(START, LAST - ONE_DAY)
# More than a day, so that a check has to say which of them is bad.
WINDOW = Window(LAST - ONE_DAY, LAST + ONE_DAY)

# Shares and terms that begin and end in the window, assets with several owners or none, and deleted rows.
PRODUCT = f"""
create table license_adjustments (
    id text, license_id text, amount_cents bigint, reason text, effective_date date, created_at timestamptz
);
insert into users select 'user-' || n, null, 'user', date '{START}' + n, null from generate_series(0, 12) as n;
update users set deleted_at = now() where id = 'user-4';
insert into creators values
    ('ana', 'user-0', 'Ana', '{START}', null), ('ben', 'user-1', 'Ben', '{START}', null),
    ('idle', 'user-2', 'Idle', '{LAST}', null), ('gone', 'user-3', 'Gone', '{START}', '{START}');
insert into ip_assets
select 'asset-' || n, 'Title ' || n % 4, 'image', 'user-' || n % 4, date '{START}' + n, null
from generate_series(0, 11) as n;
update ip_assets set deleted_at = now() where id = 'asset-3';
insert into ip_ownerships
select 'all-' || n, 'asset-' || n, 'ana', 5000, '{START - ONE_DAY}', null from generate_series(0, 10) as n;
insert into ip_ownerships values
    ('half', 'asset-0', 'ben', 5000, '{START}', null), ('again', 'asset-0', 'ben', 100, '{START}', '{LAST}'),
    ('until', 'asset-1', 'ben', 100, '{START}', '{LAST - ONE_DAY}'), ('from', 'asset-2', 'ben', 100, '{LAST}', null),
    ('never', 'asset-5', 'ben', 100, '{LAST}', '{START}'), ('of a leaver', 'asset-4', 'gone', 100, '{START}', null);
insert into brands values
    ('brand', 'user-5', 'Brand', '{START}', null), ('idle', 'user-6', 'Idle', '{LAST}', null),
    ('gone', 'user-7', 'Gone', '{START}', '{START}');
insert into projects values ('project', 'brand', 'Project', 0, '{START}'), ('empty', 'brand', 'Empty', 0, '{START}');
insert into licenses values
    ('first', 'asset-0', 'brand', 'project', null, 100, 'active', '{START}', null, '{START}T12:00Z'),
    ('second', 'asset-0', 'brand', 'project', 'first', 30, 'active', '{START}', '{LAST}', '{LAST}T23:59:59Z'),
    ('third', 'asset-1', 'brand', null, null, null, 'active', '{LAST}', null, '{LAST - ONE_DAY}T00:00Z'),
    ('deleted asset', 'asset-3', 'brand', 'project', 'third', 7, 'active', '{START}', null, '{LAST}T12:00Z'),
    ('deleted brand', 'asset-0', 'gone', null, null, 9, 'active', '{START}', null, '{LAST}T12:00Z'),
    ('ended', 'asset-2', 'brand', 'project', null, 11, 'active', '{START}', '{LAST - ONE_DAY}', '{START}T12:00Z'),
    ('renewal', 'asset-2', 'brand', 'project', 'ended', 1, 'active', '{LAST}', null, '{LAST}T12:00Z');
insert into license_adjustments values
    ('refund', 'first', -40, 'refund', '{LAST}', '{LAST}'), ('more', 'third', 5, 'fee', '{LAST - ONE_DAY}', '{LAST}');
"""
KINDS = ("asset_viewed", "license_clicked", "license_created")


def publish_and_build(pipeline: Pipeline) -> None:
    """Eight published days, and two that are built, with everything that the product has."""
    change_assets(pipeline, application_tables.DDL)
    change_assets(pipeline, PRODUCT)
    for number, day in enumerate(Window(START, LAST + ONE_DAY).days()):
        assets = [f"asset-{asset}" for asset in range(12) if (asset + number) % 5 != 3]
        pipeline.land(day, [_event(day, kind, asset) for kind in KINDS for asset in assets])
    pipeline.run(PUBLISHED)
    with pipeline.warehouse.connect(autocommit=True) as lock, writing(lock, "unpublished", log=print):
        pipeline.load(Window(WINDOW.start, WINDOW.end + ONE_DAY))
        pipeline.build(WINDOW, "unpublished")


def _event(day: date, kind: str, asset: str) -> dict[str, object]:
    return {
        "eventType": kind,
        "occurredAt": f"{day}T12:00:00Z",
        "idempotencyKey": f"{day} {kind} {asset}",
        "actorId": "user-0",
        "actorType": "user",
        "sessionId": "00000000-0000-4000-8000-000000000000",
        "ipAssetId": asset,
        "props": {"revenueCents": 5},
    }
