-- Whoever takes the same moment at the same time waits here.
INSERT INTO sidb.fingerprint (moment, taken_at)
VALUES (%(moment)s, clock_timestamp())
ON CONFLICT (moment) DO UPDATE SET taken_at = excluded.taken_at;
