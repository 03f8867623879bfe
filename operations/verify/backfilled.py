"""Old and new structures: what the backfill derived agrees with what it derived it from.

Plan, "Post-migration: Verify data consistency between old and new structures". The comparison is the backfill's own.
"""

from collections.abc import Iterator
from functools import partial

from backfill.files import FROM_BACKUP, load_again
from backfill.job import Job, table_of
from backfill.jobs import EVENT_HISTORY, HOT_NICHES, NICHE_SCORES, NICHE_TRENDS
from backfill.tables import LoadedLine, StagedEvent
from backfill.verification import Proof, prove
from operations.findings import Check, Finding
from operations.verify.subject import WHOLE, Looks, Subject, listed

REMEDY = "sidb backfill verify, which has what differs walked again; then sidb backfill run --all"
HISTORY = Check(
    "history",
    "Each event of the loaded history is in analytics_events, once, as it was loaded.",
    REMEDY,
)
SCORES = Check(
    "scores",
    "Each niche of features has one Phase 1 scoring among the events, a feature vector and a row for youtube.",
    REMEDY,
)
TRENDS = Check(
    "trends",
    "The trend vector of each niche in features is what its events give, computed anew.",
    REMEDY,
)
HOT_TRENDS = Check(
    "hot trends",
    "The trend of each row of hot_niches_today is what its niche's trend vector gives.",
    REMEDY,
)
CHARTS = Check(
    "charts",
    "The 90-day chart that the backfill wrote for a niche is in trend_cache, until it expires after 24 hours, or"
    " somebody analyses the niche anew.",
    "nothing is lost but time: the application computes a chart that is not there. Find out who deleted them.",
)
PROVES: dict[Check, Job] = {
    HISTORY: EVENT_HISTORY,
    SCORES: NICHE_SCORES,
    TRENDS: NICHE_TRENDS,
    HOT_TRENDS: HOT_NICHES,
}

CHART_TABLES = ("sidb.backfill_control", "sidb.backfill_ranges", "sidb.backfill_targets")
TABLES = ("sidb.backfill_control", "sidb.backfill_ranges", "sidb.backfill_set_aside")
FINISHED = "the backfill is finished: its history was proved, and its source dropped"
KEPT = f"{table_of(LoadedLine).schema}.{table_of(LoadedLine).name}"
STAGED = f"{table_of(StagedEvent).schema}.{table_of(StagedEvent).name}"


def agrees(subject: Subject, check: Check) -> Finding | None:
    """Whether what a job filled is what its source says."""
    job = PROVES[check]
    with subject.piece():
        if not subject.there(*job.targets, "analytics.niche_daily_activity"):
            return None
        if not subject.there(*TABLES) or not (began := subject.rows("backfill_as_of")):
            return check.warning("no history is backfilled yet", "sidb backfill run")
        if job.source is StagedEvent and not subject.there(STAGED):
            return _without_staging(subject, check)
    [(as_of,)] = began
    proof = prove(subject.connection, job, as_of, share=subject.percent / WHOLE, piece=subject.piece)
    found = _finding(check, proof, subject)
    with subject.piece():
        is_staged = job.source is StagedEvent and found.verdict == "ok" and subject.there(KEPT)
        if is_staged and subject.rows("finished")[0][0] and not _unproved(subject, job):
            return check.ok(FINISHED)
    return found


def _without_staging(subject: Subject, check: Check) -> Finding:
    """Staging is not there: whether it went by a finish, which leaves nothing planned in the ranges it has proved."""
    if rows := _unproved(subject, PROVES[check]):
        not_proved = f"{STAGED} is gone, and its {rows:,} rows were not proved: no finish dropped it"
        return check.failed(not_proved, FROM_BACKUP)
    return check.ok(FINISHED)


def _unproved(subject: Subject, job: Job) -> int:
    [(rows,)] = subject.rows("unproved", job=job.name)
    return int(rows)


def charts(subject: Subject) -> Finding | None:
    """Whether the charts are there that the trends of today came with."""
    if not subject.there("analytics.trend_cache", *CHART_TABLES):
        return None
    [found] = subject.rows("charts")
    if found.wrong:
        niches = ", ".join(map(str, found.examples))
        return CHARTS.failed(f"{found.wrong:,} of {found.rows:,} are not in analytics.trend_cache (niche_id {niches})")
    return CHARTS.ok(f"{found.rows:,} are there") if found.rows else None


def _finding(check: Check, proof: Proof, subject: Subject) -> Finding:
    left_out = f" of the ranges ({proof.left_out:,} left out)" if proof.left_out else ""
    compared = f"{proof.rows:,} rows compared{subject.sampled}{left_out}"
    compared = "; ".join([compared, *proof.told()])
    if proof.another_table:
        return check.warning(
            f"{', '.join(proof.another_table)}: another table than the one that was filled", "sidb backfill run --all"
        )
    if proof.half_loaded:
        return check.warning(f"{', '.join(proof.half_loaded)}: half loaded", load_again(proof.half_loaded))
    if proof.differences:
        return check.failed(f"{compared}{listed(list(_lines(proof)))}")
    if proof.lost:
        return check.failed(f"{compared}; {proof.lost:,} staged rows are gone, and were not proved", FROM_BACKUP)
    if proof.set_aside:
        return check.warning(
            f"{compared}; {proof.set_aside:,} rows were refused, and are set aside", "sidb backfill retry"
        )
    if proof.unfinished:
        return check.warning(f"{compared}; {proof.unfinished:,} ranges are still to be done", "sidb backfill run")
    return check.ok(compared)


def _lines(proof: Proof) -> Iterator[str]:
    for each in proof.differences:
        found = {"missing or different": each.missing, "there, and not expected": each.extra}
        keys = "; ".join(f"{what}: {', '.join(str(key) for key in keys)}" for what, keys in found.items() if keys)
        yield f"from {each.lower} to {each.upper}: {keys}"


LOOKS: Looks = {**{check: partial(agrees, check=check) for check in PROVES}, CHARTS: charts}
