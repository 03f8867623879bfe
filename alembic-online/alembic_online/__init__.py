"""Alembic on a PostgreSQL database in use: nobody waits for it, nothing is lost silently, every step is on record."""

from alembic_online.acquisition import acquire
from alembic_online.environment import run
from alembic_online.errors import OnlineError, UsageError
from alembic_online.keepers import Keeper
from alembic_online.ledger import Entry, Ledger
from alembic_online.options import Options, read_options
from alembic_online.planned import Obstacle, Planned
from alembic_online.scope import Additions, Scope
from alembic_online.sessions import Session, open_session

__all__ = [
    "Additions",
    "Entry",
    "Keeper",
    "Ledger",
    "Obstacle",
    "OnlineError",
    "Options",
    "Planned",
    "Scope",
    "Session",
    "UsageError",
    "acquire",
    "open_session",
    "read_options",
    "run",
]
