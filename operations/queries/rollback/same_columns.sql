-- Whether an archived table can become a partition of the live one: it has its columns and no others, of the same types, and
-- its CHECK constraints.
SELECT
    NOT EXISTS (
        SELECT
        FROM (
            SELECT * FROM pg_attribute AS a
            WHERE a.attrelid = to_regclass(%(relation)s) AND a.attnum > 0 AND NOT a.attisdropped
        ) AS live
        FULL JOIN (
            SELECT * FROM pg_attribute AS a
            WHERE a.attrelid = to_regclass(%(archived)s) AND a.attnum > 0 AND NOT a.attisdropped
        ) AS own ON own.attname = live.attname
        WHERE
            (live.atttypid, live.atttypmod, live.attcollation, live.attgenerated)
            IS DISTINCT FROM (own.atttypid, own.atttypmod, own.attcollation, own.attgenerated)
            OR (live.attnotnull AND NOT own.attnotnull)
    )
    AND NOT EXISTS (
        SELECT FROM pg_constraint AS k
        LEFT JOIN pg_constraint AS own
            ON own.conrelid = to_regclass(%(archived)s)
            AND own.conname = k.conname
            AND own.convalidated
            AND pg_get_constraintdef(own.oid) = pg_get_constraintdef(k.oid)
        WHERE k.conrelid = to_regclass(%(relation)s) AND k.contype = 'c' AND own.oid IS NULL
    );
