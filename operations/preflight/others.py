"""What others have on Phase 1's tables that takes notice of the rollout, or stands in its way."""

from dataclasses import dataclass
from typing import Any

from backfill import phase1_columns
from operations.findings import Check, Finding
from operations.preflight.context import Context, Questions, judged

OTHERS = Check(
    "others' triggers and rules",
    "The backfill writes three columns of every niche, and of hot_niches_today where it is a table. Triggers of others"
    " that fire for it may write a row each, or change updated_at: then a batch is rolled back, and the job stops. A"
    " rule, or a publication without a replica identity, refuses the statement; rows of a table that inherits from"
    " features stay as they are.",
    "have each trigger fire for the columns that it is about: UPDATE OF …, or WHEN.",
)


@dataclass(frozen=True)
class Noticed:
    """Something of others, and what to do about it; `in_the_way`: the backfill would be refused."""

    what: str
    remedy: str
    in_the_way: bool = False


def noticed(context: Context) -> list[Noticed]:
    """Each thing of others that takes notice of the rollout."""
    triggers = [
        Noticed(f"trigger {_called(trigger, relation)} each write of the backfill", trigger.narrowed)
        for relation in phase1_columns.OURS
        for trigger in phase1_columns.triggers(context.sqlalchemy, relation)
    ]
    return [*triggers, *(Noticed(row.what, row.remedy, row.in_the_way) for row in context.rows("others"))]


def _called(trigger: Any, relation: str) -> str:
    table = "" if relation == phase1_columns.FEATURES else f" on {relation.partition('.')[2]}"
    return f"{trigger.name}{table}: fires {'before' if trigger.is_before else 'after'}"


def others(context: Context) -> Finding:
    found = noticed(context)
    failed = [each.what for each in found if each.in_the_way]
    warned = [each.what for each in found if not each.in_the_way]
    remedy = "; ".join(each.remedy for each in found) or None
    return judged(OTHERS, "none that a backfill would fire", failed, warned, remedy)


QUESTIONS: Questions = {OTHERS: others}
