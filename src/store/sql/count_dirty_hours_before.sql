-- store::Session::count_dirty_hours
SELECT
    count(DISTINCT dirty.hour),
    min(dirty.hour),
    max(dirty.hour)
FROM callsink.dirty_hours AS dirty
WHERE
    dirty.hour < $1
    AND dirty.hour >= COALESCE((SELECT refresh.frozen_before FROM callsink.kpi_refresh AS refresh), '-infinity')
