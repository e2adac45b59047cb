"""The command `checks`: every check of the gates, with its gate, severity and description."""

import inspect
from collections.abc import Iterator

import click


@click.command()
def checks() -> None:
    """List all checks: gate, severity, name, description. A failed error keeps days from being published."""
    rows = sorted(_rows())
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        click.echo("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]))


def _rows() -> Iterator[tuple[str, str, str, str]]:
    from publishing import gates
    from quality_checks.suite import load_suite

    for gate, functions, severity in (
        ("raw", gates.RAW_CHECKS, "error"),
        ("raw", gates.RAW_WARNINGS, "warning"),
        ("build", gates.BUILD_CHECKS, "error"),
        ("build", gates.BUILD_WARNINGS, "warning"),
    ):
        for check in functions:
            about = inspect.cleandoc(check.__doc__ or "").partition("\n\n")[0]
            yield gate, severity, gates.name_of(check), " ".join(about.split())
    for gate, suites in (("raw", gates.RAW_SUITES), ("build", gates.BUILD_SUITES)):
        for suite in map(load_suite, suites):
            yield gate, suite.severity.value, suite.check, suite.about
    yield "build", "error", gates.DBT_TESTS, "All tests of the dbt project with severity error have passed."
