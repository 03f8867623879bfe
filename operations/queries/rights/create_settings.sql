-- What besides rights decides whether Phase 1's programs can go on, at the moment when the rights were written down.
CREATE TABLE IF NOT EXISTS sidb.phase1_setting (
    relation text NOT NULL,
    column_name text NOT NULL,
    setting text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (relation, column_name, setting)
);

COMMENT ON TABLE sidb.phase1_setting IS 'Row security of each of Phase 1''s tables, and the defaults of its columns';
COMMENT ON COLUMN sidb.phase1_setting.column_name IS 'Empty: of the whole relation';
COMMENT ON COLUMN sidb.phase1_setting.setting IS 'default or row security';
COMMENT ON COLUMN sidb.phase1_setting.value IS 'As ALTER TABLE spells it';
