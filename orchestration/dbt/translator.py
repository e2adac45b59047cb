"""dbt nodes as Dagster assets and asset checks: keys, groups, metadata, descriptions, owners."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import dagster as dg

from orchestration.dbt.check_names import described
from orchestration.dbt.light_import import DagsterDbtTranslator, DagsterDbtTranslatorSettings
from orchestration.run_windows import ALONE
from warehouse.roles.readers import MARTS, ROLLUPS

OWNERS: Final = ("team:data-engineering",)


class WarehouseDbtTranslator(DagsterDbtTranslator):
    """dbt nodes as Dagster assets: key [schema, table], group by layer."""

    def __init__(self) -> None:
        super().__init__(settings=DagsterDbtTranslatorSettings(enable_asset_checks=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey(dbt_resource_props["config"]["meta"]["dagster"]["asset_key"])
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return str(dbt_resource_props["schema"])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        # Dagster's own way adds the SQL, which may have hundreds of lines. The metadata names its file.
        props, said = dbt_resource_props, str(dbt_resource_props["description"])
        if props["schema"] == "build":
            readers = MARTS if props["access"] == "public" else ROLLUPS
            said += (
                f"\n\nAs it is built: its checks run here, and publication copies it to `{readers}/{props['name']}`."
            )
        return f"{said}\n\n{ALONE}"

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        # The manifest names the database of the process that parsed the project.
        name = f"{dbt_resource_props['schema']}.{dbt_resource_props['name']}"
        file = f"dbt_project/{dbt_resource_props['original_file_path']}"
        return {
            **super().get_metadata(dbt_resource_props),
            "dagster/table_name": name,
            "sql": dg.MetadataValue.path(file),
        }

    def get_asset_check_spec(self, *args: Any, **kwargs: Any) -> dg.AssetCheckSpec | None:
        spec = super().get_asset_check_spec(*args, **kwargs)
        if spec is None or spec.description:
            return spec
        return spec._replace(description=described(kwargs["manifest"]["nodes"][kwargs["unique_id"]]))

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:  # noqa: ARG002
        return OWNERS
