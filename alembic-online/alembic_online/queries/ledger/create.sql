-- The ledger, as its first version made it.
CREATE TABLE IF NOT EXISTS {bookkeeping}.step (
    step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    revision text NOT NULL,
    direction text NOT NULL,
    outcome text NOT NULL DEFAULT 'running',
    started timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished timestamptz,
    seconds double precision,
    lock_tries integer NOT NULL DEFAULT 0,
    seconds_waited double precision NOT NULL DEFAULT 0,
    rows_changed bigint,
    locks jsonb,
    victims integer,
    longest_victim_seconds double precision,
    observed jsonb,
    validated boolean,
    who text NOT NULL DEFAULT session_user,
    client text NOT NULL,
    code_version text NOT NULL,
    message text,
    before jsonb NOT NULL,
    CONSTRAINT step_direction_check CHECK (direction IN ('upgrade', 'downgrade')),
    CONSTRAINT step_outcome_check CHECK (outcome IN ('running', 'applied', 'missed', 'failed', 'interrupted'))
);

COMMENT ON TABLE {bookkeeping}.step IS 'One row for each attempt at a migration step';
COMMENT ON COLUMN {bookkeeping}.step.outcome IS
'running; applied: committed; missed: a lock was not had and the step was tried again; failed; interrupted: killed';
COMMENT ON COLUMN {bookkeeping}.step.seconds IS 'From start to commit';
COMMENT ON COLUMN {bookkeeping}.step.lock_tries IS 'How often locks were asked for';
COMMENT ON COLUMN {bookkeeping}.step.seconds_waited IS 'Seconds until the locks were had, pauses included';
COMMENT ON COLUMN {bookkeeping}.step.rows_changed IS 'Rows inserted, updated and deleted';
COMMENT ON COLUMN {bookkeeping}.step.locks IS 'Strongest lock held on each relation that existed before, read before commit';
COMMENT ON COLUMN {bookkeeping}.step.victims IS 'Statements of others that were seen waiting for the migrator';
COMMENT ON COLUMN {bookkeeping}.step.longest_victim_seconds IS 'The longest that one of them was seen waiting';
COMMENT ON COLUMN {bookkeeping}.step.observed IS 'Minimum, median and maximum of what was sampled every 100 ms';
COMMENT ON COLUMN {bookkeeping}.step.validated IS 'Whether the step left what it should; NULL: not looked yet';
COMMENT ON COLUMN {bookkeeping}.step.client IS 'Host and process that ran it';
COMMENT ON COLUMN {bookkeeping}.step.code_version IS 'Version of this project that ran it';
COMMENT ON COLUMN {bookkeeping}.step.before IS 'The catalog before the first attempt: identity and hash of each object';
