"""Page of dbt's documentation for readers of marts: `python -m publishing.docs_page MANIFEST PAGE`.

dbt takes types from a warehouse and knows tables where it builds them. This page takes types from the contracts, shows
marts where they are read, and lists them on its first page.
"""

import argparse
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from publishing.marts import Mart, marts_of
from warehouse.roles.readers import MARTS

_OVERVIEW: Final = "__overview__"
# In dbt's page, the places of the two documents.
_MANIFEST: Final = '"MANIFEST.JSON INLINE DATA"'
_CATALOG: Final = '"CATALOG.JSON INLINE DATA"'


def page(manifest: Mapping[str, Any]) -> str:
    """Return the page as one HTML file that needs no other."""
    shown = published(manifest)
    html = files("dbt.task.docs").joinpath("index.html").read_text()
    for place, content in ((_MANIFEST, shown), (_CATALOG, catalog(shown))):
        # A description must not end the script that holds it.
        html = html.replace(place, json.dumps(content).replace("</", "<\\/"))
    return html


def published(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest with marts where they are read, and the list of marts on the first page."""
    marts = {mart.name: mart for mart in marts_of(manifest)}
    nodes = {
        unique_id: _read_at(node, marts[node["name"]])
        if node["resource_type"] == "model" and node["schema"] == "build"
        else node
        for unique_id, node in manifest["nodes"].items()
    }
    links = {
        node["name"]: f"#!/model/{unique_id}" for unique_id, node in nodes.items() if node["resource_type"] == "model"
    }
    listed = [_line(mart, links[mart.name]) for mart in marts.values() if mart.schema == MARTS]
    table = "\n".join(["| mart | shows | one row per |", "|---|---|---|", *listed])
    docs = {
        unique_id: {**block, "block_contents": f"{block['block_contents']}\n\n## All marts\n\n{table}\n"}
        if block["name"] == _OVERVIEW and block["package_name"] == manifest["metadata"]["project_name"]
        else block
        for unique_id, block in manifest["docs"].items()
    }
    return {**manifest, "nodes": nodes, "docs": docs}


def _read_at(node: Mapping[str, Any], mart: Mart) -> dict[str, Any]:
    where = f"Read it as `{mart.schema}.{mart.name}`." if mart.schema == MARTS else "Only the pipeline reads it."
    said = f"{node['description']}\n\n{where} dbt builds it as `build.{mart.name}`; checks pass before it is published."
    return {**node, "schema": mart.schema, "relation_name": f"{mart.schema}.{mart.name}", "description": said}


def _line(mart: Mart, link: str) -> str:
    shows = mart.description.partition(". ")[0].rstrip(".").replace("|", "/").replace("\n", " ")
    return f"| [{mart.name}]({link}) | {shows} | {', '.join(mart.grain)} |"


def catalog(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a catalog as dbt would read it from a warehouse, from the declared columns alone."""
    return {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json"},
        "nodes": {
            unique_id: _table(node)
            for unique_id, node in manifest["nodes"].items()
            if node["resource_type"] in ("model", "seed")
        },
        "sources": {unique_id: _table(node) for unique_id, node in manifest["sources"].items()},
        "errors": None,
    }


def _table(node: Mapping[str, Any]) -> dict[str, Any]:
    kind = "view" if node["config"].get("materialized") == "view" else "table"
    return {
        "unique_id": node["unique_id"],
        "metadata": {
            "type": kind,
            "schema": node["schema"],
            "name": node["name"],
            "database": node["database"],
            "comment": node["description"],
            "owner": None,
        },
        "columns": {
            name: {"type": column.get("data_type") or "", "index": index, "name": name, "comment": None}
            for index, (name, column) in enumerate(node["columns"].items(), 1)
        },
        "stats": {},
    }


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("page", type=Path)
    arguments = parser.parse_args()
    arguments.page.write_text(page(json.loads(arguments.manifest.read_bytes())))


if __name__ == "__main__":
    main()
