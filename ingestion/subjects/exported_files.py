"""Erasure of a subject from files that were exported before."""

import csv
import io
import re
import zipfile
from pathlib import Path

from ingestion.subjects.mentions import pattern, searched_ids
from ingestion.subjects.subject import Subject
from warehouse.atomic_file import atomic_writer


def erase_from_exports(folder: Path, subject: Subject) -> int:
    """Remove the subject's rows from the exports of events in a folder. Return the number of changed files.

    An archive of a subject is deleted, since it is about nobody else.
    """
    searched = pattern(searched_ids(subject))
    if not searched or not folder.is_dir():
        return 0
    names = re.compile(searched)
    changed = 0
    for path in sorted(folder.iterdir()):
        if path.suffix == ".csv":
            changed += _filter_csv(path, names)
        elif path.suffix == ".parquet":
            changed += _filter_parquet(path, names)
        elif path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                texts = [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
            if any(names.search(text) for text in texts):
                path.unlink()
                changed += 1
    return changed


def _filter_csv(path: Path, names: re.Pattern[str]) -> bool:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    kept = [row for row in rows if not any(names.search(cell) for cell in row)]
    if len(kept) == len(rows):
        return False
    with atomic_writer(path) as draft:
        text = io.TextIOWrapper(draft.file, "utf-8", newline="")
        csv.writer(text).writerows(kept)
        text.flush()
        text.detach()
    return True


def _filter_parquet(path: Path, names: re.Pattern[str]) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    keep = [
        not any(names.search(str(value)) for value in row.values() if value is not None) for row in table.to_pylist()
    ]
    if all(keep):
        return False
    with atomic_writer(path) as draft:
        pq.write_table(table.filter(pa.array(keep)), draft.file, compression="zstd")
    return True
