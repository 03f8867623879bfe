"""What a planted fault is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """`found` are the checks that fail (and no other), each with what its line must name."""

    name: str
    plant: str
    found: dict[str, str]
    template: str = "backfilled_table"
    undo: str = ""
    """Of what belongs to the whole server: roles."""
