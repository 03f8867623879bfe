"""Faults of access: who owns what, and who may do what."""

from operations.queries import query
from tests.operations.verify.faults.case import Fault

STRANGER = "CREATE ROLE stranger"
NO_STRANGER = "DROP OWNED BY stranger CASCADE; DROP ROLE stranger"
AS_BEFORE_UPGRADE = f"DELETE FROM sidb.phase1_right; INSERT INTO sidb.phase1_right {query('rights/held')}"  # noqa: S608

ACCESS = (
    Fault("another owner of a table", f"""
        {STRANGER}; ALTER TABLE analytics.stale_views OWNER TO stranger; REVOKE ALL ON analytics.stale_views FROM PUBLIC
    """, {
        "owners": (
            "table analytics.stale_views belongs to stranger, the rest of it to {owner}: ALTER TABLE"
            " analytics.stale_views OWNER TO {owner}"
        ),
    }, undo=NO_STRANGER),
    Fault("another owner of a SECURITY DEFINER function", f"""
        {STRANGER}; ALTER FUNCTION analytics.mark_view_stale() OWNER TO stranger
    """, {
        "owners": (
            "routine analytics.mark_view_stale() belongs to stranger and runs with the rights of that role, the rest of"
            " it to {owner}: ALTER ROUTINE analytics.mark_view_stale() OWNER TO {owner}"
        ),
    }, undo=NO_STRANGER),
    Fault("another owner of a partition", f"""
        {STRANGER}; ALTER TABLE analytics_partitions.analytics_events_default OWNER TO stranger;
        GRANT SELECT ON analytics_partitions.analytics_events_default TO PUBLIC
    """, {
        "owners": (
            "table analytics_partitions.analytics_events_default belongs to stranger, the rest of it to {owner}: ALTER"
            " TABLE analytics_partitions.analytics_events_default OWNER TO {owner}"
        ),
    }, undo=NO_STRANGER),
    Fault("another owner of the schema of partitions", f"""
        {STRANGER}; ALTER SCHEMA analytics_partitions OWNER TO stranger
    """, {
        "owners": "schema analytics_partitions belongs to stranger, the rest of it to {owner}: ALTER SCHEMA",
    }, undo=NO_STRANGER),
    Fault("a function that runs as its caller", "ALTER FUNCTION analytics.mark_view_stale() SECURITY INVOKER", {
        "catalog": "not as in the models: function analytics.mark_view_stale()",
    }),
    Fault("a function with another search_path", """
        ALTER FUNCTION analytics.mark_view_stale() SET search_path = public, pg_catalog
    """, {
        "catalog": "not as in the models: function analytics.mark_view_stale()",
    }),
    Fault("a group role made superuser", "ALTER ROLE analytics_reader SUPERUSER", {
        "group roles": "analytics_reader is a superuser: ALTER ROLE analytics_reader NOSUPERUSER",
    }, undo="ALTER ROLE analytics_reader NOSUPERUSER"),
    Fault("a group role that may create roles", "ALTER ROLE analytics_writer CREATEROLE", {
        "group roles": "analytics_writer is allowed to create roles: ALTER ROLE analytics_writer NOCREATEROLE",
    }, undo="ALTER ROLE analytics_writer NOCREATEROLE"),
    Fault("a group role that is a member of the owner", "GRANT postgres TO analytics_writer", {
        "group roles": "analytics_writer is a member of postgres, which is a superuser: REVOKE postgres FROM",
    }, undo="REVOKE postgres FROM analytics_writer"),
    Fault("a group role that is a member of the other one", "GRANT analytics_writer TO analytics_reader", {
        "group roles": "analytics_reader is a member of analytics_writer: REVOKE analytics_writer FROM",
    }, undo="REVOKE analytics_writer FROM analytics_reader"),
    Fault("the application's right on features", f"""
        {STRANGER}; GRANT SELECT, UPDATE ON public.features TO stranger; {AS_BEFORE_UPGRADE};
        REVOKE UPDATE ON public.features FROM stranger
    """, {
        "application's rights": (
            "stranger has lost UPDATE on public.features: GRANT UPDATE ON TABLE public.features TO stranger"
        ),
    }, undo=NO_STRANGER),
    Fault("the application's right on a column, to grant", f"""
        {STRANGER}; GRANT INSERT (phrase) ON public.features TO stranger WITH GRANT OPTION; {AS_BEFORE_UPGRADE};
        REVOKE GRANT OPTION FOR INSERT (phrase) ON public.features FROM stranger
    """, {
        "application's rights": "GRANT INSERT (phrase) ON TABLE public.features TO stranger WITH GRANT OPTION",
    }, undo=NO_STRANGER),
    Fault("the application's right on the sequence", f"""
        GRANT USAGE ON SEQUENCE public.features_niche_id_seq TO PUBLIC; {AS_BEFORE_UPGRADE};
        REVOKE USAGE ON SEQUENCE public.features_niche_id_seq FROM PUBLIC
    """, {
        "application's rights": "GRANT USAGE ON SEQUENCE public.features_niche_id_seq TO PUBLIC",
    }),
    Fault("the schema closed to the application", "REVOKE USAGE ON SCHEMA public FROM PUBLIC", {
        "application's rights": "PUBLIC has lost USAGE on public: GRANT USAGE ON SCHEMA public TO PUBLIC",
    }),
    Fault("a default of Phase 1's that is gone", "ALTER TABLE public.features ALTER COLUMN niche_id DROP DEFAULT", {
        "application's rights": (
            "public.features.niche_id has lost its default, which INSERTs rely on: ALTER TABLE public.features ALTER"
            " COLUMN niche_id SET DEFAULT nextval('public.features_niche_id_seq'::regclass)"
        ),
    }),
    Fault("row security on Phase 1's table", "ALTER TABLE public.features ENABLE ROW LEVEL SECURITY", {
        "application's rights": (
            "public.features has row security, which hides rows, and did not have it so: ALTER TABLE public.features"
            " DISABLE ROW LEVEL SECURITY"
        ),
    }),
    Fault("another owner of Phase 1's table", f"{STRANGER}; ALTER TABLE public.hot_niches_today OWNER TO stranger", {
        "application's rights": (
            "public.hot_niches_today belongs to stranger, and belonged to {owner}: ALTER TABLE public.hot_niches_today"
            " OWNER TO {owner}"
        ),
    }, undo=NO_STRANGER),
)  # fmt: skip
