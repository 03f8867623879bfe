"""The certificate of an erasure: what was found where, when it was gone, what was out of reach, and what repeats it.

It carries the key and the keyed hashes: a recovery of a backup loses both with the database. Who has it can test
guesses of ids against it, so that its file is the owner's alone.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from alembic_online.errors import OnlineError, UsageError
from rich.console import Console

from operations import output
from operations.erasure.payloads import Mention
from operations.erasure.records import SECRET, Place, Tombstone

VERSION = 1
HASH = 32
"""Bytes of a keyed hash."""
OUT_OF_REACH = (
    "files of exported rows, those that retention wrote among them; files that were loaded stay as they are",
    "backups and archived WAL: after a recovery, repeat the erasure with its certificate",
    "rows that standbys have not replayed yet, and dead rows in data files until VACUUM",
    "the server's log, where statements of the application are logged",
)
SHOWN = 3
"""Rows that are named to people for each column; JSON has some more."""
READABLE_BY_THE_OWNER = 0o600


@dataclass(frozen=True)
class Again:
    """What repeats an erasure: hexadecimal, the key and the hashes under it."""

    key: str
    hashes: list[str]


@dataclass(frozen=True)
class Certificate:
    """All of it.

    `left`: rows that are there, which another session has locked or has written since. `uncommitted`: transactions that
    had written before the tombstones and have not ended, whose rows nobody sees yet. `not_searched`: users for whom
    payloads could not be searched, as their ids are not known any more. `tables_of_others`: with a column user_id,
    theirs to erase.
    """

    certificate: int
    database: str
    erasure: int
    users: int
    begun: datetime
    gone_from_live_tables: datetime | None
    gone: datetime | None
    places: list[Place]
    left: int
    uncommitted: list[str]
    niches_analysed: int
    niches_left: str | None
    mentions: list[Mention]
    not_searched: int
    out_of_reach: list[str]
    tables_of_others: list[str]
    again: list[Again] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0; 1: rows of the users are there again, or may come, or niches still count them."""
        return 1 if self.left or self.uncommitted or self.niches_left else 0


def again(tombstones: Sequence[Tombstone]) -> list[Again]:
    """By key."""
    by_key: dict[bytes, list[str]] = {}
    for each in tombstones:
        by_key.setdefault(each.secret, []).append(each.user_hash.hex())
    return [Again(secret.hex(), sorted(hashes)) for secret, hashes in by_key.items()]


def read(path: Path) -> list[Tombstone]:
    """The tombstones of a certificate. Raises UsageError, or OSError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["certificate"] > VERSION:
            raise UsageError(f"{path} was written by a newer version of this program.", "use that version.")
        kept = [
            Tombstone(bytes.fromhex(each), bytes.fromhex(again["key"]))
            for again in found["again"]
            for each in again["hashes"]
        ]
        if not kept or any(len(each.user_hash) != HASH or len(each.secret) != SECRET for each in kept):
            raise ValueError
        return kept
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{path} is no certificate of an erasure.", "give the file that `sidb erase --certificate` wrote."
        ) from None


def refuse_existing(path: Path) -> None:
    """Raise OnlineError where the certificate could not be written; before anything is erased."""
    if path.exists():
        raise UsageError(f"{path} is there already.", "name a file that is not: a certificate takes no other's place.")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise OnlineError(f"{path} cannot be written.", "see that its directory is there, and may be written to.")


def write(certificate: Certificate, path: Path) -> None:
    """Write it, for its owner alone, whole or not at all. Raises OnlineError."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, READABLE_BY_THE_OWNER)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(output.to_json(certificate) + "\n")
                file.flush()
                os.fsync(number)
        except OSError:
            path.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OnlineError(
            f"The rows are gone, but the certificate was not written to {path}: {error.strerror or error}.",
            "sidb erase --resume --certificate FILE, where there is room.",
        ) from None


def show(certificate: Certificate, console: Console) -> None:
    """For people, without what repeats it."""
    for line in _lines(certificate):
        console.print(line, soft_wrap=True)
    if found := [each for each in certificate.places if each.rows]:
        console.print(output.table(found))
    else:
        console.print("No row of theirs was found. They are recorded as erased all the same: what comes is left out.")
    console.print("\nOut of reach:")
    for each in certificate.out_of_reach:
        console.print(f"  {each}", soft_wrap=True)
    for name in certificate.tables_of_others:
        console.print(f"  {name}, a table of others with a column user_id", soft_wrap=True)
    if certificate.not_searched:
        unknown = f"{certificate.not_searched:,} users, whose ids are not known any more: give them again for that."
        console.print(f"\nPayloads were not searched for {unknown}", soft_wrap=True)
    for mention in certificate.mentions:
        more = "; …" if mention.rows > SHOWN else ""
        named = f"{mention.rows:,} rows ({'; '.join(mention.keys[:SHOWN])}{more})"
        console.print(f"\nNamed in others' rows: {mention.table}.{mention.column}, {named}", soft_wrap=True)


def _lines(certificate: Certificate) -> Iterator[str]:
    users = "1 user" if certificate.users == 1 else f"{certificate.users:,} users"
    yield f"Erasure no. {certificate.erasure} ({users}), {certificate.database}"
    yield f"begun {_at(certificate.begun)}"
    if certificate.gone_from_live_tables:
        yield f"gone from the tables in use {_at(certificate.gone_from_live_tables)}"
    if certificate.gone:
        yield f"gone everywhere {_at(certificate.gone)}"
    yield f"{certificate.niches_analysed:,} niches analysed anew"
    if certificate.niches_left:
        yield f"Not all were: {certificate.niches_left}"
    if certificate.uncommitted:
        open_ = f"Transactions that had written before have not ended: {', '.join(certificate.uncommitted)}"
        yield f"{open_}; rows of theirs may come with their commit"
    if certificate.left:
        yield f"{certificate.left:,} rows of theirs are there: another session has locked or has written them since"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
