"""Encryption of named props: what becomes a token, what a token gives back, and which settings are refused."""

import io
import json
from dataclasses import replace
from datetime import date

import pytest

from ingestion.encryption.props import PropEncryption
from ingestion.encryption.tokens import PREFIX, EncryptionSettingsError, KeyRing, UnreadableToken, new_key
from ingestion.schema import CANDIDATE_COLUMN_NAMES
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator, RejectedLine
from ingestion.validation_lists import default_rules
from tests.support.command_line import run_command
from tests.support.stored_values import values_of
from tests.unit.ingestion.conftest import as_line

OLD, NEW = new_key(), new_key()
DAY = date(2026, 10, 3)


def encryption(names="legalName,taxNumber", keys=NEW):
    made = PropEncryption.from_settings(names, keys)
    assert made is not None
    return made


def validate(line, encryption, rules=None):
    start = date(2026, 10, 1)
    return LineValidator(landing_date=DAY, start_date=start, encryption=encryption, rules=rules).validate(line)


def stored_props(props, rules=None, **changes):
    outcome = validate(as_line(props=props, **changes), rules or encryption())
    assert isinstance(outcome, ValidEvent), outcome
    return json.loads(dict(zip(CANDIDATE_COLUMN_NAMES, values_of(outcome), strict=True))["props"])


@pytest.mark.parametrize("key", ["legalName", "legal_name", "LegalName", "LEGAL_NAME", "legal-name", "legalname"])
def test_a_named_prop_is_encrypted_in_any_spelling_and_at_any_depth(key):
    rules = encryption()
    for props, found in (
        ({key: "Jane Doe", "x": 1}, lambda stored: stored[key]),
        ({"a": {key: "Jane Doe"}}, lambda stored: stored["a"][key]),
        ({"a": [{key: "Jane Doe"}]}, lambda stored: stored["a"][0][key]),
    ):
        stored = stored_props(props, rules)
        assert "Jane" not in json.dumps(stored)
        assert found(stored).startswith(PREFIX)
        assert rules.keys.decrypt(found(stored)) == "Jane Doe"


@pytest.mark.parametrize(
    "value", ["", 'Jäne \\ " 😀', "jane@example.com", 7, -1.5, 2**63 - 1, True, False, [1, "a"], {"a": {"b": None}}]
)
def test_a_value_of_any_kind_comes_back_as_it_was_sent(value):
    rules = encryption()
    token = stored_props({"legalName": value}, rules)["legalName"]
    assert isinstance(token, str)
    assert rules.keys.decrypt(token) == value


def test_null_stays_null_and_other_props_stay_as_they_are():
    assert stored_props({"legalName": None, "name": "x", "legal": 1}) == {"legalName": None, "name": "x", "legal": 1}


def test_other_personal_data_is_redacted_beside_an_encrypted_prop():
    stored = stored_props({"legalName": "Jane", "email": "jane@example.com", "ip": "10.1.2.3"})
    assert stored.keys() == {"legalName", "email"}
    assert stored["email"] == "[redacted]"


def test_a_named_prop_is_encrypted_where_its_key_would_be_redacted():
    rules = encryption("contactEmail")
    token = stored_props({"contact_email": "jane@example.com"}, rules)["contact_email"]
    assert rules.keys.decrypt(token) == "jane@example.com"


def test_addresses_and_user_agents_are_not_even_inside_an_encrypted_prop():
    rules = encryption("legal, officeIp")
    stored = stored_props({"legal": {"ipAddress": "10.1.2.3", "n": {"userAgent": "x"}}, "officeIp": "10.1.2.3"}, rules)
    assert rules.keys.decrypt(stored["legal"]) == {"n": {}}
    assert "officeIp" not in stored


