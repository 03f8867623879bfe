"""Options that several commands have."""

import click

replicas = click.option(
    "--replica",
    "replicas",
    metavar="ADDRESS",
    multiple=True,
    help="A replica that readers use; repeatable.",
)
replica_wait = click.option(
    "--replica-wait",
    metavar="TIME",
    help="How long to wait for replicas (default: deadline).",
)
deadline = click.option("--deadline", metavar="TIME", help="How long to try for a step's locks (default 10min).")
end_idle_after = click.option("--end-idle-after", metavar="TIME", help="End blockers idle in a transaction for longer.")
"""With `deadline`, what is offered to whoever did not get a lock: each command that may say so has both."""
fast = click.option("--fast", is_flag=True, help="Do not rest beside the application.")
sample = click.option(
    "--sample",
    type=click.FloatRange(min=0.01, max=100),
    metavar="PERCENT",
    default=100.0,
    help="Look at so much of the rows (default 100).",
)
