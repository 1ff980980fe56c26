-- store::Session::revise_dead_letter, where the reason is another: it is part of the key, and there may be a letter
-- with that key already.
WITH moved AS (
    DELETE FROM callsink.dead_letters
    WHERE digest = $1 AND reason = $2 AND last_received_time = $3
    RETURNING *
)

INSERT INTO callsink.dead_letters AS letter (
    digest,
    reason,
    detail,
    sqlstate,
    event_id,
    event_type,
    call_sid,
    raw,
    first_received_time,
    last_received_time,
    occurrences
)
SELECT
    moved.digest,
    $4,
    $5,
    $6,
    moved.event_id,
    moved.event_type,
    moved.call_sid,
    moved.raw,
    moved.first_received_time,
    moved.last_received_time,
    moved.occurrences
FROM moved
ON CONFLICT (digest, reason) DO UPDATE SET
    detail = excluded.detail,
    sqlstate = excluded.sqlstate,
    first_received_time = LEAST(letter.first_received_time, excluded.first_received_time),
    last_received_time = GREATEST(letter.last_received_time, excluded.last_received_time),
    occurrences = letter.occurrences + excluded.occurrences
