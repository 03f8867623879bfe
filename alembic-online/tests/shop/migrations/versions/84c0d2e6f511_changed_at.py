"""When an order was changed, kept by a trigger."""

from alembic import op

revision = "84c0d2e6f511"
down_revision = "3f9a1c20b7de"

locks = {
    "upgrade": {"public.orders": "AccessExclusiveLock"},
    "downgrade": {"public.orders": "AccessExclusiveLock"},
}
computed = ("public.orders.changed_at",)


def upgrade() -> None:
    op.execute("""
        ALTER TABLE public.orders ADD COLUMN changed_at timestamptz;
        CREATE FUNCTION public.touch_order() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NEW.changed_at := now(); RETURN NEW; END';
        CREATE TRIGGER touch BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.touch_order();
    """)


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER touch ON public.orders;
        DROP FUNCTION public.touch_order();
        ALTER TABLE public.orders DROP COLUMN changed_at;
    """)
