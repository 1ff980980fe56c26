-- store::kpis::freeze
UPDATE callsink.kpi_refresh AS refresh
SET frozen_before = GREATEST(refresh.frozen_before, $1)
WHERE NOT EXISTS (
    SELECT
    FROM callsink.dirty_hours AS dirty
    WHERE
        dirty.hour < $1
        AND dirty.hour >= COALESCE(refresh.frozen_before, '-infinity')
)
