"""The way back that keeps what Phase 2 collected: rollback phase by phase, its archive, and how that comes back.

`CHECKS` is every question asked on the way; the SQL is in queries/rollback.
"""

from operations.rollback.checks import CHECKS

__all__ = ["CHECKS"]
