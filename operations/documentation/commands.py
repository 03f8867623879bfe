"""docs/commands.md: the help of every command, as the command itself prints it."""

from collections.abc import Iterator

import click

from operations.cli import main
from operations.documentation.markdown import code, generated, table

WIDTH = 80


def page() -> str:
    """The commands of `sidb`: a table of all, then each with its help."""
    found = list(commands(main, "sidb"))
    return "\n".join(
        [
            generated("the commands' own help"),
            "# Commands\n",
            table(
                ["command", "what it does"],
                (
                    [f"[{code(path)}](#{path.replace(' ', '-')})", command.get_short_help_str(limit=200)]
                    for path, command in found
                ),
            ),
            *(f"## {path}\n\n```console\n$ {path} --help\n{text(command, path)}\n```\n" for path, command in found),
        ]
    )


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, each with what is typed for it."""
    yield path, command
    if isinstance(command, click.Group):
        for name, each in sorted(command.commands.items()):
            yield from commands(each, f"{path} {name}")


def text(command: click.Command, path: str) -> str:
    """The help, laid out for WIDTH columns whatever the terminal."""
    settings = {**main.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    return command.get_help(click.Context(command, info_name=path, **settings))
