-- How many niches the fingerprint taken before the upgrade holds.
SELECT f.taken_at, (SELECT count(*) FROM sidb.fingerprint_row AS r WHERE r.moment = f.moment) AS niches
FROM sidb.fingerprint AS f
WHERE f.moment = %(moment)s;
