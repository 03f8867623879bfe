"""What stands between Alembic and a busy database: locks asked for politely, steps observed, validated and recorded."""

from alembic_online.messages import errors_for_people, notices_to_log
from alembic_online.options import Options, parse
from alembic_online.run import Run, guarded

__all__ = ["Options", "Run", "errors_for_people", "guarded", "notices_to_log", "parse"]
