"""HTML pages as tests read them: their elements, their text, and the tables below each heading."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "input", "hr"}


@dataclass
class Page(HTMLParser):
    """A page that is read by `feed`. A page whose elements are not closed in order cannot be read."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    # The heading of level 3, or of 2, above each row of cells.
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    # Texts outside of tables and charts, by their heading.
    texts: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._heading = ""
        self._cells: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in VOID:
            return
        self._open.append(tag)
        if tag in {"h1", "h2", "h3"}:
            self._heading = ""
        elif tag == "tr":
            self._cells = []
        elif tag in {"th", "td"}:
            assert self._cells is not None
            self._cells.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"{tag} is closed out of order"
        if tag == "tr" and self._cells is not None:
            self.tables.setdefault(self._heading, []).append(self._cells)
            self._cells = None

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in {"h1", "h2", "h3"}:
            self._heading += data
        elif self._cells and self._open[-1] in {"th", "td"}:
            self._cells[-1] += data
        elif data.strip() and not {"svg", "style"} & set(self._open):
            self.texts.setdefault(self._heading, []).append(" ".join(data.split()))

    def rows(self, heading: str) -> list[list[str]]:
        """Return the rows below the head of the table under a heading."""
        return self.tables[heading][1:]

    def said(self, heading: str) -> str:
        """Return the texts under a heading."""
        return " ".join(self.texts[heading])


def read_page(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert page._open == []
    return page
