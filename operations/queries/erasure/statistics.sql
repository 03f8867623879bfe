-- Tables of ours of which the planner's statistics hold an id: of the rows that are gone, as common values.
SELECT DISTINCT format('%I.%I', s.schemaname, s.tablename) AS name
FROM pg_stats AS s
CROSS JOIN LATERAL (
    SELECT concat_ws(' ', s.most_common_vals::text, s.histogram_bounds::text, s.most_common_elems::text) AS kept
) AS k
WHERE
    (s.schemaname IN ('analytics', 'analytics_partitions', 'sidb') OR s.schemaname ~ '^sidb_archive_[0-9]+$')
    AND EXISTS (
        SELECT FROM pg_temp.erasing_user AS u
        WHERE (strpos(k.kept, u.user_id) > 0 OR strpos(k.kept, u.in_json) > 0) AND k.kept ~ u.pattern
    )
ORDER BY 1;
