"""The report at /report of Dagster's web server, as the last publication wrote it."""

from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from orchestration.reports.place import URL_PATH, default_path
from warehouse.settings import MissingSetting

_MISSING: Final = "there is no report yet: each publication writes it, and so does `warehouse report`\n"


def _report(_: Request) -> Response:
    try:
        page = default_path().read_bytes()
    except FileNotFoundError:
        return PlainTextResponse(_MISSING, status_code=404)
    except (MissingSetting, OSError) as error:
        return PlainTextResponse(f"the report cannot be read: {error}\n", status_code=500)
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


def route(path_prefix: str = "") -> Route:
    """Return the route of the page."""
    return Route(f"{path_prefix}{URL_PATH}", _report)
