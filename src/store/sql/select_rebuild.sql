-- store::Session::unfinished_rebuild
SELECT
    position,
    calls_looked_at,
    calls_changed
FROM callsink.rebuilds
WHERE
    source = $1
    AND schema_version = $2
    AND finished_time IS NULL
