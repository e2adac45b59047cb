"""Attribution is read from any address, and never costs an event."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ingestion.contract import CLICK_IDS
from ingestion.tracking import Tracker, TrackingContext, attribution_of
from tests.unit.ingestion.tracking.conftest import NOW, Lines

PAGE = "https://shop.example/assets/7"


def test_utm_fields_click_ids_and_both_addresses_are_found() -> None:
    url = f"{PAGE}?utm_source=google&UTM_Medium=cpc&utm_campaign=a%20b&utm_term=t&utm_content=c&gclid=G&fbclid=F&page=2"
    assert attribution_of(f"{url}&msclkid=M&ttclid=T#top", "https://www.google.com/") == {
        "utmSource": "google",
        "utmMedium": "cpc",
        "utmCampaign": "a b",
        "utmTerm": "t",
        "utmContent": "c",
        "gclid": "G",
        "fbclid": "F",
        "msclkid": "M",
        "ttclid": "T",
        "referrer": "https://www.google.com/",
        "landingPage": f"{url}&msclkid=M&ttclid=T",
    }


def test_every_click_id_of_the_contract_is_found_under_its_key() -> None:
    url = f"{PAGE}?" + "&".join(f"{name}=of-{name}" for name in CLICK_IDS)
    found = attribution_of(url)
    assert found.pop("landingPage") == url
    assert list(found.values()) == [f"of-{name}" for name in CLICK_IDS]
    assert {"wbraid", "gadSource", "liFatId"} <= found.keys()


def test_of_several_values_the_first_that_says_something_counts() -> None:
    assert attribution_of(f"{PAGE}?utm_source=&utm_source=first&utm_source=second")["utmSource"] == "first"


def test_a_visit_without_parameters_has_its_landing_page() -> None:
    assert attribution_of(PAGE) == {"landingPage": PAGE}
    assert attribution_of(PAGE, "") == {"landingPage": PAGE}


def test_what_the_contract_would_refuse_is_left_out() -> None:
    found = attribution_of(f"{PAGE}?utm_source={'x' * 256}&utm_medium=%00&utm_campaign=kept", "about:blank")
    assert found["utmCampaign"] == "kept"
    assert found.keys() == {"utmCampaign", "landingPage"}


def test_an_address_that_is_too_long_loses_its_query() -> None:
    assert attribution_of(f"{PAGE}?utm_source=google&q={'x' * 9_000}") == {"utmSource": "google", "landingPage": PAGE}


@given(
    st.text(st.characters()) | st.text(st.characters()).map(lambda text: f"{PAGE}?utm_source={text}") | st.integers()
)
def test_whatever_a_visitor_types_the_event_is_tracked(url: object) -> None:
    context = TrackingContext(source="web", attribution=attribution_of(url, url))
    tracker = Tracker(Lines(), clock=lambda: NOW, start_date=date(2026, 10, 1))
    assert tracker.track("page_viewed", context).tracked
