"""Guard of Dagster's web server, which has no logins: it rejects requests that other web pages make a browser send.

Dagster takes GraphQL mutations by GET, by forms, for every host name and over WebSockets from every page. So a page
that is open elsewhere could start runs: by a link to an image, by a form, or by DNS rebinding, in which the
page's own host name is made to resolve to this machine.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_GRAPHQL: Final = "/graphql"
# Close code of a WebSocket that breaks a policy (RFC 6455).
_POLICY_VIOLATION: Final = 1008


class RequestGuard:
    """ASGI application that passes on requests of its own pages and of programs.

    `hosts` are names, beside those of this machine, under which people open the page.
    """

    def __init__(self, app: App, hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._named = frozenset(name for host in hosts if (name := host.strip().lower()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        rejection = self._rejection(scope) if scope["type"] in {"http", "websocket"} else None
        if rejection is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": rejection[1]})
        else:
            await _answer(send, *rejection)

    def _rejection(self, scope: Scope) -> tuple[int, str] | None:
        """Return status and sentence, None for what is served."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if _hostname(f"//{host}") not in LOOPBACK | self._named:
            return 421, (
                f"this page is not served as {host!r}: open it as localhost, or add the name to WAREHOUSE_UI_HOSTS"
            )
        method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        if not self._is_of_this_page(headers, host, is_page=method == "GET" and not scope["path"].endswith(_GRAPHQL)):
            return 403, "another web page has sent this request, and only Dagster's own pages may"
        if method not in {"GET", "HEAD", "OPTIONS", "WEBSOCKET"}:
            kind = headers.get("content-type", "").split(";")[0].strip().lower()
            # Forms of other pages cannot send JSON without asking first.
            if kind != "application/json":
                return 415, "send JSON, with Content-Type: application/json"
        elif method == "GET" and scope["path"].endswith(_GRAPHQL) and "text/html" not in headers.get("accept", ""):
            return 405, "send GraphQL by POST"
        return None

    def _is_of_this_page(self, headers: Mapping[str, str], host: str, *, is_page: bool) -> bool:
        """Return True for requests of our own pages, by headers that browsers add and pages cannot change."""
        origin = headers.get("origin")
        if origin is not None:
            # A proxy in between may have another host name than the page.
            return urlsplit(origin).netloc == host or _hostname(origin) in self._named
        # A link from another page may open this one.
        return is_page or headers.get("sec-fetch-site", "none") in {"none", "same-origin"}


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{text}\n".encode()})
