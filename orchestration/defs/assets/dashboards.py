"""Dashboards as assets below the marts that they read: the exposures of the dbt project.

No run makes them. Their checks are in orchestration/defs/dashboard_checks.py.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import dagster as dg

from dashboards import spec
from publishing import dbt_manifest
from publishing.marts import marts_of
from warehouse.settings import settings

_GROUP: Final = "bi"


def _specs(manifest: Mapping[str, Any]) -> Iterator[dg.AssetSpec]:
    schemas = {mart.name: mart.schema for mart in marts_of(manifest)}
    pages = {found.exposure: found.name for found in map(spec.read, sorted(spec.FOLDER.glob("*.yml")))}
    for exposure in manifest["exposures"].values():
        name = exposure["name"]
        marts = sorted(parent.rpartition(".")[2] for parent in exposure["depends_on"]["nodes"])
        # A dashboard of another tool has no page of ours.
        page = f"{settings().warehouse_bi_url.rstrip('/')}/superset/dashboard/{pages[name]}/" if name in pages else None
        yield dg.AssetSpec(
            [_GROUP, name],
            deps=[[schemas[mart], mart] for mart in marts],
            description=f"{exposure['label']}. {exposure['description']}",
            group_name=_GROUP,
            kinds={"superset"} if page else {exposure["type"]},
            owners=[exposure["owner"]["email"]],
            metadata={"page": dg.MetadataValue.url(page)} if page else {},
        )


dashboard_assets = list(_specs(dbt_manifest.manifest()))
