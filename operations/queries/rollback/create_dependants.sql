-- What others had built on what a rollback took away, and how it is brought back.
CREATE TABLE sidb.rollback_dependant (
    rollback_id bigint NOT NULL REFERENCES sidb.rollback,
    place integer NOT NULL,
    name text NOT NULL,
    removal text NOT NULL,
    creation text [] NOT NULL,
    later text NOT NULL,
    relations text [] NOT NULL,
    state text NOT NULL DEFAULT 'aside',
    PRIMARY KEY (rollback_id, place),
    CONSTRAINT rollback_dependant_state_check CHECK (state IN ('aside', 'created', 'back', 'dropped'))
);
COMMENT ON TABLE sidb.rollback_dependant IS
'Objects of others that a rollback put aside, in the order in which they can be brought back; dropped: given up for good';
COMMENT ON COLUMN sidb.rollback_dependant.creation IS
'Statements: definition, owner, comments, privileges; an index that is built CONCURRENTLY is the first one, by itself';
COMMENT ON COLUMN sidb.rollback_dependant.later IS 'What takes time afterwards: validation, refresh; empty: nothing';
COMMENT ON COLUMN sidb.rollback_dependant.relations IS 'What is locked meanwhile';
