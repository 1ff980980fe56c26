-- store::erased_calls::again
DELETE FROM callsink.dead_letters
WHERE digest = ANY($2::bytea[]) AND call_sid = ANY($1::text[])
