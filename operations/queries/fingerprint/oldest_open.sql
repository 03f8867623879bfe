-- Since when a transaction was open whose rows, committed later, were still to come.
ALTER TABLE sidb.fingerprint ADD COLUMN IF NOT EXISTS oldest_open timestamptz;
COMMENT ON COLUMN sidb.fingerprint.oldest_open IS
'When the oldest transaction began that was open then; NULL: not known, somebody''s was hidden or prepared';
