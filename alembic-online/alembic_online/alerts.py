"""Alerts while a migration runs: on the console and the log, and through Apprise to the addresses configured."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from alembic_online.errors import OnlineError, UsageError
from alembic_online.quantities import duration
from alembic_online.replica_lag_limits import LAG

log = logging.getLogger("alembic.online")

BLOCKED = 1.0  # seconds that somebody waits for the migrator
CONNECTIONS = 0.8  # of max_connections


class Alerts:
    """Tells each kind of alert once a step. Sending never holds up the migration; `close` waits for what is unsent."""

    def __init__(self, step_seconds: float, on_alert: Literal["tell", "stop"], addresses: Sequence[str]) -> None:
        self.step_seconds = step_seconds
        self.on_alert = on_alert
        self.told: set[str] = set()
        self.raised: list[str] = []
        """The alerts of the present step."""
        self.apprise = _apprise(addresses) if addresses else None
        self.sender = ThreadPoolExecutor(1, "migration alerts") if addresses else None

    def begin(self) -> None:
        """A step begins: everything may be told again."""
        self.told.clear()
        self.raised.clear()

    def look(self, step: str, running: float, blocked: float, lag: float, connections: float) -> str | None:
        """Compare the moment with the limits; returns the alert if it is to stop the step.

        `running`, `blocked` (the longest wait for the migrator) and `lag` in seconds, `connections` as a share of those
        allowed.
        """
        limits = {
            f"it has been running for {duration(running)}": (running, self.step_seconds),
            f"somebody has been waiting for it for {blocked:.1f} s": (blocked, BLOCKED),
            f"a replica is {lag:.1f} s behind": (lag, LAG),
            f"{connections:.0%} of the connections are in use": (connections, CONNECTIONS),
        }
        reached = None
        for kind, (text, (value, limit)) in enumerate(limits.items()):
            if value > limit and str(kind) not in self.told:
                self.told.add(str(kind))
                reached = f"{step}: {text}"
                self.raised.append(text)
                self.tell(reached)
        return reached if self.on_alert == "stop" else None

    def close(self) -> None:
        if self.sender:
            self.sender.shutdown()

    def tell(self, alert: str) -> None:
        """On the log, and to the addresses."""
        log.warning("Alert: %s", alert)
        self.announce(alert)

    def announce(self, news: str) -> None:
        """To the addresses only: that something begins, is finished, or failed."""
        if self.sender and self.apprise:
            self.sender.submit(self._send, news)

    def _send(self, alert: str) -> None:
        assert self.apprise is not None
        if not self.apprise.notify(title="Database migration", body=alert):
            log.warning("Not every alert address could be reached.")


def _apprise(addresses: Sequence[str]) -> Any:
    try:
        import apprise
    except ImportError:
        raise OnlineError(
            "Alert addresses are set, but Apprise is not installed.",
            "install it (pip install apprise), or unset the alert addresses.",
        ) from None
    notifier = apprise.Apprise()
    for number, address in enumerate(addresses, start=1):
        if not notifier.add(address):  # never quoted: it may hold a token
            raise UsageError(
                f"Alert address {number} is not one that Apprise understands.",
                "correct it; addresses are separated by spaces.",
            )
    return notifier
