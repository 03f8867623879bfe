-- From here on to the end of the transaction, tables are read by their indexes, wherever one leads to the rows.
SELECT set_config(s.name, s.value, true) AS value
FROM (
    VALUES
    ('enable_seqscan', 'off'),
    ('enable_sort', 'off'),
    ('enable_incremental_sort', 'off'),
    ('enable_tidscan', 'off'),
    ('enable_indexscan', 'on'),
    ('enable_indexonlyscan', 'on'),
    ('enable_bitmapscan', 'off'),
    ('enable_hashjoin', 'off'),
    ('enable_mergejoin', 'off'),
    ('max_parallel_workers_per_gather', '0')
) AS s (name, value);
