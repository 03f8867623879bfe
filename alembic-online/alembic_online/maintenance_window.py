"""The maintenance window: the times of the week at which a migration may start."""

import re
from dataclasses import dataclass
from typing import Any

import psycopg

from alembic_online.errors import OnlineError, UsageError
from alembic_online.queries import query

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
WEEK = 7 * DAY
EXAMPLE = "Sat 22:00-Sun 06:00 Europe/Berlin, or 00:00-06:00 UTC for every day"
MOMENT = r"(?:([A-Za-z]{3}) )?(\d\d):(\d\d)"


@dataclass(frozen=True)
class Window:
    """From `start` to `end` (minutes since Monday 00:00, or since midnight if it is for every day) in a time zone."""

    text: str
    start: int
    end: int
    daily: bool
    zone: str

    def holds(self, weekday: int, minute: int) -> bool:
        """Whether it is open at that minute of the day; Monday is 1."""
        period = DAY if self.daily else WEEK
        now = minute if self.daily else (weekday - 1) * DAY + minute
        return (now - self.start) % period < (self.end - self.start) % period


def parse_window(text: str, where: str) -> Window:
    """Read "Sat 22:00-Sun 06:00 Europe/Berlin" or "00:00-06:00 UTC"; UsageError names `where` it was written."""
    found = re.fullmatch(rf"{MOMENT}\s*-\s*{MOMENT}\s+(\S+)", text.strip())
    if found:
        first, second, zone = found.group(1, 2, 3), found.group(4, 5, 6), found[7]
        start, end = _minute(*first), _minute(*second)
        if start is not None and end is not None and start != end and bool(first[0]) == bool(second[0]):
            return Window(text, start, end, not first[0], zone)
    raise UsageError(f"{where} is {text!r}, which is not a maintenance window.", f"write it as {EXAMPLE}.")


def refuse_outside(connection: psycopg.Connection[Any], window: Window, now_option: str) -> None:
    """Raise OnlineError unless the window is open by the server's clock; `now_option` is what overrides it."""
    try:
        now = connection.execute(query("run/local_time"), {"zone": window.zone}).fetchone()
    except psycopg.errors.InvalidParameterValue:
        raise UsageError(
            f"The maintenance window {window.text!r} names a time zone that the server does not know.",
            f"write it as {EXAMPLE}.",
        ) from None
    assert now is not None
    if not window.holds(*now):
        raise OnlineError(
            f"It is {DAYS[now[0] - 1].title()} {now[1] // 60:02}:{now[1] % 60:02} in {window.zone}, "
            f"outside the maintenance window {window.text}; nothing was changed.",
            f"wait for the window, or run it now all the same ({now_option}).",
        )


def _minute(day: str | None, hour: str, minute: str) -> int | None:
    if int(hour) > 23 or int(minute) > 59 or (day and day.lower() not in DAYS):
        return None
    return (DAYS.index(day.lower()) if day else 0) * DAY + int(hour) * 60 + int(minute)
