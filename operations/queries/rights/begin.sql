-- Whoever does it at the same time waits here.
INSERT INTO sidb.phase1_rights (taken_at, before_upgrade)
VALUES (clock_timestamp(), %(before_upgrade)s)
ON CONFLICT (only_one) DO UPDATE SET taken_at = excluded.taken_at, before_upgrade = excluded.before_upgrade;
