"""What stands between Alembic and a busy database: locks asked for politely, steps observed, validated and recorded."""

from operations.guard.messages import errors_for_people, notices_to_log
from operations.guard.options import Options, parse
from operations.guard.run import Run, guarded

__all__ = ["Options", "Run", "errors_for_people", "guarded", "notices_to_log", "parse"]
