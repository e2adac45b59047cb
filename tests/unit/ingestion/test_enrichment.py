"""What a user agent tells."""

# ruff: noqa: E501 - a case a line reads better than one in five

import subprocess
import sys

import pytest

from ingestion.enrichment import Device, parse_user_agent

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
    ],
)
def test_crawlers_are_bots(user_agent):
    device = parse_user_agent(user_agent)
    assert (device.is_bot, device.device_type) == (True, "bot")


def test_a_phone_whose_maker_is_called_cubot_is_no_bot():
    device = parse_user_agent(f"Mozilla/5.0 (Linux; Android 9; CUBOT_X18) {WEBKIT} Chrome/80.0 Mobile Safari/537.36")
    assert (device.is_bot, device.device_type) == (False, "mobile")


def test_the_parser_is_not_loaded_before_it_is_needed():
    code = "import sys, ingestion.validation; sys.exit('ua_parser' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
