"""Watch from outside of Dagster: one message when the warehouse cannot alert by itself, one when it can again.

Without its Postgres server or its daemon the warehouse sends nothing. `warehouse doctor --notify`, started by a timer,
keeps what it has said in a file, since the server may be away.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from alerting.channels import Channel, ChannelError
from alerting.messages import Message, duration
from warehouse.atomic_file import write_atomically


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage that goes on, and the channels that know of it."""

    since: str
    text: str
    sent_to: tuple[str, ...] = ()


def watch(file: Path, channels: Sequence[Channel], *, outage: str, advice: str, now: datetime) -> list[str]:
    """Send what is to be said about an outage, empty where there is none. Return errors of channels.

    A channel that does not answer is tried again by the next call.
    """
    before = _read(file)
    if before is None and not outage:
        return []
    known = before or Outage(now.isoformat(), outage)
    since = datetime.fromisoformat(known.since)
    waiting = [channel for channel in channels if (channel.name in known.sent_to) is not bool(outage)]
    if outage:
        message = Message(
            f"outage-{since:%Y%m%d%H%M%S}-open",
            "FAULT: the warehouse is down",
            (
                f"What: {known.text}. Nothing is loaded or published, and no other alert is sent.",
                f"Since: {since:%Y-%m-%d %H:%M} UTC",
                "Urgent: act before people read dashboards.",
                f"To do: {advice}. Then: warehouse doctor.",
            ),
        )
    else:
        message = Message(
            f"outage-{since:%Y%m%d%H%M%S}-over",
            "OVER: the warehouse is down",
            (f"It is over. It lasted {duration(now - since)}.", f"It was: {known.text}", "To do: warehouse doctor."),
        )
    errors, reached = [], []
    for channel in waiting:
        try:
            channel.send(message)
            reached.append(channel.name)
        except ChannelError as error:
            errors.append(str(error))
    sent_to = [*known.sent_to, *reached] if outage else [name for name in known.sent_to if name not in reached]
    still_here = {channel.name for channel in channels}
    if outage or still_here.intersection(sent_to):
        _write(file, Outage(known.since, known.text, tuple(sent_to)))
    else:
        file.unlink(missing_ok=True)
    return errors


def _read(file: Path) -> Outage | None:
    try:
        content = json.loads(file.read_text())
        return Outage(content["since"], content["text"], tuple(content["sent_to"]))
    except (OSError, ValueError, KeyError, TypeError):
        # A file that cannot be read counts as none: a message too many is better than none.
        return None


def _write(file: Path, outage: Outage) -> None:
    write_atomically(file, json.dumps(asdict(outage)).encode())
