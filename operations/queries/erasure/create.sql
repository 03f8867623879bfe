-- Erasures and how far they are: created at first use, dropped by no downgrade. They hold no id of a user.
CREATE TABLE sidb.erasure (
    erasure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    begun timestamptz NOT NULL DEFAULT clock_timestamp(),
    live_gone timestamptz,
    gone timestamptz,
    finished timestamptz,
    who text NOT NULL DEFAULT session_user,
    client text NOT NULL
);
COMMENT ON TABLE sidb.erasure IS 'One row for each erasure; its users are tombstones in sidb.erased_user';
COMMENT ON COLUMN sidb.erasure.live_gone IS 'When its rows were gone from the tables that applications use';
COMMENT ON COLUMN sidb.erasure.gone IS 'When its rows were gone from all tables';

CREATE TABLE sidb.erasure_place (
    erasure_id bigint NOT NULL REFERENCES sidb.erasure,
    place text NOT NULL,
    found bigint,
    rows bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (erasure_id, place)
);
COMMENT ON TABLE sidb.erasure_place IS 'Rows that an erasure deleted, or took texts out of, by table';
COMMENT ON COLUMN sidb.erasure_place.found IS
'Rows that there were when the tombstones were set; NULL: not counted, nobody writes there';

CREATE TABLE sidb.erasure_niche (
    erasure_id bigint NOT NULL REFERENCES sidb.erasure,
    niche_id bigint NOT NULL,
    PRIMARY KEY (erasure_id, niche_id)
);
COMMENT ON TABLE sidb.erasure_niche IS 'Niches of which events went, that are still to be analysed anew';
