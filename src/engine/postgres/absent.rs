//! Views of `pg_catalog` that `datafusion-pg-catalog` lacks, about what a lake does not have or what the catalogue does not know
//! (who is connected). They are there, without rows, because tools join them.

/// Names, and PostgreSQL 16's columns; moments are texts.
pub const ABSENT: [(&str, &str); 12] = [
    (
        "pg_stat_activity",
        "datid oid, datname text, pid int4, leader_pid int4, usesysid oid, usename text, application_name text, \
        client_addr text, client_hostname text, client_port int4, backend_start text, xact_start text, query_start text, \
        state_change text, wait_event_type text, wait_event text, state text, backend_xid int4, backend_xmin int4, \
        query_id int8, query text, backend_type text",
    ),
    (
        "pg_locks",
        "locktype text, database oid, relation oid, page int4, tuple int2, virtualxid text, transactionid int4, \
        classid oid, objid oid, objsubid int2, virtualtransaction text, pid int4, mode text, granted bool, \
        fastpath bool, waitstart text",
    ),
    (
        "pg_stats",
        "schemaname text, tablename text, attname text, inherited bool, null_frac float4, avg_width int4, \
        n_distinct float4, most_common_vals text, most_common_freqs text, histogram_bounds text, correlation float4",
    ),
    (
        "pg_stat_user_tables",
        "relid oid, schemaname text, relname text, seq_scan int8, seq_tup_read int8, idx_scan int8, idx_tup_fetch int8, \
        n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_live_tup int8, n_dead_tup int8, last_vacuum text, \
        last_autovacuum text, last_analyze text, last_autoanalyze text",
    ),
    (
        "pg_cursors",
        "name text, statement text, is_holdable bool, is_binary bool, is_scrollable bool, creation_time text",
    ),
    (
        "pg_prepared_statements",
        "name text, statement text, prepare_time text, parameter_types text[], result_types text[], from_sql bool, \
        generic_plans int8, custom_plans int8",
    ),
    ("pg_prepared_xacts", "transaction int4, gid text, prepared text, owner text, database text"),
    (
        "pg_policies",
        "schemaname text, tablename text, policyname text, permissive text, roles text[], cmd text, qual text, \
        with_check text",
    ),
    (
        "pg_matviews",
        "schemaname text, matviewname text, matviewowner text, tablespace text, hasindexes bool, ispopulated bool, \
        definition text",
    ),
    ("pg_rules", "schemaname text, tablename text, rulename text, definition text"),
    (
        "pg_sequences",
        "schemaname text, sequencename text, sequenceowner text, data_type text, start_value int8, min_value int8, \
        max_value int8, increment_by int8, cycle bool, cache_size int8, last_value int8",
    ),
    ("pg_available_extensions", "name text, default_version text, installed_version text, comment text"),
];
