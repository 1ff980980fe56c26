-- store::dirty_hours::mark
INSERT INTO callsink.dirty_hours (hour)
SELECT * FROM unnest($1::timestamptz[])
