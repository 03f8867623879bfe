"""The trend of a vector: the published rules, exactly, for every vector there can be."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.databases import Clone, Templates, conninfo


@dataclass(frozen=True)
class Trend:
    direction: str
    slope: Decimal
    confidence: Decimal
    days: int
    volatility: Decimal


NONE = Trend("stable", Decimal(0), Decimal(0), 0, Decimal(0))

Ask = Callable[..., list[Trend]]


@pytest.fixture(scope="module")
def trends_of(templates: Templates) -> Iterator[Ask]:
    """``trends_of(vector, …)``: what the database says, in one round trip; a string is JSON already."""
    for url in templates.clone("created"):
        with psycopg.connect(conninfo(url), autocommit=True) as connection:

            def ask(*vectors: Any) -> list[Trend]:
                found = connection.execute(
                    """
                    SELECT t.direction, t.slope, t.confidence, t.days, t.volatility
                    FROM unnest(%s::jsonb[]) WITH ORDINALITY AS v (vector, place)
                    CROSS JOIN LATERAL analytics.trend_of(v.vector) AS t
                    ORDER BY v.place
                    """,
                    [[v if isinstance(v, str | None) else json.dumps(v) for v in vectors]],
                )
                return [Trend(*row) for row in found]

            yield ask


def vector(counts: list[Any]) -> list[list[Any]]:
    return [["2017-09-13", count] for count in counts]  # the function looks at the order only


def exact(counts: list[int]) -> tuple[str, Fraction, Fraction]:
    """Direction, slope and squared volatility of a series by the rules, without rounding."""
    n, mean = len(counts), Fraction(sum(counts), len(counts))
    if n < 2 or mean == 0:
        return "stable", Fraction(0), Fraction(0)
    centre = Fraction(n + 1, 2)
    line = sum((x - centre) * y for x, y in enumerate(counts, 1)) / sum((x - centre) ** 2 for x in range(1, n + 1))
    rest = sum((y - mean - line * (x - centre)) ** 2 for x, y in enumerate(counts, 1)) / n
    slope = line / mean
    direction = "rising" if slope > Fraction(5, 100) else "falling" if slope < Fraction(-5, 100) else "stable"
    return direction, slope, rest / mean**2


def days_held(counts: list[int]) -> int:
    directions = [exact(counts[: n + 1])[0] for n in range(len(counts))]
    return next((d for d, older in enumerate(reversed(directions)) if older != directions[-1]), len(directions))


def assert_exact(found: Trend, counts: list[int]) -> None:
    direction, slope, squared_volatility = exact(counts)
    volatility = math.sqrt(squared_volatility)
    assert found.direction == direction
    assert found.days == days_held(counts)
    assert abs(Fraction(found.slope) - slope) <= Fraction(51, 10**8)  # rounded to 6 places
    assert math.isclose(found.volatility, volatility, rel_tol=1e-9, abs_tol=0.000051)  # to 4 places
    confidence = len(counts) / 14 / (1 + volatility) if any(counts) else 0
    assert math.isclose(found.confidence, confidence, abs_tol=0.000051)


@pytest.mark.parametrize(
    ("counts", "direction", "days"),
    [
        ([5] * 14, "stable", 14),
        ([0] * 14, "stable", 14),
        ([7], "stable", 1),
        ([0, 1], "rising", 1),
        ([1, 0], "falling", 1),
        (list(range(1, 15)), "rising", 13),
        (list(range(14, 0, -1)), "falling", 13),
        ([0] * 13 + [1], "rising", 1),
        ([10] * 10 + [20] * 4, "rising", 3),
        # The thresholds themselves are stable: slope 0.05 and -0.05 to the letter.
        ([39, 41], "stable", 2),
        ([41, 39], "stable", 2),
        ([38, 41], "rising", 1),
        ([41, 38], "falling", 1),
    ],
)
def test_examples(trends_of: Ask, counts: list[int], direction: str, days: int) -> None:
    [found] = trends_of(vector(counts))
    assert (found.direction, found.days) == (direction, days)
    assert_exact(found, counts)


def test_nothing_is_stable_without_confidence(trends_of: Ask) -> None:
    assert trends_of([], None, "null", "{}", '"text"', "3", "true") == [NONE] * 7


def test_what_is_not_a_number_counts_as_zero(trends_of: Ask) -> None:
    odd = [None, "7", True, [], {}, [1], {"1": 2}, -3]
    vectors = [vector([1, value, 3]) for value in odd] + [[["d", 1], value, ["d", 3]] for value in [*odd, ["d"], 1e9]]
    [expected] = trends_of(vector([1, 0, 3]))
    assert trends_of(*vectors) == [expected] * len(vectors)


@pytest.mark.parametrize("number", ["1e-300", "1e-400", "1e-16000", "0.4999"])
def test_less_than_half_an_event_is_none(trends_of: Ask, number: str) -> None:
    assert trends_of(f'[["d", 1], ["d", {number}], ["d", 3]]') == trends_of(vector([1, 0, 3]))


@pytest.mark.parametrize("number", ["1e10", "1e300", "1e400", "1e16000"])
def test_more_than_a_billion_is_a_billion(trends_of: Ask, number: str) -> None:
    assert trends_of(f'[["d", 1], ["d", {number}]]') == trends_of(vector([1, 10**9]))


COUNTS = st.integers(0, 10**9) | st.integers(0, 30)
SERIES = st.lists(COUNTS, min_size=1, max_size=14) | st.lists(st.integers(19, 21), min_size=1, max_size=14)
BATCH = settings(max_examples=40, deadline=None)


@BATCH
@given(st.lists(SERIES, min_size=1, max_size=40))
def test_exact(trends_of: Ask, batch: list[list[int]]) -> None:
    for found, counts in zip(trends_of(*map(vector, batch)), batch, strict=True):
        assert_exact(found, counts)
        assert 0 <= found.confidence <= 1
        assert 1 <= found.days <= 14
        if len(counts) < 7:
            assert found.confidence < Decimal("0.6")


@BATCH
@given(st.lists(st.tuples(st.lists(COUNTS, max_size=80), st.lists(COUNTS, min_size=14, max_size=14)), min_size=1))
def test_only_the_last_14_days_matter(trends_of: Ask, batch: list[tuple[list[int], list[int]]]) -> None:
    assert trends_of(*(vector(old + last) for old, last in batch)) == trends_of(*(vector(last) for _, last in batch))


# PostgreSQL's jsonb takes no NUL and no half of a surrogate pair.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@BATCH
@given(st.lists(JSON | st.lists(st.tuples(TEXT, JSON | NUMBERS), max_size=20), min_size=1, max_size=20))
def test_no_json_makes_it_fail(trends_of: Ask, batch: list[Any]) -> None:
    for found, given_json in zip(trends_of(*(json.dumps(v) for v in batch)), batch, strict=True):
        assert found.direction in ("rising", "stable", "falling")
        assert 0 <= found.confidence <= 1
        assert 0 <= found.days <= 14
        assert (found.days == 0) == (not isinstance(given_json, list) or not given_json)


def test_no_function_of_the_callers_path_takes_the_place_of_ours(clone: Clone) -> None:
    with psycopg.connect(conninfo(clone("created"))) as connection:
        connection.execute("CREATE FUNCTION public.jsonb_typeof(jsonb) RETURNS text LANGUAGE sql RETURN 'nothing'")
        connection.execute("SET LOCAL search_path = public, pg_catalog")
        [asked] = connection.execute("SELECT jsonb_typeof('1')").fetchall()
        assert asked == ("nothing",)
        [found] = connection.execute(
            "SELECT direction FROM analytics.trend_of(%s)", [json.dumps(vector([1, 2, 3]))]
        ).fetchall()
        assert found == ("rising",)
