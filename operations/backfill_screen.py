"""What people read of the backfill: how it stands, what is proved, how a worker ended, and what to type next."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from alembic_online.quantities import duration
from rich.console import Console
from rich.table import Table

from backfill.files import FROM_BACKUP, load_again
from backfill.job_status import JobStatus
from backfill.runner import Summary
from backfill.verification import Proof
from operations import output

if TYPE_CHECKING:
    from operations.backfilling import Status

ENDS = {
    "done": "Done",
    "enough": "Today's share is done",
    "window": "The window has closed; the rest is for tomorrow",
    "asked": "Stopped as asked",
}
RUN = "sidb backfill run --all"
VERIFY = "sidb backfill verify"
RETRY = "sidb backfill retry"


def show_status(found: "Status", console: Console) -> None:
    """A line a job, and what it waits for."""
    console.print(_jobs(found.jobs))
    for job in found.jobs:
        if job.set_aside:
            console.print(f"{job.job}: {job.set_aside:,} rows are set aside, see sidb.backfill_set_aside; then retry")
        if job.error:
            console.print(f"{job.job}: {job.error}")
    paused = "PAUSED; " if found.paused else ""
    deadline = f"deadline {found.deadline:%Y-%m-%d %H:%M} UTC" if found.deadline else "not begun"
    console.print(f"{paused}window {found.window}; {deadline}")
    for file in found.half_loaded:
        console.print(f"half loaded: {file}", soft_wrap=True)
    if found.load_again:
        console.print(f"Next: {found.load_again}", soft_wrap=True)
    for each in found.last_pauses:
        until = f"{each['until']:%H:%M:%S}" if each["until"] else "now"
        console.print(f"held back {each['since']:%Y-%m-%d %H:%M:%S} to {until}: {each['detail']}")


def _jobs(jobs: Sequence[JobStatus]) -> Table:
    """A line a job, in 80 columns; the rest is in --json."""
    table = output.columns("job", "state", "done", "left", "rows/s", "rested", "time left")
    table.columns[1].justify, table.columns[1].no_wrap = "left", False
    for job in jobs:
        done = f"{1 - job.left / job.rows:.0%}" if job.rows else ""
        rate = "" if job.rate is None else f"{job.rate:,.0f}"
        rested = "" if job.rested is None else f"{job.rested:.0%}"
        time_left = "" if job.seconds_left is None else duration(job.seconds_left)
        table.add_row(job.job, job.state, done, f"{job.left:,}", rate, rested, time_left)
    return table


def show_proofs(proofs: Sequence[Proof], console: Console) -> None:
    """A line a job, and below it what speaks against it, or what others have rightly done."""
    for proof in proofs:
        there = f"all there, once, but for {proof.deleted:,}" if proof.deleted else "all there, once"
        found = there if proof.holds else "NOT proved"
        console.print(f"{proof.job:<15}{proof.rows:>12,} rows compared: {found}")
        for name in proof.half_loaded:
            console.print(f"  {name} is half loaded", soft_wrap=True)
        for target in proof.another_table:
            console.print(f"  {target} is not the one that was filled")
        if proof.unfinished:
            console.print(f"  {proof.unfinished:,} ranges are not done")
        if proof.set_aside:
            console.print(f"  {proof.set_aside:,} rows are set aside")
        if proof.lost:
            console.print(f"  {proof.lost:,} staged rows are gone, and were not proved")
        for each in proof.differences:
            console.print(f"  {each.lower} to {each.upper}: missing {each.missing}, extra {each.extra}")
        for line in proof.told():
            console.print(f"  {line}")


def after_proofs(proofs: Sequence[Proof]) -> str | None:
    """What to type where a proof does not hold; None: all hold."""
    if all(proof.holds for proof in proofs):
        return None
    half = list(dict.fromkeys(name for proof in proofs for name in proof.half_loaded))
    steps = [load_again(half)] if half else []
    if any(proof.set_aside for proof in proofs):
        steps.append(f"correct what sidb.backfill_set_aside says, {RETRY}")
    if any(proof.lost for proof in proofs):
        return FROM_BACKUP
    return ", then ".join([*steps, RUN, VERIFY])


def show_end(summary: Summary, left: int, console: Console) -> None:
    """What a worker did, and how many rows are left."""
    console.print(f"{ENDS[summary.ended]}: {summary.read:,} rows read, {summary.written:,} written.")
    following = "sidb backfill daily does the rest" if left else VERIFY
    console.print(f"{left:,} rows are left. Next: {following}")
    if summary.refused:
        next_step = f"Next: correct what sidb.backfill_set_aside says, {RETRY}, then {RUN}"
        click.secho(f"{summary.refused:,} rows were set aside. {next_step}", err=True)
