"""`python -m orchestration.web.server`: dagster-webserver, with its options and the report, behind the guard."""

import os
from typing import Any, Final

from dagster_webserver import cli

from orchestration.instance.storage_outage import OutageSentence
from orchestration.web import report_page
from orchestration.web.guard import RequestGuard

# Function of dagster-webserver that makes its application; there is no option for another one.
_MAKER: Final = "create_app_from_workspace_process_context"
_make_app: Final = getattr(cli, _MAKER)


def guarded_app(context: Any, path_prefix: str = "", *arguments: Any, **options: Any) -> RequestGuard:
    """Make Dagster's application with the report, guarded."""
    hosts = os.environ.get("WAREHOUSE_UI_HOSTS", "").split(",")
    app = _make_app(context, path_prefix, *arguments, **options)
    app.add_middleware(OutageSentence)
    # Before Dagster's own, of which the last takes every path.
    app.router.routes.insert(0, report_page.route(path_prefix))
    return RequestGuard(app, hosts)


if __name__ == "__main__":
    setattr(cli, _MAKER, guarded_app)
    cli.main()  # type: ignore[no-untyped-call]
