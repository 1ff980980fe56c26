-- store::Session::delete_aged. Without the lock, which another replica may hold, nothing is found.
WITH alone AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock($3) AS is_alone
),

-- Two branches, as each can use the index on start_time.
aged AS (
    (
        SELECT call_sid
        FROM public.call_summaries
        WHERE start_time < $1 AND (SELECT is_alone FROM alone)
        ORDER BY start_time
        LIMIT $2
    )
    UNION ALL
    (
        SELECT call_sid
        FROM public.call_summaries
        WHERE start_time IS NULL AND first_received_time < $1 AND (SELECT is_alone FROM alone)
        LIMIT $2
    )
),

-- In the order in which the upsert locks rows: two writers can't deadlock.
locked AS MATERIALIZED (
    SELECT call_sid
    FROM public.call_summaries
    WHERE call_sid IN (SELECT call_sid FROM aged LIMIT $2)
    ORDER BY call_sid COLLATE "C"
    FOR UPDATE SKIP LOCKED
),

deleted AS (
    DELETE FROM public.call_summaries
    WHERE call_sid IN (SELECT call_sid FROM locked)
    RETURNING 1
)

SELECT count(*)
FROM deleted
