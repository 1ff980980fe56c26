-- store::Session::delete_dead_letter. One that was received again since it was read stays.
DELETE FROM callsink.dead_letters
WHERE digest = $1 AND reason = $2 AND last_received_time = $3
