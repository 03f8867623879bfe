"""${message[:1].upper() + message[1:]}.

Plan step: TODO which step of the plan, or none
Why: TODO which readers or writers need it, and why it is safe while they go on
Reversed by: TODO what the downgrade does, and what it cannot bring back

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date.date()}
"""

import sqlalchemy as sa
${imports if imports else ""}

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}

# The strongest lock taken on each relation that is there before and after the step, as pg_locks names both: TODO check,
# and add what is written by hand, for example "public.features": "ShareRowExclusiveLock".
# All are asked for before the first statement of the first transaction. Each statement in an autocommit block is asked
# for by itself, is tried several times, and must be safe to run again; what follows it may lock only what is new.
locks: dict[str, dict[str, str]] = ${repr(locks[up_revision])}

# The tables, materialized views and columns that the step drops. What holds data is refused, or kept by a rollback.
drops: dict[str, list[str]] = ${repr(drops[up_revision])}

# What the step changes in the catalog, one list for each form of database that it may find: it is validated by that.
changes: dict[str, list[list[str]]] = ${repr(changes[up_revision])}

# Tables and columns (schema.table[.column]) that the downgrade drops although they hold values: triggers fill them.
computed: tuple[str, ...] = ()


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
