"""Rows of a table that inherits from features are no niches that anything may refer to."""

from collections.abc import Callable

import psycopg
from sqlalchemy import URL, Engine

from operations.rehearsal import rehearse, volume
from tests.fixtures.databases import Clone, conninfo

CHILD = """
    CREATE TABLE public.archived_niches () INHERITS (public.features);
    INSERT INTO public.archived_niches (niche_id, phrase) VALUES (1, 'as it was'), (900001, 'only archived')
"""


def test_a_rehearsal_takes_none_for_a_niche(clone: Clone, connect: Callable[[URL], Engine]) -> None:
    url = clone("migrated_table")
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(CHILD)
        with connection.transaction():
            assert volume._rank(connection) == 200
    assert rehearse._niches(connect(url)) == 200
