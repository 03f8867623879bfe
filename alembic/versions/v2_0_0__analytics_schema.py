"""Analytics schema.

Plan step: V2.0.0__analytics_schema.sql, the plan's sample script to the letter, with comments, roles and grants.
Why: everything Phase 2 adds lives in a schema of its own; events are what the rest is computed from.
Reversed by: dropping the table, and the schema once it is empty. The group roles belong to the whole server and stay.

Revision ID: 2.0.0
Revises: 1.0.0
Create Date: 2025-05-15
"""

import json
from pathlib import Path

from alembic import op

revision = "2.0.0"
down_revision = "1.0.0"
branch_labels = None
depends_on = None

# Creating a table with a foreign key holds up writers of the table it refers to; dropping it holds up everybody.
locks = {
    "upgrade": {"public.features": "ShareRowExclusiveLock"},
    "downgrade": {"public.features": "AccessExclusiveLock"},
}

# What the step drops.
drops: dict[str, list[str]] = {
    "upgrade": [],
    "downgrade": [
        "analytics.analytics_events",
    ],
}

changes = json.loads((Path(__file__).with_suffix("") / "changes.json").read_text(encoding="utf-8"))


def refuse_taken(*names: str) -> str:
    text = (Path(__file__).with_suffix("") / "refuse_taken.sql").read_text(encoding="utf-8")
    return text.replace("{names}", ", ".join(f"'{name}'" for name in names))


def upgrade() -> None:
    # Those of later steps, too: before the first one.
    op.execute(refuse_taken("analytics", "analytics_phase1", "analytics_partitions"))
    op.execute("""
        CREATE SCHEMA IF NOT EXISTS analytics;
        COMMENT ON SCHEMA analytics IS 'Advanced analytics of the Social Intelligence service (Phase 2)';
        REVOKE ALL ON SCHEMA analytics FROM PUBLIC;
    """)
    op.execute("""
        DO $$
        DECLARE
            role_name text;
        BEGIN
            FOREACH role_name IN ARRAY ARRAY['analytics_reader', 'analytics_writer'] LOOP
                CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = role_name);
                BEGIN
                    EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
                EXCEPTION
                    WHEN insufficient_privilege THEN
                        RAISE NOTICE 'role % is missing and % may not create it: grants to it are left out',
                            role_name, current_user;
                    WHEN duplicate_object OR unique_violation THEN
                        NULL; -- another migration of this server was faster
                END;
            END LOOP;
        END
        $$;
    """)
    op.execute("""
        CREATE TABLE analytics.analytics_events (
            event_id bigserial PRIMARY KEY,
            event_type text NOT NULL,
            event_source text NOT NULL,
            event_timestamp timestamptz NOT NULL,
            event_data jsonb NOT NULL,
            user_id text,
            niche_id bigint REFERENCES public.features (niche_id),
            created_at timestamptz DEFAULT now()
        );
        CREATE INDEX idx_analytics_events_timestamp ON analytics.analytics_events (event_timestamp);
        CREATE INDEX idx_analytics_events_type_source ON analytics.analytics_events (event_type, event_source);
        CREATE INDEX idx_analytics_events_niche_id ON analytics.analytics_events (niche_id);
        CREATE INDEX idx_analytics_events_user_id ON analytics.analytics_events (user_id);
    """)
    op.execute("""
        COMMENT ON TABLE analytics.analytics_events IS
        'Granular events, one row each; counted by niche, day and type in niche_daily_activity';
        COMMENT ON COLUMN analytics.analytics_events.event_id IS 'Key of the event, in order of arrival';
        COMMENT ON COLUMN analytics.analytics_events.event_type IS
        'What happened, for example niche_scored, search or view';
        COMMENT ON COLUMN analytics.analytics_events.event_source IS 'Which program or platform reported it';
        COMMENT ON COLUMN analytics.analytics_events.event_timestamp IS
        'When it happened; its UTC date is the event''s day';
        COMMENT ON COLUMN analytics.analytics_events.event_data IS 'Payload, as its event_type defines it';
        COMMENT ON COLUMN analytics.analytics_events.user_id IS
        'Who did it; NULL: nobody in particular. Subject to erasure';
        COMMENT ON COLUMN analytics.analytics_events.niche_id IS 'The niche it concerns; NULL: none in particular';
        COMMENT ON COLUMN analytics.analytics_events.created_at IS 'When the row was written';
    """)
    op.execute("""
        DO $$
        DECLARE
            wanted record;
        BEGIN
            FOR wanted IN
                SELECT roles.rolname, rights.privileges, rights.object
                FROM (VALUES
                    ('analytics_reader', 'USAGE', 'SCHEMA analytics'),
                    ('analytics_reader', 'SELECT', 'TABLE analytics.analytics_events'),
                    ('analytics_writer', 'USAGE', 'SCHEMA analytics'),
                    ('analytics_writer', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE analytics.analytics_events'),
                    ('analytics_writer', 'USAGE', 'SEQUENCE analytics.analytics_events_event_id_seq')
                ) AS rights (role_name, privileges, object)
                INNER JOIN pg_roles AS roles ON roles.rolname = rights.role_name
            LOOP
                EXECUTE format('GRANT %s ON %s TO %I', wanted.privileges, wanted.object, wanted.rolname);
            END LOOP;
        END
        $$;
    """)


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS analytics.analytics_events")
    op.execute("""
        DO $$
        BEGIN
            DROP SCHEMA IF EXISTS analytics;
        EXCEPTION
            WHEN dependent_objects_still_exist THEN
                RAISE NOTICE 'schema analytics stays: it holds objects that are not ours';
        END
        $$;
    """)
