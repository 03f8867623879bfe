-- What of others on Phase 1's tables keeps the backfill from writing them, or takes notice of it, but for triggers.
WITH phase1 AS (
    SELECT c.oid, c.relname, c.relreplident
    FROM pg_class AS c
    WHERE c.oid IN (to_regclass('public.features'), to_regclass('public.hot_niches_today')) AND c.relkind = 'r'
),

published AS (  -- not pg_publication_tables: it waits for who holds a table
    SELECT b.oid AS publication, b.pubname, b.pubupdate, p.oid, p.relname, p.relreplident
    FROM phase1 AS p
    INNER JOIN pg_publication AS b
        ON
            b.puballtables
            OR EXISTS (SELECT FROM pg_publication_rel AS r WHERE r.prpubid = b.oid AND r.prrelid = p.oid)
            OR EXISTS (
                SELECT FROM pg_publication_namespace AS s
                WHERE s.pnpubid = b.oid AND s.pnnspid = to_regnamespace('public')
            )
)

SELECT
    true AS in_the_way,
    format('rule %s on %s: PostgreSQL takes no statement of the backfill beside it', quote_ident(r.rulename), p.relname)
        AS what,
    format('DROP RULE %I ON public.%I; a trigger may do what it does', r.rulename, p.relname) AS remedy
FROM pg_rewrite AS r
INNER JOIN phase1 AS p ON p.oid = r.ev_class
WHERE r.ev_type IN ('2', '3') AND r.ev_enabled <> 'D' -- UPDATE, INSERT
UNION ALL
SELECT
    true,
    format('publication %s: %s has no replica identity, and cannot be updated', quote_ident(p.pubname), p.relname),
    format('ALTER TABLE public.%I REPLICA IDENTITY FULL, or give it a primary key', p.relname)
FROM published AS p
WHERE
    p.pubupdate
    AND (
        p.relreplident = 'n'
        OR (
            p.relreplident = 'd'
            AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = p.oid AND i.indisprimary)
        )
    )
UNION ALL
SELECT
    false,
    format('publication %s sends %s: a subscriber that applies it needs the new columns first', quote_ident(p.pubname), p.relname),
    format('add the columns to %s at each subscriber before the upgrade; change data capture needs nothing', p.relname)
FROM published AS p
WHERE
    NOT EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = p.oid AND a.attname IN ('trend_vector', 'trend_direction')
    )
    AND NOT EXISTS (
        SELECT FROM pg_publication_rel AS r WHERE r.prpubid = p.publication AND r.prrelid = p.oid AND r.prattrs IS NOT NULL
    )
UNION ALL
SELECT
    false,
    format('table %s inherits from %s: programs see its rows as niches, foreign keys and the backfill do not', i.inhrelid::regclass, p.relname),
    format('ALTER TABLE %s NO INHERIT public.%I', i.inhrelid::regclass, p.relname)
FROM pg_inherits AS i
INNER JOIN phase1 AS p ON p.oid = i.inhparent
ORDER BY in_the_way DESC, what
