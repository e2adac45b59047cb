"""The first law at the door: whatever the route by which a set of files got into raw, raw is the same, and it is what
the contract's rules say. Files are corrected, loaded in pieces, twice, and in any order; after every single load all of
raw is compared with the model.
"""

from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.loading import model
from tests.integration.loading.raw_tables import Files, RawTables

LANDING_DAYS = [date(2026, 10, day) for day in (2, 3, 4)]
FILES = [(LANDING_DAYS[0], "a.ndjson"), (LANDING_DAYS[0], "b.ndjson"), (LANDING_DAYS[1], "a.ndjson.gz"),
         (LANDING_DAYS[2], "a.ndjson")]  # fmt: skip
SESSION = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
PEOPLE: list[dict[str, Any]] = [
    {"anonymousId": "a"},
    {"anonymousId": "a", "actorId": "u"},
    {"actorId": "u", "source": "mobile"},
    {"sessionId": SESSION},
    {"actorId": "u", "source": "api"},
    {},
]

# Few values, so that keys, copies, minutes and moments meet: this is all about what happens when they do.
events = st.builds(
    lambda at, received, key, who, props, attribution: {
        "eventType": "asset_viewed",
        "occurredAt": at,
        **received,
        **key,
        **who,
        **props,
        **attribution,
    },
    at=st.sampled_from(
        ["2026-10-02T10:00:00Z", "2026-10-02T12:00:00+02:00", "2026-10-02T10:00:59.999999Z", "2026-10-02T10:01:00Z",
         "2026-10-02T23:59:59.999999Z", "2026-10-03T00:00:00Z"]
    ),
    received=st.sampled_from(
        [{}, {"receivedAt": "2026-10-03T00:00:01Z"}, {"receivedAt": "2026-10-03T01:00:01+01:00"},
         {"receivedAt": "2026-10-02T10:02:00Z"}]
    ),
    key=st.sampled_from([{}, *({"idempotencyKey": key} for key in ("k", "k", "K", "ä"))]),
    who=st.sampled_from(PEOPLE),
    props=st.sampled_from([{}, {"props": {"revenueCents": 1}}, {"props": {"engagementTime": 2.5, "path": "/ä"}}]),
    attribution=st.sampled_from([{}, {}, {"attribution": {"utmSource": "newsletter"}}]),
)  # fmt: skip
lines = st.lists(
    st.one_of(*[events] * 8, st.sampled_from(["no JSON", {"context": {"doNotTrack": True}, **PEOPLE[0]}])),
    min_size=4,
    max_size=9,
)


@st.composite
def routes(draw: st.DrawFn) -> list[tuple[str, Any, Any]]:
    """Steps: ("land", file, lines) writes or corrects a file, ("lose", file, None) takes it away, and
    ("load", landing day, None) loads a day. Every day is loaded at last."""
    pool = draw(st.lists(lines, min_size=1, max_size=2))
    # Versions share lines with other files, which makes copies, and with each other, which makes corrections.
    some = st.sampled_from([line for these in pool for line in these])
    content = st.one_of(st.just([]), *[st.lists(some, min_size=3, max_size=12)] * 4)
    land = st.tuples(st.just("land"), st.sampled_from(FILES), content)
    lose = st.tuples(st.just("lose"), st.sampled_from(FILES), st.none())
    load = st.tuples(st.just("load"), st.sampled_from(LANDING_DAYS), st.none())
    steps = draw(st.lists(st.one_of(land, land, load, load, lose), min_size=2, max_size=10))
    return [*steps, *(("load", day, None) for day in draw(st.permutations(LANDING_DAYS)))]


def load_and_compare(raw: RawTables, day: date, before: Files, per_minute: int) -> Files:
    last_change = raw.last_change()
    report = raw.load(day)
    after = {**before, **{file: lines for file, lines in raw.landed.items() if file[0] == day}}
    was, now = (model.settle(files, per_minute=per_minute) for files in (before, after))
    raw.assert_is(now)
    assert raw.changed_days(last_change) == model.changed_days(was, now)
    counts = [now.ledger[name] for name in report.loaded]
    assert (report.lines_read, report.accepted, report.rejected, report.duplicates, report.not_tracked) == tuple(
        sum(getattr(count, column) for count in counts) for column in model.Counts.__slots__
    )
    return after


@settings(
    max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow]
)  # fmt: skip
@given(route=routes())
def test_raw_depends_on_the_files_and_not_on_the_route_by_which_they_came(
    raw: RawTables, limit_of_two: int, route: list[tuple[str, Any, Any]]
) -> None:
    raw.forget()
    loaded: Files = {}
    for step, subject, content in route:
        if step == "land":
            raw.land(subject[0], content, subject[1])
        elif step == "lose":
            raw.lose(subject[0], subject[1])
        else:
            loaded = load_and_compare(raw, subject, loaded, limit_of_two)
    by_this_route = raw.contents()

    # The same files, each in the last version that was loaded, day by day into an empty warehouse.
    raw.forget()
    for (day, name), content in loaded.items():
        raw.land(day, content, name.rpartition("/")[2])
    for day in LANDING_DAYS:
        raw.load(day)
    assert raw.contents() == by_this_route
