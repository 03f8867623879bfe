-- Phase 1's data as it was at a moment; like the ledger created at first use, and dropped by no downgrade.
CREATE TABLE IF NOT EXISTS sidb.fingerprint (
    moment text PRIMARY KEY,
    taken_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS sidb.fingerprint_row (
    moment text NOT NULL,
    niche_id bigint NOT NULL,
    updated_at timestamptz,
    hash bigint NOT NULL
);

COMMENT ON TABLE sidb.fingerprint IS 'Moments at which Phase 1''s data was fingerprinted';
COMMENT ON TABLE sidb.fingerprint_row IS 'One row for each niche that there was at the moment';
COMMENT ON COLUMN sidb.fingerprint_row.hash IS 'Hash of Phase 1''s seven columns of the row';
