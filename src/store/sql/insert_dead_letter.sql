-- store::Session::insert_dead_letter
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
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 1)
ON CONFLICT (digest, reason) DO UPDATE SET
    first_received_time = LEAST(letter.first_received_time, excluded.first_received_time),
    last_received_time = GREATEST(letter.last_received_time, excluded.last_received_time),
    occurrences = letter.occurrences + 1
-- A replay after a crash carries the time that is already there, and is not one more occurrence.
WHERE
    excluded.last_received_time > letter.last_received_time
    OR excluded.first_received_time < letter.first_received_time
