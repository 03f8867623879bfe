"""Before a rollout: is the database fit for it, is there a backup, may logs and WAL be kept for longer meanwhile?

The plan's Preparation. `CHECKS` is every question asked; the SQL is in queries/preflight.
"""

from operations.preflight.run import CHECKS, finish, run
from operations.preflight.surroundings import Limits, Request

__all__ = ["CHECKS", "Limits", "Request", "finish", "run"]
