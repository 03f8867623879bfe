"""Faults, planted by SQL in a sound, backfilled database with hot_niches_today as a table: what each must be found by.

Niche 150 is no hot one. As session_replication_role = replica, a careless repair or a
replication tool writes past triggers and foreign keys.
"""

from tests.operations.verify.faults.access import ACCESS
from tests.operations.verify.faults.case import Fault
from tests.operations.verify.faults.derived import DERIVED
from tests.operations.verify.faults.rows import ROWS
from tests.operations.verify.faults.schema import SCHEMA
from tests.operations.verify.faults.theirs import THEIR_RIGHT

__all__ = ["FAULTS", "THEIR_RIGHT", "Fault"]

FAULTS = (*SCHEMA, *ACCESS, *ROWS, *DERIVED)
