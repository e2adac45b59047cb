"""Services of deploy/: units of systemd, the image and compose. What they name exists, and what runs is not root."""

import configparser
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from orchestration.__main__ import warehouse
from orchestration.cli.bi import bi
from tests.conventions.test_repository import variables_that_are_read
from warehouse.connection import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
INSTALLED_AT = "/srv/warehouse"

INSTRUCTIONS = {"FROM", "RUN", "USER", "WORKDIR", "COPY", "ENV", "ENTRYPOINT", "CMD"}


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(path.read_text())
    return parser


def assert_runs(command: list[str]) -> None:
    """Assert that a command line names programs, commands and modules that exist."""
    program, *arguments = command
    program = program.replace(f"{INSTALLED_AT}/.venv/bin/", "")
    # Of the environment in which the tests run, wherever that is.
    assert shutil.which(program, path=f"{Path(sys.executable).parent}"), program
    if program == "warehouse":
        assert arguments[0] in warehouse.commands
        if arguments[0] == "bi":
            assert arguments[1] in bi.commands
        if arguments[0] == "exec":
            assert arguments[1] == "--"
            assert_runs(arguments[2:])
    elif program == "python":
        assert arguments[0] == "-m"
        assert find_spec(arguments[1]), arguments[1]
    for name in arguments:
        if name.endswith(".yaml"):
            assert (CHECKOUT / name).exists(), name


@pytest.mark.parametrize("path", [path for path in UNITS if path.suffix == ".service"], ids=lambda path: path.name)
def test_a_unit_runs_what_exists_as_an_account_of_its_own(path: Path) -> None:
    service = unit(path)["Service"]
    assert_runs(service["ExecStart"].split())
    if "ExecStop" in service:
        assert_runs(service["ExecStop"].split())
    assert (service["User"], service["WorkingDirectory"]) == ("warehouse", INSTALLED_AT)
    assert service["NoNewPrivileges"] == "yes"
    assert not re.search(r"(?i)password|secret|://\w+:", path.read_text()), "settings belong to .env.local"


def test_a_timer_starts_a_unit_that_is_there() -> None:
    for path in UNITS:
        if path.suffix == ".timer":
            assert path.with_suffix(".service") in UNITS
            assert unit(path)["Timer"]["OnCalendar"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="only Linux with systemd can verify units")
def test_systemd_accepts_every_unit(tmp_path: Path) -> None:
    # The units as they would be after an installation to where the checkout is.
    for path in UNITS:
        text = path.read_text().replace(f"{INSTALLED_AT}/.venv/bin/warehouse", "/bin/true")
        (tmp_path / path.name).write_text(text.replace(INSTALLED_AT, str(CHECKOUT)).replace("User=warehouse\n", ""))
    done = subprocess.run(
        ["/usr/bin/env", "systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    own = [line for line in done.stderr.splitlines() if "warehouse" in line]
    assert own == []


def compose() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def test_compose_runs_what_exists_with_settings_that_are_read() -> None:
    services = compose()["services"]
    assert services.keys() == {"postgres", "web", "daemon"}
    for name in ("web", "daemon"):
        service: dict[str, dict[str, str]] = services[name]  # type: ignore[assignment]
        assert_runs(list(service["command"]))
        assert service["environment"].keys() <= variables_that_are_read()
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).exists()
        assert "POSTGRES_PASSWORD:?" in service["environment"]["WAREHOUSE_URL"], "no password stands in the file"
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source in compose()["volumes"] or "/" in source
    assert services["web"]["ports"] == ["127.0.0.1:3000:3000"], "the page has no logins"  # type: ignore[index]


def test_the_image_is_made_of_what_exists_and_runs_as_no_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert {name for name, _ in lines} <= INSTRUCTIONS
    assert lines[0][0] == "FROM"
    for name, rest in lines:
        if name == "COPY":
            *sources, _ = [word for word in rest.split() if not word.startswith("--")]
            assert [source for source in sources if not (CHECKOUT / source).exists()] == []
    names = [name for name, _ in lines]
    assert dict(lines)["USER"] == "warehouse"  # type: ignore[arg-type]
    assert names.index("USER") < names.index("COPY") < names.index("CMD")
    entry, command = (yaml.safe_load(rest) for name, rest in lines if name in ("ENTRYPOINT", "CMD"))
    assert_runs([*entry, *command])


def test_an_image_holds_no_keys_and_no_data() -> None:
    ignored = (CHECKOUT / ".dockerignore").read_text().splitlines()
    assert {".env.local", ".env", ".git", ".warehouse", "landing", "exports", ".venv", "*.dump"} <= set(ignored)
    # And what is needed is not left out.
    assert "!.dagster/dagster.yaml" in ignored
