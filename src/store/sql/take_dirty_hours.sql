-- store::Session::refresh_kpis: the newest hours first, as these are looked at
DELETE FROM callsink.dirty_hours
WHERE hour IN (
    SELECT DISTINCT hour
    FROM callsink.dirty_hours
    ORDER BY hour DESC
    LIMIT $1
)
RETURNING hour
