"""Migration that fills the normalised UTM columns of events that an older version loaded.

attribution_table.py lists the days in ops.unnormalized_days when it adds the columns. Each day is filled in its own
transaction, so that an interrupted run continues where it stopped.
"""

from datetime import date
from typing import Final

import psycopg

from ingestion.attribution_table import ATTRIBUTION_COLUMN_NAMES
from ingestion.redaction.redactor import redactor_for
from ingestion.utm_normalization import Redact, normalized_detail, normalized_name, normalized_source
from ingestion.validation_lists import EventRules, default_rules

_UTM_FIELDS: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
# Each filled column, its source column, and its form.
_FILLED: Final = (
    ("utm_source_normalized", "utm_source", "source"),
    ("utm_medium_normalized", "utm_medium", "name"),
    ("utm_campaign_normalized", "utm_campaign", "name"),
    ("utm_term", "utm_term", "detail"),
    ("utm_content", "utm_content", "detail"),
)
_CANDIDATES: Final = ("raw.duplicate_events", "raw.rejected_events")


def _texts() -> str:
    stored = [
        f"select {field} as sent from raw.attribution where event_date = %(day)s and {field} is not null"
        for field in _UTM_FIELDS
    ]
    candidates = [
        f"select candidate ->> '{field}' from {table}"
        f" where event_date = %(day)s and candidate ->> '{field}' is not null"
        for table in _CANDIDATES
        for field in _UTM_FIELDS
    ]
    return " union ".join(stored + candidates)


def _form(of: str, form: str) -> str:
    return f"(select forms.{form} from forms where forms.sent = {of})"


_TEXTS: Final = _texts()
_CREATE_FORMS: Final = (
    "create temporary table forms (sent text primary key, source text, name text, detail text) on commit drop"
)
_FILL: Final = f"""
update raw.attribution as attribution
set {", ".join(f"{column} = {_form(f'attribution.{field}', form)}" for column, field, form in _FILLED)}
where event_date = %(day)s and coalesce({", ".join(_UTM_FIELDS)}) is not null
"""
# An event whose only attribution was a blank term has none.
_DELETE_EMPTY: Final = f"""
delete from raw.attribution
where event_date = %(day)s and coalesce({", ".join(ATTRIBUTION_COLUMN_NAMES)}) is null
"""
# A duplicate can later become the stored event, from its JSON, which must have every column, nulls too.
_ABSENT: Final = ", ".join(f"'{name}', null" for name in ATTRIBUTION_COLUMN_NAMES)
_FORMS: Final = ", ".join(f"'{column}', " + _form(f"candidate ->> '{field}'", form) for column, field, form in _FILLED)
_CANDIDATE: Final = f"jsonb_build_object({_ABSENT}) || candidate || jsonb_build_object({_FORMS})"
_FILL_CANDIDATES: Final = (
    f"update raw.duplicate_events set candidate = {_CANDIDATE} where event_date = %(day)s",
    # The line of a rate-limited event is its candidate.
    f"""
    update raw.rejected_events as rejected
    set candidate = filled.candidate, line = filled.candidate::text,
        line_bytes = octet_length(filled.candidate::text)
    from (
        select load_id, line_number, line_position, {_CANDIDATE} as candidate
        from raw.rejected_events
        where event_date = %(day)s and candidate is not null
    ) as filled
    where rejected.load_id = filled.load_id and rejected.line_number = filled.line_number
        and rejected.line_position = filled.line_position
    """,
)


def fill_normalized(connection: psycopg.Connection, rules: EventRules | None = None) -> list[date]:
    """Fill the normal forms of all listed days, oldest first. Returns these days.

    Without listed days it costs one query. Personal data that only a normal form shows is redacted by `rules`, by
    default the seeds'. Tables of schemas raw and ops must exist, and no other session may write raw meanwhile. After a
    psycopg.Error the earlier days are filled.
    """
    redact = redactor_for(rules or default_rules()).short_text
    days = connection.execute("select event_date from ops.unnormalized_days order by event_date").fetchall()
    for (day,) in days:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("select ops.assert_writer()")
            _fill(cursor, day, redact)
            cursor.execute("delete from ops.unnormalized_days where event_date = %s", [day])
    return [day for (day,) in days]


def _fill(cursor: psycopg.Cursor, day: date, redact: Redact) -> None:
    parameters = {"day": day}
    sent = [text for (text,) in cursor.execute(_TEXTS, parameters).fetchall()]
    cursor.execute(_CREATE_FORMS)
    with cursor.copy("copy forms from stdin") as copy:
        for text in sent:
            forms = (normalized_source(text, redact), normalized_name(text, redact), normalized_detail(text, redact))
            copy.write_row((text, *forms))
    cursor.execute("analyze forms")
    for statement in (_FILL, _DELETE_EMPTY, *_FILL_CANDIDATES):
        cursor.execute(statement, parameters)
