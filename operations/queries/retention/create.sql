-- How long a deployment keeps the rows of which tables, and what has gone so far; made on first use, dropped by no downgrade.
CREATE TABLE IF NOT EXISTS sidb.retention (
    relation text PRIMARY KEY,
    months integer NOT NULL CHECK (months > 0),
    set_at timestamptz NOT NULL DEFAULT now(),
    set_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE sidb.retention IS 'Tables of schema analytics whose rows go by sidb maintain when their time is over';
COMMENT ON COLUMN sidb.retention.months IS 'Whole months for which rows are kept; one more until they go';
CREATE TABLE IF NOT EXISTS sidb.expiry (
    expiry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    relation text NOT NULL,
    aside text,
    kept_from date NOT NULL,
    directory text,
    rows bigint NOT NULL DEFAULT 0,
    file text,
    sha256 text,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
COMMENT ON TABLE sidb.expiry IS 'What has gone by sidb maintain, or is about to: a table set aside, or rows deleted';
COMMENT ON COLUMN sidb.expiry.aside IS 'A table in schema analytics_partitions, to be dropped; NULL: rows deleted in place';
COMMENT ON COLUMN sidb.expiry.directory IS 'Where it is to be exported to before it is dropped; NULL: nowhere';
COMMENT ON COLUMN sidb.expiry.rows IS 'How many rows went: counted where they were exported or deleted, else estimated';
COMMENT ON COLUMN sidb.expiry.finished_at IS 'NULL: sidb maintain goes on with it';
