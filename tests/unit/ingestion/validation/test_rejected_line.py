"""The stored text of rejected lines."""

import json

import pytest

from ingestion.validation.rejected_line import redact_line


def test_json_keeps_everything_but_personal_data():
    line = (
        b'{ "b":1.50,"a":1e2,"a":"twice","actorId":"u-1","context":{"ipAddress":"10.1.2.3",'
        b'"userAgent":"Mozilla/5.0","os":null},"props":{"email":"jane","note":"jane\\u0040example.com","is_token":true},"t":"2026-10-03T14:22:31Z"}'
    )
    assert redact_line(line) == (
        '{"b":1.50,"a":1e2,"a":"twice","actorId":"u-1","context":{"ipAddress":"[redacted]","userAgent":"[redacted]","os":null},'
        '"props":{"email":"[redacted]","note":"[redacted]","is_token":true},"t":"2026-10-03T14:22:31Z"}'
    )


def test_other_lines_are_kept_as_text_without_personal_data():
    assert redact_line(b'{"email":"jane@example.com","x":') == '{"email":[redacted],"x":'
    assert redact_line(b'[1, NaN, "jane@example.com"]') == '[1, NaN, "[redacted]"]'
    assert redact_line(b'"jane@example.com"') == '"[redacted]"'


def test_bytes_that_are_no_utf_8_are_shown_as_escapes():
    assert redact_line("Bär jane@example.com".encode("latin-1")) == "B\\xe4r [redacted]"


def test_nul_characters_hide_nothing():
    assert redact_line('{"a":"jane@example.com"}'.encode("utf-16-le")) == '{"a":"[redacted]"}'
    assert redact_line(b"jane\0@example.com") == "[redacted]"


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":"x\\u0000y"}',
        b'{"\\ud800":"\\udfff"}',
        b"\xed\xa0\x80",
        b"\0\0",
        b"\xff",
        b"[" * 100_000,
        b'{"a":' * 5_000,
    ],
)
def test_the_stored_text_fits_a_text_column(line):
    kept = redact_line(line)
    assert "\0" not in kept
    assert kept.encode().decode() == kept


def test_escapes_of_nul_and_lone_surrogates_stay_readable():
    assert redact_line(b'{"a":"x\\u0000y","b":"\\ud800"}') == '{"a":"x\\u0000y","b":"\\ud800"}'


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_long_lines_are_cut_to_64_kib_with_a_mark(character):
    kept = redact_line(json.dumps({"a": character * 100_000}, ensure_ascii=False).encode())
    assert 65_530 <= len(kept.encode()) <= 65_536
    assert kept.endswith(f"{character}… [cut]")
    assert not redact_line(b"x" * 65_536).endswith("[cut]")


def test_personal_data_at_the_cut_does_not_show():
    kept = redact_line(b'{"a":"' + b"x" * 65_500 + b' jane.doe@example.com and more"}')
    assert "jane" not in kept


@pytest.mark.parametrize("number", ["4111111111111111", "4111111111111111.0", "4.111111111111111e15"])
def test_card_numbers_of_rejected_lines_are_redacted_in_any_form(number: str) -> None:
    line = f'{{"n":{number},"isNew":false,"huge":1e400,"price":1.5}}'
    assert redact_line(line.encode()) == '{"n":"[redacted]","isNew":false,"huge":1e400,"price":1.5}'
