"""The step of `make demo` that writes the sample's landing files and application tables."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sample_data.sample_days import DemoNotPossible
from warehouse.settings import Settings
from warehouse.single_values import exist, value_of
from warehouse.window import Window

if TYPE_CHECKING:
    import psycopg


def write_sample(given: Settings, window: Window, say: Callable[[str], None]) -> None:
    """Write the landing files and application tables. Raises DemoNotPossible where foreign data would be lost."""
    from ingestion.application.source import connect_application
    from sample_data import Marketplace
    from sample_data.application_tables import write_application
    from sample_data.landing_files import write_landing_files

    landing = landing_folder(given.landing_url)
    require_no_foreign_files(landing)
    marketplace = Marketplace(start=window.start, days=len(window))
    say(f"writing the sample marketplace: landing files of {len(window)} days to {landing}")
    write_landing_files(marketplace, landing, say)
    with connect_application(given.app_database_url.get_secret_value()) as connection:
        require_no_foreign_users(connection)
        write_application(connection, marketplace.application_tables())
    say("the application's tables are written")


def landing_folder(url: str) -> Path:
    """Return the folder for landing files. Raises DemoNotPossible when LANDING_URL is an object store."""
    from ingestion.landing.files import LandingRoot
    from ingestion.landing.storage import LocalFolder

    storage = LandingRoot.from_url(url).storage
    if not isinstance(storage, LocalFolder):
        raise DemoNotPossible(f"the sample is written to a folder, and LANDING_URL is {url}; set it to a folder")
    return storage.root


def require_no_foreign_files(landing: Path) -> None:
    """Raise DemoNotPossible when the landing folder holds files that are not the sample's."""
    from sample_data.landing_files import MANIFEST

    if not (landing / MANIFEST).exists() and next((landing / "events").glob("dt=*/*"), None):
        raise DemoNotPossible(
            f"{landing} holds landing files that are not the sample's; set LANDING_URL to an empty folder"
        )


def require_no_foreign_users(connection: "psycopg.Connection") -> None:
    """Raise DemoNotPossible when the application's database has other users, whose tables would be replaced."""
    from sample_data import MAIL_DOMAIN

    foreign = "select 1 from users where email is null or email not like %s limit 1"
    if exist(connection, "users") and value_of(connection, foreign, [f"%@{MAIL_DOMAIN}"]):
        raise DemoNotPossible("APP_DATABASE_URL names a database with users of its own, which the sample would replace")
