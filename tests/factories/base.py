"""What every factory shares: the session that the ``session`` fixture binds, and keys of rows made on the way."""

from datetime import UTC, datetime
from typing import Any

import factory
from factory.alchemy import SQLAlchemyModelFactory
from factory.builder import BuildStep
from sqlalchemy.orm import scoped_session, sessionmaker

NOW = datetime.now(UTC)
"""When this test session began; rows are dated from it, since what is current is measured by the server's clock."""

Session = scoped_session(sessionmaker(expire_on_commit=False, join_transaction_mode="create_savepoint"))
"""Where factories put their rows; bound to a database by the ``session`` fixture."""


class RowFactory(SQLAlchemyModelFactory):
    """Makes valid rows, flushed but not committed: a test that looks from another connection commits first."""

    class Meta:
        abstract = True
        sqlalchemy_session = Session
        sqlalchemy_session_persistence = "flush"


class NicheKey(factory.SubFactory):
    """Key of a niche made for a row; ``niche_id=…`` names another, ``niche_id__phrase=…`` describes the new one."""

    def __init__(self) -> None:
        super().__init__("tests.factories.niches.FeatureFactory")

    def evaluate(self, instance: Any, step: BuildStep, extra: dict[str, Any]) -> int:
        niche_id: int = super().evaluate(instance, step, extra).niche_id
        return niche_id
