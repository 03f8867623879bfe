-- Makes the partition of a month beside the table, attaches it, and moves into it what DEFAULT holds for it. Nobody is
-- waited for: what is held by others is not to be had, and raises. Others' triggers do not fire, since no event comes or
-- goes; who follows the table by logical replication is told that rows left one partition and came to another one.
CREATE OR REPLACE FUNCTION pg_temp.make_month(month timestamp, most bigint, most_bytes bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    lower timestamptz := month AT TIME ZONE 'UTC';
    upper timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
    made text := format('analytics_partitions.%I', to_char(month, '"analytics_events_"YYYY"_"MM'));
    owner text;
    columns text;
    grantee text;
    switched text;
    waiting bigint;
BEGIN
    LOCK TABLE public.features IN SHARE ROW EXCLUSIVE MODE NOWAIT;
    LOCK TABLE ONLY analytics.analytics_events IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
    LOCK TABLE analytics_partitions.analytics_events_default IN ACCESS EXCLUSIVE MODE NOWAIT;
    SET LOCAL lock_timeout = '20ms';  -- on what others have that refers to events

    -- ATTACH reads all of DEFAULT while these locks are held. A CHECK that spares it that would refuse the application's
    -- events of the month until the partition is there.
    IF pg_relation_size('analytics_partitions.analytics_events_default') > most_bytes THEN
        RETURN -3;
    END IF;

    SELECT count(*) INTO waiting
    FROM (
        SELECT FROM analytics_partitions.analytics_events_default AS d
        WHERE d.event_timestamp >= lower AND d.event_timestamp < upper
        LIMIT most + 1
    ) AS d;
    IF waiting > most THEN
        RETURN -1;
    END IF;
    -- To a foreign key, what leaves a partition is deleted.
    IF waiting > 0 AND EXISTS (
        SELECT FROM pg_constraint AS k
        WHERE k.contype = 'f' AND k.confrelid = 'analytics_partitions.analytics_events_default'::regclass
    ) THEN
        RETURN -2;
    END IF;

    EXECUTE format(
        'CREATE TABLE %s (LIKE analytics.analytics_events'
        ' INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION)',
        made
    );
    SELECT quote_ident(pg_get_userbyid(c.relowner)) INTO owner
    FROM pg_class AS c
    WHERE c.oid = 'analytics.analytics_events'::regclass;
    IF owner <> quote_ident(current_user) THEN
        EXECUTE format('ALTER TABLE %s OWNER TO %s', made, owner);
    END IF;
    -- Default privileges: whoever may read the table reads its partitions by it.
    FOR grantee IN
        SELECT DISTINCT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END
        FROM pg_class AS c
        CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
        WHERE c.oid = made::regclass AND acl.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', made, grantee);
    END LOOP;

    IF waiting > 0 THEN
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns
        FROM pg_attribute AS a
        WHERE a.attrelid = 'analytics.analytics_events'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
        switched := pg_temp.switch_off('analytics_partitions.analytics_events_default');
        EXECUTE format(
            'CREATE TEMPORARY TABLE moved_events ON COMMIT DROP AS'
            ' SELECT %s FROM analytics_partitions.analytics_events_default WITH NO DATA',
            columns
        );
        EXECUTE format(
            'WITH moved AS ('
            'DELETE FROM analytics_partitions.analytics_events_default WHERE event_timestamp >= %2$L AND event_timestamp < %3$L'
            ' RETURNING %1$s) INSERT INTO pg_temp.moved_events (%1$s) SELECT %1$s FROM moved',
            columns, lower, upper
        );
        EXECUTE switched;
    END IF;
    EXECUTE format(
        'ALTER TABLE analytics.analytics_events ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', made, lower, upper
    );
    IF waiting > 0 THEN
        switched := pg_temp.switch_off(made);
        EXECUTE format('INSERT INTO %2$s (%1$s) SELECT %1$s FROM pg_temp.moved_events', columns, made);
        EXECUTE switched;
    END IF;
    RETURN waiting;
END
$$;

-- Switches the triggers of a partition off; gives the statements that switch them on again, each as it was.
CREATE OR REPLACE FUNCTION pg_temp.switch_off(partition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    switched text := '';
    each record;
BEGIN
    FOR each IN
        SELECT
            t.tgname,
            CASE t.tgenabled WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END AS state
        FROM pg_trigger AS t
        WHERE t.tgrelid = partition::regclass AND NOT t.tgisinternal AND t.tgenabled <> 'D'
    LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', partition, each.tgname);
        switched := switched || format('ALTER TABLE %s %s TRIGGER %I; ', partition, each.state, each.tgname);
    END LOOP;
    RETURN switched;
END
$$;
