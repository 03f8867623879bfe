-- What resets a setting where this session has it from; where others have it from there, too, first what sets it for this
-- role alone.
SELECT
    CASE
        WHEN s.source IN ('user', 'database user', 'client', 'command line') THEN ''
        ELSE format(
            'ALTER ROLE %%I IN DATABASE %%I SET %%s = %%L (for this role alone; applications keep what they have), or, unless'
            ' replication or another tool needs it, for all: ',
            session_user, current_database(), s.name, %(value)s::text
        )
    END
    || CASE s.source
        WHEN 'database' THEN format('ALTER DATABASE %%I RESET %%s', current_database(), s.name)
        WHEN 'user' THEN format('ALTER ROLE %%I RESET %%s', session_user, s.name)
        WHEN 'database user'
            THEN format('ALTER ROLE %%I IN DATABASE %%I RESET %%s', session_user, current_database(), s.name)
        WHEN 'global' THEN format('ALTER ROLE ALL RESET %%s', s.name)
        WHEN 'client' THEN format('take %%s out of the options in the database URL, or in PGOPTIONS', s.name)
        WHEN 'command line' THEN format('take %%s out of the options with which the server is started, and restart it', s.name)
        ELSE format('ALTER SYSTEM RESET %%s, or take it out of postgresql.conf; SELECT pg_reload_conf()', s.name)
    END
FROM pg_catalog.pg_settings AS s
WHERE s.name = %(name)s;
