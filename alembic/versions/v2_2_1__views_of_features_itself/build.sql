-- Build {schema}.{name} anew, aside in schema {aside}, where it reads features otherwise than it should: of its own
-- query, with its options, indexes, comments and owner. Nobody waits for it. In one transaction with the exchange.
DO $$
DECLARE
    old record;
    item record;
    query text;
    wanted text;
    built_from text;
    only_itself boolean := {only} OR EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'public.features'::regclass);
    owner_may_create boolean;
    path_before text := current_setting('search_path');
BEGIN
    SELECT c.oid, c.relispopulated, c.reloptions, c.relowner, pg_get_userbyid(c.relowner) AS owner_name
    INTO old
    FROM pg_class AS c
    WHERE c.oid = to_regclass('{schema}.{name}') AND c.relkind = 'm';
    IF old.oid IS NULL THEN
        RETURN;
    END IF;

    -- Definitions are printed with every name qualified.
    PERFORM set_config('search_path', 'pg_catalog', true);

    IF NOT {compares_rows} THEN
        -- Until the end refresh_stale_views leaves it alone, and with it the marks of what the new one may lack.
        PERFORM pg_advisory_xact_lock(hashtextextended('{schema}.{name}', 0));
    END IF;

    -- PostgreSQL 15 locks the view to print it, and its rows are read: a REFRESH, and readers behind it, would wait until
    -- the new one is built. Rolling that back lets go of the lock.
    BEGIN
        query := rtrim(pg_get_viewdef(old.oid), ';');
        IF {compares_rows} AND old.relispopulated AND has_table_privilege(old.oid, 'SELECT') THEN
            SELECT concat(pg_relation_filenode(old.oid), md5(string_agg(concat(v.ctid, v.xmin), ' ' ORDER BY v.ctid)))
            INTO built_from
            FROM {schema}.{name} AS v;
        END IF;
        RAISE SQLSTATE 'UNLCK';
    EXCEPTION
        WHEN SQLSTATE 'UNLCK' THEN NULL;
    END;

    IF query !~ '\sFROM \(?(ONLY )?public\.features f\s+{reads}' THEN
        RAISE EXCEPTION 'materialized view {schema}.{name} does not read features as our revisions made it'
            USING HINT = 'sidb verify says what is otherwise; put it right, and run it again';
    END IF;
    wanted := regexp_replace(
        query,
        '^(.*\sFROM \(?)(ONLY )?(public\.features f\s+{reads}.*)$',
        '\1' || CASE WHEN only_itself THEN 'ONLY ' ELSE '' END || '\3'
    );
    IF wanted = query THEN
        PERFORM set_config('search_path', path_before, true);
        RETURN;
    END IF;

    EXECUTE format(
        'CREATE MATERIALIZED VIEW {aside}.{name}%s AS %s WITH %s DATA',
        coalesce(' WITH (' || array_to_string(old.reloptions, ', ') || ')', ''),
        wanted,
        CASE WHEN old.relispopulated THEN '' ELSE 'NO' END
    );
    -- A REFRESH of the old one since then shows by this; without it, there may have been one.
    EXECUTE format('COMMENT ON MATERIALIZED VIEW {aside}.{name} IS %L', built_from);

    FOR item IN
        SELECT
            c.relname,
            i.indisclustered,
            replace(pg_get_indexdef(i.indexrelid), ' ON {schema}.{name} ', ' ON {aside}.{name} ') AS definition,
            obj_description(i.indexrelid, 'pg_class') AS comment
        FROM pg_index AS i
        INNER JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE i.indrelid = old.oid
        ORDER BY i.indexrelid
    LOOP
        EXECUTE item.definition;
        IF item.comment IS NOT NULL THEN
            EXECUTE format('COMMENT ON INDEX {aside}.%I IS %L', item.relname, item.comment);
        END IF;
        IF item.indisclustered THEN
            EXECUTE format('ALTER MATERIALIZED VIEW {aside}.{name} CLUSTER ON %I', item.relname);
        END IF;
    END LOOP;
    FOR item IN
        SELECT attname, col_description(old.oid, attnum) AS comment
        FROM pg_attribute
        WHERE attrelid = old.oid AND attnum > 0 AND col_description(old.oid, attnum) IS NOT NULL
    LOOP
        EXECUTE format('COMMENT ON COLUMN {aside}.{name}.%I IS %L', item.attname, item.comment);
    END LOOP;

    IF old.owner_name <> current_user THEN
        -- An owner has to be allowed to create in the schema at the moment it becomes one.
        owner_may_create := has_schema_privilege(old.relowner, '{aside}', 'CREATE');
        IF NOT owner_may_create THEN
            EXECUTE format('GRANT CREATE ON SCHEMA {aside} TO %I', old.owner_name);
        END IF;
        EXECUTE format('ALTER MATERIALIZED VIEW {aside}.{name} OWNER TO %I', old.owner_name);
        IF NOT owner_may_create THEN
            EXECUTE format('REVOKE CREATE ON SCHEMA {aside} FROM %I', old.owner_name);
        END IF;
    END IF;

    PERFORM set_config('search_path', path_before, true);
END
$$;
