"""The command `checks`: every check of the gates, with its gate, severity, threshold and description."""

import click


@click.command()
def checks() -> None:
    """List all checks: gate, severity, threshold, name, description. A failed error keeps days from being published."""
    from publishing import gates

    rows = [
        (
            *map(str, (check.gate, check.severity, check.threshold or "", check.name)),
            " ".join(check.description.split()),
        )
        for check in (*gates.RAW_CHECKS, *gates.BUILD_CHECKS)
    ]
    rows.append(("build", "error", "", gates.DBT_TESTS, "All dbt tests of severity error have passed."))
    rows.sort()
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        click.echo("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4]]))
