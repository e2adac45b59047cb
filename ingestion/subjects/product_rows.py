"""Erasure of a subject from the product's tables in raw, and from what later reads of these tables bring.

The users row goes. A creator or brand goes too, unless assets, shares, licenses, projects or payouts are theirs. Then
these rows stay as they are, under a random id without a name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import psycopg
from psycopg import sql

from ingestion.application.changed_terms import record_changed_terms
from ingestion.application.schema import TABLES, Table
from ingestion.subjects.erased_ids import ENTITY_KINDS, IdKind, hash_sql, id_hash
from ingestion.subjects.subject import Subject
from warehouse.single_values import value_of

# Columns that hold an id of a kind, by table; `id` is the row itself.
_ID_COLUMNS: Final[Mapping[str, Mapping[str, IdKind]]] = {
    "users": {"id": IdKind.PERSON},
    "creators": {"id": IdKind.CREATOR, "user_id": IdKind.PERSON},
    "brands": {"id": IdKind.BRAND, "user_id": IdKind.PERSON},
    "ip_assets": {"created_by": IdKind.PERSON},
    "ip_ownerships": {"creator_id": IdKind.CREATOR},
    "projects": {"brand_id": IdKind.BRAND},
    "licenses": {"brand_id": IdKind.BRAND},
    "payouts": {"creator_id": IdKind.CREATOR},
}
# Columns that name a person, in tables whose rows may stay.
_NAMES: Final = {"creators": "display_name", "brands": "company_name"}
# Rows that keep a creator or brand: of a creator also the assets that the person has made.
_OWNED: Final[Mapping[IdKind, str]] = {
    IdKind.CREATOR: """
        select creator_id from raw.ip_ownerships union select creator_id from raw.payouts
        union select creators.id from raw.creators inner join raw.ip_assets on ip_assets.created_by = creators.user_id
    """,
    IdKind.BRAND: "select brand_id from raw.licenses union select brand_id from raw.projects",
}
_ENTITY_TYPES: Final = {kind: entity_type for entity_type, kind in ENTITY_KINDS.items()}
_BY_NAME: Final = {table.name: table for table in TABLES}


@dataclass(frozen=True, slots=True)
class ErasedProductRows:
    """Rows by table that were erased or renamed, and the random id, or None, of each erased id by kind."""

    rows: Mapping[str, int]
    replacements: Mapping[tuple[IdKind, str], str | None]

    @property
    def entities(self) -> dict[tuple[str, str], str | None]:
        """Return the replacements by the entity type of events."""
        return {(_ENTITY_TYPES[kind], text): new for (kind, text), new in self.replacements.items()}


def erase_rows(cursor: psycopg.Cursor, subject: Subject, *, change_id: int, key: bytes) -> ErasedProductRows:
    """Erase the subject from the product's tables in raw, in the caller's transaction.

    Days on which an asset of theirs was owned or licensed become stale: marts name owners by their ids.
    """
    # The hash of a version needs one text form of times, as in a read.
    cursor.execute("set local timezone = 'UTC'")
    cursor.execute("set local datestyle = 'ISO'")
    replacements = _replacements(cursor, subject, key)
    _record_changed_terms(cursor, replacements, change_id)
    rows = {}
    for name, columns in _ID_COLUMNS.items():
        table = _BY_NAME[name]
        raw = sql.Identifier("raw", name)
        rows[f"raw.{name}"] = 0
        row_kind = columns.get("id")
        gone = [text for (kind, text), new in replacements.items() if kind is row_kind and new is None]
        if name == "users":
            gone = list(subject.persons)
        if gone:
            rows[f"raw.{name}"] += cursor.execute(
                sql.SQL("delete from {} where id = any(%s)").format(raw), [gone]
            ).rowcount
        for column, kind in columns.items():
            rows[f"raw.{name}"] += _rename(cursor, table, column, kind, replacements)
    return ErasedProductRows({name: count for name, count in rows.items() if count}, replacements)


def count_rows(cursor: psycopg.Cursor, subject: Subject) -> dict[str, int]:
    """Return the number of rows that name the subject, by table, without changing anything."""
    ids = {IdKind.PERSON: subject.persons, IdKind.CREATOR: subject.creators, IdKind.BRAND: subject.brands}
    counts = {}
    for name, columns in _ID_COLUMNS.items():
        conditions = sql.SQL(" or ").join(
            sql.SQL("{} = any({})").format(sql.Identifier(column), sql.Literal(list(ids[kind])))
            for column, kind in columns.items()
        )
        query = sql.SQL("select count(*) from {} where {}").format(sql.Identifier("raw", name), conditions)
        if count := value_of(cursor, query):
            counts[f"raw.{name}"] = count
    return counts


def redact_incoming(cursor: psycopg.Cursor, table: Table, parameters: Mapping[str, Any], *, are_ids: bool) -> None:
    """Erase persons from the rows, or ids, that a read has copied into its temporary table.

    `parameters` are those of erased_ids.hash_parameters.
    """
    columns = _ID_COLUMNS.get(table.name, {})
    incoming = sql.Identifier("pg_temp", f"{'present' if are_ids else 'incoming'}_{table.name}")
    for column, kind in columns.items():
        if are_ids and column != "id":
            continue
        values: list[sql.Composable] = [sql.SQL("{} = erased.replacement_id").format(sql.Identifier(column))]
        if not are_ids and table.name in _NAMES:
            values.append(sql.SQL("{} = null").format(sql.Identifier(_NAMES[table.name])))
        parts = {
            "incoming": incoming,
            "column": sql.Identifier(column),
            "values": sql.SQL(", ").join(values),
            "hash": sql.SQL(hash_sql(kind, f'incoming."{column}"')),
        }
        if column == "id":
            # A person's row in users never stays, even where a random id takes its place elsewhere.
            kept = sql.SQL("false" if kind is IdKind.PERSON else "erased.replacement_id is not null")
            cursor.execute(_DELETE_INCOMING.format(kept=kept, **parts), parameters)
        cursor.execute(_RENAME_INCOMING.format(**parts), parameters)


_DELETE_INCOMING: Final = sql.SQL(
    """
    delete from {incoming} as incoming using ops.erased_ids as erased
    where erased.erased_from is null and erased.id_hash = {hash} and not {kept}
    """
)
_RENAME_INCOMING: Final = sql.SQL(
    """
    update {incoming} as incoming set {values} from ops.erased_ids as erased
    where erased.erased_from is null and erased.id_hash = {hash}
    """
)


def _replacements(cursor: psycopg.Cursor, subject: Subject, key: bytes) -> dict[tuple[IdKind, str], str | None]:
    """Return a random id for each creator and brand whose rows stay, and for their persons; None for what goes.

    An id that was erased before keeps the random id that it has.
    """
    known = {
        bytes(hashed): text
        for hashed, text in cursor.execute(
            "select id_hash, replacement_id from ops.erased_ids where replacement_id is not null"
        ).fetchall()
    }

    def random_id(kind: IdKind, *texts: str) -> str:
        return next((known[found] for text in texts if (found := id_hash(kind, text, key)) in known), str(uuid4()))

    replacements: dict[tuple[IdKind, str], str | None] = {}
    for kind, ids in ((IdKind.CREATOR, subject.creators), (IdKind.BRAND, subject.brands)):
        cursor.execute(f"select owner_id from ({_OWNED[kind]}) as owned (owner_id) where owner_id = any(%s)", [[*ids]])
        kept = {owner_id for (owner_id,) in cursor}
        replacements |= {(kind, text): random_id(kind, text) if text in kept else None for text in ids}
    is_kept = any(replacements.values())
    made = "select exists (select from raw.ip_assets where created_by = any(%s))"
    has_made_assets = value_of(cursor, made, [[*subject.persons]])
    # One id for all of them: the product's tables join creators and assets by their user.
    person = random_id(IdKind.PERSON, *subject.persons) if is_kept or has_made_assets else None
    return replacements | {(IdKind.PERSON, text): person for text in subject.persons}


def _rename(
    cursor: psycopg.Cursor,
    table: Table,
    column: str,
    kind: IdKind,
    replacements: Mapping[tuple[IdKind, str], str | None],
) -> int:
    """Replace the ids in one column, in all versions of its rows. Return the number of changed rows."""
    renamed = {text: new for (own_kind, text), new in replacements.items() if own_kind is kind}
    if not renamed or (table.name, column) == ("users", "id"):
        return 0
    named = f"raw.{table.name}"
    values = [f"{column} = renamed.new_id"]
    if name := _NAMES.get(table.name):
        values.append(f"{name} = null")
    changed = cursor.execute(
        f"update {named} set {', '.join(values)} from unnest(%s::text[], %s::text[]) as renamed (old_id, new_id)"
        f" where {named.rpartition('.')[2]}.{column} = renamed.old_id",
        [list(renamed), list(renamed.values())],
    ).rowcount
    if changed:
        version = f"sha256(convert_to(jsonb_build_array({', '.join(table.raw_names)})::text, 'UTF8'))"
        cursor.execute(f"update {named} set version_hash = {version} where version_hash <> {version}")
    return changed


def _record_changed_terms(
    cursor: psycopg.Cursor, replacements: Mapping[tuple[IdKind, str], str | None], change_id: int
) -> None:
    for name, column, kind in (
        ("ip_ownerships", "creator_id", IdKind.CREATOR),
        ("licenses", "brand_id", IdKind.BRAND),
    ):
        renamed = {text: new for (own_kind, text), new in replacements.items() if own_kind is kind}
        cursor.execute(
            f"""
            create temporary table delta_{name} on commit drop as
            select distinct on (id) * from raw.{name} as version
            where exists (select from unnest(%s::text[]) as old_id where old_id = version.{column})
            order by id, change_id desc
            """,
            [list(renamed)],
        )
        cursor.execute(
            f"update pg_temp.delta_{name} set {column} = renamed.new_id"
            f" from unnest(%s::text[], %s::text[]) as renamed (old_id, new_id) where {column} = renamed.old_id",
            [list(renamed), list(renamed.values())],
        )
    record_changed_terms(cursor, change_id)
    cursor.execute("drop table pg_temp.delta_ip_ownerships, pg_temp.delta_licenses")
