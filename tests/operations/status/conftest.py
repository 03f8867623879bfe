"""What the tests of the status share."""

import pytest
from sqlalchemy import URL

from tests.fixtures.databases import Clone


@pytest.fixture
def url(clone: Clone) -> URL:
    return clone("migrated_table")
