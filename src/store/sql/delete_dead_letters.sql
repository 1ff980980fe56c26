-- store::Session::delete_raw
DELETE FROM callsink.dead_letters
WHERE digest = ANY($1::bytea[])
