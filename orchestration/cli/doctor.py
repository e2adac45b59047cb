"""The command `doctor`: what is wrong with this set-up, and what to do about it."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from orchestration.cli.environment import say
from warehouse.connection import CHECKOUT

if TYPE_CHECKING:
    from orchestration.doctor.finding import Finding

# A restart is no outage.
RESTART_SECONDS: Final = 60.0
_STATE: Final = "outage.json"


@click.command()
@click.option("--json", "is_json", is_flag=True, help="Print a list of objects: subject, level, text, advice.")
@click.option(
    "--notify",
    "is_notifying",
    is_flag=True,
    help="Send an alert where the server or Dagster is down, which cannot send one, and one when that is over. For a"
    " timer.",
)
def doctor(*, is_json: bool, is_notifying: bool) -> int:
    """Examine the set-up: machine, server, rights, last night, faults, alerts; exit code 1: something is wrong.

    Every line is ok, a warning or a fault, and the latter two say what to do. It changes nothing and starts nothing.
    """
    from orchestration.doctor.diagnosis import examine, is_sound

    findings = []
    for finding in examine():
        findings.append(finding)
        if not is_json:
            click.echo(f"{finding.level.value:<8}{finding.subject}: {finding.text}")
            if finding.advice:
                click.echo(f"{'':<8}→ {finding.advice}")
    if is_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    if is_notifying:
        _notify(findings)
    return 0 if is_sound(findings) else 1


def _notify(findings: "Sequence[Finding]") -> None:
    """Say that the warehouse cannot alert by itself, or that it can again. What was said is in Dagster's folder."""
    from alerting.channels import ChannelSettingsError, of_environment
    from alerting.watch import watch
    from orchestration.doctor.diagnosis import examine, outage_in

    file = Path(os.environ.get("DAGSTER_HOME") or CHECKOUT / ".dagster") / _STATE
    outage = outage_in(findings)
    if outage and not file.exists():
        time.sleep(RESTART_SECONDS)
        outage = outage_in(list(examine()))
    try:
        channels = of_environment(os.environ)
    except ChannelSettingsError as error:
        raise click.ClickException(f"no alert can be sent: {error}") from None
    text, advice = (outage.text, outage.advice) if outage else ("", "")
    for problem in watch(file, channels, outage=text, advice=advice, now=datetime.now(UTC)):
        say(f"an alert was not sent: {problem}; the next call tries again")
