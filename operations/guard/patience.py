"""How long to wait for a lock, how often, and when to give up. Measured against its alternatives in benchmarks/."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

WAIT_EVERY = 10  # tries: the others do not wait at all, so that nobody queues behind them
FIRST_WAIT = 20  # ms; enough for a gap between busy writers
STARVING = 30.0  # seconds after which the wait is doubled, and again after as much
LONGEST_WAIT = 200  # ms, whatever happens
PAUSE = (0.010, 0.030)  # seconds between tries
STEP_PAUSE = (0.05, 0.15)  # seconds before a whole step is run again


@dataclass
class Patience:
    """The tries of one step. `interrupt` is called at each pause and may raise to end the step."""

    seconds: float
    interrupt: Callable[[], None] = lambda: None
    tries: int = 0
    waited: float = 0.0
    began: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        return time.monotonic() - self.began > self.seconds

    @property
    def is_waiting_try(self) -> bool:
        return self.tries % WAIT_EVERY == 0

    def next_wait(self) -> int:
        """Count a try, and say for how many ms it may wait in the queue: mostly 0."""
        self.tries += 1
        if not self.is_waiting_try:
            return 0
        doublings = int((time.monotonic() - self.began) / STARVING)
        return int(min(FIRST_WAIT * 2 ** min(doublings, 10), LONGEST_WAIT))

    def pause(self, between: tuple[float, float] = PAUSE) -> None:
        self.interrupt()
        time.sleep(random.uniform(*between))  # noqa: S311 - jitter, not a secret
