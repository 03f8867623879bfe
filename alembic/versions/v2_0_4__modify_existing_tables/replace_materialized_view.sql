-- Where hot_niches_today is a materialized view: build a wider one aside from Phase 1's own query, give it what the old
-- one has (options, indexes, owner, privileges, comments), and exchange the two. Only the exchange holds up readers.
DO $$
DECLARE
    old_view oid := to_regclass('public.hot_niches_today');
    new_view oid;
    old record;
    item record;
    query text;
    filled_from oid;
    owner_may_create boolean;
    role_before text := current_setting('role');
    path_before text := current_setting('search_path');
BEGIN
    SELECT c.relkind, c.relispopulated, c.reloptions, c.relacl, c.relowner, pg_get_userbyid(c.relowner) AS owner_name
    INTO old
    FROM pg_class AS c
    WHERE c.oid = old_view;

    IF old.relkind <> 'm' OR EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = old_view AND attname = 'trend_direction'
    ) THEN
        RETURN;
    END IF;

    -- Definitions are printed with every name qualified.
    PERFORM set_config('search_path', 'pg_catalog', true);

    -- PostgreSQL 15 locks the view to print it, and would make a REFRESH, and readers behind it, wait until the exchange
    -- is done. Rolling the printing back lets go of the lock.
    BEGIN
        query := rtrim(pg_get_viewdef(old_view), ';');
        RAISE SQLSTATE 'UNLCK';
    EXCEPTION
        WHEN SQLSTATE 'UNLCK' THEN NULL;
    END;

    -- A REFRESH of the old one from here on shows as another file.
    filled_from := pg_relation_filenode(old_view);
    EXECUTE format(
        $view$
        CREATE MATERIALIZED VIEW analytics.hot_niches_today%s AS
        SELECT
            hot.*,
            trend.direction AS trend_direction,
            trend.confidence::numeric(5, 4) AS trend_confidence,
            trend.days AS days_trending
        FROM (%s) AS hot
        CROSS JOIN LATERAL analytics.trend_of((
            SELECT f.trend_vector FROM %s public.features AS f WHERE f.niche_id = hot.niche_id
        )) AS trend
        WITH %s DATA
        $view$,
        coalesce(' WITH (' || array_to_string(old.reloptions, ', ') || ')', ''),
        query,
        -- Where others have a table inherit from features, it may hold a niche, too.
        CASE WHEN EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'public.features'::regclass) THEN 'ONLY' ELSE '' END,
        CASE WHEN old.relispopulated THEN '' ELSE 'NO' END
    );
    new_view := 'analytics.hot_niches_today'::regclass;

    FOR item IN
        SELECT
            c.relname,
            i.indisclustered,
            replace(
                pg_get_indexdef(i.indexrelid), ' ON public.hot_niches_today ', ' ON analytics.hot_niches_today '
            ) AS definition,
            obj_description(i.indexrelid, 'pg_class') AS comment
        FROM pg_index AS i
        INNER JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE i.indrelid = old_view
        ORDER BY i.indexrelid
    LOOP
        EXECUTE item.definition;
        IF item.comment IS NOT NULL THEN
            EXECUTE format('COMMENT ON INDEX analytics.%I IS %L', item.relname, item.comment);
        END IF;
        IF item.indisclustered THEN
            EXECUTE format('ALTER MATERIALIZED VIEW analytics.hot_niches_today CLUSTER ON %I', item.relname);
        END IF;
    END LOOP;

    IF obj_description(old_view, 'pg_class') IS NOT NULL THEN
        EXECUTE format(
            'COMMENT ON MATERIALIZED VIEW analytics.hot_niches_today IS %L', obj_description(old_view, 'pg_class')
        );
    END IF;
    FOR item IN
        SELECT attname, col_description(old_view, attnum) AS comment
        FROM pg_attribute
        WHERE attrelid = old_view AND attnum > 0 AND col_description(old_view, attnum) IS NOT NULL
    LOOP
        EXECUTE format('COMMENT ON COLUMN analytics.hot_niches_today.%I IS %L', item.attname, item.comment);
    END LOOP;
    COMMENT ON COLUMN analytics.hot_niches_today.trend_direction IS
    'Direction of the niche''s trend over the last 14 days: rising, stable or falling';
    COMMENT ON COLUMN analytics.hot_niches_today.trend_confidence IS
    'Confidence in trend_direction, 0 to 1; under seven daily points below 0.6';
    COMMENT ON COLUMN analytics.hot_niches_today.days_trending IS 'Days for which trend_direction has held, 0 to 14';

    -- A REFRESH runs with the owner's rights: it must be able to call trend_of.
    IF NOT has_function_privilege(old.relowner, 'analytics.trend_of(jsonb)', 'EXECUTE') THEN
        EXECUTE format('GRANT EXECUTE ON FUNCTION analytics.trend_of(jsonb) TO %I', old.owner_name);
    END IF;
    IF old.owner_name <> current_user THEN
        -- An owner has to be allowed to create in the schema at the moment it becomes one.
        owner_may_create := has_schema_privilege(old.relowner, 'analytics', 'CREATE');
        IF NOT owner_may_create THEN
            EXECUTE format('GRANT CREATE ON SCHEMA analytics TO %I', old.owner_name);
        END IF;
        EXECUTE format('ALTER MATERIALIZED VIEW analytics.hot_niches_today OWNER TO %I', old.owner_name);
        IF NOT owner_may_create THEN
            EXECUTE format('REVOKE CREATE ON SCHEMA analytics FROM %I', old.owner_name);
        END IF;
    END IF;

    CREATE SCHEMA IF NOT EXISTS analytics_phase1;
    COMMENT ON SCHEMA analytics_phase1 IS
    'Phase 1''s own hot_niches_today, kept for the way back; moved back by the downgrade of 2.0.4';
    ALTER MATERIALIZED VIEW public.hot_niches_today SET SCHEMA analytics_phase1;
    IF pg_relation_filenode(old_view) <> filled_from THEN
        -- The application refreshed the old one while the new one was built: it must see what it refreshed.
        EXECUTE format(
            'REFRESH MATERIALIZED VIEW analytics.hot_niches_today WITH %s DATA',
            (SELECT CASE WHEN relispopulated THEN '' ELSE 'NO' END FROM pg_class WHERE oid = old_view)
        );
    END IF;
    ALTER MATERIALIZED VIEW analytics.hot_niches_today SET SCHEMA public;

    -- Privileges only now: who passed one on can see schema public, but not schema analytics. First away with everything,
    -- also what default privileges added; then in their order, because who passed a right on had it granted before.
    FOR item IN
        SELECT DISTINCT CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS grantee
        FROM pg_class AS c
        CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS acl
        WHERE c.oid = new_view
    LOOP
        EXECUTE format('REVOKE ALL ON TABLE public.hot_niches_today FROM %s', item.grantee);
    END LOOP;
    FOR item IN
        SELECT
            rights.privilege_type,
            rights.columns,
            rights.is_grantable,
            CASE
                WHEN rights.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(rights.grantee))
            END AS grantee,
            rights.grantor,
            pg_get_userbyid(rights.grantor) AS grantor_name
        FROM (
            SELECT acl.*, '' AS columns, 0 AS attnum
            FROM aclexplode(coalesce(old.relacl, acldefault('r', old.relowner))) WITH ORDINALITY
                AS acl (grantor, grantee, privilege_type, is_grantable, place)
            UNION ALL
            SELECT acl.*, format('(%I)', a.attname), a.attnum
            FROM pg_attribute AS a
            CROSS JOIN LATERAL aclexplode(a.attacl) WITH ORDINALITY
                AS acl (grantor, grantee, privilege_type, is_grantable, place)
            WHERE a.attrelid = old_view
        ) AS rights
        ORDER BY rights.attnum, rights.place
    LOOP
        IF item.grantor <> old.relowner THEN
            IF NOT pg_has_role(item.grantor, 'MEMBER') THEN
                RAISE EXCEPTION 'materialized view public.hot_niches_today cannot be replaced: % passed privileges on, and % is not a member of it',
                    item.grantor_name, current_user
                    USING HINT = format('GRANT %I TO %I, and run the upgrade again', item.grantor_name, current_user);
            END IF;
            PERFORM set_config('role', item.grantor_name, true);
        END IF;
        EXECUTE format(
            'GRANT %s %s ON TABLE public.hot_niches_today TO %s %s',
            item.privilege_type, item.columns, item.grantee,
            CASE WHEN item.is_grantable THEN 'WITH GRANT OPTION' ELSE '' END
        );
        PERFORM set_config('role', role_before, true);
    END LOOP;

    PERFORM set_config('search_path', path_before, true);
END
$$;
