"""Customers and orders, with the roles that use them."""

from alembic import op

revision = "3f9a1c20b7de"
down_revision = None

locks: dict[str, dict[str, str]] = {}


def upgrade() -> None:
    op.execute("""
        DO $$
        BEGIN
            CREATE ROLE shop_reader;
            CREATE ROLE shop_writer;
        EXCEPTION WHEN duplicate_object THEN
        END
        $$;
        CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
        CREATE TABLE public.customers (
            customer_id bigserial CONSTRAINT customers_pkey PRIMARY KEY,
            email public.citext NOT NULL CONSTRAINT customers_email_key UNIQUE
        );
        COMMENT ON TABLE public.customers IS 'Who may order';
        CREATE TABLE public.orders (
            order_id bigserial CONSTRAINT orders_pkey PRIMARY KEY,
            customer_id bigint NOT NULL
                CONSTRAINT orders_customer_id_fkey REFERENCES public.customers (customer_id),
            amount numeric NOT NULL CONSTRAINT orders_amount_check CHECK (amount >= 0),
            placed_at timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE public.orders IS 'What a customer ordered';
        GRANT SELECT ON public.customers, public.orders TO shop_reader;
        GRANT SELECT, INSERT, UPDATE ON public.customers, public.orders TO shop_writer;
        GRANT USAGE ON SEQUENCE public.customers_customer_id_seq, public.orders_order_id_seq TO shop_writer;
    """)


def downgrade() -> None:
    op.execute("DROP TABLE public.orders; DROP TABLE public.customers;")
