"""How sentences are shown: wrapped at words on a terminal, never within what is to be copied; elsewhere as they are."""

import io

import pytest
from rich.console import Console

from operations import output

COMMAND = "`sidb rollback --abort`"
SAID = f"Nothing of it stays, and applications see nothing of it; {COMMAND} ends it."
STATEMENT = "CREATE VIEW public.report AS SELECT 'a name of several words' AS name FROM public.hot_niches_today;"


@pytest.mark.parametrize("width", range(24, 90))
def test_at_words_but_not_within_a_command(width: int) -> None:
    shown = output.wrapped(SAID, width)
    assert shown.replace("\n", " ") == SAID
    assert COMMAND in shown
    assert max(map(len, shown.splitlines())) <= width
    assert ("\n" in shown) == (width < len(SAID))


def test_statements_stay_as_they_are() -> None:
    definition = "CREATE VIEW a AS\n SELECT 'what is longer than the screen, and has  spaces'\n   FROM b;"
    said = f"What makes it again:\n\n{definition}\n\nNext: as its owner:\n{STATEMENT}\nThen run it again."
    assert output.wrapped("Hidden; a superuser's GRANT pg_monitor TO owner;", 30).count("\n") == 1
    assert output.wrapped(said, 20) == said
    assert output.wrapped(f"{said} It is safe.", 20) == f"{said}\nIt is safe."


def test_what_is_indented_stays_so() -> None:
    assert output.wrapped("  one two three four", 12) == "  one two\n  three four"


@pytest.mark.parametrize("terminal", [True, False])
def test_only_a_terminal_has_a_width(terminal: bool) -> None:
    written = io.StringIO()
    output.say(Console(file=written, force_terminal=terminal, width=40, color_system=None), SAID)
    assert written.getvalue() == (f"{output.wrapped(SAID, 40)}\n" if terminal else f"{SAID}\n")
