-- store::Session::delete_aged. Without the lock, which another replica may hold, nothing is found.
WITH alone AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock($3) AS is_alone
),

aged AS MATERIALIZED (
    SELECT ctid
    FROM callsink.events
    WHERE received_time < $1 AND (SELECT is_alone FROM alone)
    ORDER BY received_time
    LIMIT $2
    FOR UPDATE SKIP LOCKED
),

deleted AS (
    DELETE FROM callsink.events
    WHERE ctid = ANY(ARRAY(SELECT ctid FROM aged))
    RETURNING 1
)

SELECT count(*)
FROM deleted
