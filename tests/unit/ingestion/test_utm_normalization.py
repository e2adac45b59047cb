"""One form for UTM fields that were typed differently, and the form of a form is itself."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.utm_normalization import (
    MAX_NORMALIZED_BYTES,
    MAX_NORMALIZED_LENGTH,
    normalized_detail,
    normalized_name,
    normalized_source,
    site_name,
    trimmed,
)

FORMS = (normalized_name, normalized_source, normalized_detail)
BLANKS = " \t\n\u00a0\u3000\u2007\u202f\u200b\u200d\u2060\ufeff\u00ad\u180e"
# Characters that fold, compose, grow or vanish, between plain ones.
FOLDED = (
    "\u0130\u0131\u00df\u1e9e\u015e\u015f\u03a3\u03c2\u03c3\ufb01\u0307\u0345\ufdfa\u2460\u2167\u338f\u0390\u03b0\u1f50"
)
FULL_WIDTH = "\uff41\uff3a\uff0e\uff20"
ODD = st.text(st.sampled_from("aAzZ.-wWmM019 " + FOLDED + FULL_WIDTH + BLANKS) | st.characters(codec="utf-8"))


@pytest.mark.parametrize(
    ("sent", "form"),
    [
        ("email\u00a0", "email"),
        ("\ufeffe\u2011mail\u200b", "e\u2010mail"),
        ("Spring_Sale", "spring_sale"),
        ("spring\u00a0sale", "spring sale"),
        ("\uff23\uff30\uff23", "cpc"),
        ("a\ufb03liate", "affiliate"),
        ("STRASSE", "strasse"),
        ("Stra\u00dfe", "strasse"),
        ("İSTANBUL-PARTNER", "i\u0307stanbul-partner"),
        ("cafe\u0301", "café"),
        ("(Direct)", "(direct)"),
        ("\u2800\u3164", None),
        ("", None),
        (None, None),
    ],
)
def test_names_that_look_alike_have_one_form(sent, form):
    assert normalized_name(sent) == form
    assert normalized_source(sent) == form


@pytest.mark.parametrize(
    ("sent", "form"),
    [
        ("www.facebook.com", "facebook.com"),
        ("m.Facebook.com", "facebook.com"),
        ("WWW.M.FACEBOOK.COM.", "facebook.com"),
        ("www.facebook", "facebook"),
        ("m.me", "m.me"),
        ("www.münchen.example", "münchen.example"),
        ("m. smith", "m. smith"),
        ("www.", "www."),
        ("newsletter.", "newsletter."),
        ("mail.example.com", "mail.example.com"),
    ],
)
def test_a_source_that_is_a_host_is_known_without_www_and_m(sent, form):
    assert normalized_source(sent) == form
    assert normalized_name(sent) == sent.casefold()


@pytest.mark.parametrize(
    ("sent", "form"),
    [("  Blue\u00a0Shoes ", "Blue Shoes"), ("\ufb01tness", "fitness"), ("\u200b", None), ("A+B", "A+B")],
)
def test_terms_and_contents_keep_their_letter_case(sent, form):
    assert normalized_detail(sent) == form


@pytest.mark.parametrize("form", FORMS)
@given(text=ODD)
def test_the_form_of_a_form_is_itself(form, text):
    once = form(text)
    assert form(once) == once
    if once is not None:
        assert 0 < len(once) <= MAX_NORMALIZED_LENGTH
        assert len(once.encode()) <= MAX_NORMALIZED_BYTES
        assert once == trimmed(once)
        assert unicodedata.is_normalized("NFKC", once)


@given(text=ODD, before=st.text(st.sampled_from(BLANKS)), after=st.text(st.sampled_from(BLANKS)))
def test_case_blanks_and_composition_make_no_difference(text, before, after):
    form = normalized_source(text)
    assert normalized_source(f"{before}{form or ''}{after}") == form
    assert normalized_source(unicodedata.normalize("NFD", form or "")) == form


def test_every_character_has_a_form_that_stays():
    for text in map(chr, range(0, sys.maxunicode, 7)):
        if not "\ud800" <= text <= "\udfff":
            form = normalized_name(text)
            assert normalized_name(form) == form


def test_a_text_that_grows_is_cut_to_what_an_index_holds():
    # One character becomes 18; one has four bytes.
    assert len(normalized_name("\u338f" * 255)) == MAX_NORMALIZED_LENGTH
    for text in ("\U0001f600" * 255, "\u4e00" * 255):
        assert MAX_NORMALIZED_BYTES - 4 < len(normalized_name(text).encode()) <= MAX_NORMALIZED_BYTES


def test_personal_data_that_only_the_form_shows_is_redacted():
    assert normalized_source("\uff41\uff20\uff42\uff0e\uff43\uff4f\uff4d") == "[redacted]"


@pytest.mark.parametrize(("host", "name"), [("m.blog.example", "blog.example"), ("m.me", "m.me"), ("www.x.", "x")])
def test_hosts_of_referrers_are_known_as_sources_are(host, name):
    assert site_name(host) == name
