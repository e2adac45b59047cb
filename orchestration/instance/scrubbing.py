"""Erasure of ids of persons from what earlier runs have left: Dagster's tables, its files, logs of dbt and the server.

Texts are cut into words, and words that are ids are masked. So the cost depends on the texts, and not on how many ids
there are.
"""

import mmap
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from ingestion.subjects.mentions import MIN_LENGTH
from ingestion.subjects.subject import Subject

# As long as what it replaces: a process that is writing the file goes on behind it.
_MASK: Final = "x"
_WORD: Final = re.compile(r"[^\s\"'\\,;:()\[\]{}<>=&?#/|]+")
_BATCH_ROWS: Final = 1_000
# Columns of free text in Dagster's schema. Asset graphs and positions of sensors name no person.
_COLUMNS: Final = """
select table_name, column_name from information_schema.columns
where table_schema = 'dagster' and data_type in ('text', 'character varying')
    and (table_name, column_name) in (
        ('event_logs', 'event'), ('asset_check_executions', 'evaluation_event'), ('runs', 'run_body'),
        ('run_tags', 'value'), ('asset_event_tags', 'value'), ('asset_keys', 'last_materialization'),
        ('bulk_actions', 'body'), ('job_ticks', 'tick_body'), ('instigators', 'instigator_body'), ('jobs', 'job_body')
    )
order by 1, 2
"""
_TEXT_SUFFIXES: Final = frozenset({".log", ".out", ".err", ".json", ".sql", ".txt", ".csv", ".html", ""})


class Mask:
    """Masking of a subject's ids in texts. Ids of fewer than six characters are left: they occur by chance."""

    def __init__(self, subject: Subject) -> None:
        shared = set(subject.shared_devices)
        ids = [text for text in subject.ids if text not in shared and len(text) >= MIN_LENGTH]
        words = {text for text in ids if _WORD.fullmatch(text)}
        # A visitor is named by kind and id, and some ids hold characters that separate words.
        self._words = {text.lower() for text in words}
        others = sorted(set(ids) - words, key=len, reverse=True)
        self._others = re.compile("|".join(map(re.escape, others)), re.IGNORECASE) if others else None

    def __call__(self, text: str) -> str:
        """Return the text with every id replaced by as many letters."""
        masked = _WORD.sub(self._masked, text)
        return masked if self._others is None else self._others.sub(lambda match: _MASK * len(match[0]), masked)

    def _masked(self, match: "re.Match[str]") -> str:
        word = match[0]
        if word.lower() in self._words:
            return _MASK * len(word)
        # The end of a sentence, and ids that are joined by a dot or a hyphen.
        bare = word.rstrip(".!")
        return _MASK * len(bare) + word[len(bare) :] if bare.lower() in self._words else word


def scrub_tables(connection: psycopg.Connection, mask: Mask, *, log: Callable[[str], None]) -> int:
    """Mask ids in Dagster's tables, some rows a transaction. Return the number of changed rows."""
    changed = 0
    for table, column in connection.execute(_COLUMNS).fetchall():
        rows = scrub_column(connection, "dagster", table, column, mask)
        changed += rows
        if rows:
            log(f"dagster.{table}: ids of persons masked in {rows:,} rows")
    return changed


def scrub_column(connection: psycopg.Connection, schema: str, table: str, column: str, mask: Mask) -> int:
    """Mask ids in a column of texts, some rows a transaction. The table has a key `id`. Return the changed rows."""
    name, key = sql.Identifier(schema, table), sql.Identifier(column)
    last = 0
    changed = 0
    read = sql.SQL("select id, {} from {} where id > %s order by id limit %s").format(key, name)
    write = sql.SQL("update {} set {} = %s where id = %s").format(name, key)
    while rows := connection.execute(read, [last, _BATCH_ROWS]).fetchall():
        last = rows[-1][0]
        new = [(masked, row_id) for row_id, text in rows if text is not None and (masked := mask(text)) != text]
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(write, new)
        changed += len(new)
    return changed


def scrub_files(folders: Iterable[Path], mask: Mask, *, log: Callable[[str], None]) -> int:
    """Mask ids in the text files below folders, in place. Return the number of changed files.

    A file that this account may not write is named in the log.
    """
    changed = 0
    for path in _text_files(folders):
        try:
            changed += _scrub_file(path, mask)
        except OSError as error:
            log(f"{path} cannot be searched for ids of persons: {error.strerror}; do it as the account that wrote it")
    return changed


def _text_files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.suffix in _TEXT_SUFFIXES and path.is_file() and not path.is_symlink():
                yield path


def _scrub_file(path: Path, mask: Mask) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        is_changed = False
        start = 0
        while start < len(content):
            end = content.find(b"\n", start) + 1 or len(content)
            line = content[start:end]
            try:
                masked = mask(line.decode()).encode()
            except UnicodeDecodeError:
                masked = line
            if masked != line and len(masked) == len(line):
                content[start:end] = masked
                is_changed = True
            start = end
        return is_changed
