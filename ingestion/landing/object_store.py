"""Object stores as a storage, by obstore: S3 and compatible stores, Google Cloud Storage, Azure.

obstore's LocalStore does not replace LocalFolder (storage.py). Tried in 2026-11, it follows symbolic links, lists named
pipes as files, and lists a missing folder as an empty one.
"""

import re
from datetime import timedelta
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from ingestion.landing.storage import ObjectChanged, StorageError, StorageUnreachable, StoredEntry

if TYPE_CHECKING:
    from collections.abc import Buffer  # type: ignore[attr-defined]

    from obstore import ObjectMeta
    from obstore.store import ObjectStore as Client

# The size of one request: few requests, and each ends long before a timeout.
RANGE_BYTES: Final = 8_388_608
# Dagster retries a failed step after minutes; these are for shorter outages.
_RETRIES: Final = 3
_RETRY_SECONDS: Final = 20
_STATUS: Final = re.compile(r"status code: ([0-9]{3})")
_CODE: Final = re.compile(r"<Code>(\w+)</Code>")
_MESSAGE: Final = re.compile(r"<Message>([^<]+)</Message>")
# obstore's message for a name that it cannot represent; it lists nothing of such a folder.
_EMPTY_NAME: Final = "contained empty path segment"
_NO_BUCKET: Final = frozenset({"NoSuchBucket", "ContainerNotFound"})


class ObjectStore:
    """A bucket, or the part of it below a prefix. Folders are only prefixes of object names."""

    def __init__(self, url: str) -> None:
        from obstore.exceptions import BaseError
        from obstore.store import from_url

        self._url = url.rstrip("/")
        try:
            self._client: Client = from_url(
                self._url,
                # Only used if the endpoint's variable has http itself, as for a store of one's own.
                client_options={"allow_http": True, "connect_timeout": "5s", "timeout": "60s"},
                retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
            )
        except (BaseError, ValueError) as error:
            raise StorageError(_first_line(error), "set it to a URL such as s3://bucket/prefix") from error

    def location(self, name: str) -> str:
        return f"{self._url}/{name}"

    def entries(self, folder: str) -> list[StoredEntry]:
        import obstore

        try:
            found = obstore.list_with_delimiter(self._client, folder)
        except Exception as error:
            raise _to_storage_error(error) from error
        below = f"{folder}/"
        entries = [StoredEntry(name, is_folder=True, is_file=False) for name in found["common_prefixes"]]
        entries += [
            StoredEntry(
                meta["path"],
                is_folder=False,
                is_file=True,
                size=meta["size"],
                version=_version(meta),
                modified_at=meta["last_modified"],
            )
            for meta in found["objects"]
            # A console that "creates a folder" leaves an empty object under the folder's own name.
            if meta["path"].startswith(below)
        ]
        return sorted(entries, key=lambda entry: entry.name)

    def has_folder(self, _: str, /) -> bool:
        return True

    def version(self, name: str) -> str:
        return _version(self._head(name))

    def open(self, name: str) -> BinaryIO:
        meta = self._head(name)
        reader = _Ranges(self._client, name, meta["size"], meta["e_tag"])
        return cast(BinaryIO, BufferedReader(cast(Any, reader), RANGE_BYTES))

    def delete(self, name: str) -> None:
        import obstore

        try:
            obstore.delete(self._client, name)
        except Exception as error:
            raise _to_storage_error(error) from error

    def write(self, name: str, content: BinaryIO) -> None:
        import obstore

        try:
            obstore.put(self._client, name, cast(Any, content))
        except Exception as error:
            raise _to_storage_error(error) from error

    def _head(self, name: str) -> "ObjectMeta":
        import obstore

        try:
            return obstore.head(self._client, name)
        except Exception as error:
            raise _to_storage_error(error) from error


def _version(meta: "ObjectMeta") -> str:
    return meta["e_tag"] or meta["version"] or f"{meta['last_modified'].isoformat()}-{meta['size']}"


class _Ranges(RawIOBase):
    """Reader of an object range by range, all of one version."""

    def __init__(self, client: "Client", name: str, size: int, e_tag: str | None) -> None:
        self._client = client
        self._name = name
        self._size = size
        self._e_tag = e_tag
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer", /) -> int:
        import obstore

        room = memoryview(buffer)
        end = min(self._position + len(room), self._size)
        if end <= self._position:
            return 0
        try:
            answer = obstore.get(
                self._client,
                self._name,
                options={"range": (self._position, end), **({"if_match": self._e_tag} if self._e_tag else {})},
            )
            piece = memoryview(answer.bytes())
        except Exception as error:
            raise _to_storage_error(error) from error
        if len(piece) != end - self._position:
            raise StorageError(f"the store sent {len(piece)} bytes of {end - self._position}")
        room[: len(piece)] = piece
        self._position = end
        return len(piece)


def _to_storage_error(error: Exception) -> StorageError:
    """Convert an error of obstore to a short message with advice. Other errors are raised as they are."""
    from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError

    if not isinstance(error, (BaseError, OSError, PermissionDeniedError, UnauthenticatedError)):
        raise error
    text = str(error)
    status = _STATUS.search(text)
    code = _CODE.search(text)
    message = _MESSAGE.search(text)
    reason = message[1].rstrip(".") if message else _first_line(error)
    if _EMPTY_NAME in text:
        return StorageError(
            "a folder in it has an empty name, two slashes in a row",
            "copy its objects to names without an empty part, and delete those",
        )
    if isinstance(error, PreconditionError):
        return ObjectChanged("it was replaced while it was read")
    if code and code[1] in _NO_BUCKET:
        return StorageError(reason, "create the bucket, or set LANDING_URL to the one that holds the files")
    if status and status[1] in ("401", "403"):
        return StorageError(
            f"{code[1]}: {reason}" if code else reason,
            "check the credentials (for S3 AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN) and what they"
            " may list and read",
        )
    if isinstance(error, FileNotFoundError):
        return StorageError("no such object")
    if status and not status[1].startswith("5"):
        return StorageError(f"{code[1]}: {reason}" if code else reason)
    return StorageUnreachable(reason, "check the network and the endpoint (for S3 AWS_ENDPOINT_URL and AWS_REGION)")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].strip()
