-- store::Session::calls_among
SELECT call_sid
FROM public.call_summaries
WHERE call_sid = ANY($1::text[])
