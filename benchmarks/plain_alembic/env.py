"""Plain Alembic over the same revisions, as its template has it: what the guard is compared with."""

import os

from alembic import context
from sqlalchemy import NullPool, create_engine, make_url

url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
with create_engine(url, poolclass=NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
