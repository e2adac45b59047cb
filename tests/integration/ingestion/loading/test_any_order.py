"""The first law at the door: whatever the route by which a set of files got into raw, raw is the same, and it is what
the contract's rules say. Files are corrected, loaded in pieces, twice, and in any order; after every single load all of
raw is compared with the model.
"""

import random
from collections.abc import Mapping
from datetime import date
from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.ingestion.loading import model
from tests.integration.ingestion.loading.raw_tables import Files, RawTables

LANDING_DAYS = [date(2026, 10, day) for day in (2, 3, 4)]
FILES = [(LANDING_DAYS[0], "a.ndjson"), (LANDING_DAYS[0], "b.ndjson"), (LANDING_DAYS[1], "a.ndjson.gz"),
         (LANDING_DAYS[2], "a.ndjson")]  # fmt: skip
SESSION = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
VISITOR = {"anonymousId": "v"}

# Few values, so that keys, copies, minutes and moments meet: this is all about what happens when they do. What stands
# twice comes up more often.
MOMENTS = ["10:00:00Z", "10:00:00Z", "12:00:00+02:00", "10:00:00.5Z", "10:00:59.999999Z", "10:01:00Z",
           "23:59:59.999999Z"]  # fmt: skip
RECEIPTS = [{}, {"receivedAt": "2026-10-03T00:00:01Z"}, {"receivedAt": "2026-10-03T01:00:01+01:00"},
            {"receivedAt": "2026-10-02T10:02:00Z"}]  # fmt: skip
# A placeholder is no key and no id of anybody.
KEYS = [{}, {}, *({"idempotencyKey": key} for key in "kKzäbc"), {"idempotencyKey": "undefined"},
        {"idempotencyKey": "Null", "eventId": "k"}]  # fmt: skip
PEOPLE = [VISITOR, VISITOR, VISITOR, {**VISITOR, "source": "mobile"}, {**VISITOR, "actorId": "u"}, {"actorId": "u"},
          {"sessionId": SESSION}, {**VISITOR, "source": "api"}, {},
          {"anonymousId": "undefined"}, {"actorId": "null", **VISITOR},
          {"sessionId": "00000000-0000-0000-0000-000000000000"}]  # fmt: skip
CONTENTS = [{}, {"props": {"revenueCents": 1}}, {"props": {"engagementTime": 2.5, "path": "/ä"}},
            {"attribution": {"utmSource": "newsletter"}},
            {"attribution": {"utmSource": "newsletter", "referrer": "no address"}, "context": {"browser": 1}},
            {"attribution": {"utmSource": "NEWS\u00a0"}, "context": "no object"},
            {"props": {"revenueCents": 129900.0}}]  # fmt: skip
EVENTS: list[model.Line] = [
    {"eventType": "asset_viewed", "occurredAt": f"{day}T{at}", **received, **key, **who, **content}
    for day, at, received, key, who, content in product(
        ["2026-10-02", "2026-10-02", "2026-10-03"], MOMENTS, RECEIPTS, KEYS, PEOPLE, CONTENTS
    )
    if (day, at) < ("2026-10-03", "10:01")
]
Step = tuple[str, tuple[date, str], list[model.Line]]
UNUSABLE: list[model.Line] = [
    "no JSON",
    *({"context": {"doNotTrack": declined}, **VISITOR} for declined in (True, 1.0, "Yes", "doubtful")),
    {"props": {"doNotTrack": 1}, "source": "Web"},
]


def route_of(seed: int) -> list[Step]:
    """Steps: ("land", file, lines) writes or corrects a file, ("lose", file, []) takes it away, and ("load", file, [])
    loads its landing day. Every file is landed, most are corrected, every day is loaded at last.

    A seed and no strategy of lists: what hypothesis draws is mostly short and all alike, and three events are no burst.
    """
    chance = random.Random(seed)  # noqa: S311
    # Versions share lines with other files, which makes copies, and with each other, which makes corrections.
    pool = [*chance.choices(EVENTS, k=14), *UNUSABLE]

    def content() -> list[model.Line]:
        lines = chance.choice([[], *[chance.choices(pool, k=chance.randint(3, 10))] * 7])
        # Some events have no line end between them.
        objects = tuple(line for line in lines if isinstance(line, Mapping))
        return [*lines[:2], objects] if len(lines) > 5 and chance.random() < 0.4 and objects else lines

    steps: list[Step] = [("land", file, content()) for file in [*FILES, *chance.choices(FILES, k=3)]]
    steps += [("load", file, []) for file in chance.choices(FILES, k=4)]
    steps += [("lose", file, []) for file in chance.choices(FILES, k=chance.randint(0, 1))]
    chance.shuffle(steps)
    return steps + [("load", file, []) for file in chance.sample(FILES, k=len(FILES))]


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


@settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_raw_depends_on_the_files_and_not_on_the_route_by_which_they_came(
    raw: RawTables, limit_of_two: int, seed: int
) -> None:
    raw.reset()
    loaded: Files = {}
    for step, (day, name), content in route_of(seed):
        if step == "land":
            raw.land(day, content, name)
        elif step == "lose":
            raw.lose(day, name)
        else:
            loaded = load_and_compare(raw, day, loaded, limit_of_two)
    by_this_route = raw.contents()

    # The same files, each in the last version that was loaded, day by day into an empty warehouse.
    raw.reset()
    for (day, name), content in loaded.items():
        raw.land(day, content, name.rpartition("/")[2])
    for day in sorted({day for day, _ in loaded}):
        raw.load(day)
    assert raw.contents() == by_this_route
