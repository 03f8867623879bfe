"""The off-peak window, daylight saving included."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill.windows import Window

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Window(time(0), time(6), BERLIN)


@pytest.mark.parametrize(
    ("day", "hours"), [("2025-03-30", 5), ("2025-06-01", 6), ("2025-10-26", 7)], ids=["spring", "summer", "autumn"]
)
def test_a_night_is_as_long_as_the_clocks_make_it(day: str, hours: int) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(UTC)
    open_minutes = sum(NIGHT.is_open(midnight + timedelta(minutes=n)) for n in range(12 * 60))
    assert open_minutes == hours * 60


def test_a_window_over_midnight() -> None:
    late = Window(time(22), time(4), ZoneInfo("UTC"))
    assert [hour for hour in range(24) if late.is_open(datetime(2025, 1, 1, hour, tzinfo=UTC))] == [0, 1, 2, 3, 22, 23]
    assert late.hours() == 6


def test_it_is_open_from_its_first_instant_up_to_its_last() -> None:
    opens, closes = (datetime(2025, 1, 1, hour, tzinfo=BERLIN).astimezone(UTC) for hour in (0, 6))
    instant = timedelta(microseconds=1)
    at = (opens - instant, opens, closes - instant, closes)
    assert [NIGHT.is_open(each) for each in at] == [False, True, True, False]
    assert NIGHT.next_opening(opens - instant) == opens
    assert NIGHT.next_opening(opens) == opens + timedelta(days=1)


@pytest.mark.parametrize("hour", [0, 6, 23])
def test_a_window_that_ends_when_it_begins_is_always_open(hour: int) -> None:
    always = Window(time(hour), time(hour), BERLIN)
    assert always.hours() == 24
    midnight = datetime(2025, 6, 1, tzinfo=UTC)
    assert all(always.is_open(midnight + timedelta(minutes=minute)) for minute in range(0, 48 * 60, 30))


@pytest.mark.parametrize(
    ("now", "midnight"),
    [("2025-06-01T21:59Z", "2025-05-31T22:00Z"), ("2025-06-01T22:00Z", "2025-06-01T22:00Z")],
)
def test_a_day_begins_by_the_clocks_of_the_zone(now: str, midnight: str) -> None:
    assert NIGHT.day(datetime.fromisoformat(now)) == datetime.fromisoformat(midnight)


def test_clocks_that_go_back_over_midnight() -> None:
    """At a minute past twelve, to the day before: the opening of the day to come has been already."""
    window = Window(time(0), time(4), ZoneInfo("America/Goose_Bay"))
    now = datetime(1988, 10, 30, 2, 17, tzinfo=UTC)
    assert now < window.next_opening(now) <= now + timedelta(days=2)


zones = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"])
times = st.times().map(lambda each: each.replace(second=0, microsecond=0))
instants = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)).map(lambda each: each.replace(tzinfo=UTC))


@given(times, times, zones, instants)
def test_it_opens_when_it_says(start: time, end: time, zone: str, now: datetime) -> None:
    window = Window(start, end, ZoneInfo(zone))
    opens = window.next_opening(now)
    assert now < opens <= now + timedelta(days=2, hours=2)
    if not window.is_open(now) and window.hours() > 2:
        assert window.is_open(opens)
        assert not window.is_open(opens - timedelta(microseconds=1)) or window.hours() == 24


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("0-6", "UTC"),
        ("00:00", "UTC"),
        ("00:00-25:00", "UTC"),
        ("00:00Z-06:00", "UTC"),
        ("00:00-06:00+01:00", "UTC"),
        ("00:00-06:00", "Mars/Base"),
        ("", ""),
    ],
)
def test_a_malformed_window_is_refused(text: str, zone: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        Window.parse(text, zone)


def test_what_is_parsed_is_shown() -> None:
    assert str(Window.parse("22:30 - 05:00", "Europe/Berlin")) == "22:30-05:00 Europe/Berlin"
