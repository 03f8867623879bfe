-- Triggers of others on a table that fire when our columns of it are written, and the statement that has them fire for the
-- other columns only. A statement trigger that only reads is among them: what it does nobody can see.
WITH kept AS (
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
    FROM pg_attribute AS a
    WHERE
        a.attrelid = to_regclass(:relation)
        AND a.attnum > 0
        AND NOT a.attisdropped
        AND a.attgenerated = ''
        AND a.attname <> ALL(:ours)
)

SELECT
    t.tgname AS name,
    (t.tgtype & 2) <> 0 AS is_before,
    replace(
        CASE
            WHEN t.tgconstraint = 0
                THEN regexp_replace(pg_get_triggerdef(t.oid), '^CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER')
            ELSE format('DROP TRIGGER %I ON %s; %s', t.tgname, CAST(:relation AS text), pg_get_triggerdef(t.oid))
        END,
        ' UPDATE ON ',
        format(' UPDATE OF %s ON ', kept.columns)
    ) AS narrowed
FROM pg_trigger AS t
CROSS JOIN kept
WHERE
    t.tgrelid = to_regclass(:relation)
    AND NOT t.tgisinternal
    AND t.tgenabled IN ('O', 'A')
    AND (t.tgtype & 16) <> 0
    AND t.tgname <> ALL(:our_triggers)
    AND (
        t.tgattr = ''
        OR EXISTS (
            SELECT FROM pg_attribute AS a
            WHERE a.attrelid = t.tgrelid AND a.attnum = ANY(t.tgattr) AND a.attname = ANY(:ours)
        )
    )
ORDER BY t.tgname
