"""pytest-alembic's own tests of the shop, as the shop would have them: copied into its folder and run there."""

import os
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.config import Config
from pytest_alembic.tests import (
    test_model_definitions_match_ddl,
    test_single_head_revision,
    test_up_down_consistency,
    test_upgrade,
)
from sqlalchemy import Engine, NullPool, create_engine

__all__ = [
    "test_model_definitions_match_ddl",
    "test_single_head_revision",
    "test_up_down_consistency",
    "test_upgrade",
]


@pytest.fixture
def alembic_config() -> Config:
    return Config("alembic.ini")


@pytest.fixture
def alembic_engine(alembic_config: Config) -> Iterator[Engine]:
    yield create_engine(os.environ["SHOP_DATABASE_URL"], poolclass=NullPool)
    command.downgrade(alembic_config, "base")
