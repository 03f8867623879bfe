"""The statements of the rollout, one file a query, each named for what it answers."""

from pathlib import Path

from alembic_online.queries import Queries

HERE = Path(__file__).parent

query = Queries(HERE)
