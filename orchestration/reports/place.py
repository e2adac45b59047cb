"""Place of the report that publications write: its file, and its address in Dagster's web server."""

from pathlib import Path
from typing import Final

from warehouse.connection import CHECKOUT
from warehouse.settings import settings

URL_PATH: Final = "/report"
_NAME: Final = "report.html"


def report_in(exports: str) -> Path:
    """Return the report's file in the folder of exports, which its owner alone reads."""
    return CHECKOUT / exports / _NAME


def default_path() -> Path:
    """Return the file that publications write, by the settings. Raises MissingSetting."""
    return report_in(settings().warehouse_exports)


def default_url() -> str:
    """Return the address of the report in Dagster's web server."""
    return f"{settings().warehouse_ui_url.rstrip('/')}{URL_PATH}"
