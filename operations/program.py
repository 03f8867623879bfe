"""The `sidb` program: Ctrl-C and SIGTERM end it in a sentence, also until its commands are loaded."""

import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Load the commands and run the one that is asked for."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's, as Ctrl-C
    try:
        from operations.cli import main as sidb
    except KeyboardInterrupt:
        sys.exit(_interrupted())
    sidb()


def _interrupted() -> int:
    print("Interrupted.\nNext: nothing was changed; run it again when you like.", file=sys.stderr)
    return INTERRUPTED
