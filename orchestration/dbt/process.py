"""dbt's command line, in a process that ends with the run that started it."""

import sys

from warehouse.child_processes import end_with_parent


def main() -> None:
    """Run dbt with the arguments of this process."""
    end_with_parent()
    from dbt.cli.main import cli

    sys.exit(cli())


if __name__ == "__main__":
    main()
