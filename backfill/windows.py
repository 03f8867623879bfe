"""The off-peak window: a time of day in a time zone, daylight saving included."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True)
class Window:
    """Open daily from `start` until `end` by the clocks of `zone`; over midnight when `end` is not after `start`."""

    start: time
    end: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, zone: str) -> "Window":
        """From ``00:00-06:00`` and a name of the IANA time zone database; ValueError says what is wrong."""
        start, dash, end = text.partition("-")
        try:
            times = time.fromisoformat(start.strip()), time.fromisoformat(end.strip())
        except ValueError:
            dash = ""
        if not dash or any(each.tzinfo for each in times):
            raise ValueError(f"{text!r} is not a window such as 00:00-06:00")
        try:
            return cls(*times, ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{zone!r} is not a time zone such as Europe/Berlin") from None

    def is_open(self, now: datetime) -> bool:
        day = now.astimezone(self.zone).date()
        return any(opens <= now < closes for opens, closes in map(self._on, (day - timedelta(days=1), day)))

    def next_opening(self, now: datetime) -> datetime:
        """When it opens next, after `now`."""
        day = now.astimezone(self.zone).date()
        return next(opens for opens, _ in (self._on(day + timedelta(days=ahead)) for ahead in range(3)) if opens > now)

    def hours(self) -> float:
        """Length on an ordinary day."""
        length = (datetime.combine(date.min, self.end) - datetime.combine(date.min, self.start)) % timedelta(days=1)
        return (length or timedelta(days=1)) / timedelta(hours=1)

    def day(self, now: datetime) -> datetime:
        """The last midnight by the clocks of the zone: since when it is today."""
        return datetime.combine(now.astimezone(self.zone).date(), time.min, self.zone).astimezone(UTC)

    def _on(self, day: date) -> tuple[datetime, datetime]:
        """The window that opens on a day, as instants: an hour that the clocks repeat counts twice."""
        closing = day if self.end > self.start else day + timedelta(days=1)
        opens, closes = datetime.combine(day, self.start, self.zone), datetime.combine(closing, self.end, self.zone)
        return opens.astimezone(UTC), closes.astimezone(UTC)

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M} {self.zone.key}"
