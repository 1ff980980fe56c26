-- store::Session::call_ranks
SELECT
    call_sid,
    event_rank
FROM public.call_summaries
WHERE call_sid = ANY($1)
