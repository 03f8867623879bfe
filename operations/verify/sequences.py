"""Sequences: that the next value which they give to a column is not there yet."""

from psycopg.sql import Identifier

from operations.findings import Check, Finding
from operations.verify.subject import Looks, Subject, listed, rows_of, template

SEQUENCES = Check(
    "sequences",
    "Each sequence has passed the greatest value of its column: what it gives next is free.",
    "SELECT setval(…), as the line says. Rows with keys of their own came in (COPY, a restored dump, a replica that was"
    " promoted) without the sequence.",
)


def sequences(subject: Subject) -> Finding | None:
    """Whether the next row of each table gets a key that is free."""
    found = subject.rows("sequences", **subject.ours)
    wrong = []
    for each in found:
        parts = {
            "column": Identifier(each.column),
            "counted": rows_of(each.counted, is_partitioned=each.is_partitioned),
            "sequence": Identifier(*each.sequence),
        }
        [state] = subject.run(template("sequence", **parts))
        following = state.last + 1 if state.is_called else state.last
        if state.greatest is not None and state.greatest >= following:
            what = f"{each.name} gives {following:,} next, and {each.relation}.{each.column} is at {state.greatest:,}"
            wrong.append(f"{what}: SELECT setval('{each.name}', {state.greatest})")
    if wrong:
        return SEQUENCES.failed(f"{len(wrong)} of {len(found)} are behind their columns{listed(wrong)}")
    return SEQUENCES.ok(f"{len(found)} are ahead of their columns") if found else None


LOOKS: Looks = {SEQUENCES: sequences}
