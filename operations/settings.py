"""What the environment decides. Nothing else in this project reads it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from alembic_online import Options, UsageError, read_options
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from backfill.windows import Window

DRIVER = "postgresql+psycopg"
SCHEMES = ("postgresql", "postgres", DRIVER)
ROLLOUT = (
    "deadline",
    "step-alert",
    "on-alert",
    "alert-addresses",
    "metrics-file",
    "window",
    "end-idle-after",
    "replicas",
    "replica-wait",
)
"""The engine's options that the environment may set: `deadline` as SIDB_DEADLINE."""

EXAMPLE = "postgresql://user:password@host:5432/database"


@dataclass(frozen=True)
class Settings:
    """`database_url` is None for the embedded server; `data_home` is where an ordinary user's data goes.

    `scratch_database_url` is a database in which the models may be built for a comparison, if one is set aside for it.
    `rollout` holds the SIDB_… variables that are set, by the names in ROLLOUT, as they are written.
    """

    database_url: URL | None
    data_home: Path
    scratch_database_url: URL | None = None
    rollout: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> Options:
        """The engine's options as the environment sets them. Raises UsageError."""
        return read_options(self.rollout, lambda name: f"SIDB_{name.replace('-', '_').upper()}", Options(prefix="--"))

    def given(self, options: Mapping[str, str | tuple[str, ...] | None]) -> Options:
        """The same, with what stands on the command line on top; None or nothing where it does not. Raises UsageError.

        A tuple are the values of an option that is given several times.
        """
        if any(not text.strip() for texts in options.values() if isinstance(texts, tuple) for text in texts):
            raise UsageError("--replica names nothing: its address is empty.", f"--replica {EXAMPLE}, or leave it out.")
        given = {name: " ".join(text) if isinstance(text, tuple) else text for name, text in options.items()}
        texts = {name.replace("_", "-"): text for name, text in given.items() if text}
        return read_options(texts, lambda name: "--replica" if name == "replicas" else f"--{name}", self.options)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read DATABASE_URL, SCRATCH_DATABASE_URL, XDG_DATA_HOME and the SIDB_… variables.

        Raises UsageError on an address that is malformed or only half given.
        """
        text = environment.get("DATABASE_URL")
        if text is None:
            for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE"):
                if environment.get(name):
                    raise UsageError(
                        f"{name} is set, but DATABASE_URL is not: it is unclear which database is meant.",
                        f"set DATABASE_URL={EXAMPLE}, or unset {name} to use the embedded PostgreSQL.",
                    )
        data_home = Path(environment.get("XDG_DATA_HOME", ""))
        if not data_home.is_absolute():  # the XDG specification: a relative path counts as not set
            data_home = Path(os.path.expanduser("~/.local/share"))
        scratch = environment.get("SCRATCH_DATABASE_URL")
        rollout = {name: environment.get(f"SIDB_{name.replace('-', '_').upper()}", "") for name in ROLLOUT}
        return cls(
            None if text is None else parse_address(text),
            data_home,
            None if scratch is None else parse_address(scratch, "SCRATCH_DATABASE_URL"),
            {name: value for name, value in rollout.items() if value},
        )


@dataclass(frozen=True)
class BackfillSettings:
    """When the backfill may work, within how many days of its first run all history is to be in, and what part of the
    time a worker's batches may take while the application is at work."""

    window: Window
    days: int
    share: float

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "BackfillSettings":
        """Read SIDB_BACKFILL_WINDOW, _TIME_ZONE, _DAYS and _SHARE; raise UsageError."""
        window = environment.get("SIDB_BACKFILL_WINDOW", "00:00-06:00")
        zone = environment.get("SIDB_BACKFILL_TIME_ZONE", "UTC")
        days = environment.get("SIDB_BACKFILL_DAYS", "7")
        try:
            opens = Window.parse(window, zone)
        except ValueError as error:
            step = "set SIDB_BACKFILL_WINDOW=00:00-06:00 and SIDB_BACKFILL_TIME_ZONE=Europe/Berlin, or unset them."
            raise UsageError(f"The backfill's window is malformed: {error}.", step) from None
        if not (days.isascii() and days.isdigit() and 0 < int(days) < 10_000):
            raise UsageError(f"SIDB_BACKFILL_DAYS is {days!r}, not a number of days.", "set SIDB_BACKFILL_DAYS=7.")
        share = environment.get("SIDB_BACKFILL_SHARE", "5")
        if not (share.isascii() and share.isdigit() and 0 < int(share) <= 100):
            raise UsageError(
                f"SIDB_BACKFILL_SHARE is {share!r}, not a percentage from 1 to 100.", "set SIDB_BACKFILL_SHARE=5."
            )
        return cls(opens, int(days), int(share) / 100)


def reading_share(fast: bool) -> float:
    """What part of the time a command reads while the application is at work: the backfill's share, or all of it."""
    return 1.0 if fast else BackfillSettings.from_environment().share


def parse_address(text: str, name: str = "DATABASE_URL") -> URL:
    """The address as SQLAlchemy's URL. Errors never quote it: a malformed one may hold its password anywhere."""
    scheme, separator, rest = text.partition("://")
    if not text:
        raise _malformed(name, "it is empty", "unset it, or ")
    if not separator or any(character.isspace() for character in text):
        raise _malformed(name, "it is not an address without spaces that starts with postgresql://")
    if scheme not in SCHEMES:
        raise _malformed(name, f"{scheme}:// is not one of {', '.join(name + '://' for name in SCHEMES)}")
    if rest.count("@") > 1:
        raise _malformed(name, "it holds more than one @; in a user name or password, @ is written %40")
    try:
        url = make_url(f"{DRIVER}://{rest}")
        urlsplit(f"postgresql://{rest.rpartition('@')[2]}").port  # noqa: B018 - raises ValueError when out of range
    except (ArgumentError, ValueError):
        raise _malformed(name, "its host or port cannot be read; the port is a number up to 65535") from None
    if (password := url.query.get("password")) is not None:  # libpq's other spelling, which SQLAlchemy would print
        url = url.difference_update_query(["password"]).set(password=str(url.password or password))
    if not (url.host or url.database or url.query):
        raise _malformed(name, "it names neither a host nor a database")
    return url


def _malformed(name: str, why: str, alternative: str = "") -> UsageError:
    return UsageError(f"{name} is malformed: {why}.", f"{alternative}write it as {EXAMPLE}")
