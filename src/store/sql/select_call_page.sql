-- store::Session::rebuild_rows_after
SELECT call_sid
FROM public.call_summaries
WHERE call_sid > $1
ORDER BY call_sid
LIMIT $2
