-- store::erased_calls::delete_rows
SELECT call_sid
FROM public.call_summaries
WHERE call_sid = ANY($1::text[])
-- In the order in which the upsert locks rows: two writers can't deadlock.
ORDER BY call_sid COLLATE "C"
FOR UPDATE
