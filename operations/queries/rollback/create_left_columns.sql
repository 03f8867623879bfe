-- Rows of a table that hold values in columns which it no longer has may stay in the archive until it has them again.
ALTER TABLE sidb.rollback_archived ADD COLUMN IF NOT EXISTS left_columns text [] NOT NULL DEFAULT '{{}}';
COMMENT ON COLUMN sidb.rollback_archived.left_columns IS
'Columns that the table lacked when its rows came back: those with a value in one of them were left in the archive';
