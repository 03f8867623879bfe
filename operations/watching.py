"""A screen that renews itself until Ctrl-C: what `monitor --watch` and `status --watch` share."""

import signal
from collections.abc import Callable
from threading import Event

from rich.console import Console, RenderableType
from rich.live import Live


def watching(look: Callable[[], RenderableType], seconds: int, console: Console) -> None:
    """Show what `look` gives, every so many seconds until Ctrl-C or SIGTERM, which end it well.

    Raises OnlineError when a look fails. Where the console is no terminal, each look is printed below the last.
    """
    ended = Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Live(console=console, auto_refresh=False, screen=console.is_terminal, vertical_overflow="crop") as live:
            while not ended.is_set():
                shown = look()
                if console.is_terminal:
                    live.update(shown, refresh=True)
                else:
                    console.print(shown)
                ended.wait(seconds)
        if console.is_terminal:
            console.print(shown)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
