"""The declarative base: naming convention, column types, and small pieces that every table shares.

The convention yields the names that PostgreSQL itself would give (``…_pkey``, ``…_niche_id_fkey``, ``…_check``) and the
plan's ``idx_<table>_<what>``, so that hand-written SQL and the models agree to the letter.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, MetaData, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

ANALYTICS = "analytics"
"""The schema that holds everything Phase 2 adds, but for the columns added to Phase 1's own tables."""

PARTITIONS = "analytics_partitions"
"""The schema that holds the partitions of its tables, so that months come and go beside the application's names."""

NOW = text("now()")

Score = Annotated[Decimal, mapped_column(Numeric(5, 4))]
"""A normalised score, numeric(5,4); a CHECK keeps it in 0..1."""

Timestamp = Annotated[datetime, mapped_column(DateTime(timezone=True))]
"""An instant, timestamptz."""

CreatedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=NOW)]
"""The instant at which a row was written, filled by the database."""


@dataclass(frozen=True)
class RetentionPeriod:
    """For how many months the service's contract keeps a row, and the column that says how old it is.

    It stands in the table's ``info`` as ``retention``; rows of a table without one stay.
    """

    column: str
    months: int


class Base(DeclarativeBase):
    """Base of every model; ``Base.metadata`` is the target of autogenerate and builds the whole schema."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "ix": "idx_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (the declarative API's own attribute)
        int: BigInteger,
        str: Text,
        dict[str, Any]: JSONB(none_as_null=True),
        list[Any]: JSONB(none_as_null=True),
        datetime: DateTime(timezone=True),
    }


def within_0_and_1(column: str) -> CheckConstraint:
    """A score is normalised: ``0 <= column <= 1`` (NULL passes)."""
    return CheckConstraint(f"{column} BETWEEN 0 AND 1", name=column)


def not_blank(column: str) -> CheckConstraint:
    """A text says something: not empty and not only white space (NULL passes)."""
    return CheckConstraint(f"{column} ~ '\\S'", name=column)


def json_of(column: str, kind: str) -> CheckConstraint:
    """A jsonb column holds one kind of JSON value: ``object`` or ``array`` (NULL passes)."""
    return CheckConstraint(f"jsonb_typeof({column}) = '{kind}'", name=column)


def valid_after_creation() -> CheckConstraint:
    """Something that expires is valid for a while: ``valid_until > created_at``."""
    return CheckConstraint("valid_until > created_at", name="valid_until")
