"""The command `doctor`: what is wrong with this set-up, and what to do about it."""

import json
from dataclasses import asdict

import click


@click.command()
@click.option("--json", "is_json", is_flag=True, help="Print a list of objects: subject, level, text, advice.")
def doctor(*, is_json: bool) -> int:
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
    return 0 if is_sound(findings) else 1
