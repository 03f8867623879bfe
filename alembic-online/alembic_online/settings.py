"""What a session's settings mean for us: those that are pinned, and why the others may be as they are.

Every setting that a role or a database can set for its sessions (`pg_settings`, contexts user and superuser) is judged
here once; a test fails at a name that is missing. PostgreSQL 15 to 18.
"""

from collections.abc import Mapping

PINNED: Mapping[str, str] = {
    # How values are written and read.
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "timezone_abbreviations": "Default",
    "bytea_output": "hex",
    "client_encoding": "UTF8",
    "extra_float_digits": "1",
    "array_nulls": "on",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "xmlbinary": "base64",
    "xmloption": "content",
    # What a statement means.
    "standard_conforming_strings": "on",
    "backslash_quote": "safe_encoding",
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",
    "row_security": "off",  # rather an error than rows that are not seen
    "gin_fuzzy_search_limit": "0",
    "restrict_nonsystem_relation_kind": "",
    "stats_fetch_consistency": "cache",
    "default_text_search_config": "pg_catalog.simple",
    "check_function_bodies": "on",
    "createrole_self_grant": "",
    "plpgsql.extra_errors": "none",
    # What a transaction sees, and how it ends.
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "exit_on_error": "off",
    "client_min_messages": "notice",
    # How long it may take: each command says so itself where it has a limit. Nothing waits longer for a lock, unless
    # somebody says for whom meanwhile.
    "lock_timeout": "2s",
    "statement_timeout": "0",
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    # A superuser's: refused where it is otherwise and the role may not change it.
    "session_replication_role": "origin",
    "ignore_checksum_failure": "off",
    "zero_damaged_pages": "off",
}

MEANS: Mapping[str, str] = {
    "session_replication_role": ", with which triggers and foreign keys do not fire",
    "ignore_checksum_failure": ", with which damaged pages are read",
    "zero_damaged_pages": ", with which damaged pages are emptied",
}
"""What comes of a superuser's setting that is not as it is pinned."""

WISHED: Mapping[str, str] = {
    "deadlock_timeout": "50ms",  # makes autovacuum yield sooner
}
"""Set where the role may; a session does its work without them."""

HARMLESS: Mapping[str, str] = {
    "said by whoever opens the session": "application_name client_connection_check_interval",
    "looked at before anything is changed, and refused where it is on": "default_transaction_read_only",
    "follow the defaults at each BEGIN": "transaction_deferrable transaction_isolation transaction_read_only",
    "pinned where our own statements run; where others' triggers fire, it is the application's": "search_path",
    "plans and speed, the same rows; no statement relies on an order that it does not ask for": """
        backend_flush_after commit_delay commit_siblings constraint_exclusion cpu_index_tuple_cost cpu_operator_cost
        cpu_tuple_cost cursor_tuple_fraction debug_discard_caches debug_logical_replication_streaming
        debug_parallel_query default_statistics_target effective_cache_size effective_io_concurrency
        enable_async_append enable_bitmapscan enable_distinct_reordering enable_gathermerge enable_group_by_reordering
        enable_hashagg enable_hashjoin enable_incremental_sort enable_indexonlyscan enable_indexscan enable_material
        enable_memoize enable_mergejoin enable_nestloop enable_parallel_append enable_parallel_hash
        enable_partition_pruning enable_partitionwise_aggregate enable_partitionwise_join enable_presorted_aggregate
        enable_self_join_elimination enable_seqscan enable_sort enable_tidscan file_copy_method force_parallel_mode
        from_collapse_limit geqo geqo_effort geqo_generations geqo_pool_size geqo_seed geqo_selection_bias
        geqo_threshold gin_pending_list_limit hash_mem_multiplier io_combine_limit jit jit_above_cost
        jit_dump_bitcode jit_expressions jit_inline_above_cost jit_optimize_above_cost jit_tuple_deforming
        join_collapse_limit logical_decoding_work_mem maintenance_io_concurrency maintenance_work_mem
        max_parallel_maintenance_workers max_parallel_workers max_parallel_workers_per_gather
        min_parallel_index_scan_size min_parallel_table_scan_size parallel_leader_participation parallel_setup_cost
        parallel_tuple_cost plan_cache_mode random_page_cost recursive_worktable_factor seq_page_cost
        synchronize_seqscans temp_buffers wal_compression wal_consistency_checking wal_init_zero wal_recycle
        wal_skip_threshold work_mem""",
    "when and how thoroughly a VACUUM of ours works": """
        vacuum_buffer_usage_limit vacuum_cost_delay vacuum_cost_limit vacuum_cost_page_dirty vacuum_cost_page_hit
        vacuum_cost_page_miss vacuum_failsafe_age vacuum_freeze_min_age vacuum_freeze_table_age
        vacuum_max_eager_freeze_failure_rate vacuum_multixact_failsafe_age vacuum_multixact_freeze_min_age
        vacuum_multixact_freeze_table_age vacuum_truncate""",
    "where and how the site stores new tables": """
        default_table_access_method default_tablespace default_toast_compression temp_tablespaces
        allow_in_place_tablespaces""",
    "commits are lost in their order, if at all; what lies outside the WAL is written with it on": "synchronous_commit",
    "a limit that ends a statement with an error": "max_stack_depth temp_file_limit",
    "what the server logs, counts and shows; preflight warns where blockers could not be seen": """
        backtrace_functions compute_query_id debug_pretty_print debug_print_parse debug_print_plan
        debug_print_raw_parse debug_print_rewritten escape_string_warning lc_messages log_duration log_error_verbosity
        log_executor_stats log_lock_failures log_lock_waits log_min_duration_sample log_min_duration_statement
        log_min_error_statement log_min_messages log_parameter_max_length log_parameter_max_length_on_error
        log_parser_stats log_planner_stats log_replication_commands log_statement log_statement_sample_rate
        log_statement_stats log_temp_files log_transaction_sample_rate md5_password_warnings plpgsql.extra_warnings
        plpgsql.print_strict_params trace_notify trace_sort track_activities track_cost_delay_timing track_counts
        track_functions track_io_timing track_wal_io_timing update_process_title""",
    "the connection's, below what we do": """
        tcp_keepalives_count tcp_keepalives_idle tcp_keepalives_interval tcp_user_timeout wal_sender_timeout""",
    "no statement of ours uses it: libraries, extensions, large objects, passwords, ICU locales, system tables": """
        allow_system_table_mods dynamic_library_path extension_control_path extension_destdir icu_validation_level
        lo_compat_privileges local_preload_libraries output_plugin_libraries password_encryption scram_iterations
        session_preload_libraries""",
    "no variable of ours is named like a column, and no function of ours asserts": """
        plpgsql.check_asserts plpgsql.variable_conflict""",
    "others' event triggers are others'": "event_triggers",
}
"""Names by the reason why they may be as a role or a database has set them."""


def judged() -> set[str]:
    """Every name that somebody has thought about."""
    return {*PINNED, *WISHED, *(name for names in HARMLESS.values() for name in names.split())}