def test_keys_that_a_load_drops_are_dropped_inside_an_encrypted_prop():
    # A load follows the seeds that Dagster has loaded, and not those that a person is editing.
    rules = replace(default_rules(), personal_keys=(*default_rules().personal_keys, ("shoe_size", "drop", "whole")))
    props = {"legalName": {"shoeSize": 44, "given": "Jane", "more": {"shoe_size": 44}}}
    outcome = validate(as_line(props=props), encryption(), rules)
    token = json.loads(dict(zip(CANDIDATE_COLUMN_NAMES, values_of(outcome), strict=True))["props"])["legalName"]
    assert encryption().keys.decrypt(token) == {"given": "Jane", "more": {}}


def test_encrypting_again_gives_the_same_and_elsewhere_something_else():
    token = stored_props({"legalName": "Jane"})["legalName"]
    assert stored_props({"legal_name": "Jane"})["legal_name"] == token
    assert stored_props({"taxNumber": "Jane"})["taxNumber"] != token
    assert stored_props({"legalName": "Jane"}, idempotencyKey="key-2")["legalName"] != token
    assert stored_props({"legalName": "Jane"}, occurredAt="2026-10-02T14:22:31Z")["legalName"] != token
    assert stored_props({"legalName": "Jane"}, encryption(keys=OLD))["legalName"] != token


def test_the_canonical_hash_is_that_of_the_event_as_it_was_sent():
    line = as_line(props={"legalName": "Jane"}, idempotencyKey=None)
    without, encrypted = validate(line, None), validate(line, encryption())
    differing = [
        n for n, a, b in zip(CANDIDATE_COLUMN_NAMES, values_of(without), values_of(encrypted), strict=True) if a != b
    ]
    assert differing == ["props"]


def test_a_token_that_was_changed_or_is_of_an_unknown_key_does_not_open():
    token = stored_props({"legalName": "Jane Doe"})["legalName"]
    body = token[len(PREFIX) + 9 :]
    for position in range(0, len(body) - 1, 5):
        other = "A" if body[position] != "A" else "B"
        with pytest.raises(UnreadableToken):
            KeyRing.parse(NEW).decrypt(token[: len(PREFIX) + 9] + body[:position] + other + body[position + 1 :])
    with pytest.raises(UnreadableToken, match="does not hold"):
        KeyRing.parse(OLD).decrypt(token)
    for text in ("", "Jane", PREFIX, f"{PREFIX}00000000:", token + "=", token.upper(), token[:-4]):
        with pytest.raises(UnreadableToken):
            KeyRing.parse(NEW).decrypt(text)


def test_of_two_keys_the_first_encrypts_and_both_decrypt():
    token = stored_props({"legalName": "Jane"}, encryption(keys=OLD))["legalName"]
    both = KeyRing.parse(f" {NEW} , {OLD} ")
    assert both.decrypt(token) == "Jane"
    assert both.renew(token) == stored_props({"legalName": "Jane"}, encryption(keys=f"{NEW},{OLD}"))["legalName"]
    assert KeyRing.parse(NEW).decrypt(both.renew(token)) == "Jane"


def test_renewing_json_touches_whole_texts_of_tokens_and_nothing_else():
    token = stored_props({"legalName": "Jane"}, encryption(keys=OLD))["legalName"]
    keys = KeyRing.parse(f"{NEW},{OLD}")
    strange = [f'"{token}', token + " ", " " + token, "encrypted:1:", PREFIX + "00000000:AAAA"]
    unreadable = []
    text = json.dumps({"a": token, "b": [token], "c": 1.50, "d": strange}, ensure_ascii=False)
    renewed = json.loads(keys.renew_json(text, lambda: unreadable.append(1)))
    assert renewed == {"a": keys.renew(token), "b": [keys.renew(token)], "c": 1.5, "d": strange}
    assert unreadable == [1]


