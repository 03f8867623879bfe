"""What is derived by triggers and refreshes: activity, materialized views, hot niches.

Plan, "Data Integrity": triggers for maintaining materialized views; "Verify data consistency between old and new
structures".
"""

from psycopg.sql import SQL, Identifier, Literal

from operations.findings import Check, Finding
from operations.verify.subject import Looks, Subject, listed, template

ACTIVITY = Check(
    "activity",
    "analytics.niche_daily_activity shows what a recount of the events gives, niche by niche, day by day, from the day"
    " on from which they are kept.",
    "SELECT analytics.rebuild_niche_daily_activity(); counts go wrong where the triggers were bypassed.",
)
MATERIALIZED_VIEWS = Check(
    "materialized views",
    "Each holds what its query gives now. One that is marked as stale may differ until its next refresh.",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY; see who wrote while the triggers that mark it were bypassed.",
)
HOT_NICHES = Check(
    "hot niches",
    "Each row of hot_niches_today is its niche in features (those that changed since the refresh apart), once; none is"
    " left out that belongs to the top 50, and it is not empty while niches were updated in the last 24 hours; a niche"
    " without a trend vector has an empty vector's trend.",
    "run Phase 1's refresh of hot_niches_today; find out who wrote to it, or to features without a new updated_at.",
)

EVENTS = ("analytics.analytics_events", "analytics.niche_daily_activity")
HORIZON = "analytics.retention"
PHASE1 = ("public.features", "public.hot_niches_today")
TOP = 50
REFRESH = "run Phase 1's refresh of hot_niches_today"
REFRESHES = "REFRESH MATERIALIZED VIEW, or where it is a table what its program inserts; find out who emptied it"


def activity(subject: Subject) -> Finding | None:
    if not subject.there(*EVENTS):
        return None
    horizon = subject.rows("horizon")[0].kept_from if subject.there(HORIZON) else "-infinity"
    [found] = subject.rows("activity", **subject.share, horizon=horizon)
    if found.wrong:
        return ACTIVITY.failed(f"{found.wrong:,} counts are wrong{listed(found.examples)}")
    since = "" if horizon == "-infinity" else f" since {horizon}, from when on they are kept"
    return ACTIVITY.ok(f"{found.rows:,} events recounted{since}{subject.sampled}")


def materialized_views(subject: Subject) -> Finding | None:
    wrong: list[str] = []
    pending: list[str] = []
    rows = 0
    with subject.piece():
        views = [view for view in subject.rows("materialized_views") if view.populated]
    for view in views:
        subject.say(f"analytics.{view.name}")
        share = {name: Literal(value) for name, value in subject.share.items()}
        parts = {"view": Identifier(*view.view), "definition": SQL(view.definition)}
        with subject.piece():
            [found] = subject.run(template("materialized_view", **parts, **share))
            [(marks,)] = subject.rows("stale_marks", name=view.name)
        rows += found.rows
        if found.wrong:
            niches = ", ".join(str(niche) for niche in found.examples)
            line = f"analytics.{view.name} differs in {found.wrong:,} niches ({niches})"
            if marks:
                pending.append(f"{line}; it is marked as stale {marks:,} times")
            else:
                wrong.append(f"{line}, and nothing marks it as stale")
    if wrong:
        return MATERIALIZED_VIEWS.failed(
            f"{len(wrong)} of {len(views)} do not hold their query{listed(wrong + pending)}"
        )
    if pending:
        return MATERIALIZED_VIEWS.warning(
            f"refresh pending for {len(pending)} of {len(views)}{listed(pending)}", "sidb maintain"
        )
    return (
        MATERIALIZED_VIEWS.ok(f"{len(views)} hold what their queries give, {rows:,} rows{subject.sampled}")
        if views
        else None
    )


def hot_niches(subject: Subject) -> Finding | None:
    if not subject.there(*PHASE1):
        return None
    [found] = subject.rows("hot_niches")
    wrong = list(found.wrong)
    if subject.there("analytics.niche_daily_activity"):  # the last of the steps that the trend columns come with
        wrong += [line for (line,) in subject.rows("hot_niche_trends")]
    if found.rows > TOP:
        wrong.append(f"there are {found.rows:,}")
    if not found.rows and found.recent:
        return HOT_NICHES.failed(
            f"public.hot_niches_today is empty, and {found.recent:,} niches were updated in the last 24 hours: it"
            f" should hold {min(found.recent, TOP)}",
            f"{REFRESH}: {REFRESHES}",
        )
    if wrong:
        return HOT_NICHES.failed(f"{len(wrong)} of public.hot_niches_today are wrong{listed(wrong)}")
    since = (
        f"{found.rows - found.since:,} of {found.rows:,} rows are as in features, {found.since:,} changed there since"
    )
    if found.left_out:
        return HOT_NICHES.warning(
            f"{since}; {found.left_out:,} niches belong to the top {TOP}, too: refresh pending", REFRESH
        )
    return HOT_NICHES.ok(since)


LOOKS: Looks = {
    ACTIVITY: activity,
    MATERIALIZED_VIEWS: materialized_views,
    HOT_NICHES: hot_niches,
}
