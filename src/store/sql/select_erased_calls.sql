-- store::erased_calls::again
SELECT
    call_digest,
    is_deleted
FROM callsink.erased_calls
WHERE call_digest = ANY($1::bytea[])
