-- store::Session::refresh_kpis: the newest hours first, as these are looked at
WITH taken AS (
    DELETE FROM callsink.dirty_hours
    WHERE hour IN (
        SELECT DISTINCT hour
        FROM callsink.dirty_hours
        WHERE hour <> ALL($2::timestamptz[])
        ORDER BY hour DESC
        LIMIT $1
    )
    RETURNING hour
)

SELECT taken.hour
FROM taken
-- Marks of hours whose calls retention has deleted are dropped: computed anew, these hours would be empty.
WHERE taken.hour >= COALESCE((SELECT refresh.frozen_before FROM callsink.kpi_refresh AS refresh), '-infinity')
