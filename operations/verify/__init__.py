"""Verification: whether a database is what it should be, in its schema and in its rows.

Plan, "Deployment Steps": validate after each step, run verification queries, run performance tests.
"""

from operations.verify.verification import CHECKS, accept_rights, verify

__all__ = ["CHECKS", "accept_rights", "verify"]
