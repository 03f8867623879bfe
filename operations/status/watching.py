"""The hour of the rollout, for a second person in a second terminal: who is at work, and who waits for whom."""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from alembic_online.database import shown
from alembic_online.quantities import duration
from alembic_online.sessions import driver
from rich.console import Console, Group, RenderableType
from rich.text import Text
from sqlalchemy import URL

from operations import output
from operations.findings import STYLES
from operations.queries import query
from operations.replicas import findings
from operations.status.amiss import session
from operations.status.half_way import half_way, readable, rows
from operations.watching import watching


def watch(url: URL, seconds: int, console: Console, replicas: Sequence[URL] = ()) -> None:
    """Follow a rollout until Ctrl-C, on sessions of its own that read and wait for nobody. Raises OnlineError."""
    before: list[Any] = []

    def look() -> RenderableType:
        with session(url) as connection:
            ours = driver(connection)
            [now] = rows(ours, "activity")
            seen = _screen(ours, url, now, before[0] if before else None, console)
        named = [Text(f"{each.check:<9} {each.detail}", style=STYLES[each.verdict]) for each in findings(url, replicas)]
        before[:] = [now]
        return Group(seen, *named)

    watching(look, seconds, console)


def _screen(ours: psycopg.Connection[Any], url: URL, now: Any, before: Any, console: Console) -> RenderableType:
    there = readable(ours)
    title = Text(f"{now.at:%Y-%m-%d %H:%M:%S %Z}  {shown(url)}", style=output.TITLE)
    parts: list[RenderableType] = [title, *_at_work(ours, there), Text(), _load(ours, now, before)]
    blocked = rows(ours, "blocked")
    parts += [Text(), Text("blocked" if blocked else "nobody waits for a lock", style="dim")]
    if blocked:
        table = output.columns("pid", "who", "waits", "for", "mode", "held by")
        for each in blocked:
            by = ", ".join(str(pid) if pid else "prepared" for pid in each.blocked_by)  # which has no session
            waits = duration(each.seconds) if each.seconds is not None else ""
            table.add_row(str(each.pid), each.who, waits, each.wanted, each.mode.removesuffix("Lock"), by)
        parts.append(table)
    parts += _alerts(ours, there)
    for part in parts:
        if isinstance(part, Text):
            part.truncate(console.width, overflow="ellipsis")
    return Group(*parts)


def _at_work(ours: psycopg.Connection[Any], there: frozenset[str]) -> Iterator[Text]:
    for each in half_way(ours):
        yield Text(str(each), style="yellow")
    steps = rows(ours, "present_step") if "sidb.step" in there else []
    for step in steps:
        yield Text(f"step      {step.revision} {step.direction}, for {duration(step.seconds)}")
    if not steps:
        yield Text("step      none is at work")
    for each in rows(ours, "sessions"):
        wait = f", waits for {each.wait}" if each.wait else ""
        yield Text(f"{each.pid:<9} {each.name}: {each.state} for {duration(each.seconds)}{wait}: {each.query}")


def _load(ours: psycopg.Connection[Any], now: Any, before: Any) -> Text:
    share = now.connections / now.connections_allowed
    parts = [f"{now.active} active", f"{now.connections} of {now.connections_allowed} connections ({share:.0%})"]
    if before is not None:
        seconds = max((now.at - before.at).total_seconds(), 0.001)
        parts.append(f"{(now.transactions - before.transactions) / seconds:,.0f} transactions a second")
    new = f" (+{now.deadlocks - before.deadlocks})" if before is not None and now.deadlocks > before.deadlocks else ""
    parts.append(f"{now.deadlocks} deadlocks{new}")
    lags = [(row[0], row[1]) for row in ours.execute(query("monitor/replicas"))]
    parts += [f"{name} {duration(seconds)} behind" for name, seconds in lags]
    return Text("load      " + ", ".join(parts))


def _alerts(ours: psycopg.Connection[Any], there: frozenset[str]) -> list[RenderableType]:
    """What went wrong last, newest first: failed and missed steps, and pauses of the backfill."""
    last = rows(ours, "told") if "sidb.step" in there else []
    last += rows(ours, "held_back") if "sidb.backfill_pauses" in there else []
    lines = sorted(last, key=lambda each: each.at, reverse=True)[:5]
    told = [Text(f"{each.at:%H:%M:%S}  {each.line}") for each in lines]
    return [Text(), Text("last", style="dim"), *told] if told else []
