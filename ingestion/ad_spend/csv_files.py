"""Files of ad spend: `<landing root>/ad_spend/<name>.csv`. csv_rows.py parses their rows."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingestion.ad_spend.csv_rows import UnusableFile
from ingestion.landing.files import LandingError, LandingRoot
from ingestion.landing.storage import FOLLOW_LINKS, Storage, StorageError, StorageUnreachable, StoredEntry

FOLDER: Final = "ad_spend"
# A year of a hundred campaigns a day takes 4 MB. Rows are held in memory, which takes ten times the size of the file.
MAX_FILE_BYTES: Final = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class AdSpendFile:
    """A file of ad spend. `name` is its path below the landing root, which identifies it."""

    storage: Storage
    entry: StoredEntry

    @property
    def name(self) -> str:
        return self.entry.name


def ad_spend_files(root: LandingRoot | Path) -> tuple[list[AdSpendFile], dict[str, str]]:
    """Return the files below the landing root, sorted by name, and other entries, each with the reason.

    A missing folder has no files. Names that begin with a dot or an underscore are ignored, and so are files that are
    still being written. Raises LandingError when the folder cannot be listed.
    """
    root = LandingRoot.from_url(root) if isinstance(root, Path) else root
    if not root.storage.has_folder(FOLDER):
        return [], {}
    try:
        entries = root.storage.entries(FOLDER)
    except StorageError as error:
        raise LandingError(f"{root.storage.location(FOLDER)} cannot be listed ({error}): {error.advice}") from error
    files, others = [], {}
    for entry in entries:
        name = entry.name
        if entry.own_name.startswith((".", "_")) or name.endswith(root.incomplete):
            continue
        if not name.isprintable():
            others[repr(name)] = f"{name!r}: a name that is no printable text; rename it"
        elif entry.is_link:
            others[name] = f"{name}: a symbolic link, which is not followed; {FOLLOW_LINKS}"
        elif not entry.is_file or not name.endswith(".csv"):
            others[name] = f"{name}: not a file named <name>.csv; save it as CSV, or move it out of {FOLDER}/"
        else:
            files.append(AdSpendFile(root.storage, entry))
    return files, others


def read_content(file: AdSpendFile) -> tuple[str, str]:
    """Return the text of a file and the SHA-256 of its bytes.

    Raises UnusableFile, or LandingError while the storage does not answer.
    """
    try:
        with file.storage.open(file.name) as stored:
            content = stored.read(MAX_FILE_BYTES + 1)
    except StorageUnreachable as error:
        raise LandingError(f"{file.storage.location(file.name)} cannot be read ({error}): {error.advice}") from error
    except (StorageError, OSError) as error:
        raise UnusableFile(f"{file.name}: cannot be read ({error}); check its permissions") from error
    if len(content) > MAX_FILE_BYTES:
        raise UnusableFile(f"{file.name}: larger than {MAX_FILE_BYTES} bytes; split it, for example by month")
    try:
        return content.decode("utf-8-sig"), hashlib.sha256(content).hexdigest()
    except UnicodeDecodeError as error:
        raise UnusableFile(f"{file.name}: not UTF-8; save it as CSV in UTF-8") from error
