"""Settings of the dashboard server, handed over in a private file by the program that starts it."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

# The variable with the path of the file. Only our own programs set it.
VARIABLE: Final = "DASHBOARD_SERVER_SETTINGS"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Addresses, passwords and folders of one dashboard server."""

    # For caches; nobody else may enter it.
    folder: str
    metadata_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    admin_password: str = field(repr=False)
    # The zip of all dashboards.
    bundle: str
    # By role: bi_reader, and the portal role of each audience whose password is known.
    connections: Mapping[str, str] = field(repr=False)

    def as_text(self) -> str:
        """Return the content of the file."""
        return json.dumps(asdict(self))


def from_file() -> ServerSettings:
    """Return the settings of this process."""
    return ServerSettings(**json.loads(Path(os.environ[VARIABLE]).read_text()))
