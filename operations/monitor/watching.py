"""The screen that renews itself until Ctrl-C."""

import signal
from pathlib import Path
from threading import Event

from rich.console import Console
from rich.live import Live
from sqlalchemy import URL

from operations.monitor.look import look
from operations.monitor.screen import screen


def watching(url: URL, seconds: int, metrics: Path | None, console: Console) -> None:
    """Look every so many seconds until Ctrl-C or SIGTERM, which end it well. Raises OnlineError when a look fails.

    Where the console is no terminal, each look is printed below the last.
    """
    ended = Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Live(console=console, auto_refresh=False, screen=console.is_terminal, vertical_overflow="crop") as live:
            while not ended.is_set():
                shown = screen(look(url, metrics, thorough=False), console)
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
