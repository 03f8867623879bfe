-- A table may be put aside, and columns of it, and again columns of it: each under a name of its own in the archive.
ALTER TABLE sidb.rollback_archived
    ADD COLUMN IF NOT EXISTS kept_as text,
    ADD COLUMN IF NOT EXISTS source oid,
    ADD COLUMN IF NOT EXISTS numbers smallint [];
UPDATE sidb.rollback_archived SET kept_as = (parse_ident(relation))[2] WHERE kept_as IS NULL;
ALTER TABLE sidb.rollback_archived
    ALTER COLUMN kept_as SET NOT NULL,
    DROP CONSTRAINT rollback_archived_pkey,
    ADD CONSTRAINT rollback_archived_pkey PRIMARY KEY (rollback_id, kept_as);
CREATE UNIQUE INDEX IF NOT EXISTS rollback_archived_table_key
ON sidb.rollback_archived (rollback_id, relation) WHERE kept_columns IS NULL;
COMMENT ON TABLE sidb.rollback_archived IS 'What a rollback put aside: a whole table, or copies of columns, in its archive';
COMMENT ON COLUMN sidb.rollback_archived.kept_as IS 'The table of the archive that holds it';
COMMENT ON COLUMN sidb.rollback_archived.source IS
'Of columns: the table that they were copied from; NULL: whole tables, and copies by older code';
COMMENT ON COLUMN sidb.rollback_archived.numbers IS
'Their numbers in that table, in the order of kept_columns: which they were, whatever another is called';
