"""Migration of ad spend tables of an older version, which had one row a key and no normal forms.

Rows that another row of their file replaced are still stored, as duplicates, so no file has to be read for them. The
next load reads existing files again all the same, since the older version changed their values.
"""

from typing import Final

import psycopg

from ingestion.ad_spend.schema import FORM_COLUMNS
from ingestion.ad_spend.spend_ranking import CREATE_INCOMING, rank_days
from ingestion.redaction import Redactor, redactor_for
from ingestion.utm_normalization import normalized_name, normalized_source
from ingestion.validation_lists import EventRules
from warehouse.change_queues import next_change_id
from warehouse.single_values import value_of

_TABLES: Final = ("raw.ad_spend", "raw.duplicate_ad_spend")
_IS_OLD: Final = """
select not exists (
    select from pg_attribute where attrelid = 'raw.ad_spend'::regclass and attname = 'utm_source_normalized'
)
"""
# The unique constraint of a key has a generated, truncated name.
_ONE_ROW_A_KEY: Final = """
select quote_ident(conname) from pg_constraint where conrelid = 'raw.ad_spend'::regclass and contype = 'u'
"""
_CREATE_FORMS: Final = """
create temporary table forms (sent text primary key, redacted text, source text, name text) on commit drop
"""
_TEXTS: Final = " union ".join(
    f"select {sent} from {table} where {sent} is not null" for table in _TABLES for sent in FORM_COLUMNS.values()
)


def _form(sent: str, form: str) -> str:
    return f"(select forms.{form} from forms where forms.sent = known.{sent})"


_FILLED: Final = ", ".join(
    f"{sent} = {_form(sent, 'redacted')}, {column} = {_form(sent, 'source' if sent == 'utm_source' else 'name')}"
    for column, sent in FORM_COLUMNS.items()
)
_CLEAR_CHECKSUMS: Final = "update ops.ad_spend_loads set checksum = '' where replaced_by is null"


def migrate(cursor: psycopg.Cursor, rules: EventRules) -> None:
    """Migrate tables of an older version, in the transaction of the caller. Names are redacted by `rules`."""
    if not value_of(cursor, _IS_OLD):
        return
    cursor.execute("select ops.assert_writer()")
    cursor.execute("lock table ops.ad_spend_loads in share row exclusive mode")
    for (constraint,) in cursor.execute(_ONE_ROW_A_KEY).fetchall():
        cursor.execute(f"alter table raw.ad_spend drop constraint {constraint}")
    cursor.execute("alter table raw.ad_spend add primary key (load_id, line_number)")
    for table in _TABLES:
        added = ", ".join(f"add column {column} text" for column in FORM_COLUMNS)
        cursor.execute(f"alter table {table} {added}")
    _fill(cursor, redactor_for(rules))
    cursor.execute(CREATE_INCOMING)
    rank_days(cursor, replaced=[], change_id=next_change_id(cursor), is_whole=True)
    cursor.execute(_CLEAR_CHECKSUMS)


def _fill(cursor: psycopg.Cursor, redactor: Redactor) -> None:
    texts = [text for (text,) in cursor.execute(_TEXTS).fetchall()]
    cursor.execute(_CREATE_FORMS)
    with cursor.copy("copy forms from stdin") as copy:
        for text in texts:
            redacted, redact = redactor.text(text), redactor.short_text
            forms = normalized_source(redacted, redact), normalized_name(redacted, redact)
            copy.write_row((text, redacted, *forms))
    for table in _TABLES:
        cursor.execute(f"update {table} as known set {_FILLED}")
