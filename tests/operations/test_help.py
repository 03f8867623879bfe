"""Each command's help: what it is for first, on one screen, with examples that are understood."""

import re
import shlex

import click
import pytest

from backfill.formats import FORMATS
from operations.cli import main
from operations.documentation.commands import commands, text
from operations.documentation.sentences import sentences

COMMANDS = dict(commands(main, "sidb"))
SCREEN = 24
LONGER = {
    "sidb": 33,
    "sidb backfill": 29,
    "sidb rehearse": 27,
    "sidb upgrade": 26,
    "sidb rollback": 26,
    "sidb verify": 26,
}
LONGER |= {
    "sidb maintain": 26,
    "sidb preflight": 26,
    "sidb restore": 25,
}
"""Commands with so many options or commands that they need a few lines more."""


def examples(command: click.Command) -> list[str]:
    """The commands of ours among the examples, without what is piped, what follows, and what is said about it."""
    lines = re.split("Examples?:", command.help or "", maxsplit=1)[-1]
    found = re.findall(r"^ +(?:.*\| )?(sidb .*?)(?:  +.*| the plan's.*)?$", lines, re.MULTILINE)
    return [re.split(r" [|>] | && ", line)[0] for line in found]


def test_load_names_the_formats() -> None:
    said = COMMANDS["sidb backfill load"].help or ""
    assert [each.called for each in FORMATS if each.called not in said] == []


@pytest.mark.parametrize("path", COMMANDS)
def test_it_fits_a_screen_and_begins_with_what_it_is_for(path: str) -> None:
    shown = text(COMMANDS[path], path)
    assert len(shown.splitlines()) <= LONGER.get(path, SCREEN), shown
    assert max(map(len, shown.splitlines())) <= 80
    purpose = (COMMANDS[path].help or "").partition("\n")[0]
    assert re.match("[A-Z].*[.:?]$", purpose), purpose


@pytest.mark.parametrize("path", [path for path, command in COMMANDS.items() if not isinstance(command, click.Group)])
def test_its_examples_are_understood(path: str) -> None:
    found = examples(COMMANDS[path])
    assert len(found) >= (1 if path.startswith("sidb server") else 2), found
    for line in found:
        arguments = shlex.split(line)[1:]
        command: click.Command = main
        while isinstance(command, click.Group):
            command = command.commands[arguments.pop(0)]
        for option in {"--backup", "--archive"}.intersection(arguments):
            arguments[arguments.index(option) + 1] = "."  # has to be there
        command.make_context(path, arguments, **main.context_settings)


def test_every_sentence_is_listed_with_where_it_stands() -> None:
    found = {said: where for where, said in sentences()}
    assert len(found) > 500
    assert found["see that the server runs, and run it again."].startswith("operations/preflight/preflight.py:")
    assert "No step was applied" not in found  # what is no call's argument is read with the message that it is put into
    assert any(said.startswith("Verify the schema and its rows") for said in found)
    assert "{}: could not acquire its locks {}." in found
