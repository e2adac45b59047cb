"""Register of erasures outside of the database: a file `erasures/<request>.json` each, beside the landing files.

A warehouse that was restored from an older backup lacks the erasures made since. The register tells, and they are
carried out again by the hashes of their ids before anything else is loaded.
"""

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg

from ingestion.landing.files import LandingError, LandingRoot
from ingestion.landing.storage import Storage, StorageError
from warehouse.single_values import exist

_FOLDER: Final = "erasures"


class ErasuresMissing(Exception):
    """Erasures of the register that this warehouse does not have: it was restored from an older backup."""


@dataclass(frozen=True, slots=True)
class RegisteredErasure:
    """An erasure of the register. Ids are hashes under WAREHOUSE_ERASURE_KEY."""

    request_id: UUID
    kind: str
    requested_by: str
    requested_at: datetime
    withdrawn_from: datetime | None
    # (hash in hex, random id in its place)
    ids: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, text: str | bytes) -> "RegisteredErasure":
        """Return the erasure of a file of the register. Raises ValueError."""
        stored = json.loads(text)
        withdrawn = stored["withdrawn_from"]
        return cls(
            UUID(stored["request_id"]),
            str(stored["kind"]),
            str(stored["requested_by"]),
            datetime.fromisoformat(stored["requested_at"]),
            None if withdrawn is None else datetime.fromisoformat(withdrawn),
            tuple((str(hashed), replacement) for hashed, replacement in stored["ids"]),
        )

    def dump(self) -> str:
        """Return the content of the erasure's file."""
        return json.dumps(
            {
                "request_id": str(self.request_id),
                "kind": self.kind,
                "requested_by": self.requested_by,
                "requested_at": self.requested_at.isoformat(),
                "withdrawn_from": self.withdrawn_from and self.withdrawn_from.isoformat(),
                "ids": self.ids,
            }
        )


def register_erasure(connection: psycopg.Connection, root: LandingRoot, request_id: UUID) -> None:
    """Write an erasure to the register. Raises LandingError when its folder cannot be written."""
    (erasure,) = erasures_of(connection, [request_id])
    _write(root.storage, f"{_FOLDER}/{request_id}.json", erasure.dump())


def erasures_of(connection: psycopg.Connection, request_ids: Iterable[UUID] | None = None) -> list[RegisteredErasure]:
    """Return erasures that this warehouse has carried out, by default all."""
    wanted = None if request_ids is None else list(request_ids)
    rows = connection.execute(
        """
        select erasures.request_id, kind, requested_by, requested_at, withdrawn_from,
            coalesce((
                select array_agg(array[encode(id_hash, 'hex'), replacement_id] order by id_hash)
                from ops.erased_ids as erased where erased.request_id = erasures.request_id
            ), '{}')
        from ops.erasures as erasures
        where %(wanted)s::uuid[] is null or erasures.request_id = any(%(wanted)s)
        order by erased_at
        """,
        {"wanted": wanted},
    ).fetchall()
    return [
        RegisteredErasure(request_id, kind, by, at, withdrawn, tuple((hashed, new) for hashed, new in ids))
        for request_id, kind, by, at, withdrawn, ids in rows
    ]


def missing_erasures(connection: psycopg.Connection, root: LandingRoot) -> list[UUID]:
    """Return the requests of the register whose erasures this warehouse does not have. Raises LandingError."""
    registered = _registered(root.storage)
    if not registered:
        return []
    known: set[UUID] = set()
    if exist(connection, "ops.erasures"):
        known = {UUID(str(request_id)) for (request_id,) in connection.execute("select request_id from ops.erasures")}
    return sorted(registered.keys() - known)


def require_all_erasures(connection: psycopg.Connection, root: LandingRoot) -> None:
    """Raise ErasuresMissing when this warehouse lacks erasures of the register."""
    if missing := missing_erasures(connection, root):
        raise ErasuresMissing(
            f"this warehouse lacks {len(missing)} erasures of persons that its landing storage registers: it was"
            " restored from an older backup. Run `warehouse erasures apply`, and then this run again; until then"
            " nothing is loaded"
        )


def read_missing(connection: psycopg.Connection, root: LandingRoot) -> list[RegisteredErasure]:
    """Return the erasures that this warehouse lacks, oldest first. Raises LandingError."""
    names = _registered(root.storage)
    found = []
    for request_id in missing_erasures(connection, root):
        name = names[request_id]
        try:
            with root.storage.open(name) as file:
                found.append(RegisteredErasure.parse(file.read()))
        except (StorageError, OSError, ValueError, KeyError) as error:
            raise LandingError(
                f"{root.storage.location(name)} cannot be read ({error}): restore it from a copy of the register"
            ) from error
    return sorted(found, key=lambda erasure: erasure.requested_at)


def copy_to_storage(root: LandingRoot, erasures: Iterable[RegisteredErasure]) -> int:
    """Write erasures to the register, as from a copy that was kept elsewhere. Return their number."""
    count = 0
    for erasure in erasures:
        _write(root.storage, f"{_FOLDER}/{erasure.request_id}.json", erasure.dump())
        count += 1
    return count


def dump_register(connection: psycopg.Connection) -> str:
    """Return all erasures as lines of JSON, to be kept outside of the warehouse and its landing storage."""
    return "".join(f"{erasure.dump()}\n" for erasure in erasures_of(connection))


def parse_register(lines: Iterable[str]) -> list[RegisteredErasure]:
    """Return the erasures of such lines. Raises ValueError naming the line that is none."""
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(RegisteredErasure.parse(line))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"line {number} is no erasure: {error}") from error
    return found


def _registered(storage: Storage) -> Mapping[UUID, str]:
    if not storage.has_folder(_FOLDER):
        return {}
    try:
        entries = storage.entries(_FOLDER)
    except StorageError as error:
        raise LandingError(f"{storage.location(_FOLDER)} cannot be listed ({error}): check its permissions") from error
    names: dict[UUID, str] = {}
    for entry in entries:
        stem, dot, _ = entry.own_name.partition(".json")
        if dot and entry.is_file:
            try:
                names[UUID(stem)] = entry.name
            except ValueError:
                continue
    return names


def _write(storage: Storage, name: str, text: str) -> None:
    content: Any = io.BytesIO(text.encode())
    try:
        storage.write(name, content)
    except (StorageError, OSError) as error:
        raise LandingError(
            f"{storage.location(name)} cannot be written ({error}): the register of erasures stands beside the landing"
            " files, and the account that runs Dagster needs the right to write there"
        ) from error
