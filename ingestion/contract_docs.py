"""Documents for authors of trackers, made from contract.py: docs/reference/event.schema.json, and the tables of fields
in docs/reference/events.md. `python -m ingestion.contract_docs` writes both; a test keeps them equal to the contract.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from ingestion.contract import SECTIONS, Event, expectation
from ingestion.contract_schema import event_schema

DOCS: Final = Path(__file__).resolve().parents[1] / "docs" / "reference"
SCHEMA_FILE: Final = "event.schema.json"
PAGE_FILE: Final = "events.md"
COMMAND: Final = "python -m ingestion.contract_docs"
_BEGIN: Final = (
    "<!-- Fields: made from ingestion/contract.py by `python -m ingestion.contract_docs`; edits are lost. -->"
)
_END: Final = "<!-- End of fields -->"


def schema_text() -> str:
    """Return the contents of docs/reference/event.schema.json."""
    return json.dumps(event_schema(), indent=2, ensure_ascii=False) + "\n"


def page_text(page: str) -> str:
    """Return docs/reference/events.md with the present tables of fields. Raises ValueError without their marks."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the page has lost the marks around its tables of fields: {_BEGIN} and {_END}")
    tables = [_table("The event", Event), *(_table(f"`{name}`", struct) for name, struct in SECTIONS.items())]
    joined = "\n".join(tables)
    return f"{before}{_BEGIN}\n\n{joined}\n{_END}{after}"


def main(folder: Path = DOCS) -> int:
    """Write both files."""
    (folder / SCHEMA_FILE).write_text(schema_text(), encoding="utf-8")
    page = folder / PAGE_FILE
    page.write_text(page_text(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def _table(title: str, struct: type[msgspec.Struct]) -> str:
    rows = ["| field | what it must be |", "|---|---|"]
    for field in msgspec.structs.fields(struct):
        words = _words(field.encode_name, field.type)
        rows.append(f"| `{field.encode_name}` | {'**required**; ' if field.required else ''}{words} |")
    return f"### {title}\n\n" + "\n".join(rows) + "\n"


def _words(name: str, annotation: Any) -> str:
    if name in SECTIONS and name != "props":
        return "an object, its fields below"
    return "anything" if annotation is Any else expectation(annotation)


if __name__ == "__main__":
    sys.exit(main())
