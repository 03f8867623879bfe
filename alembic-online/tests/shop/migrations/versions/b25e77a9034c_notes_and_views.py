"""Notes on orders, and what is read of orders and customers together."""

from alembic import op

revision = "b25e77a9034c"
down_revision = "84c0d2e6f511"

locks = {
    "upgrade": {"public.orders": "ShareRowExclusiveLock"},
    "downgrade": {"public.orders": "AccessExclusiveLock"},
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE public.order_notes (
            note_id bigserial CONSTRAINT order_notes_pkey PRIMARY KEY,
            order_id bigint NOT NULL CONSTRAINT order_notes_order_id_fkey REFERENCES public.orders (order_id),
            note text NOT NULL
        );
        CREATE VIEW public.recent_orders AS
        SELECT o.order_id, c.email, o.amount
        FROM public.orders AS o INNER JOIN public.customers AS c USING (customer_id)
        WHERE o.placed_at > now() - interval '1 day';
        CREATE MATERIALIZED VIEW public.customer_revenue AS
        SELECT o.customer_id, sum(o.amount) AS revenue FROM public.orders AS o GROUP BY o.customer_id;
        CREATE UNIQUE INDEX customer_revenue_customer_id_idx ON public.customer_revenue (customer_id);
        GRANT SELECT ON public.order_notes, public.recent_orders, public.customer_revenue TO shop_reader;
        GRANT SELECT, INSERT, UPDATE ON public.order_notes TO shop_writer;
        GRANT USAGE ON SEQUENCE public.order_notes_note_id_seq TO shop_writer;
    """)


def downgrade() -> None:
    op.execute("""
        DROP MATERIALIZED VIEW public.customer_revenue;
        DROP VIEW public.recent_orders;
        DROP TABLE public.order_notes;
    """)
