"""The index by which a customer's orders are found, built beside traffic."""

from alembic import op

revision = "d8116b43ca9f"
down_revision = "b25e77a9034c"

locks = {
    "upgrade": {"public.orders": "ShareUpdateExclusiveLock"},
    "downgrade": {"public.orders": "ShareUpdateExclusiveLock"},
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS public.orders_customer_id_idx")
        op.execute("CREATE INDEX CONCURRENTLY orders_customer_id_idx ON public.orders (customer_id)")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS public.orders_customer_id_idx")
