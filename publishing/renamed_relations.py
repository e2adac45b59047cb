"""Renamed relations: schemas, tables, columns and indexes of older warehouses get their present names in place.

Readers keep their marts meanwhile, and rows are not touched. Views that have gone are dropped by name.
"""

from typing import Final

import psycopg
from psycopg import sql

from warehouse.roles.readers import MARTS, ROLLUPS
from warehouse.single_values import exist, value_of

# Old name to new name, November 2026.
SCHEMAS: Final = {"published": ROLLUPS}
# Of schema build, and of the rollups that are published from it.
TABLES: Final = {
    "visitor_activity": "visitor_lifespans",
    "visitor_activity_days": "visitor_active_days",
    "visitor_days": "visitor_asset_days",
    "visitor_last_days": "visitor_asset_last_seen",
}
COLUMNS: Final = {
    **{
        (schema, mart): {"place": "rank"}
        for schema in ("build", MARTS)
        for mart in ("asset_top_referrers", "creator_top_assets", "creator_traffic_sources")
    },
    ("intermediate", "int_events_sessionized"): {
        "is_tail": "is_next_day_part",
        "names_license_only": "has_only_license",
        "window_date": "written_with_date",
    },
    ("ops", "check_results"): {"judges_all": "covers_all_days"},
    ("ops", "last_build"): {"starts_anew": "is_full_rebuild"},
    # A view, which Python reads before the next build makes it again.
    ("intermediate", "int_events_attributed"): {"names_license_only": "has_only_license"},
}
INDEXES: Final = {
    ("intermediate", "int_events_sessionized_window_date"): "int_events_sessionized_written_with_date",
    ("ops", "check_results_verdict"): "check_results_by_check",
}
DROPPED_VIEWS: Final = (
    "int_ad_spend_classified",
    "int_assets_latest",
    "int_attribution_classified",
    "int_brands_latest",
    "int_creators_latest",
    "int_entities_dated",
    "int_license_adjustments_latest",
    "int_licenses_latest",
    "int_ownerships_latest",
    "int_projects_latest",
    "int_users_latest",
)


def rename_relations(connection: psycopg.Connection) -> None:
    """Rename what an older version has left, in one transaction. Changes nothing the second time."""
    if not _has_old_names(connection):
        return
    with connection.transaction(), connection.cursor() as cursor:
        schemas = {name for (name,) in cursor.execute("select nspname from pg_namespace")}
        for old, new in SCHEMAS.items():
            if old in schemas and new not in schemas:
                cursor.execute(sql.SQL("alter schema {} rename to {}").format(sql.Identifier(old), sql.Identifier(new)))
        for schema in ("build", ROLLUPS):
            for old, new in TABLES.items():
                _rename(cursor, schema, old, new)
        for (schema, table), columns in COLUMNS.items():
            for old, new in columns.items():
                _rename_column(cursor, schema, table, old, new)
        for (schema, old), new in INDEXES.items():
            _rename(cursor, schema, old, new)
        for view in DROPPED_VIEWS:
            if exist(cursor, f"intermediate.{view}"):
                # Views that read it are dropped too. The next build makes those that still have a model.
                cursor.execute(sql.SQL("drop view {} cascade").format(sql.Identifier("intermediate", view)))


def _has_old_names(connection: psycopg.Connection) -> bool:
    """Return whether anything has an old name: one query at each start of the warehouse, instead of one a name."""
    relations = [f"{schema}.{old}" for schema in ("build", ROLLUPS) for old in TABLES]
    relations += [f"{schema}.{old}" for schema, old in INDEXES] + [f"intermediate.{view}" for view in DROPPED_VIEWS]
    columns = [(f"{schema}.{table}", old) for (schema, table), renamed in COLUMNS.items() for old in renamed]
    found = value_of(
        connection,
        """
        select exists (select from pg_namespace where nspname = any(%s))
            or exists (select from unnest(%s::text[]) as name where to_regclass(name) is not null)
            or exists (
                select from unnest(%s::text[], %s::text[]) as renamed (relation, old_name)
                inner join pg_attribute on attrelid = to_regclass(relation) and attname = old_name
                where not attisdropped
            )
        """,
        [list(SCHEMAS), relations, [relation for relation, _ in columns], [old for _, old in columns]],
    )
    return bool(found)


def _rename(cursor: psycopg.Cursor, schema: str, old: str, new: str) -> None:
    """Rename a table and its indexes, or an index."""
    if not exist(cursor, f"{schema}.{old}") or exist(cursor, f"{schema}.{new}"):
        return
    cursor.execute("select indexname from pg_indexes where schemaname = %s and tablename = %s", [schema, old])
    indexes = cursor.fetchall()
    # Serves indexes as well.
    cursor.execute(sql.SQL("alter table {} rename to {}").format(sql.Identifier(schema, old), sql.Identifier(new)))
    for (index,) in indexes:
        _rename(cursor, schema, index, index.replace(old, new, 1))


def _rename_column(cursor: psycopg.Cursor, schema: str, table: str, old: str, new: str) -> None:
    cursor.execute(
        "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [f"{schema}.{table}"],
    )
    names = {name for (name,) in cursor.fetchall()}
    if old in names and new not in names:
        # Serves views as well.
        statement = sql.SQL("alter table {} rename column {} to {}")
        cursor.execute(statement.format(sql.Identifier(schema, table), sql.Identifier(old), sql.Identifier(new)))
