"""Channels: a webhook in Slack's format, and e-mail by SMTP. Their addresses and passwords never leave this module."""

import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from alerting.messages import Message

SECONDS: Final = 10
_PORTS: Final = {"smtp": 587, "smtps": 465}


class ChannelError(Exception):
    """A message could not be sent; the sentence holds neither address nor password."""


class ChannelSettingsError(ValueError):
    """A setting of a channel cannot be used; the sentence names the variable and not its value."""


class Channel(Protocol):
    """A place to which messages go."""

    @property
    def name(self) -> str:
        """Name the channel, in ops.alert_messages too."""

    def send(self, message: Message) -> None:
        """Send a message. Raises ChannelError."""


@dataclass(frozen=True)
class Webhook:
    """A webhook that takes Slack's format, as Slack, Mattermost, Discord (`/slack`) and others do."""

    url: str = field(repr=False)
    name: str = "webhook"

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ChannelSettingsError("WAREHOUSE_ALERT_WEBHOOK is no address such as https://host/path; correct it")

    def send(self, message: Message) -> None:
        """Send a message. Raises ChannelError."""
        text = "\n".join([f"*{_escaped(message.title)}*", *map(_escaped, message.lines)])
        request = urllib.request.Request(  # noqa: S310
            self.url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
        )
        try:
            # No redirect: the next host would get the message, and the address.
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS):
                pass
        except urllib.error.HTTPError as error:
            raise ChannelError(f"the webhook answers with status {error.code}; see WAREHOUSE_ALERT_WEBHOOK") from None
        except (OSError, ValueError) as error:
            raise ChannelError(f"the webhook cannot be reached: {_kind(error)}; see WAREHOUSE_ALERT_WEBHOOK") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _escaped(text: str) -> str:
    """Escape what Slack's format reads as a link or a mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass(frozen=True)
class Email:
    """E-mail by an SMTP server: smtps://user:password@host:465, or smtp:// with STARTTLS where the server has it."""

    url: str = field(repr=False)
    sender: str
    recipients: Sequence[str]
    name: str = "email"

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            is_usable = parts.scheme in _PORTS and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            is_usable = False
        if not is_usable:
            raise ChannelSettingsError("WAREHOUSE_ALERT_SMTP is no address such as smtps://user:password@host:465")
        if not self.sender or not self.recipients:
            raise ChannelSettingsError("WAREHOUSE_ALERT_SMTP needs WAREHOUSE_ALERT_FROM and WAREHOUSE_ALERT_TO too")

    def send(self, message: Message) -> None:
        """Send a message. Raises ChannelError."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, ", ".join(self.recipients), message.title
        # Again the same when it is sent again: mail programs then show it once.
        mail["Message-ID"] = f"<{message.key}@{self.sender.rpartition('@')[2]}>"
        mail.set_content("\n".join(message.lines) + "\n")
        try:
            with self._connected() as server:
                server.send_message(mail)
        except smtplib.SMTPResponseException as error:
            raise ChannelError(
                f"the mail server answers with code {error.smtp_code}; see WAREHOUSE_ALERT_SMTP"
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelError(f"the mail server does not take it: {_kind(error)}; see WAREHOUSE_ALERT_SMTP") from None

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        context = ssl.create_default_context()
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=SECONDS)
        try:
            server.ehlo()
            is_private = parts.scheme == "smtps" or _is_loopback(host)
            if parts.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
                is_private = True
            if parts.username:
                if not is_private:
                    raise ChannelError("the mail server has no STARTTLS, and a password is not sent in the clear")
                server.login(unquote(parts.username), unquote(parts.password or ""))
        except BaseException:
            server.close()
            raise
        return server


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _kind(error: Exception) -> str:
    """Name an error without its text, which may hold an address."""
    reason = getattr(error, "reason", None)
    found = reason if isinstance(reason, Exception) else error
    return type(found).__name__


def of_environment(environment: Mapping[str, str]) -> list[Channel]:
    """Return the channels of variables, also where the other settings are incomplete. Raises ChannelSettingsError."""
    return configured(
        webhook=environment.get("WAREHOUSE_ALERT_WEBHOOK", ""),
        smtp=environment.get("WAREHOUSE_ALERT_SMTP", ""),
        sender=environment.get("WAREHOUSE_ALERT_FROM", ""),
        recipients=environment.get("WAREHOUSE_ALERT_TO", ""),
    )


def configured(*, webhook: str, smtp: str, sender: str, recipients: str) -> list[Channel]:
    """Return the channels that settings name. Raises ChannelSettingsError."""
    channels: list[Channel] = []
    if webhook:
        channels.append(Webhook(webhook))
    if smtp:
        channels.append(Email(smtp, sender, [part.strip() for part in recipients.split(",") if part.strip()]))
    return channels
