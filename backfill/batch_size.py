"""How many rows a batch takes."""

from dataclasses import dataclass, field

from backfill.job import Job

MOST_ROWS = 50_000
FIRST_ROWS = 500
"""Rows of a job's first batch, since nothing is known of the job by then."""


@dataclass
class BatchSize:
    """Learnt for each job: how many rows it takes in its target duration, `most` at most."""

    most: int = MOST_ROWS
    _rows: dict[str, int] = field(default_factory=dict)

    def rows(self, job: Job) -> int:
        return min(self.most, self._rows.get(job.name, FIRST_ROWS))

    def learn(self, job: Job, read: int, seconds: float) -> None:
        """At most doubled at once, at most quartered, and unchanged by what is too little to learn from."""
        rows = self.rows(job)
        if read >= min(rows, FIRST_ROWS) / 2 or seconds > job.seconds:
            fitting = round(read * job.seconds / max(seconds, 1e-4))
            self._rows[job.name] = max(1, rows // 4, min(rows * 2, fitting))
