SELECT
    current_setting('server_version') AS version,
    (SELECT json_object_agg(n.name, current_setting(n.name)) FROM unnest(%(names)s::text []) AS n (name)) AS settings;
