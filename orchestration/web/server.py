"""`python -m orchestration.web.server`: dagster-webserver, with its options, behind the guard."""

import os
from typing import Any, Final

from dagster_webserver import cli

from orchestration.instance.storage_outage import OutageSentence
from orchestration.web.guard import RequestGuard

# Function of dagster-webserver that makes its application; there is no option for another one.
_MAKER: Final = "create_app_from_workspace_process_context"
_make_app: Final = getattr(cli, _MAKER)


def guarded_app(*arguments: Any, **options: Any) -> RequestGuard:
    """Make Dagster's application, guarded."""
    hosts = os.environ.get("WAREHOUSE_UI_HOSTS", "").split(",")
    app = _make_app(*arguments, **options)
    app.add_middleware(OutageSentence)
    return RequestGuard(app, hosts)


if __name__ == "__main__":
    setattr(cli, _MAKER, guarded_app)
    cli.main()  # type: ignore[no-untyped-call]
