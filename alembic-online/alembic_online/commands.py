"""The SQL commands in a text that a revision executes, and those that the engine refuses before they run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from alembic_online.errors import OnlineError

TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*)
    | (?P<literal> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag))
    | (?P<name> "(?:[^"]|"")*")
    | (?P<word> [^\W\d][\w$]*)
    | (?P<other> \d[\w.]* | \S)
    """,
    re.X | re.S,
)
COMMENT_EDGE = re.compile(r"/\*|\*/")
ENDS = frozenset({"COMMIT", "END", "ROLLBACK", "ABORT", "BEGIN"})
FULL = (["FULL"], ["FULL", "ON"], ["FULL", "TRUE"], ["FULL", "1"], ["FULL", "'"])
"""How VACUUM's option is written; the value of a literal is not read."""
SETS = re.compile(
    r"\bset\s+(session\s+|local\s+)?lock_timeout\b|\breset\s+lock_timeout\b|\bset_config\s*\(\s*'lock_timeout'", re.I
)
DEFINES = frozenset(["ALTER", "ANALYZE", "COMMENT", "CREATE", "DROP", "GRANT", "LOCK", "REVOKE", "TRUNCATE"])
"""With what a command begins that only defines things, and so calls no function that sets anything."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of a text; `words` are its tokens without comments: words in capitals, of a literal its quote."""

    text: str
    words: list[str]

    @property
    def transaction(self) -> str | None:
        """What it says where it begins or ends a transaction: COMMIT, PREPARE TRANSACTION.

        One that goes back to a savepoint does not, and what is prepared already is another transaction.
        """
        first, *rest = self.words
        if first in ("START", "PREPARE") and rest[:1] == ["TRANSACTION"]:
            return f"{first} TRANSACTION"
        rest = rest[1:] if rest[:1] in (["WORK"], ["TRANSACTION"]) else rest
        return first if first in ENDS and rest[:1] not in (["TO"], ["PREPARED"]) else None

    @property
    def is_full_vacuum(self) -> bool:
        """Whether it is VACUUM FULL, in either spelling."""
        if self.words[:1] != ["VACUUM"] or self.words[1:2] != ["("]:
            return self.words[:2] == ["VACUUM", "FULL"]
        options = " ".join(self.words[2:]).partition(")")[0].split(" , ")
        return any(each.split() in FULL for each in options)

    @property
    def may_set(self) -> bool:
        """Whether a setting may be another one after it: it sets one, or calls what does."""
        return self.words[0] not in DEFINES or "AS" in self.words

    @property
    def sets_lock_timeout(self) -> bool:
        """Whether its text says so; what a function does that it calls, it does not say."""
        return self.words[0] not in DEFINES and SETS.search(self.text) is not None


def commands(text: str) -> list[Command]:
    """The commands of a text, as PostgreSQL separates them."""
    found: list[Command] = []
    words: list[str] = []
    start = parentheses = blocks = 0
    for end, word in _tokens(text):
        if word == ";" and not parentheses and not blocks:
            if words:
                found.append(Command(text=text[start:end], words=words))
            start, words = end, []
            continue
        if word in "()":
            parentheses = max(parentheses + (1 if word == "(" else -1), 0)
        elif (word == "ATOMIC" and words[-1:] == ["BEGIN"]) or (blocks and word == "CASE"):  # a function's body
            blocks += 1
        elif blocks and word == "END":
            blocks -= 1
        words.append(word)
    return [*found, Command(text=text[start:], words=words)] if words else found


def refuse(found: list[Command], what: str) -> None:
    """Raise OnlineError where a text of step `what` holds a command that it must not execute."""
    for command in found:
        if command.is_full_vacuum:
            raise OnlineError(
                f"{what}: VACUUM FULL rewrites the table while nobody can read it; it was not executed.",
                "use VACUUM, which makes the space usable again, or pg_repack, which gives it back online; VACUUM FULL"
                " belongs into a maintenance window, outside of revisions.",
            )
        if ended := command.transaction:
            raise OnlineError(
                f"{what}: its body holds {ended}, and was stopped before it. Only the engine begins and ends a step's"
                " transactions, as its locks and checks depend on them.",
                f"take {ended} out of the revision, and put what cannot run in a transaction into"
                " `with op.get_context().autocommit_block():`.",
            )
        if command.sets_lock_timeout and (command.words[0] == "DO" or command is not found[-1]):
            raise OnlineError(
                f"{what}: lock_timeout is set in one text with other commands, which could then keep the application"
                " waiting for as long; it was not executed.",
                "take that out of the revision: the engine says how long each statement waits for its locks.",
            )


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Each token, and where it ends."""
    at = 0
    while found := TOKEN.search(text, at):
        at = _comment_end(text, found.end()) if found[0] == "/*" else found.end()
        if found["literal"]:
            yield at, "'"
        elif not found["comment"]:
            yield at, found[0].upper() if found["word"] else found[0]


def _comment_end(text: str, at: int) -> int:
    """Where a comment ends that begins with /* before `at`: they nest."""
    depth = 1
    while depth and (edge := COMMENT_EDGE.search(text, at)):
        at, depth = edge.end(), depth + (1 if edge[0] == "/*" else -1)
    return len(text) if depth else at
