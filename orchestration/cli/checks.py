"""The command `checks`: every check, as a list or as the page docs/reference/checks.md."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from quality_checks.registry import Check

_DBT_TESTS: Final = "All dbt tests of severity error have passed."
_HEAD: Final = """# Checks

Every check of the two gates, and those of what BI reads. A failed check of severity error keeps its days from being
published; a failed warning is shown. [gates.md](../concepts/gates.md) explains the gates. `make graph` writes this page
from the declarations of the checks, and edits are lost.

Two more warnings belong to no gate. `ad_spend_files_are_usable` is of `raw/ad_spend`: [ad_spend.md](ad_spend.md).
`days_are_current` is of every mart that BI reads: each day that is due is published, and none is stale or refused.
"""
_GATES: Final = {
    "raw": "runs after a load, before dbt reads `raw`",
    "build": "runs after dbt has built the models, before the days move to `marts`",
}
_AFTERWARDS: Final = """## After publication

These checks read `marts` as `bi_reader` once the days are published. They warn, and hold nothing back.
"""


@click.command()
@click.option("--markdown", "is_markdown", is_flag=True, help="Print the page docs/reference/checks.md.")
def checks(*, is_markdown: bool) -> None:
    """List all checks: gate, severity, asset, name, threshold, description. A failed error blocks publication."""
    if is_markdown:
        click.echo(page(), nl=False)
        return
    from publishing import gates

    rows = [
        (
            *map(str, (check.gate, check.severity, check.asset, check.name, check.threshold or "")),
            " ".join(check.description.split()),
        )
        for check in (*gates.RAW_CHECKS, *gates.BUILD_CHECKS, *gates.DASHBOARD_CHECKS)
    ]
    rows.append(("build", "error", "build/*", gates.DBT_TESTS, "", _DBT_TESTS))
    rows.sort()
    *widths, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
    for row in rows:
        click.echo("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]]))


def page() -> str:
    """Return the contents of docs/reference/checks.md: one table for each gate."""
    from publishing import gates

    dbt_tests = ("error", "build/*", gates.DBT_TESTS, _DBT_TESTS, "dbt_project/models")
    rows = {
        "raw": sorted(map(_row, gates.RAW_CHECKS)),
        "build": sorted([dbt_tests, *map(_row, gates.BUILD_CHECKS)]),
    }
    lines = [_HEAD]
    for gate, moment in _GATES.items():
        lines += [f"## The {gate} gate\n", f"The {gate} gate {moment}.\n", *_table(rows[gate])]
    return "\n".join([*lines, _AFTERWARDS, *_table(sorted(map(_row, gates.DASHBOARD_CHECKS)))])


def _row(check: "Check") -> tuple[str, ...]:
    from quality_checks.registry import RuleCheck
    from quality_checks.suite import Suite

    is_by = f" Threshold: {check.threshold}." if check.threshold else ""
    file = ""
    if isinstance(check, Suite):
        file = f"quality_checks/suites/{check.file}.json"
    elif isinstance(check, RuleCheck):
        file = check.rule.__module__.replace(".", "/") + ".py"
    return (str(check.severity), check.asset, check.name, " ".join(check.description.split()) + is_by, file)


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield "| check | table | severity | holds that | declared in |"
    yield "|---|---|---|---|---|"
    for severity, asset, name, description, file in rows:
        yield f"| `{name}` | `{asset}` | {severity} | {description} | `{file}` |"
    yield ""
