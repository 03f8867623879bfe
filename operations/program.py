"""The `sidb` program: until its commands are loaded, Ctrl-C ends in a sentence, too."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Load the commands and run the one that is asked for."""
    try:
        from operations.cli import main as sidb
    except KeyboardInterrupt:
        sys.exit(_interrupted())
    sidb()


def _interrupted() -> int:
    print("Interrupted.\nNext: nothing was changed; run it again when you like.", file=sys.stderr)
    return INTERRUPTED
