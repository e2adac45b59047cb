"""The asset graph as text, one line an asset or check. `make graph` writes it to graph.txt, where a diff is read."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

SNAPSHOT: Final = Path(__file__).with_name("graph.txt")


def snapshot(graph: AssetGraph) -> str:
    """Return every asset with its parents, and every check that is no dbt test with what its failure does."""
    return "".join(f"{line}\n" for line in (*sorted(_assets(graph)), *sorted(_checks(graph))))


def parents(text: str) -> dict[str, set[str]]:
    """Return the assets of a snapshot with their parents."""
    lines = (line.split() for line in text.splitlines() if line.startswith("asset "))
    return {name: set(names[1:]) for _, name, *names in lines}


def _assets(graph: AssetGraph) -> Iterator[str]:
    for key in graph.get_all_asset_keys():
        names = sorted(parent.to_user_string() for parent in graph.get(key).parent_keys)
        yield " ".join(("asset", key.to_user_string(), *(["<-", *names] if names else [])))


def _checks(graph: AssetGraph) -> Iterator[str]:
    of_dbt = graph.get(next(key for key in graph.get_all_asset_keys() if key.path == ["build", "daily_metrics"]))
    own = graph.asset_check_keys - set(of_dbt.assets_def.check_keys)  # type: ignore[attr-defined]
    for key in own:
        yield f"check {key.asset_key.to_user_string()} {key.name} {'blocks' if graph.get(key).blocking else 'warns'}"


if __name__ == "__main__":
    from tests.support.code_location import definitions

    SNAPSHOT.write_text(snapshot(definitions().resolve_asset_graph()))  # type: ignore[arg-type]
    sys.stdout.write(f"{SNAPSHOT} is written: look at its diff\n")
