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
    ("text", "zone"), [("0-6", "UTC"), ("00:00", "UTC"), ("00:00-25:00", "UTC"), ("00:00-06:00", "Mars/Base"), ("", "")]
)
def test_a_malformed_window_is_refused(text: str, zone: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        Window.parse(text, zone)


def test_what_is_parsed_is_shown() -> None:
    assert str(Window.parse("22:30 - 05:00", "Europe/Berlin")) == "22:30-05:00 Europe/Berlin"
