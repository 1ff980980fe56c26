-- store::Session::diagnose
SELECT
    current_setting('server_version_num')::integer AS version,
    current_setting('server_version') AS version_text,
    pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS is_read_only,
    to_regclass('callsink.schema_history') IS NOT NULL AS has_history,
    has_table_privilege(to_regclass('public.call_summaries'), 'INSERT')
        AND has_table_privilege(to_regclass('public.call_summaries'), 'UPDATE') AS can_write,
    has_database_privilege(current_database(), 'CREATE') AS can_create,
    clock_timestamp() AS now
