"""How long to wait for a lock, how often, and when to give up. Measured against its alternatives in benchmarks/.

Whoever waits for a lock makes everybody behind it wait too. So a try that cannot succeed soon, because a transaction
that has been open for long is in the way, does not wait at all; one that has to find a gap between busy writers waits
for some milliseconds. A session that opens its next long transaction at once would starve that, and so would writers
of many tables that are wanted together: after a while some tries wait all the same, and longer and longer.
"""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

LONG = 0.1  # seconds: a transaction open for longer is not waited for
WAIT = 20  # ms; enough for a gap between busy writers
STARVING_AFTER = 15.0  # seconds, and then every so many tries:
STARVING_EVERY = 10
DOUBLING = 30.0  # seconds of starving after which the wait is doubled, and again after as much
LONGEST_WAIT = 200  # ms, whatever happens
PAUSE = (0.010, 0.030)  # seconds between tries
STEP_PAUSE = (0.05, 0.15)  # seconds before a whole step is run again


@dataclass
class RetryPolicy:
    """The tries of one step. `interrupt` is called at each pause and may raise to end the step."""

    seconds: float
    interrupt: Callable[[], None] = lambda: None
    tries: int = 0
    waited: float = 0.0
    began: float = field(default_factory=time.monotonic)

    @property
    def attempts(self) -> str:
        """In words: "1 attempt", "12 attempts"."""
        return f"{self.tries:,} attempt{'' if self.tries == 1 else 's'}"

    @property
    def over(self) -> bool:
        return time.monotonic() - self.began > self.seconds

    def next_wait(self, longest_in_the_way: Callable[[], float]) -> int:
        """Count a try, and say for how many ms it may wait in the queue, by the age of what is in the way."""
        self.tries += 1
        if self.tries == 1:
            return 0
        age = longest_in_the_way()
        if age == math.inf:  # no gap will come until somebody ends it
            return 0
        least = WAIT if age <= LONG else 0
        starving = time.monotonic() - self.began - STARVING_AFTER
        if starving < 0 or self.tries % STARVING_EVERY:
            return least
        return int(min(WAIT * 2 ** min(starving // DOUBLING, 10), LONGEST_WAIT))

    def pause(self, between: tuple[float, float] = PAUSE) -> None:
        self.interrupt()
        time.sleep(random.uniform(*between))  # noqa: S311 - jitter, not a secret
