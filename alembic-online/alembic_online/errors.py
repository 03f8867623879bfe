"""Errors that a person at the console is meant to read."""

from alembic.util import CommandError


class OnlineError(CommandError):
    """Something that has to be changed, by the user or in the environment.

    `what` says what is wrong and where, `next_step` what to do about it. Neither may hold a password. It is one of
    Alembic's own errors, so that Alembic's command line prints it as a message and programs catch the object.
    """

    exit_code = 1

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(what, next_step)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what}\nNext: {self.next_step}"


class UsageError(OnlineError):
    """The command or its environment asks for something invalid: a malformed address, a missing option."""

    exit_code = 2


class AddressError(OnlineError):
    """The address leads to no connection, or to a server on which it cannot be done, such as a standby."""


class ConnectionLostError(OnlineError):
    """The server ended the session, or is gone: whether anybody can use the database, nobody here knows."""


class Stopped(OnlineError):  # noqa: N818 - nothing went wrong
    """Ctrl-C: what is done so far, and how to go on."""

    exit_code = 130
