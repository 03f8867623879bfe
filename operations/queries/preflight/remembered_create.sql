-- The old values of what a rollout raises, until they are put back; in the schema that no downgrade drops.
CREATE TABLE IF NOT EXISTS sidb.raised_setting (
    name text NOT NULL PRIMARY KEY,
    before text NOT NULL,
    in_auto_conf boolean NOT NULL,
    raised text NOT NULL,
    remembered timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL DEFAULT session_user
);

COMMENT ON TABLE sidb.raised_setting IS 'Settings of the server that the rollout raised and has not put back';
COMMENT ON COLUMN sidb.raised_setting.before IS 'What it was';
COMMENT ON COLUMN sidb.raised_setting.in_auto_conf IS 'Whether that had been set by ALTER SYSTEM';
COMMENT ON COLUMN sidb.raised_setting.raised IS 'What the rollout set it to';
