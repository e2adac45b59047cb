"""Files of a checkout's embedded server: `server.json` (port, data folder), `credentials.json`, and the data folder.

They are in `<checkout>/.warehouse`. warehouse/embedded/server.py starts and stops the server.
"""

import hashlib
import json
import logging
import os
import secrets
from functools import partial
from pathlib import Path
from typing import Any, Final

from warehouse.atomic_file import atomic_writer
from warehouse.embedded import binaries
from warehouse.embedded.binaries import Account, EmbeddedServerError
from warehouse.roles.readers import READERS

SUPERUSER: Final = "postgres"
OWNER: Final = "warehouse_owner"

logger = logging.getLogger(__name__)


class ServerFolder:
    """`<checkout>/.warehouse`. Methods that write are called by one process at a time; all may raise OSError."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout.resolve()
        self.path = self.checkout / ".warehouse"

    def create(self) -> None:
        """Create the folder where it is missing."""
        if not self.path.exists():
            self.path.mkdir(exist_ok=True)
            # The server's account passes through; files with secrets have modes of their own.
            self.path.chmod(0o755)

    @property
    def port(self) -> int | None:
        """The server's port, None before the first start."""
        port = self._state().get("port")
        return None if port is None else int(port)

    @property
    def data(self) -> Path:
        """The data folder, which may not exist yet."""
        # Relative when it lies in the checkout, so that a checkout may be moved.
        return self.path / str(self._state().get("data", "postgres"))

    def save_state(self, **values: Any) -> None:
        """Add to server.json."""
        write(self.path / "server.json", json.dumps(self._state() | values, indent=2), mode=0o644)

    def passwords(self) -> dict[str, str]:
        """Return the passwords of the server's logins by role.

        Missing ones are generated, and written to disk before any role has them. Raises EmbeddedServerError when the
        data exists without its passwords.
        """
        file = self.path / "credentials.json"
        known: dict[str, str] = read_json(file)
        missing = [role for role in (SUPERUSER, OWNER, *(reader.name for reader in READERS)) if role not in known]
        if SUPERUSER in missing and (self.data / "PG_VERSION").exists():
            raise EmbeddedServerError(
                f"{file} is missing, and with it the only copy of the passwords of the data in {self.data};"
                f" bring the file back, or remove {self.data} and load the landing files again"
            )
        if missing:
            known |= {role: secrets.token_urlsafe(24) for role in missing}
            write(file, json.dumps(known, indent=2))
        return known

    def choose_data(self) -> Path:
        """Return the data folder: the recorded one, else in the checkout, else below SHARED_FOLDER.

        The last is for a checkout that the server's account cannot enter. Raises EmbeddedServerError in a copied
        checkout.
        """
        if self._state():
            self._reject_copied_checkout(self.data)
            return self.data
        data = self.path / "postgres"
        account = Account.for_server(data)
        if account is not None and not account.can_enter(self.path):
            home = self._new_home()
            logger.info("the server's account cannot enter %s; its data goes to %s", self.checkout, home)
            self.save_state(data=str(home / "postgres"))
        else:
            self.save_state(data=data.name)
        return self.data

    def _new_home(self) -> Path:
        name = f"{self.checkout.name}-{hashlib.sha256(os.fsencode(self.checkout)).hexdigest()[:8]}"
        home = binaries.SHARED_FOLDER / name
        number = 1
        while home.exists():
            logger.warning("%s belongs to an earlier checkout at this path; remove it if it is no longer needed", home)
            number += 1
            home = home.with_name(f"{name}-{number}")
        home.mkdir(parents=True)
        for folder in (home, home.parent):
            folder.chmod(0o755)
        write(home / "checkout", str(self.checkout))
        return home

    def _reject_copied_checkout(self, data: Path) -> None:
        """Raise EmbeddedServerError in a copied checkout, which names the original's data. Accept a moved one."""
        pointer = data.parent / "checkout"
        if data.parent == self.path or not pointer.exists():
            return
        original = Path(pointer.read_text())
        if original == self.checkout:
            return
        if read_json(original / ".warehouse" / "server.json").get("data") == str(data):
            raise EmbeddedServerError(
                f"{self.checkout} is a copy of {original}, and its .warehouse names the original's data {data};"
                f" remove {self.path} to give the copy a warehouse of its own"
            )
        write(pointer, str(self.checkout))

    def _state(self) -> dict[str, Any]:
        return read_json(self.path / "server.json")


def read_json(file: Path) -> dict[str, Any]:
    """Return the content of a JSON file, empty where it is missing. Raises ValueError naming a damaged file."""
    try:
        content: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{file} is damaged ({error})") from error
    return content


def read_lines(file: Path) -> list[str]:
    """Return the lines of a file, none where it is missing."""
    try:
        return file.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def write(file: Path, text: str, *, account: Account | None = None, mode: int = 0o600) -> None:
    """Replace a file atomically. At no moment has it more rights than `mode`."""
    # Several processes may write at once.
    draft_path = file.with_name(f".{file.name}.{os.getpid()}")
    change_owner = partial(give, account=account)
    with atomic_writer(file, mode=mode, is_durable=False, draft_path=draft_path, before_rename=change_owner) as draft:
        draft.file.write(text.encode())


def give(path: Path, account: Account | None) -> None:
    """Make the server's account the owner."""
    if account is not None:
        os.chown(path, account.uid, account.gid)
