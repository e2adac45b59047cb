"""Requests that Dagster's web server takes from browsers and programs, and what another web page cannot send."""

import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from orchestration.web.guard import RequestGuard

MUTATION = {"query": "mutation { deleteRun }"}
JSON = {"content-type": "application/json"}


async def served(_: Request) -> PlainTextResponse:
    return PlainTextResponse("served")


async def greeted(socket: WebSocket) -> None:
    await socket.accept(subprotocol="graphql-ws")
    await socket.send_text("hello")
    await socket.close()


@pytest.fixture
def client() -> TestClient:
    methods = ["GET", "POST", "PUT", "DELETE"]
    app = Starlette(
        routes=[WebSocketRoute("/prefix/graphql", greeted), Route("/{path:path}", served, methods=methods)],
    )
    return TestClient(RequestGuard(app, ["ui.example", ""]), base_url="http://localhost:3000")


def post(client: TestClient, headers: dict[str, str], content: str = json.dumps(MUTATION)) -> int:
    return client.post("/graphql", content=content, headers=headers).status_code


def test_the_pages_own_requests_and_programs_are_served(client: TestClient) -> None:
    own = {"origin": "http://localhost:3000", "sec-fetch-site": "same-origin"}
    assert post(client, JSON) == 200
    assert post(client, JSON | own) == 200
    assert post(client, {"content-type": "application/json; charset=utf-8"} | own) == 200
    assert client.get("/runs").status_code == 200
    assert client.get("/graphql", headers={"accept": "text/html,*/*"}).status_code == 200, "the page to try queries in"
    assert client.get("/runs", headers={"sec-fetch-site": "cross-site"}).status_code == 200, "a link elsewhere"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:3000", "127.0.0.1:3000", "[::1]:3000", "ui.example", "ui.example:80"]
)
def test_names_of_this_machine_and_declared_ones_are_served(client: TestClient, host: str) -> None:
    assert client.get("/runs", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "0.0.0.0:3000",
        "",
        "[::1",
        "localhost@evil.example",
    ],
)
def test_a_host_name_that_another_page_has_made_point_here_is_refused(client: TestClient, host: str) -> None:
    for path in ("/", "/graphql", "/logs/x"):
        answer = client.get(path, headers={"host": host})
        assert answer.status_code == 421
        assert "add the name to WAREHOUSE_UI_HOSTS" in answer.text


def test_graphql_by_get_is_refused(client: TestClient) -> None:
    for accept in ("*/*", "image/avif,image/webp,*/*;q=0.8", "application/json"):
        answer = client.get("/graphql", params=MUTATION, headers={"accept": accept})
        assert (answer.status_code, answer.text) == (405, "send GraphQL by POST\n")
    assert client.get("/prefix/graphql", params=MUTATION).status_code == 405


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/plain; application/json",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/report_asset_materialization/raw/events"])
def test_what_forms_of_other_pages_can_send_is_refused(client: TestClient, kind: str, path: str) -> None:
    assert client.post(path, params=MUTATION, content="{}", headers={"content-type": kind}).status_code == 415


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost:8888",
        "http://127.0.0.1:3000",
        "https://localhost.evil.example",
        "null",
        "",
    ],
)
def test_what_another_page_sends_is_refused(client: TestClient, origin: str) -> None:
    assert post(client, JSON | {"origin": origin}) == 403
    with pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)):
        client.websocket_connect("/prefix/graphql", headers={"host": "localhost:3000", "origin": origin}).__enter__()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_the_browser_says_comes_from_elsewhere_is_refused(client: TestClient, site: str) -> None:
    assert post(client, JSON | {"sec-fetch-site": site}) == 403
    headers = {"sec-fetch-site": site, "accept": "text/html"}
    assert client.get("/graphql", params=MUTATION, headers=headers).status_code == 403


def test_websockets_of_the_page_itself_are_served(client: TestClient) -> None:
    own: dict[str, Any] = {"headers": {"host": "localhost:3000", "origin": "http://localhost:3000"}}
    with client.websocket_connect("/prefix/graphql", **own) as socket:
        assert socket.receive_text() == "hello"


def test_a_websocket_under_another_host_name_is_refused(client: TestClient) -> None:
    headers = {"host": "evil.example", "origin": "http://evil.example"}
    with pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)):
        client.websocket_connect("/prefix/graphql", headers=headers).__enter__()


def test_a_page_behind_a_proxy_is_served_under_its_declared_name(client: TestClient) -> None:
    assert post(client, JSON | {"host": "127.0.0.1:3000", "origin": "https://ui.example"}) == 200
    assert post(client, JSON | {"host": "ui.example", "origin": "https://ui.example"}) == 200
