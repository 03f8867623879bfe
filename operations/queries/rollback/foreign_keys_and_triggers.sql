-- What has to go before a table moves aside: the statement that drops it, and those that bring it back.
SELECT
    format('ALTER TABLE %%s DROP CONSTRAINT %%I', k.conrelid::regclass, k.conname) AS removal,
    format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
        AS definition
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass(%(relation)s) AND k.contype = 'f'
UNION ALL
SELECT
    format('DROP TRIGGER %%I ON %%s', t.tgname, t.tgrelid::regclass),
    concat(
        pg_get_triggerdef(t.oid),
        CASE t.tgenabled
            WHEN 'D' THEN format('; ALTER TABLE %%s DISABLE TRIGGER %%I', t.tgrelid::regclass, t.tgname)
            WHEN 'A' THEN format('; ALTER TABLE %%s ENABLE ALWAYS TRIGGER %%I', t.tgrelid::regclass, t.tgname)
            WHEN 'R' THEN format('; ALTER TABLE %%s ENABLE REPLICA TRIGGER %%I', t.tgrelid::regclass, t.tgname)
        END
    )
FROM pg_trigger AS t
WHERE t.tgrelid = to_regclass(%(relation)s) AND NOT t.tgisinternal;
