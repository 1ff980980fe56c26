-- store::erased_calls::erase_rows
UPDATE public.call_summaries
SET erased_time = now()
WHERE call_sid = ANY($1::text[]) AND erased_time IS NULL
