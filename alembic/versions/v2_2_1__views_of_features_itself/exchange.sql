-- Put what was built aside in the place of {schema}.{name}, with its comment and privileges. Only this holds up readers.
DO $$
DECLARE
    old record;
    new record;
    item record;
    state text;
    is_old boolean;
    rights jsonb;
    role_before text := current_setting('role');
    path_before text := current_setting('search_path');
BEGIN
    SELECT c.oid, c.relispopulated, c.relacl, c.relowner, obj_description(c.oid, 'pg_class') AS comment
    INTO old
    FROM pg_class AS c
    WHERE c.oid = to_regclass('{schema}.{name}') AND c.relkind = 'm';
    SELECT c.oid, c.relispopulated, obj_description(c.oid, 'pg_class') AS built_from
    INTO new
    FROM pg_class AS c
    WHERE c.oid = to_regclass('{aside}.{name}') AND c.relkind = 'm';
    IF old.oid IS NULL OR new.oid IS NULL THEN
        RETURN;
    END IF;

    PERFORM set_config('search_path', 'pg_catalog', true);
    -- A change that changes nothing: nobody refreshes the old one from here on. Tried for some seconds, so that what was
    -- built is not built anew where somebody reads.
    FOR attempt IN 1..50 LOOP
        BEGIN
            EXECUTE format('ALTER MATERIALIZED VIEW {schema}.{name} OWNER TO %I', pg_get_userbyid(old.relowner));
            EXIT;
        EXCEPTION
            WHEN lock_not_available THEN
                IF attempt = 50 THEN
                    RAISE;
                END IF;
                PERFORM pg_sleep(0.1);
        END;
    END LOOP;
    SELECT c.relispopulated INTO old.relispopulated FROM pg_class AS c WHERE c.oid = old.oid;

    is_old := old.relispopulated <> new.relispopulated;
    IF {compares_rows} AND old.relispopulated THEN
        -- The application may have refreshed the old one while the new one was built: it must see what it refreshed.
        IF has_table_privilege(old.oid, 'SELECT') THEN
            SELECT concat(pg_relation_filenode(old.oid), md5(string_agg(concat(v.ctid, v.xmin), ' ' ORDER BY v.ctid)))
            INTO state
            FROM {schema}.{name} AS v;
        END IF;
        is_old := is_old OR state IS NULL OR state IS DISTINCT FROM new.built_from;
    END IF;
    IF is_old THEN
        EXECUTE format(
            'REFRESH MATERIALIZED VIEW {aside}.{name} WITH %s DATA', CASE WHEN old.relispopulated THEN '' ELSE 'NO' END
        );
    END IF;

    -- In their order, because who passed a right on had it granted before.
    SELECT jsonb_agg(to_jsonb(r) ORDER BY r.attnum, r.place)
    INTO rights
    FROM (
        SELECT acl.*, '' AS columns, 0 AS attnum
        FROM aclexplode(coalesce(old.relacl, acldefault('r', old.relowner))) WITH ORDINALITY
            AS acl (grantor, grantee, privilege_type, is_grantable, place)
        UNION ALL
        SELECT acl.*, format('(%I)', a.attname), a.attnum
        FROM pg_attribute AS a
        CROSS JOIN LATERAL aclexplode(a.attacl) WITH ORDINALITY
            AS acl (grantor, grantee, privilege_type, is_grantable, place)
        WHERE a.attrelid = old.oid
    ) AS r;
    DROP MATERIALIZED VIEW {schema}.{name};
    ALTER MATERIALIZED VIEW {aside}.{name} SET SCHEMA {schema};
    EXECUTE format('COMMENT ON MATERIALIZED VIEW {schema}.{name} IS %L', old.comment);

    -- Privileges only now: who passed one on can see this schema, but perhaps not the other. First away with everything,
    -- also what default privileges added.
    FOR item IN
        SELECT DISTINCT CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS grantee
        FROM pg_class AS c
        CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS acl
        WHERE c.oid = new.oid
    LOOP
        EXECUTE format('REVOKE ALL ON TABLE {schema}.{name} FROM %s', item.grantee);
    END LOOP;
    FOR item IN
        SELECT
            r.privilege_type,
            r.columns,
            r.is_grantable,
            CASE WHEN r.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.grantee)) END AS grantee,
            r.grantor,
            pg_get_userbyid(r.grantor) AS grantor_name
        FROM jsonb_to_recordset(rights)
            AS r (grantor oid, grantee oid, privilege_type text, is_grantable boolean, columns text, attnum int, place int)
        ORDER BY r.attnum, r.place
    LOOP
        IF item.grantor <> old.relowner THEN
            IF NOT pg_has_role(item.grantor, 'MEMBER') THEN
                RAISE EXCEPTION 'materialized view {schema}.{name} cannot be replaced: % passed privileges on, and % is not a member of it',
                    item.grantor_name, current_user
                    USING HINT = format('GRANT %I TO %I, and run it again', item.grantor_name, current_user);
            END IF;
            PERFORM set_config('role', item.grantor_name, true);
        END IF;
        EXECUTE format(
            'GRANT %s %s ON TABLE {schema}.{name} TO %s %s',
            item.privilege_type, item.columns, item.grantee,
            CASE WHEN item.is_grantable THEN 'WITH GRANT OPTION' ELSE '' END
        );
        PERFORM set_config('role', role_before, true);
    END LOOP;

    PERFORM set_config('search_path', path_before, true);
END
$$;
