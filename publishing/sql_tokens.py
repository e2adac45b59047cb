"""Tokens of dbt's SQL: what is left of a template without comments and without white space between tokens.

Jinja is split by Jinja's own lexer. Each of its expressions is one character of the SQL around it. So an expression
inside a quoted text, or next to a name, stays where it is.
"""

import re
from collections.abc import Iterator
from typing import Final

import jinja2

_JINJA: Final = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701 - nothing is rendered
_IGNORED: Final = ("whitespace", "comment_begin", "comment", "comment_end")
_BEGINS: Final = ("variable_begin", "block_begin")
_ENDS: Final = ("variable_end", "block_end")
# The first of Unicode's private characters; expression number n is this one plus n.
_FIRST_EXPRESSION: Final = 0xF0000
_EXPRESSION: Final = "\U000f0000-\U0010fffd"
_SQL: Final = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<text>[eEuU]?&?'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)"
    r"|(?P<number>\.?[0-9][\w.]*)"
    rf"|(?P<word>[\w{_EXPRESSION}]+)"
    r"|(?P<operator>(?:(?!--|/\*)[-+*/<>=~!@#%^&|?:])+)"
    r"|(?P<sign>\S)",
    re.DOTALL,
)
_EXPRESSIONS: Final = re.compile(f"([{_EXPRESSION}])")


def sql_tokens(template: str) -> Iterator[tuple[str, str]]:
    """Yield kind and text of every token of a template of SQL and Jinja, in order.

    Kinds: `sql` for SQL, and those of Jinja's lexer (name, string, operator and others) inside an expression. White
    space counts inside quotes and between SQL and an adjoining expression, and nowhere else.
    """
    expressions: list[list[tuple[str, str]]] = []
    text: list[str] = []
    for _, kind, value in _JINJA.lex(template):
        if kind in _IGNORED:
            continue
        if kind in _BEGINS:
            text.append(chr(_FIRST_EXPRESSION + len(expressions)))
            expressions.append([(kind, "")])
        elif kind in _ENDS:
            expressions[-1].append((kind, ""))
        elif kind in ("data", "raw_begin", "raw_end"):
            text.append(value)
        else:
            expressions[-1].append((kind, value))
    for match in _SQL.finditer("".join(text)):
        is_comment = match.lastgroup == "comment"
        for piece in _EXPRESSIONS.split(match[0]):
            if len(piece) == 1 and ord(piece) >= _FIRST_EXPRESSION:
                yield from expressions[ord(piece) - _FIRST_EXPRESSION]
            # An expression in a comment is evaluated, the rest of the comment is not.
            elif piece and not is_comment:
                yield "sql", piece
        # Separates tokens: "a b" is two, and "ab" one.
        if not is_comment:
            yield "end", ""
