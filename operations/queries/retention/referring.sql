-- Foreign keys by which tables refer to the events. To take a month out, PostgreSQL would read these tables under a lock
-- that everybody waits for, and refuse it where a row refers to the month.
SELECT format('%%s of %%s', k.conname, k.conrelid::regclass) AS name
FROM pg_constraint AS k
WHERE k.confrelid = to_regclass(%(relation)s) AND k.contype = 'f' AND k.conparentid = 0
ORDER BY 1;
