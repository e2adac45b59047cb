"""Commands of the README and the docs: each is executed by a test, or one of a few exceptions, which are parsed."""

import re
import shlex
import subprocess

import click
import pytest

from orchestration.__main__ import warehouse
from tests.support.documentation import EXCEPTIONS, Block, blocks, exception_of, named_commands
from tests.support.documentation import TARGETS as TARGETS_OF_TESTS
from warehouse.connection import CHECKOUT

# Places of words that a reader fills in.
FILLED_IN = {"START": "2026-10-01", "END": "2026-10-08", "FILE": "README.md", "RUN": "run", "DAY": "2026-10-01"}
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
# Programs of the packages that are installed, which the pages name and whose options are their own.
OTHERS = {"pre-commit", "pytest"}


def test_the_exceptions_are_few_have_a_reason_and_stand_in_the_pages() -> None:
    assert len(EXCEPTIONS) <= 12
    assert all(reason for reason, _ in EXCEPTIONS.values())
    commands = [command for block in blocks() for command in block.commands] + [text for _, text in named_commands()]
    assert {exception_of(command) for command in commands} - {None} == EXCEPTIONS.keys()


def test_every_target_is_executed_or_an_exception() -> None:
    typed = [text for path in (CHECKOUT / "tests" / "daemon").glob("*.py") for text in [path.read_text()]]
    typed += [block.text for block in blocks() if block.exception is None]
    executed = set(TARGETS_OF_TESTS).union(*(re.findall(r"make (?:-s )?([a-z-]+)", text) for text in typed))
    named = {text for _, text in named_commands() if text.startswith("make ")}
    targets = {re.sub(r"make (?:-s )?([a-z-]+).*", r"\1", text) for text in named if exception_of(text) is None}
    assert targets - executed == set()


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_is_parsed(name: str) -> None:
    _, parser = EXCEPTIONS[name]
    texts = [block.text for block in blocks() if block.exception == name]
    for text in (*texts, parser):
        assert run("bash", "-n", "-c", text) == ("", 0)
    if parser.startswith("warehouse"):
        parse(parser)
    elif parser:
        # Another user's settings choose nothing here.
        assert run("bash", "-euc", parser.replace("make ", "make READY= "))[1] == 0


@pytest.mark.parametrize("block", blocks(), ids=lambda block: f"{block.page}: {block.commands[0][:40]}")
def test_a_block_names_commands_and_targets_that_exist(block: Block) -> None:
    assert block.commands
    for command in block.commands:
        if command.startswith(("make ", "warehouse ")):
            check_named(command)


@pytest.mark.parametrize("text", sorted({text for _, text in named_commands()}))
def test_a_command_of_a_sentence_exists_with_its_options(text: str) -> None:
    check_named(text)


def check_named(text: str) -> None:
    """Fail for a command, target, module or file that does not exist, and for options that it does not have."""
    program, *words = shlex.split(text)
    if program == "make":
        assert {word for word in words if not word.startswith("-") and "=" not in word} <= TARGETS, text
    elif program == "warehouse":
        parse(text)
    elif program == "python":
        assert (CHECKOUT / f"{words[1].replace('.', '/')}.py").exists(), text
    elif program.startswith(".ci/"):
        assert (CHECKOUT / program).exists(), text
    else:
        assert program in OTHERS, text


def parse(text: str) -> None:
    """Parse a command of the warehouse, and run nothing. Raises click.UsageError for what it does not take."""
    for place, value in FILLED_IN.items():
        text = re.sub(rf"\b{place}\b", value, text)
    command: click.Command = warehouse
    _, *words = shlex.split(text.replace("…", "x"))
    if words and words[0] == "--help":
        return
    while isinstance(command, click.Group):
        if not words or words[0] == "--help":
            return
        name, *words = words
        found = command.commands.get(name)
        assert found is not None, f"{text}: there is no command {name}"
        command = found
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = [word.partition("=")[0] for word in words if word.startswith("--")]
    assert set(given) - {"--help"} <= known, text
    # A sentence may name a command without what it takes.
    if any(not word.startswith("-") for word in words):
        command.make_context(command.name, words).close()


def run(*command: str) -> tuple[str, int]:
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr, done.returncode
