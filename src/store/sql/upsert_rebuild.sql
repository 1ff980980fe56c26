-- store::Session::save_rebuild
INSERT INTO callsink.rebuilds AS rebuild (
    source,
    schema_version,
    position,
    calls_looked_at,
    calls_changed,
    started_time,
    updated_time,
    finished_time
)
VALUES ($1, $2, $3, $4, $5, now(), now(), CASE WHEN $6 THEN now() END)
ON CONFLICT (source, schema_version) DO UPDATE SET
    position = excluded.position,
    calls_looked_at = excluded.calls_looked_at,
    calls_changed = excluded.calls_changed,
    -- One that had come to its end begins anew.
    started_time = CASE
        WHEN rebuild.finished_time IS NULL THEN rebuild.started_time
        ELSE excluded.started_time
    END,
    updated_time = excluded.updated_time,
    finished_time = excluded.finished_time
