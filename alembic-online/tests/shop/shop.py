"""A shop's target: customers and their orders in schema public, with views, a trigger, an extension and two roles."""

from datetime import datetime
from decimal import Decimal

from alembic_online import Scope
from sqlalchemy import DDL, BigInteger, CheckConstraint, ForeignKey, Index, MetaData, Text, event, func
from sqlalchemy.dialects.postgresql import CITEXT, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)


class Customer(Base):
    """Who may order."""

    __tablename__ = "customers"
    __table_args__ = ({"comment": "Who may order"},)

    customer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    email: Mapped[str] = mapped_column(CITEXT, unique=True)


class Order(Base):
    """What a customer ordered."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        Index("orders_customer_id_idx", "customer_id"),
        {"comment": "What a customer ordered"},
    )

    order_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.customer_id"))
    amount: Mapped[Decimal]
    placed_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
    changed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Note(Base):
    """What was said about an order."""

    __tablename__ = "order_notes"

    note_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.order_id"))
    note: Mapped[str] = mapped_column(Text)


FUNCTIONS = """
CREATE FUNCTION touch_order() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN NEW.changed_at := now(); RETURN NEW; END';
"""
TRIGGERS = """
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch_order();
"""
VIEWS = """
CREATE VIEW recent_orders AS
SELECT o.order_id, c.email, o.amount
FROM orders AS o INNER JOIN customers AS c USING (customer_id)
WHERE o.placed_at > now() - interval '1 day';

CREATE MATERIALIZED VIEW customer_revenue AS
SELECT o.customer_id, sum(o.amount) AS revenue FROM orders AS o GROUP BY o.customer_id;

CREATE UNIQUE INDEX customer_revenue_customer_id_idx ON customer_revenue (customer_id);
"""
GRANTS = """
GRANT SELECT ON customers, orders, order_notes, recent_orders, customer_revenue TO shop_reader;
GRANT SELECT, INSERT, UPDATE ON customers, orders, order_notes TO shop_writer;
GRANT USAGE ON SEQUENCE customers_customer_id_seq, orders_order_id_seq, order_notes_note_id_seq TO shop_writer;
"""

event.listen(Base.metadata, "before_create", DDL("CREATE EXTENSION IF NOT EXISTS citext SCHEMA public"))
for statements in (FUNCTIONS, TRIGGERS, VIEWS, GRANTS):
    event.listen(Base.metadata, "after_create", DDL(statements))

SCOPE = Scope(metadata=Base.metadata, schemas=("public",), group_roles=("shop_reader", "shop_writer"), name="shop")
