"""Seeds that users edit are held to the form that visits are stored in, and a mistake names its row."""

import shutil
from pathlib import Path

import pytest

from ingestion.channel_seeds import SeedsNotNormalized, require_normal_form
from ingestion.validation_lists import SEEDS


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    for name in ("known_referrers", "click_ids", "channel_rules"):
        shutil.copy(SEEDS / f"{name}.csv", tmp_path)
    return tmp_path


def test_the_seeds_are_in_normal_form() -> None:
    require_normal_form()


@pytest.mark.parametrize(
    ("seed", "row", "message"),
    [
        ("known_referrers", "WWW.Shop.example,shop,shopping", 'host "WWW.Shop.example" has to be "shop.example"'),
        ("known_referrers", "m.shop.example,shop,shopping", 'host "m.shop.example" has to be "shop.example"'),
        ("known_referrers", "shop.example,My Shop\u00a0,shopping", 'source "My Shop\u00a0" has to be "my shop"'),
        ("click_ids", "gclid,Google,cpc,999,", '"gclid": source "Google" has to be "google"'),
        ("click_ids", "gclid,google,CPC,999,", '"gclid": medium "CPC" has to be "cpc"'),
        ("click_ids", "epik,pinterest,cpc,999,", '"epik": events have no such click id'),
        ("channel_rules", "60,Email,,^stra\u00dfe$,,,", 'rule 60: source_pattern "^stra\u00dfe$" fits no stored text'),
        ("channel_rules", "61,Email,,,^e\u00a0mail$,,", "rule 61: medium_pattern"),
    ],
)
def test_a_value_that_no_visit_can_meet_is_named_by_its_row(seeds: Path, seed: str, row: str, message: str) -> None:
    with (seeds / f"{seed}.csv").open("a", encoding="utf-8") as file:
        file.write(f"{row}\n")
    with pytest.raises(SeedsNotNormalized) as raised:
        require_normal_form(seeds)
    assert str(raised.value).startswith(f"seed {seed}")
    assert message in str(raised.value)


def test_a_click_id_without_a_row_is_told(seeds: Path) -> None:
    rows = (seeds / "click_ids.csv").read_text().splitlines()
    (seeds / "click_ids.csv").write_text("\n".join(row for row in rows if not row.startswith("wbraid")) + "\n")
    with pytest.raises(SeedsNotNormalized, match='"wbraid": has no row'):
        require_normal_form(seeds)


def test_classes_and_capitals_in_patterns_are_no_mistakes(seeds: Path) -> None:
    with (seeds / "channel_rules.csv").open("a", encoding="utf-8") as file:
        file.write("60,Email,,^\\S+NEWS$,,,\n")
    require_normal_form(seeds)
