-- store::erased_calls::again
DELETE FROM callsink.events
WHERE digest = ANY($2::bytea[]) AND data ->> 'call_sid' = ANY($1::text[])
