DO $$
DECLARE
    differences text[];
BEGIN
    IF EXISTS (SELECT FROM alembic_version) THEN
        RAISE EXCEPTION 'this database is at revision % already; nothing was changed',
            (SELECT string_agg(version_num, ', ') FROM alembic_version)
            USING HINT = 'make the script with --sql from that revision on, not from the start';
    END IF;

    IF to_regclass('public.features') IS NULL AND to_regclass('public.hot_niches_today') IS NULL THEN
        CREATE TABLE public.features (
            niche_id bigserial PRIMARY KEY,
            phrase text UNIQUE,
            demand_score numeric(5, 4),
            monetise_score numeric(5, 4),
            supply_score numeric(5, 4),
            opportunity numeric(6, 5),
            updated_at timestamptz DEFAULT now()
        );
        CREATE INDEX features_phrase_idx ON public.features (phrase);
        CREATE INDEX features_opportunity_idx ON public.features (opportunity DESC);

        CREATE TABLE public.hot_niches_today (
            niche_id bigint,
            phrase text,
            demand_score numeric(5, 4),
            monetise_score numeric(5, 4),
            supply_score numeric(5, 4),
            opportunity numeric(6, 5),
            updated_at timestamptz
        );
        CREATE INDEX hot_niches_today_opportunity_idx ON public.hot_niches_today (opportunity DESC);
        RETURN;
    END IF;

    WITH relations (name, kinds) AS (
        VALUES ('features', 'r'), ('hot_niches_today', 'rm')
    ),

    present AS (
        SELECT r.name, r.kinds, c.oid, c.relkind, c.relowner, c.relpersistence, c.relispartition
        FROM relations AS r
        LEFT JOIN pg_class AS c ON c.oid = to_regclass('public.' || r.name)
    ),

    usable AS (
        SELECT * FROM present WHERE oid IS NOT NULL AND position(relkind::text IN kinds) > 0
    ),

    -- A column of the accepted type holds whatever Phase 1 wrote; a numeric needs so many digits before and after the point.
    columns (name, type, integral, fraction) AS (
        VALUES
        ('niche_id', 'bigint', NULL::integer, NULL::integer),
        ('phrase', 'text', NULL, NULL),
        ('demand_score', 'numeric', 1, 4),
        ('monetise_score', 'numeric', 1, 4),
        ('supply_score', 'numeric', 1, 4),
        ('opportunity', 'numeric', 1, 5),
        ('updated_at', 'timestamp with time zone', NULL, NULL)
    ),

    found AS (
        SELECT
            u.name AS relation,
            c.name,
            c.type || CASE c.type
                WHEN 'numeric' THEN format('(%s,%s)', c.integral + c.fraction, c.fraction) ELSE ''
            END AS needed,
            format_type(a.atttypid, a.atttypmod) AS actual,
            CASE
                WHEN c.type = 'text' THEN a.atttypid IN ('text'::regtype, 'varchar'::regtype)
                WHEN c.type = 'numeric' THEN a.atttypid = 'numeric'::regtype AND (
                    a.atttypmod = -1
                    OR (
                        ((a.atttypmod - 4) & 65535) >= c.fraction
                        AND ((a.atttypmod - 4) >> 16) - ((a.atttypmod - 4) & 65535) >= c.integral
                    )
                )
                ELSE a.atttypid = c.type::regtype
            END AS fits
        FROM usable AS u
        CROSS JOIN columns AS c
        LEFT JOIN pg_attribute AS a ON a.attrelid = u.oid AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped
    ),

    added (relation, name) AS (
        VALUES
        ('features', 'trend_vector'),
        ('features', 'last_analyzed_at'),
        ('features', 'analytics_version'),
        ('hot_niches_today', 'trend_direction'),
        ('hot_niches_today', 'trend_confidence'),
        ('hot_niches_today', 'days_trending')
    ),

    unique_columns (name, needed) AS (
        VALUES ('niche_id', 'a primary key'), ('phrase', 'a unique constraint')
    ),

    listed (difference) AS (
        SELECT format('public.%s: is missing', name) FROM present WHERE oid IS NULL
        UNION ALL
        SELECT format(
            'public.%s: is a %s, needs a %s', name,
            CASE relkind
                WHEN 'r' THEN 'table' WHEN 'm' THEN 'materialized view' WHEN 'v' THEN 'view'
                WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table' ELSE 'relation of another kind'
            END,
            CASE kinds WHEN 'r' THEN 'table' ELSE 'table or a materialized view' END
        )
        FROM present
        WHERE oid IS NOT NULL AND position(relkind::text IN kinds) = 0
        UNION ALL
        SELECT format('public.%s: is a partition, needs a table of its own', name) FROM usable WHERE relispartition
        UNION ALL
        SELECT format('public.%s: is unlogged, needs a permanent table; others will refer to it', name)
        FROM usable
        WHERE name = 'features' AND relpersistence <> 'p'
        UNION ALL
        SELECT format('public.%s.%s: is missing, needs %s', relation, name, needed) FROM found WHERE actual IS NULL
        UNION ALL
        SELECT format('public.%s.%s: is %s, needs %s', relation, name, actual, needed)
        FROM found
        WHERE actual IS NOT NULL AND NOT fits
        UNION ALL
        SELECT format('public.features.%s: has no %s', c.name, substr(c.needed, 3))
        FROM unique_columns AS c
        INNER JOIN usable AS u ON u.name = 'features'
        INNER JOIN pg_attribute AS a ON a.attrelid = u.oid AND a.attname = c.name AND NOT a.attisdropped
        WHERE NOT EXISTS (
            SELECT FROM pg_index AS i
            WHERE
                i.indrelid = u.oid
                AND i.indnkeyatts = 1
                AND i.indkey[0] = a.attnum
                AND (i.indisprimary OR (i.indisunique AND c.name = 'phrase'))
                AND i.indisvalid
                AND i.indimmediate
                AND i.indpred IS NULL
        )
        UNION ALL
        SELECT format('public.%s.%s: is there already, Phase 2 adds it', d.relation, d.name)
        FROM added AS d
        INNER JOIN usable AS u ON u.name = d.relation
        INNER JOIN pg_attribute AS a ON a.attrelid = u.oid AND a.attname = d.name AND NOT a.attisdropped
        UNION ALL
        SELECT format(
            'public.%s: belongs to %s, of which %s is not a member', name, pg_get_userbyid(relowner), current_user
        )
        FROM usable
        WHERE NOT pg_has_role(relowner, 'USAGE')
        UNION ALL
        SELECT format(
            'public.%s: has row security that %s does not bypass; a migration has to see every row', u.name, current_user
        )
        FROM usable AS u
        WHERE row_security_active(u.oid)
    )

    SELECT array_agg(difference ORDER BY difference) INTO differences FROM listed;

    IF differences IS NOT NULL THEN
        RAISE EXCEPTION E'Phase 1 as it is here does not fit Phase 2; nothing was changed:\n  - %',
            array_to_string(differences, E'\n  - ')
            USING HINT = 'mend these, or move the tables that are not Phase 1''s out of the way, and run the upgrade again';
    END IF;
END
$$;
