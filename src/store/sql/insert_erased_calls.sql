-- store::Session::mark_erased
INSERT INTO callsink.erased_calls AS erased (
    call_digest,
    is_deleted,
    erased_time
)
SELECT
    digest,
    $2,
    now()
FROM unnest($1::bytea[]) AS digest
ORDER BY digest
ON CONFLICT (call_digest) DO UPDATE SET
    is_deleted = TRUE
WHERE excluded.is_deleted AND NOT erased.is_deleted
