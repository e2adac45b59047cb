"""Devices, browsers and crawlers by their user agents."""

# ruff: noqa: E501 - a case a line reads better than one in five

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.crawlers import CrawlerList, InvalidCrawlerPattern
from ingestion.user_agents import Device, UserAgentParser
from ingestion.validation_lists import SEEDS, EventRules, default_rules

# Real browsers, apps and other clients of people, with the device type; none where it is not checked.
PEOPLE = list(csv.DictReader((Path(__file__).parent / "user_agents" / "people.csv").open(encoding="utf-8")))
parse_user_agent = UserAgentParser(default_rules().crawlers).parse

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/120.0 Safari/537.36", Device("desktop", "Chrome", "Windows", False)),
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", Device("desktop", "Firefox", "Ubuntu", False)),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/17.0 Safari/605.1.15", Device("desktop", "Safari", "Mac OS X", False)),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1", Device("mobile", "Mobile Safari", "iOS", False)),
        ("Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) AppleWebKit/605.1.15 Version/16.0 Mobile/15E148 Safari/604.1", Device("tablet", "Mobile Safari", "iOS", False)),
        (f"Mozilla/5.0 (Linux; Android 13; SM-X700) {WEBKIT} Chrome/119.0.0.0 Safari/537.36", Device("tablet", "Chrome", "Android", False)),
        (f"Mozilla/5.0 (Linux; Android 13; Pixel 7) {WEBKIT} Chrome/119.0.0.0 Mobile Safari/537.36", Device("mobile", "Chrome Mobile", "Android", False)),
        (f"Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) {WEBKIT} Version/6.0 TV Safari/537.36", Device("tv", "Safari", "Tizen", False)),
        (f"Mozilla/5.0 (Linux; Android 9; KFMAWI) {WEBKIT} Silk/120.3.1 like Chrome/120.0.6099.210 Safari/537.36", Device("tablet", "Amazon Silk", "Android", False)),
        ("okhttp/4.9.0", Device(None, "okhttp", None, False)),
        ("my own tracker", Device(None, None, None, False)),
        ("x" * 100_000, Device(None, None, None, False)),
        ("", Device(None, None, None, False)),
        (None, Device(None, None, None, False)),
    ],
)  # fmt: skip
def test_device_browser_and_system_are_told_apart(user_agent, device):
    assert parse_user_agent(user_agent) == device


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) AppleWebKit/537.36 Chrome/99 Mobile Safari/537.36 (compatible; bingbot/2.0)",
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} HeadlessChrome/120.0 Safari/537.36",
        "curl/8.0",
        "Wget/1.21",
        "python-requests/2.31.0",
        "Go-http-client/1.1",
        "facebookexternalhit/1.1",
        "SomeNewCrawler/1.0",
        "Baiduspider+(+http://www.baidu.com/search/spider.htm)",
        "Mozilla/5.0 (compatible; Yahoo! Slurp)",
        f"Mozilla/5.0 {WEBKIT[:-1]}; compatible; Claude-User/1.0; +Claude-User@anthropic.com)",
        f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {WEBKIT} Chrome/120.0.0.0 Mobile Safari/537.36 (compatible; GoogleOther)",
        f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/120.0.0.0 Safari/537.36 DatadogSynthetics",
        f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/120.0.0.0 Safari/537.36 Prerender (+https://github.com/prerender/prerender)",
        "meta-externalfetcher/1.1",
        "ELB-HealthChecker/2.0",
        "kube-probe/1.29",
        "GoogleHC/1.0",
        "Amazon-Route53-Health-Check-Service (ref abc; report http://amzn.to/1vsZADi)",
        "Prometheus/2.45.0",
        "Ruby",
        "node",
        "Java/1.8.0_292",
        "GuzzleHttp/7",
        "k6/0.46",
        "FeedFetcher-Google",
        "YandexImages/3.0",
        "Microsoft Office Existence Discovery",
        "GitHub-Hookshot/abc",
        "okhttp/4.9.0 SomeNewBot/1.0",
        "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20; compatible; Googlebot/2.1)",
    ],
)
def test_crawlers_are_bots(user_agent):
    device = parse_user_agent(user_agent)
    assert (device.is_bot, device.device_type) == (True, "bot")


def test_the_examples_of_the_kept_list_are_crawlers():
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA

    examples = [example for crawler in CRAWLER_USER_AGENTS_DATA for example in crawler["instances"]]
    missed = [example for example in examples if not parse_user_agent(example).is_bot]
    assert len(examples) > 2_000
    # The exceptions of the seed: apps on Android phones, Meta's browser, editors that are desktop apps.
    assert len(missed) <= 8
    assert [text for text in missed if not any(sign in text for sign in ("okhttp/", "MetaIAB", " Electron/"))] == []


def test_people_are_no_crawlers_and_have_the_right_device():
    parsed = [(row, parse_user_agent(row["user_agent"])) for row in PEOPLE]
    assert len(parsed) >= 200
    assert [row["user_agent"] for row, device in parsed if device.is_bot] == []
    wrong = [row for row, device in parsed if row["device_type"] not in ("?", device.device_type or "")]
    assert wrong == []


def test_users_add_crawlers_and_make_exceptions():
    ours = UserAgentParser([("acme-checker", True), ("talbot", False)])
    assert ours.parse("Acme-Checker 3").is_bot
    assert not ours.parse("Talbot/1.0 CFNetwork/1498").is_bot
    assert not parse_user_agent("Acme-Checker 3").is_bot


def test_an_addition_may_name_the_version_of_a_browser():
    ours = UserAgentParser([(r"Chrome/58\.0\.3029\.110", True)])
    agent = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/{{}} Safari/537.36"
    assert ours.parse(agent.format("58.0.3029.110")).is_bot
    assert not ours.parse(agent.format("120.0.0.0")).is_bot


@pytest.mark.parametrize("pattern", ["(bot", "", "(acme)?"])
@pytest.mark.parametrize("is_crawler", [True, False])
def test_a_pattern_that_is_no_regular_expression_or_fits_everything_is_named(pattern, is_crawler):
    with pytest.raises(InvalidCrawlerPattern, match=rf"'{re.escape(pattern)}'.*crawlers\.csv"):
        CrawlerList([(pattern, is_crawler)])


def test_seeds_that_a_spreadsheet_has_saved_say_the_same(tmp_path):
    for name in ("crawlers", "placeholder_ids", "personal_keys"):
        text = (SEEDS / f"{name}.csv").read_text().replace(",true,", ",TRUE,").replace(",false,", ",FALSE,")
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8-sig")
    assert EventRules.from_seeds(tmp_path) == default_rules()


def test_a_crawler_row_that_says_neither_true_nor_false_is_named(tmp_path):
    for name in ("placeholder_ids", "personal_keys"):
        (tmp_path / f"{name}.csv").write_text((SEEDS / f"{name}.csv").read_text())
    (tmp_path / "crawlers.csv").write_text("pattern,is_crawler,comment\nacme,yes,ours\n")
    with pytest.raises(ValueError, match=r"'yes' as is_crawler of the pattern 'acme'.*crawlers\.csv"):
        EventRules.from_seeds(tmp_path)


def test_a_phone_whose_maker_is_called_cubot_is_no_bot():
    device = parse_user_agent(f"Mozilla/5.0 (Linux; Android 9; CUBOT_X18) {WEBKIT} Chrome/80.0 Mobile Safari/537.36")
    assert (device.is_bot, device.device_type) == (False, "mobile")


def test_the_parser_is_not_loaded_before_it_is_needed():
    code = "import sys, ingestion.validation; sys.exit('ua_parser' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
