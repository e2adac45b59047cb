"""Which event days a load has changed, and for whom: what everything later is rebuilt by."""

from datetime import date

from tests.integration.loading.raw_tables import RawTables, event

FIRST = date(2026, 10, 1)
DAY = date(2026, 10, 2)
NEXT_DAY = date(2026, 10, 3)


def test_a_load_changes_the_days_of_its_events_and_no_others(raw: RawTables) -> None:
    raw.land(DAY, [event("a", "2026-10-01T10:00:00Z"), event("b"), "no JSON"])
    assert raw.load(DAY).event_dates == (FIRST, DAY)
    assert raw.changed_days() == {FIRST, DAY}


def test_only_the_days_that_a_correction_changes_have_changed(raw: RawTables) -> None:
    raw.land(NEXT_DAY, [event("a", "2026-10-01T10:00:00Z"), event("b"), event("c", "2026-10-03T10:00:00Z")])
    raw.load(NEXT_DAY)
    last_change = raw.last_change()
    raw.land(NEXT_DAY, [event("b", props={"revenueCents": 1}), event("a", "2026-10-01T10:00:00Z"), "no JSON"])
    raw.load(NEXT_DAY)
    assert raw.changed_days(last_change) == {DAY, NEXT_DAY}


def test_copies_that_lose_and_lines_that_are_rejected_change_no_day(raw: RawTables) -> None:
    raw.land(DAY, [event("a")])
    raw.load(DAY)
    last_change = raw.last_change()
    raw.land(NEXT_DAY, [event("a", props={"revenueCents": 1}), "no JSON", {**event("b"), "source": "nowhere"}])
    raw.load(NEXT_DAY)
    assert raw.changed_days(last_change) == set()


def test_an_equal_copy_in_the_place_of_another_changes_no_day(raw: RawTables) -> None:
    same = event("a", receivedAt="2026-10-02T10:00:05Z", actorId="u", anonymousId="v")
    raw.land(DAY, [same], "first.ndjson")
    raw.land(DAY, [same], "second.ndjson")
    raw.load(DAY)
    raw.pipeline.connection.execute(
        "insert into ops.built_days (event_date, build_id, change_id, model_version, is_complete)"
        " values ('2026-10-09', 'b', 1, 'm', true)"
    )
    last_change = raw.last_change()
    raw.land(DAY, [], "first.ndjson")
    raw.load(DAY)
    assert raw.rows("select file from raw.events inner join ops.loads using (load_id)") == [
        ("events/dt=2026-10-02/second.ndjson",)
    ]
    assert raw.changed_days(last_change) == set()
    assert raw.rows("select * from ops.changed_identities") == []


def test_a_better_copy_changes_the_day_though_its_key_stays(raw: RawTables) -> None:
    raw.land(NEXT_DAY, [event("a")])
    raw.load(NEXT_DAY)
    last_change = raw.last_change()
    raw.land(DAY, [event("a")])
    raw.load(DAY)
    assert raw.changed_days(last_change) == {DAY}


def test_a_withdrawn_event_changes_its_day(raw: RawTables) -> None:
    raw.land(NEXT_DAY, [event("a"), event("b", "2026-10-03T10:00:00Z")])
    raw.load(NEXT_DAY)
    last_change = raw.last_change()
    raw.land(NEXT_DAY, [event("b", "2026-10-03T10:00:00Z")])
    report = raw.load(NEXT_DAY)
    assert raw.changed_days(last_change) == {DAY}
    assert DAY in report.event_dates


def test_a_changed_link_is_recorded_for_the_later_days_that_were_built_without_it(raw: RawTables) -> None:
    raw.pipeline.connection.execute(
        "insert into ops.built_days (event_date, build_id, change_id, model_version, is_complete)"
        " values ('2026-10-02', 'b', 1, 'm', true)"
    )
    raw.land(
        NEXT_DAY,
        [
            event("a", "2026-10-01T10:00:00Z", anonymousId="linked", actorId="u"),
            event("b", "2026-10-01T10:00:00Z", anonymousId="not linked"),
            event("c", "2026-10-01T10:00:00Z", actorId="u"),
            event("d", "2026-10-02T10:00:00Z", anonymousId="linked on the last day built", actorId="u"),
        ],
    )
    raw.load(NEXT_DAY)
    identities = "select event_date, anonymous_id from ops.changed_identities where change_id > %s"
    assert raw.rows(identities, 0) == [(FIRST, "linked")]
    last_change = raw.last_change()
    raw.land(NEXT_DAY, [])
    raw.load(NEXT_DAY)
    assert raw.rows(identities, last_change) == [(FIRST, "linked")]


def test_before_anything_is_built_no_link_is_recorded(raw: RawTables) -> None:
    raw.land(DAY, [event("a", "2026-10-01T10:00:00Z", anonymousId="v", actorId="u")])
    raw.load(DAY)
    assert raw.rows("select * from ops.changed_identities") == []
