-- store::Session::count_overdue_partial_calls
SELECT coalesce(sum(still_partial), 0)::bigint
FROM callsink.call_kpis_hourly
WHERE hour >= now() - interval '3 days' AND hour < now() - interval '4 hours'
