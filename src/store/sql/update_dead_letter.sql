-- store::Session::revise_dead_letter, where the reason is the same
UPDATE callsink.dead_letters
SET
    detail = $3,
    sqlstate = $4
WHERE digest = $1 AND reason = $2
