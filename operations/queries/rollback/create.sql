-- Rollbacks, and what they put aside: created at first use, dropped by no downgrade.
CREATE TABLE IF NOT EXISTS sidb.rollback (
    rollback_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    origin text NOT NULL,
    target text NOT NULL,
    phase text NOT NULL DEFAULT 'started',
    was_paused boolean,
    started timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished timestamptz,
    who text NOT NULL DEFAULT session_user,
    client text NOT NULL,
    CONSTRAINT rollback_phase_check
    CHECK (phase IN ('started', 'paused', 'closed', 'moved', 'opened', 'done', 'aborted'))
);
COMMENT ON TABLE sidb.rollback IS 'One row for each rollback; its archive is schema sidb_archive_<rollback_id>';
COMMENT ON COLUMN sidb.rollback.origin IS 'The revision that it began from';
COMMENT ON COLUMN sidb.rollback.phase IS 'The phase that was finished last';
COMMENT ON COLUMN sidb.rollback.was_paused IS 'Whether the backfill was paused before; NULL: there was none';

CREATE TABLE IF NOT EXISTS sidb.rollback_right (
    rollback_id bigint NOT NULL REFERENCES sidb.rollback,
    place integer NOT NULL,
    relation text NOT NULL,
    column_name text NOT NULL,
    grantor text NOT NULL,
    grantee text NOT NULL,
    privilege text NOT NULL,
    is_grantable boolean NOT NULL,
    PRIMARY KEY (rollback_id, place)
);
COMMENT ON TABLE sidb.rollback_right IS
'Privileges that a rollback took away, in the order in which they can be granted again';
COMMENT ON COLUMN sidb.rollback_right.column_name IS 'Empty: of the whole relation';
COMMENT ON COLUMN sidb.rollback_right.grantee IS 'Empty: PUBLIC';

CREATE TABLE IF NOT EXISTS sidb.rollback_archived (
    rollback_id bigint NOT NULL REFERENCES sidb.rollback,
    relation text NOT NULL,
    kept_columns text [],
    definitions text [] NOT NULL DEFAULT '{{}}',
    place bigint,
    rows_restored bigint NOT NULL DEFAULT 0,
    rows_left bigint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'archived',
    restored_at timestamptz,
    PRIMARY KEY (rollback_id, relation),
    CONSTRAINT rollback_archived_state_check CHECK (state IN ('archived', 'swapped', 'merging', 'restored', 'dropped'))
);
COMMENT ON TABLE sidb.rollback_archived IS 'What a rollback put aside, under the same name in its archive';
COMMENT ON COLUMN sidb.rollback_archived.kept_columns IS 'Columns copied with the key; NULL: the whole table moved';
COMMENT ON COLUMN sidb.rollback_archived.definitions IS 'Foreign keys and triggers dropped when it moved, as statements';
COMMENT ON COLUMN sidb.rollback_archived.place IS 'The key up to which its rows are restored';
COMMENT ON COLUMN sidb.rollback_archived.rows_left IS 'Rows that were left in the archive because they do not fit';
