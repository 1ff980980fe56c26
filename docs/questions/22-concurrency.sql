-- How many calls are in progress at once, at most, per minute, by type and trunk?
-- Each answered call adds one at its start and takes one at its end; a minute's figure is its highest sum. Without "AND answered" calls that ring
-- count, too; for the course of it select from minute.
WITH span AS (
    SELECT date_trunc('minute', now() - interval '7 days') AS since
), progress AS (
    SELECT call_type, trunk_sid, greatest(start_time, since) AS start_time, end_time
    FROM calls, span
    WHERE start_time >= since - interval '1 day' AND end_time > since AND end_time > start_time AND answered
), change AS (
    SELECT call_type, trunk_sid, at, delta
    FROM progress
    CROSS JOIN LATERAL (VALUES (start_time, 1), (end_time, -1)) AS moment (at, delta)
    UNION ALL
    -- Every minute begins with what is in progress then.
    SELECT call_type, trunk_sid, at, 0
    FROM (SELECT DISTINCT call_type, trunk_sid FROM progress) AS trunk, span, generate_series(since, now(), interval '1 minute') AS at
), course AS (
    SELECT call_type, trunk_sid, at, sum(delta) OVER (PARTITION BY call_type, trunk_sid ORDER BY at, delta) AS at_once FROM change
), minute AS (
    SELECT call_type, trunk_sid, date_trunc('minute', at) AS minute, max(at_once) AS at_once FROM course GROUP BY 1, 2, 3
)
SELECT call_type, coalesce(trunk_sid, '(no trunk)') AS trunk, max(at_once) AS peak, (array_agg(minute ORDER BY at_once DESC, minute))[1]::timestamp AS first_at,
       percentile_disc(0.95) WITHIN GROUP (ORDER BY at_once) AS p95, round(avg(at_once), 2) AS mean
FROM minute
WHERE minute <= now()
GROUP BY 1, 2
ORDER BY peak DESC, 1, 2;
