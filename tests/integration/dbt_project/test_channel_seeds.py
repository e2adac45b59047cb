"""Seeds by which users have channels of their own: messages about mistakes, and effects of an upgrade on them."""

import csv

import pytest

from ingestion.utm_normalization import normalized_source, site_name
from publishing import dbt_manifest, loaded_version
from tests.support.pipeline import START, Pipeline, run_dbt
from warehouse.window import ONE_DAY, Window

SECOND = START + ONE_DAY
DAY = ["build", "--event-time-start", f"{START}", "--event-time-end", f"{SECOND}"]
CHANNELS = [*DAY, "--select", "+int_attribution_with_channel", "--exclude-resource-type", "unit_test"]
CLASSIFIED = "select channel, event_date from intermediate.int_attribution_with_channel"
ORDERED = f"{CLASSIFIED} order by event_date"
# Each with what is said of it.
BROKEN_RULES = {
    "(50, 'Paid Serach', null, null, '^cpc$', null, null)": 'rule 50: no channel is called "Paid Serach"',
    "(60, 'Email', null, null, '(mail', null, null)": 'rule 60: medium_pattern "(mail": invalid regular expression: ',
    "(70, 'Email', null, '[', '[a', null, null)": 'rule 70: source_pattern "[": invalid regular expression: ',
    "(80, 'Email', 'mail', null, null, null, null)": 'rule 80: no kind of source is called "mail"',
    "(100, 'Email', null, null, '^mail$', null, null)": "rule 100: 2 rules have this priority",
    "(110, 'Email', null, null, null, null, 'all')": "rule 110: it has no condition, so that no later rule",
    "(99999, 'Email', null, null, '^late$', null, null)": "the last rule, 99999, must give Unassigned without",
}
BROKEN_HOSTS = {
    "('www.shop.example', 'shop', 'shopping')": 'host "www.shop.example": write it in lower case, without www.',
    "('m.shop.example', 'shop', 'shopping')": 'host "m.shop.example": write it in lower case, without www., m.',
    "('Shop.example', 'shop', 'shopping')": 'host "Shop.example": write it in lower case',
    "('https://shop.example', 'shop', 'shopping')": 'host "https://shop.example": write it',
    "('maps.shop.example', 'google', 'shopping')": '"google" is of two kinds, search and shopping',
}


def what_tests_say(pipeline: Pipeline) -> str:
    with pytest.raises(AssertionError) as failure:
        run_dbt(pipeline.warehouse, [*DAY, "--select", "channel_rules_are_usable", "known_referrers_are_usable"])
    return str(failure.value)


def test_a_broken_rule_or_host_fails_a_test_that_says_which_and_why(pipeline: Pipeline) -> None:
    run_dbt(pipeline.warehouse, ["seed", "--select", "channel_rules", "known_referrers"])

    pipeline.connection.execute(f"insert into staging.channel_rules values {', '.join(BROKEN_RULES)}")
    pipeline.connection.execute(f"insert into staging.known_referrers values {', '.join(BROKEN_HOSTS)}")
    said = what_tests_say(pipeline)
    pipeline.connection.execute("truncate staging.channel_rules")
    said_of_none = what_tests_say(pipeline)

    assert [words for words in (BROKEN_RULES | BROKEN_HOSTS).values() if words not in said] == []
    # The second pattern of rule 70, and the rule that was the last one.
    assert said.count("seed channel_rules, ") == len(BROKEN_RULES) + 2
    assert said.count("seed known_referrers") == len(BROKEN_HOSTS)
    assert "seed channel_rules, there are no rules" in said_of_none


def test_the_view_of_channels_reads_one_day_and_is_there_again_when_a_seed_has_got_other_columns(
    pipeline: Pipeline,
) -> None:
    for day in (START, SECOND):
        attribution = {"referrer": "https://www.google.com/"}
        event = {"eventType": "page_viewed", "occurredAt": f"{day}T12:00:00Z", "anonymousId": "device"}
        pipeline.land(day, [event | {"attribution": attribution}])
    pipeline.load(Window(START, SECOND + ONE_DAY))
    run_dbt(pipeline.warehouse, CHANNELS)
    columns = """
        select attname, atttypid::regtype::text from pg_attribute
        where attrelid = 'staging.channel_rules'::regclass and attnum > 0 order by attnum
    """
    before = [pipeline.rows(query) for query in (columns, "table staging.channel_rules", ORDERED)]
    assert [channel for channel, _ in before[2]] == ["Organic Search", "Organic Search"]

    # A view that classified in two passes would read all of history for one of them.
    plan = str(pipeline.rows(f"explain {CLASSIFIED} where event_date >= date '{SECOND}'"))
    assert "attribution_20261002" in plan
    assert "attribution_20261001" not in plan

    run_dbt(pipeline.warehouse, ["seed", "--select", "channel_rules"])
    assert pipeline.rows(ORDERED) == before[2], "a seed whose columns are as before leaves the views alone"

    pipeline.connection.execute("alter table staging.channel_rules rename column comment to remark")
    run_dbt(pipeline.warehouse, CHANNELS)

    assert [pipeline.rows(query) for query in (columns, "table staging.channel_rules", ORDERED)] == before


def test_hosts_stand_in_the_order_of_the_alphabet_and_rules_in_that_of_their_priority() -> None:
    """So that a person finds the row to change, and two changes seldom meet."""

    def column(seed: str, name: str) -> list[str]:
        with (loaded_version.PROJECT_DIR / "seeds" / f"{seed}.csv").open(newline="") as file:
            return [row[name] for row in csv.DictReader(file)]

    hosts = column("known_referrers", "host")
    priorities = column("channel_rules", "priority")
    assert hosts == sorted(hosts)
    assert priorities == sorted(priorities, key=int)


HOSTS = (
    "m.blog.example", "m.me", "www.m.blog.example", "m.www.blog.example", "www.www.x.example", "www.de", "m.x",
    "mm.x.example", "wwww.x.example", "m.m.x.example", "blog.example", "[2001:db8::7]", "xn--mnchen-3ya.example",
)  # fmt: skip


def test_hosts_of_referrers_and_hosts_in_links_are_named_alike(pipeline: Pipeline) -> None:
    """Names of hosts are worked out in SQL for referrers and in Python for links; they have to meet."""
    macro = dbt_manifest.manifest()["macros"]["macro.marketplace.default__site_name"]["macro_sql"]
    expression = macro.partition("-%}")[2].partition("{%- endmacro")[0].replace("{{ host }}", "host")
    named = dict(pipeline.rows(f"select host, {expression} from unnest(array{list(HOSTS)!r}) as host"))
    assert named == {host: site_name(host) for host in HOSTS}
    assert {host: normalized_source(host) for host in HOSTS if not host.startswith("[")} == {
        host: name for host, name in named.items() if not host.startswith("[")
    }
