"""${message}.

Plan step: TODO which step of the plan, or none
Why: TODO what readers or writers need it
Reversed by: TODO what the downgrade does, and what it cannot bring back

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date.date()}
"""

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}

# The strongest lock taken on each relation that exists before the step, as pg_locks names it.
locks: dict[str, dict[str, str]] = {"upgrade": {}, "downgrade": {}}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
