"""What a backfill tells the person who runs it."""


class BackfillError(Exception):
    """Something that has to be changed, by the user or in the environment: `what` is wrong, and the `next_step`."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(what, next_step)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what}\nNext: {self.next_step}"
