"""What others have on Phase 1's tables that takes notice of the rollout, or stands in its way."""

from backfill import phase1_columns
from operations.findings import Check, Finding
from operations.preflight.surroundings import Surroundings, judged

OTHERS = Check(
    "others' triggers and rules",
    "The backfill writes three columns of every niche. Triggers of others that fire for it may write a row each, or"
    " change updated_at: then a batch is rolled back, and the job stops. A rule, or a publication without a replica"
    " identity, refuses the statement; rows of a table that inherits from features stay as they are.",
    "have each trigger fire for the columns that it is about: UPDATE OF …, or WHEN.",
)


def others(asked: Surroundings) -> Finding:
    found = asked.rows("others")
    triggers = phase1_columns.triggers(asked.sqlalchemy)
    told = [
        f"trigger {trigger.name}: fires {'before' if trigger.is_before else 'after'} each write of the backfill"
        for trigger in triggers
    ]
    failed = [row.what for row in found if row.in_the_way]
    warned = [*told, *(row.what for row in found if not row.in_the_way)]
    remedies = [*(row.remedy for row in found), *(trigger.narrowed for trigger in triggers)]
    return judged(OTHERS, "none that a backfill would fire", failed, warned, "; ".join(remedies) or None)
