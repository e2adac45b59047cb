"""Local receivers of alerts: a webhook and a mail server, which keep what they get and can be down."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class WebhookReceiver:
    """A webhook on loopback. `status` is what it answers."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/services/secret-part-of-the-address"
        self.texts: list[str] = []
        self.status = 200


@contextmanager
def webhook() -> Iterator[WebhookReceiver]:
    """Run a webhook while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if receiver.status == 200:
                receiver.texts.append(body["text"])
            self.send_response(receiver.status)
            self.send_header("Location", receiver.url)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        receiver = WebhookReceiver(port)
        yield receiver


class MailReceiver:
    """A mail server on loopback that asks for a password. `is_down` makes it refuse every mail."""

    def __init__(self, port: int) -> None:
        self.url = f"smtp://alerts:p%40ss-word-of-mail@127.0.0.1:{port}"
        self.mails: list[Message] = []
        self.logins: list[str] = []
        self.is_down = False


@contextmanager
def mail_server() -> Iterator[MailReceiver]:
    """Run a mail server while the block runs."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            while line := self.rfile.readline():
                verb = line.decode().strip().upper().partition(" ")[0]
                if verb == "EHLO":
                    self._say("250-here")
                    self._say("250 AUTH PLAIN")
                elif verb == "AUTH":
                    receiver.logins.append(line.decode().split()[2])
                    self._say("235 ok")
                elif verb == "DATA" and not receiver.is_down:
                    self._say("354 go on")
                    receiver.mails.append(message_from_bytes(self._data()))
                    self._say("250 ok")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("421 not now" if receiver.is_down else "250 ok")

        def _data(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line)
            return b"".join(lines)

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        receiver = MailReceiver(port)
        yield receiver


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
