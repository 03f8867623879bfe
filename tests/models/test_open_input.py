"""Where the input is open: any vector, any text."""

import math
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, exc, orm, select, text

from models import Feature
from tests.factories import FeatureFactory, MlFeatureFactory
from tests.fixtures.databases import Templates
from tests.fixtures.rows import factories_on

QUICK = settings(max_examples=100, deadline=None)


@pytest.fixture(scope="module")
def session(templates: Templates) -> Iterator[orm.Session]:
    """One transaction for all examples; each takes back what it did."""
    for url in templates.clone("created"):
        engine = create_engine(url)
        with factories_on(engine) as opened:
            yield opened
        engine.dispose()


ELEMENTS = st.none() | st.floats() | st.floats(-1, 1) | st.sampled_from([-0.0, 5e-324, 1.7e308])
VECTORS = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20) | st.lists(ELEMENTS, max_size=20)


@QUICK
@given(vector=VECTORS, surplus=st.sampled_from([0, 0, 0, 0, 1, -1]))
def test_a_vector_is_accepted_when_finite_whole_and_of_its_dimension(
    session: orm.Session, vector: list[float | None], surplus: int
) -> None:
    whole = None not in vector and all(math.isfinite(x) for x in vector if x is not None)
    values = {"vector": vector, "dimension": len(vector) + surplus}
    with session.begin_nested() as savepoint:
        if vector and whole and surplus == 0:
            row = MlFeatureFactory(**values)
            session.refresh(row)
            assert row.vector == vector
        else:
            with pytest.raises(exc.IntegrityError, match=r"ml_features_(vector_)?\w+_check"):
                MlFeatureFactory(**values)
        savepoint.rollback()


@QUICK
@given(
    rows=st.integers(1, 3).flatmap(
        lambda n: st.lists(st.lists(st.floats(-1, 1), min_size=n, max_size=n), min_size=1, max_size=3)
    )
)
def test_a_matrix_is_no_vector(session: orm.Session, rows: list[list[float]]) -> None:
    with session.begin_nested() as savepoint:
        with pytest.raises(exc.IntegrityError, match="ml_features_vector_dimension_check"):
            MlFeatureFactory(vector=rows, dimension=len(rows) * len(rows[0]))
        savepoint.rollback()


# Any text but for what UTF-8 has no bytes for (half a surrogate pair) and NUL.
PHRASES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)


@QUICK
@given(
    phrase=PHRASES | st.sampled_from(["'; DROP TABLE features; --", 'a "b" \\', "🧁\n\t", ":name %s {}", "", "e\u0301"])
)
def test_a_phrase_reads_back_as_it_was_and_stands_once(session: orm.Session, phrase: str) -> None:
    with session.begin_nested() as savepoint:
        row = FeatureFactory(phrase=phrase)
        session.refresh(row)
        assert row.phrase == phrase
        assert session.scalars(select(Feature.niche_id).where(Feature.phrase == phrase)).all() == [row.niche_id]
        with pytest.raises(exc.IntegrityError, match="features_phrase_key"), session.begin_nested():
            FeatureFactory(phrase=phrase)
        savepoint.rollback()


def test_no_nul_in_a_phrase(session: orm.Session) -> None:
    """PostgreSQL refuses it itself, whatever the driver lets through."""
    with session.begin_nested() as savepoint:
        with pytest.raises(exc.DataError) as caught:
            session.execute(text(r"INSERT INTO features (phrase) VALUES (convert_from('\x610062', 'UTF8'))"))
        assert isinstance(caught.value.orig, psycopg.errors.CharacterNotInRepertoire)
        savepoint.rollback()
