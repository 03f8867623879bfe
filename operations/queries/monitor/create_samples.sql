-- Where `sidb monitor` keeps what growth is computed from; made on first use, dropped by no downgrade.
CREATE TABLE IF NOT EXISTS sidb.size_sample (
    relation text NOT NULL,
    day date NOT NULL,
    sampled_at timestamptz NOT NULL DEFAULT now(),
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (relation, day)
);
COMMENT ON TABLE sidb.size_sample IS 'Sizes of the new tables, the first that sidb monitor saw on each UTC day';
COMMENT ON COLUMN sidb.size_sample.rows IS 'PostgreSQL''s estimate of the rows';
COMMENT ON COLUMN sidb.size_sample.bytes IS 'The table with its TOAST and indexes';