@pytest.mark.parametrize(
    "line",
    [
        b'{"props":{"legalName":"Jane Doe","legal_name":{"x":"Jane Doe"}}}',
        b'{"legalName":"Jane Doe","x":[{"LEGAL-NAME":["Jane Doe"]}]}',
        b'{"props":{"taxNumber":123454321,"tax_number":true}}',
        b'{"props":{"legalName":"Jane Doe"},"props":{"legalName":"Jane Doe"}}',
        b'{"props":{"legalName":"Jane Doe","x":',
        b'{"props":{"legal_name":{"a":{"b":1},"c":"Jane Doe"},"x":',
        b'{"props":{"legalName":["a]","Jane Doe"],"x":',
        b"legalName=Jane_Doe&taxNumber=123454321",
        b'{"props":{"legal\\u004eame":"Jane Doe","x":',
        b'{"props":{"legal\\u004eame":"Jane Doe"}}',
        b"\xff{'legal name': 'Jane Doe'",
        b'{"legalName":"Jane Doe","x":"' + b"x" * 2_000_000,
    ],
)
def test_a_rejected_line_shows_no_named_prop(line):
    outcome = validate(line, encryption())
    assert isinstance(outcome, RejectedLine)
    for plain in ("Jane", "Doe", "123454321", "true"):
        assert plain not in outcome.line
    assert "[redacted]" in outcome.line


@pytest.mark.parametrize(
    ("names", "keys", "words"),
    [
        ("legalName", "", "WAREHOUSE_ENCRYPTION_KEY is missing"),
        ("legalName", " , ", "WAREHOUSE_ENCRYPTION_KEY is missing"),
        ("legalName", "secret", "not the base64url of 64 bytes"),
        ("legalName", f"{NEW},{OLD[:-3]}", "not the base64url of 64 bytes"),
        ("legalName,revenueCents", NEW, "'revenueCents'"),
        ("fee_cents", NEW, "a number in a column of its own"),
        ("ENGAGEMENT_TIME", NEW, "a number in a column of its own"),
        ("ipAddress", NEW, "never stored"),
        ("userAgent", NEW, "never stored"),
        ("legalName,-", NEW, "no name"),
    ],
    # The workers of a parallel run must agree on the names of tests, and the keys are drawn again in each.
    ids=lambda value: value.replace(NEW, "new").replace(OLD[:-3], "cut"),
)
def test_settings_that_cannot_be_followed_are_refused_without_showing_a_key(names, keys, words):
    with pytest.raises(EncryptionSettingsError, match=words) as refused:
        PropEncryption.from_settings(names, keys)
    assert all(key.strip() not in str(refused.value) for key in keys.split(",") if key.strip())


def test_without_named_props_nothing_is_encrypted():
    assert PropEncryption.from_settings("", "") is None
    assert PropEncryption.from_settings(" , ", NEW) is None


def test_people_who_hold_the_key_decrypt_values_by_the_command(monkeypatch, capsys):
    values = ["Jane Doe", {"a": [1, None]}, 7]
    tokens = [stored_props({"legalName": value}, encryption(keys=OLD))["legalName"] for value in values]
    monkeypatch.setenv("WAREHOUSE_ENCRYPTION_KEY", f"{NEW},{OLD}")
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join([tokens[0], "", f'"{tokens[1]}"', tokens[2]])))
    assert run_command("encryption", "decrypt") == 0
    assert capsys.readouterr().out == '"Jane Doe"\n\n{"a":[1,null]}\n7\n'


def test_the_command_names_the_line_that_it_cannot_decrypt(monkeypatch, capsys):
    token = stored_props({"legalName": "Jane Doe"})["legalName"]
    monkeypatch.setenv("WAREHOUSE_ENCRYPTION_KEY", OLD)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"\n{token}\n"))
    assert run_command("encryption", "decrypt") == 1
    assert "line 2: encrypted by key" in capsys.readouterr().err
    monkeypatch.delenv("WAREHOUSE_ENCRYPTION_KEY")
    assert run_command("encryption", "decrypt") == 1
    assert "WAREHOUSE_ENCRYPTION_KEY is missing" in capsys.readouterr().err


def test_the_command_makes_keys_that_work(capsys):
    assert run_command("encryption", "key") == 0
    key = capsys.readouterr().out.strip()
    assert PropEncryption.from_settings("legalName", key) is not None
    assert key not in (OLD, NEW)
