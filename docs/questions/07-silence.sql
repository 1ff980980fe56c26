-- How often is audio silent or one-way, by direction, carrier and SDK version?
-- Twilio tags the call, not the edge.
SELECT call_type, direction, coalesce(carrier, sdk_type || ' ' || sdk_version, '(none)') AS carrier_or_sdk, count(*) AS answered,
       count(*) FILTER (WHERE has_silence) AS silent,
       round(100.0 * count(*) FILTER (WHERE has_silence) / count(*), 1) AS silent_percent
FROM calls
WHERE start_time >= now() - interval '14 days' AND answered
GROUP BY 1, 2, 3
HAVING count(*) >= 30
ORDER BY silent_percent DESC, answered DESC
LIMIT 12;
