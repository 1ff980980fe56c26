-- store::erased_calls::delete_rows
DELETE FROM public.call_summaries
WHERE call_sid = ANY($1::text[])
RETURNING start_time
