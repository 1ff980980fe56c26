-- store::Session::delete_raw
DELETE FROM callsink.events
WHERE digest = ANY($1::bytea[])
