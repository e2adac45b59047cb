"""Models compile, and are documented, without a warehouse."""

import os
import subprocess
from pathlib import Path

import pytest

from publishing import dbt_manifest, loaded_version

COMMANDS = [
    ["compile", "--no-populate-cache"],
    ["docs", "generate", "--empty-catalog", "--no-populate-cache"],
]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_dbt_compiles_every_model_while_no_server_answers(command: list[str], tmp_path: Path) -> None:
    """Port 1 refuses connections: a model that asked the server while it is compiled would fail."""
    server = {"HOST": "127.0.0.1", "PORT": "1", "USER": "nobody", "PASSWORD": "none", "DATABASE": "warehouse"}
    outcome = subprocess.run(
        [
            str(dbt_manifest.DBT_EXECUTABLE), *command,
            "--project-dir", str(loaded_version.PROJECT_DIR), "--profiles-dir", str(loaded_version.PROJECT_DIR),
        ],
        env={
            **os.environ,
            **{f"WAREHOUSE_{name}": value for name, value in server.items()},
            "DBT_TARGET": "warehouse",
            "DBT_TARGET_PATH": str(tmp_path),
            "DBT_LOG_PATH": str(tmp_path),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    compiled = {path.stem for path in tmp_path.rglob("compiled/marketplace/models/**/*.sql")}
    models = {n["name"] for n in dbt_manifest.manifest()["nodes"].values() if n["resource_type"] == "model"}
    assert models <= compiled
