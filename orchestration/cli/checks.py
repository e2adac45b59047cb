"""The command `checks`: every check of the gates, with its asset, severity, threshold and description."""

import click


@click.command()
def checks() -> None:
    """List all checks: gate, severity, asset, name, threshold, description. A failed error blocks publication."""
    from publishing import gates

    rows = [
        (
            *map(str, (check.gate, check.severity, check.asset, check.name, check.threshold or "")),
            " ".join(check.description.split()),
        )
        for check in (*gates.RAW_CHECKS, *gates.BUILD_CHECKS)
    ]
    rows.append(("build", "error", "build/*", gates.DBT_TESTS, "", "All dbt tests of severity error have passed."))
    rows.sort()
    *widths, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
    for row in rows:
        click.echo("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]]))
