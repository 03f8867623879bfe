-- What --prepare and --finish of each rollout found, for its report.
CREATE TABLE sidb.preflight_run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    action text NOT NULL,
    who text NOT NULL DEFAULT session_user,
    client text NOT NULL,
    findings jsonb NOT NULL,
    CONSTRAINT preflight_run_action_check CHECK (action IN ('prepare', 'finish'))
);
COMMENT ON TABLE sidb.preflight_run IS 'One row for each sidb preflight --prepare that began a rollout, and each --finish';
COMMENT ON COLUMN sidb.preflight_run.client IS 'Host and process that ran it';
COMMENT ON COLUMN sidb.preflight_run.findings IS 'Check, verdict and detail of each finding';
