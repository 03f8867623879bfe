"""docs/commands.md: the help of every command, as the command itself prints it."""

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise

import click
from alembic_online.options import KNOWN, Options

from operations.cli import main
from operations.documentation.markdown import code, generated, table
from operations.settings import ROLLOUT

WIDTH = 80
VALUES = {
    "deadline": "10min",
    "step-alert": "5min",
    "on-alert": "stop",
    "alert-addresses": "ADDRESSES",
    "metrics-file": "FILE",
    "window": "'Sat 22:00-Sun 06:00'",
    "end-idle-after": "30s",
    "replicas": "ADDRESS",
    "replica-wait": "1min",
    "discard-data": "yes",
    "now": "yes",
}
"""Of each option of the engine, how a value is written."""


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
            "## Options of a migration\n",
            "What `sidb upgrade` takes as an option, `alembic upgrade` and `alembic downgrade` take behind `-x`; the"
            " environment sets it for every run of either.\n",
            table(["sidb upgrade", "alembic", "environment", "meaning"], options()),
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


def options() -> Iterator[list[str | None]]:
    """The engine's options, each as it is written at both consoles and in the environment."""
    ours = {option for parameter in main.commands["upgrade"].params for option in parameter.opts}
    for name, meaning in _meanings():
        written = Options(prefix="--").written(name, VALUES[name])
        variable = code(f"SIDB_{name.replace('-', '_').upper()}") if name in ROLLOUT else None
        here = code(written) if written.split()[0] in ours else None
        yield [here, code(Options().written(name, VALUES[name])), variable, meaning]


def _meanings() -> Iterator[tuple[str, str]]:
    """The engine's options by name, with what their docstrings say."""
    [made] = ast.parse(inspect.getsource(Options)).body
    assert isinstance(made, ast.ClassDef)
    for field, doc in pairwise(made.body):
        if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant):
            name = str(getattr(field.target, "id", "")).replace("_", "-")
            if name in KNOWN:
                yield name, " ".join(str(doc.value.value).split())
