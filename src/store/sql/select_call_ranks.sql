-- store::Session::call_ranks
SELECT
    asked.call_sid,
    call.event_rank
FROM unnest($1::text[]) AS asked (call_sid)
LEFT JOIN public.call_summaries AS call ON call.call_sid = asked.call_sid
LEFT JOIN callsink.erased_calls AS erased
    ON erased.call_digest = sha256(convert_to(asked.call_sid, 'UTF8')) AND erased.is_deleted
WHERE call.call_sid IS NOT NULL OR erased.call_digest IS NOT NULL
