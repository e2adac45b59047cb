"""LANDING_URL to storage: a local folder, or an object store by obstore (S3, Google Cloud Storage, Azure).

Credentials and endpoints come from the variables of each provider's own tools: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL; GOOGLE_*; AZURE_*.
"""

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from ingestion.landing.object_store import ObjectStore
from ingestion.landing.storage import LocalFolder, Storage, StorageError

_REMOTE: Final = frozenset({"s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss"})


def storage_at(url: str | Path, *, follows_links: bool = False) -> Storage:
    """Return the storage at a path, a file:// URL, or the URL of a bucket and prefix, such as s3://bucket/prefix.

    Symbolic links in a folder are followed only with `follows_links`. Nothing is read or connected to. Raises
    StorageError for any other URL.
    """
    text = str(url)
    if isinstance(url, Path) or "://" not in text:
        return LocalFolder(Path(url), follows_links)
    parts = urlsplit(text)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return LocalFolder(Path(unquote(parts.path)), follows_links)
    if parts.scheme not in _REMOTE:
        raise StorageError(
            f"{parts.scheme}:// is no place of landing files",
            "use a path, file:///path, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix",
        )
    return ObjectStore(text)
