-- How many calls are in progress at once, at most, per type?
-- Each answered call adds one at its start and takes one at its end; the highest sum of each day.
WITH change AS (
    SELECT call_type, at, delta
    FROM calls
    CROSS JOIN LATERAL (VALUES (start_time, 1), (end_time, -1)) AS moment (at, delta)
    WHERE start_time >= now() - interval '7 days' AND end_time IS NOT NULL AND answered
), course AS (
    SELECT call_type, at, sum(delta) OVER (PARTITION BY call_type ORDER BY at, delta) AS at_once FROM change
)
SELECT (at AT TIME ZONE 'UTC')::date AS day, max(at_once) FILTER (WHERE call_type = 'carrier') AS carrier, max(at_once) FILTER (WHERE call_type = 'client') AS client,
       max(at_once) FILTER (WHERE call_type = 'sip') AS sip, max(at_once) FILTER (WHERE call_type = 'trunking') AS trunking
FROM course
GROUP BY 1
ORDER BY 1;
