-- Without them, the table can be dropped without a lock on those that it refers to.
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', k.conrelid::regclass, k.conname)
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass(%(aside)s) AND k.contype = 'f';
