-- A publication for all tables refuses to delete from a table without a key. Until now there was none, and where another
-- table inherits from features a niche may be there twice: only one of its rows can be compared.
ALTER TABLE sidb.fingerprint_row REPLICA IDENTITY FULL;
DELETE FROM sidb.fingerprint_row AS r
USING sidb.fingerprint_row AS other
WHERE other.moment = r.moment AND other.niche_id = r.niche_id AND other.ctid < r.ctid;
ALTER TABLE sidb.fingerprint_row
ADD CONSTRAINT fingerprint_row_pkey PRIMARY KEY (moment, niche_id),
REPLICA IDENTITY DEFAULT;
